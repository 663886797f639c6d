"""Acquire images: list, choose, fetch and judge, tier by tier, until every label has its target.

Only as much metadata is read and as many images are requested as the target needs. The order of candidates is fixed
by a keyed hash, so a run that was killed and started again requests the same images.

>>> wave_size(wanted=100, kept=30, tried=60)
200
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import BoolArray, Drop, Stage
from curator.decide.forgotten import drop_forgotten
from curator.decide.licences import drop_unlicensed
from curator.decide.quality import drop_poor_images
from curator.decide.row_places import drop_rows
from curator.decide.target import choose_candidates
from curator.errors import SourceError
from curator.events import Noted, SourceListed, Warned
from curator.fetch.fetch_images import fetch_images
from curator.fetch.plan import FetchOptions
from curator.manifests.labels import LabelFinder
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.tombstones import read_tombstones
from curator.pipeline.fetched_from import Watched, refuse_missing
from curator.pipeline.join_lists import in_order, merge, note_same, note_unlicensed, warn_of_passwords
from curator.pipeline.made_pictures import find_makings, make_pictures
from curator.sources.base import ListingContext, PlannedRead
from curator.sources.budget import within
from curator.sources.failures import as_source_error
from curator.sources.registry import host_limits
from curator.sources.table_forms import n_same
from curator.sources.userinfo import take_userinfo
from curator.store.catalog_files import plain
from curator.text import Text, as_parts, hide_in_address, hide_in_settings, plural

if TYPE_CHECKING:
    import pandas as pd

    from curator.pipeline.rescue import Rescuer

LEAST_RATE = 0.2
"""A wave is never larger than this yield would need, so that a bad start does not request the whole list."""

_ALL = 2**62
"""More images than there can be."""


@dataclass(frozen=True)
class AcquireOptions:
    """How a fetch differs from what the recipe says."""

    limit: int | None = None
    everything: bool = False
    retry: Literal["none", "failed", "all"] = "none"
    refresh: bool = False


@dataclass
class Listing:
    """What the sources have listed so far, which of them could not be listed, and which caches were read afresh.

    ``userinfo`` says who signs in, with which password, at which of its addresses: no table holds that. ``watched`` are
    the local files that lists name, and ``rescuer`` asks the web archive, if the recipe wants that.
    """

    rows: pa.Table = field(default_factory=catalog.SCHEMA.empty_table)
    userinfo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Text] = field(default_factory=dict)
    fresh: set[Path] = field(default_factory=set)
    watched: list[Watched] = field(default_factory=list)
    rescuer: Rescuer | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a DataFrame."""
        return catalog.from_arrow(self.rows)

    def watch(self, source: int, paths: Sequence[str] | pa.ChunkedArray) -> None:
        """Look at local files that a source names."""
        if len(paths):
            column = paths if isinstance(paths, pa.ChunkedArray) else pa.chunked_array([paths], pa.string())
            self.watched.append(Watched.now(source, column))


def settings_of_fetch(recipe: Recipe, options: AcquireOptions) -> dict[str, Any]:
    """State what a fetch was made with: sources, network and quality settings; passwords are hidden."""
    wanted = {"limit": options.limit, "everything": options.everything}
    names = {label: list(others) for label, others in recipe.label_names.items() if others}
    return {
        "sources": [hide_in_settings({"kind": source.kind, **plain(source)}) for source in recipe.sources],
        "fetch": {**plain(recipe.fetch), "proxy": hide_in_address(recipe.fetch.proxy), **wanted},
        "quality": plain(recipe.quality),
        **({"licence": plain(recipe.licence)} if recipe.licence.allow else {}),
        **({"label_names": names} if names else {}),
    }


def acquire(
    project: Project, options: AcquireOptions, note_listed: Callable[[pa.Table], object]
) -> tuple[Listing, pa.Table]:
    """List and fetch until each label has its target of images or nothing is left to try.

    Args:
        note_listed: takes all that is listed, each time before its images are requested.

    Returns:
        The listing, and the catalog of all listed images after the fetch, sorted by record_id.
    """
    rescuer = None
    if project.recipe.fetch.rescue:  # a fetch that asks no web archive starts without what that takes
        from curator.pipeline.rescue import Rescuer

        rescuer = Rescuer(project, FetchOptions(options.retry))

    def settle(listing: Listing, settled: pa.Table) -> pa.Table:
        listing.rescuer = rescuer
        if len(listing.rows):  # a listing that failed is no news of what is listed
            note_listed(listing.rows)
        return _fetch_waves(project, options, listing, settled)

    listing, settled = _list_tiers(project, options, settle)
    is_listed = _are_among(settled, listing.rows)
    if not is_listed.all():  # a later tier lists the address with its licence
        settled = catalog.where(settled, is_listed)
    is_untried = ~_are_among(listing.rows, settled)
    if is_untried.any():
        untried = catalog.where(listing.rows, is_untried)
        limit = None if options.limit is None else f"--limit {options.limit}"
        targets = {label: limit or f"target {project.recipe.target_of(label)}" for label in project.recipe.labels}
        said = {label: f"not needed: {target} per label" for label, target in targets.items()}
        details = [said[label] for label in untried["label"].to_pylist()]
        untried = drop_rows(untried, np.arange(len(untried)), Stage.FETCHED, Drop.BEYOND_TARGET, details)
        settled = _joined(settled, untried)
    return listing, in_order(settled)


def _are_among(rows: pa.Table, others: pa.Table) -> BoolArray:
    """Return which rows of a catalog another one has, too: bool array, shape (rows,)."""
    found: BoolArray = pc.is_in(rows["record_id"], others["record_id"].combine_chunks()).to_numpy()
    return found


def _joined(rows: pa.Table, more: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, more.cast(rows.schema)]) if len(rows) else more


def plan_listing(project: Project, options: AcquireOptions) -> Listing:
    """List tier by tier until each label has as many candidates as its target; request no image."""
    project.claim()
    return _list_tiers(project, options, lambda listing, _: catalog.kept(listing.rows))[0]


def _list_tiers(
    project: Project, options: AcquireOptions, settle: Callable[[Listing, pa.Table], pa.Table]
) -> tuple[Listing, pa.Table]:
    """List tier by tier, and settle what is listed, until no label is short of its target."""
    refuse_missing(project)
    listing, settled = Listing(), catalog.SCHEMA.empty_table()
    for tier in range(n_tiers(project)):
        if not (short := [label for label, n in _wanted(project, settled, options).items() if n]):
            break
        _list_tier(project, listing, tier, short, options.refresh)
        settled = settle(listing, settled)
    if not len(listing.rows) and listing.failures:
        raise SourceError("No source listed an image, so there is nothing to fetch.", "The warnings above say why.")
    return listing, settled


def n_tiers(project: Project) -> int:
    """Count the tiers of all sources."""
    n: int = max(source.n_tiers for source in project.recipe.sources)
    return n


def _list_tier(project: Project, listing: Listing, tier: int, labels: Sequence[str], refresh: bool) -> None:
    """List one tier of every source into ``listing``; a source that fails is warned about and left out."""
    context = _context(project, listing, refresh)
    tombstones = read_tombstones(project.paths.forgotten)
    for index, source in enumerate(project.recipe.sources):
        name = source.title
        if f"{index} {name}" in listing.failures or tier >= source.n_tiers:
            continue
        before = [(one.kind, one.title) for one in project.recipe.sources[:index]]
        context = replace(context, has_namesake=(source.kind, name) in before, watch=partial(listing.watch, index))
        try:
            with as_source_error(), within(project.recipe.lists, project.paths.sources):
                _announce(project, name, source.plan(tier, context))
                listed = source.list_rows(tier, labels, context)
                n_in_it = n_same(listed)
                rows, userinfo = take_userinfo(listed)
                rows = drop_unlicensed(drop_forgotten(rows, tombstones), project.recipe.licence)
        except SourceError as error:
            if len(project.recipe.sources) == 1 and not len(listing.rows):
                raise SourceError(f"The source {name} could not be listed: {error.message}", error.hint) from error
            failure = (f"The source {name} could not be listed: ", *as_parts(error.text))
            listing.failures[f"{index} {name}"] = failure
            project.emit(Warned(failure))
            continue
        warn_of_passwords(project, name, len(userinfo))
        note_unlicensed(project, name, rows)
        listing.userinfo = userinfo | listing.userinfo
        n_before = len(listing.rows)
        listing.rows = merge(listing.rows, rows, bool(project.recipe.licence.allow), project.paths.sources)
        project.emit(SourceListed(name, catalog.count_values(rows["label"])))
        note_same(project, name, n_in_it, n_before + len(rows) - len(listing.rows))
        del listed, rows
        pa.default_memory_pool().release_unused()  # what the list's own form took: as much as the listing itself


def _context(project: Project, listing: Listing, refresh: bool) -> ListingContext:
    recipe = project.recipe
    return ListingContext(
        labels=recipe.labels,
        cache_dir=project.paths.sources,
        base_dir=recipe.base_dir,
        fetch=recipe.fetch,
        emit=project.emit,
        refresh=refresh,
        label_names=LabelFinder(dict.fromkeys(recipe.labels, ()) | dict(recipe.label_names)),
        fresh=listing.fresh,
        forgotten=read_tombstones(project.paths.forgotten)["content"],
    )


def _announce(project: Project, name: str, reads: Sequence[PlannedRead]) -> None:
    fresh = [read for read in reads if not read.cached]
    if not fresh:
        return
    known = sum(read.n_bytes or 0 for read in fresh)
    unknown = sum(read.n_bytes is None for read in fresh)
    size = _size_text(known) if known or not unknown else "unknown size"
    rest = f", {unknown} of unknown size" if unknown and known else ""
    project.emit(Noted(f"{name}: will read {plural(len(fresh), 'list or metadata file')}, {size}{rest}"))


def _size_text(n_bytes: int) -> str:
    if n_bytes < 1000:
        return f"{n_bytes} B"
    return f"{n_bytes / 1e3:,.0f} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:,.1f} MB"


def wave_size(wanted: int, kept: int, tried: int) -> int:
    """Say how many images to request so that ``wanted`` more come out good, at the rate seen so far."""
    rate = kept / tried if tried else 1.0
    return math.ceil(wanted / max(rate, LEAST_RATE))


def _wanted(project: Project, settled: pa.Table, options: AcquireOptions, as_wave: bool = False) -> dict[str, int]:
    """Count the images still wanted of each label, or those to request for that; without a target, :data:`_ALL`."""
    kept, tried = (catalog.count_values(some["label"]) for some in (catalog.kept(settled), settled))
    wanted = {}
    for label in project.recipe.labels:
        n_kept, n_tried = kept.get(label, 0), tried.get(label, 0)
        target = 0 if options.everything else project.recipe.target_of(label)
        n = target - n_kept if target else _ALL
        if as_wave and 0 < n < _ALL:
            n = wave_size(n, n_kept, n_tried)
        if options.limit is not None:
            n = min(n, options.limit - n_tried)
        wanted[label] = max(n, 0)
    return wanted


def _fetch_waves(project: Project, options: AcquireOptions, listing: Listing, settled: pa.Table) -> pa.Table:
    table = listing.rows
    while True:
        tried = _are_among(table, settled)
        chosen = choose_candidates(table, tried, _wanted(project, settled, options, as_wave=True))
        if not chosen.any():
            return settled
        wave = table if chosen.all() else catalog.where(table, chosen)
        fetched = fetch_and_judge(project, wave, options, listing)
        settled = _joined(settled, fetched)


def fetch_and_judge(project: Project, rows: pa.Table, options: AcquireOptions, listing: Listing) -> pa.Table:
    """Settle these rows of a catalog, by the ledger, by a request or from a web archive, and drop the poor ones."""
    recipe = project.recipe
    limits = host_limits(recipe.sources, recipe.fetch.per_host)
    fetched = fetch_images(rows, project, FetchOptions(options.retry, limits, listing.userinfo))
    if listing.rescuer:
        rescued = listing.rescuer.rescue_dead(catalog.from_arrow(fetched), listing.userinfo)
        fetched = catalog.to_arrow(rescued)
    fetched = make_pictures(project, fetched, find_makings(fetched))
    return drop_poor_images(fetched, recipe.quality)
