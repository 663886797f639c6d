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
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import Drop, Stage
from curator.decide.forgotten import drop_forgotten
from curator.decide.licences import drop_unlicensed
from curator.decide.quality import drop_poor_images
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
from curator.sources.base import N_SAME, ListingContext, PlannedRead
from curator.sources.budget import within
from curator.sources.failures import as_source_error
from curator.sources.registry import host_limits
from curator.sources.userinfo import take_userinfo
from curator.store.catalog_files import plain
from curator.text import Text, as_parts, hide_in_address, hide_in_settings, plural

if TYPE_CHECKING:
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

    table: pd.DataFrame = field(default_factory=catalog.empty)
    userinfo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Text] = field(default_factory=dict)
    fresh: set[Path] = field(default_factory=set)
    watched: list[Watched] = field(default_factory=list)
    rescuer: Rescuer | None = None

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
    project: Project, options: AcquireOptions, note_listed: Callable[[pd.DataFrame], object]
) -> tuple[Listing, pd.DataFrame]:
    """List and fetch until each label has its target of images or nothing is left to try.

    Args:
        note_listed: takes all that is listed, each time before its images are requested.

    Returns:
        The listing, and the catalog of all listed images after the fetch, sorted by record_id.
    """
    rescuer = _make_rescuer(project, options) if project.recipe.fetch.rescue else None

    def settle(listing: Listing, settled: pd.DataFrame) -> pd.DataFrame:
        listing.rescuer = rescuer
        if len(listing.table):  # a listing that failed is no news of what is listed
            note_listed(listing.table)
        return _fetch_waves(project, options, listing, settled)

    listing, settled = _list_tiers(project, options, settle)
    is_listed = settled["record_id"].isin(listing.table["record_id"]).to_numpy(dtype=bool)
    if not is_listed.all():  # a later tier lists the address with its licence
        settled = settled[is_listed].reset_index(drop=True)
    is_untried = ~listing.table["record_id"].isin(settled["record_id"]).to_numpy(dtype=bool)
    if is_untried.any():
        untried = listing.table[is_untried]
        limit = None if options.limit is None else f"--limit {options.limit}"
        targets = {label: limit or f"target {project.recipe.target_of(label)}" for label in project.recipe.labels}
        said = {label: f"not needed: {target} per label" for label, target in targets.items()}
        details = [said[label] for label in untried["label"]]
        untried = catalog.drop_rows(untried, np.arange(len(untried)), Stage.FETCHED, Drop.BEYOND_TARGET, details)
        settled = pd.concat([settled, untried], ignore_index=True) if len(settled) else untried
    return listing, in_order(settled)


def _make_rescuer(project: Project, options: AcquireOptions) -> Rescuer:
    """Get ready to ask the web archive; a fetch that does not starts without what that takes."""
    from curator.pipeline.rescue import Rescuer

    return Rescuer(project, FetchOptions(options.retry))


def plan_listing(project: Project, options: AcquireOptions) -> Listing:
    """List tier by tier until each label has as many candidates as its target; request no image."""
    project.claim()
    return _list_tiers(project, options, lambda listing, _: catalog.kept(listing.table))[0]


def _list_tiers(
    project: Project, options: AcquireOptions, settle: Callable[[Listing, pd.DataFrame], pd.DataFrame]
) -> tuple[Listing, pd.DataFrame]:
    """List tier by tier, and settle what is listed, until no label is short of its target."""
    refuse_missing(project)
    listing, settled = Listing(), catalog.empty()
    for tier in range(n_tiers(project)):
        if not (short := [label for label, n in _wanted(project, settled, options).items() if n]):
            break
        _list_tier(project, listing, tier, short, options.refresh)
        settled = settle(listing, settled)
    if listing.table.empty and listing.failures:
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
                listed = source.list_images(tier, labels, context)
                n_same = listed.attrs.get(N_SAME, 0)
                rows, userinfo = take_userinfo(listed)
                rows = drop_unlicensed(drop_forgotten(rows, tombstones), project.recipe.licence)
        except SourceError as error:
            if len(project.recipe.sources) == 1 and listing.table.empty:
                raise SourceError(f"The source {name} could not be listed: {error.message}", error.hint) from error
            failure = (f"The source {name} could not be listed: ", *as_parts(error.text))
            listing.failures[f"{index} {name}"] = failure
            project.emit(Warned(failure))
            continue
        warn_of_passwords(project, name, len(userinfo))
        note_unlicensed(project, name, rows)
        listing.userinfo = userinfo | listing.userinfo
        n_before = len(listing.table)
        listing.table = merge(listing.table, rows, bool(project.recipe.licence.allow), project.paths.sources)
        project.emit(SourceListed(name, {str(label): int(n) for label, n in rows["label"].value_counts().items()}))
        note_same(project, name, n_same, n_before + len(rows) - len(listing.table))
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


def _wanted(project: Project, settled: pd.DataFrame, options: AcquireOptions, as_wave: bool = False) -> dict[str, int]:
    """Count the images still wanted of each label, or those to request for that; without a target, :data:`_ALL`."""
    kept, tried = catalog.kept(settled)["label"].value_counts(), settled["label"].value_counts()
    wanted = {}
    for label in project.recipe.labels:
        n_kept, n_tried = int(kept.get(label, 0)), int(tried.get(label, 0))
        target = 0 if options.everything else project.recipe.target_of(label)
        n = target - n_kept if target else _ALL
        if as_wave and 0 < n < _ALL:
            n = wave_size(n, n_kept, n_tried)
        if options.limit is not None:
            n = min(n, options.limit - n_tried)
        wanted[label] = max(n, 0)
    return wanted


def _fetch_waves(project: Project, options: AcquireOptions, listing: Listing, settled: pd.DataFrame) -> pd.DataFrame:
    table = listing.table
    while True:
        tried = table["record_id"].isin(settled["record_id"]).to_numpy(dtype=bool)
        chosen = choose_candidates(table, tried, _wanted(project, settled, options, as_wave=True))
        if not chosen.any():
            return settled
        wave = table if chosen.all() else table[chosen].reset_index(drop=True)
        fetched = fetch_and_judge(project, wave, options, listing)
        settled = pd.concat([settled, fetched], ignore_index=True) if len(settled) else fetched


def fetch_and_judge(project: Project, rows: pd.DataFrame, options: AcquireOptions, listing: Listing) -> pd.DataFrame:
    """Settle these rows of a catalog, by the ledger, by a request or from a web archive, and drop the poor ones."""
    recipe = project.recipe
    limits = host_limits(recipe.sources, recipe.fetch.per_host)
    fetched = fetch_images(rows, project, FetchOptions(options.retry, limits, listing.userinfo))
    if listing.rescuer:
        fetched = listing.rescuer.rescue_dead(fetched, listing.userinfo)
    fetched = make_pictures(project, fetched, find_makings(fetched))
    return drop_poor_images(fetched, recipe.quality)
