"""Rebuild a data set from its manifest alone: fetch each address, keep what is still the same, report what is not.

>>> images = pd.DataFrame({"url": ["http://a.example/1", "http://a.example/2"], "fate": ["same", "gone"]})
>>> images["final_url"] = ["http://b.example/1", None]
>>> count_hosts(images)[["host", "images", "elsewhere", "same", "gone"]].to_dict("records")
[{'host': 'a.example', 'images': 2, 'elsewhere': 1, 'same': 1, 'gone': 1}]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.addresses import host_names
from curator.catalog import Drop, Stage
from curator.decide.forgotten import find_forgotten
from curator.errors import StateError
from curator.events import Listener, ignore
from curator.fetch.fetch_images import fetch_images
from curator.fetch.outcomes import with_pictures
from curator.fetch.plan import FetchOptions
from curator.manifests.cells import table_text
from curator.manifests.manifest import FOLD, MADE, RESCUED, read_manifest
from curator.manifests.owner import claim, refuse_other_owner
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings, QualitySettings, StoreSettings
from curator.manifests.tombstones import append_tombstones, read_tombstones
from curator.pipeline.fates import Fate, judge_images, why_nothing
from curator.pipeline.join_lists import concat_in_order
from curator.pipeline.made_pictures import make_pictures
from curator.pipeline.publish import publish
from curator.pipeline.replay_stored import take_stored
from curator.pipeline.rescue import DEAD, REFUSED, Rescuer
from curator.pipeline.storing import place_of, storing
from curator.store.catalog_files import file_digest, row_groups
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.store.whole_files import remove_folder, write_text_whole

_Texts = npt.NDArray[np.object_]
_MADE_OF, _MADE_BY = MADE
_FROM_MANIFEST = [
    "record_id", "label", "source", "kind", "source_id", "source_class", "url", "fallback_url", "landing_url",
    "license", "author", "author_url", "title",
]  # fmt: skip
_ANSWERS = ("final_url", *RESCUED, "drop_reason", "drop_detail")
_REPORTED = [
    *("record_id", "label", "split", "url", "final_url", "sha256", "fate", "reason", "detail"),
    *RESCUED, "stored_in",
]  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """A finished replay: where it is, each image's fate, how many the new manifest holds, if an archive was asked."""

    paths: DataPaths
    images: pd.DataFrame
    n_kept: int
    was_rescued: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all images of the manifest could be had."""
        return self.n_kept == len(self.images)

    def counts(self) -> dict[str, int]:
        """Count the images of each fate."""
        return {str(fate): int((self.images["fate"] == fate).sum()) for fate in Fate}

    @property
    def n_rescued(self) -> int:
        """The images that a web archive had, the same or similar; one that is stored by now was not asked for there."""
        return int((self.images["archive_url"].notna() & self.images["stored_in"].isna()).sum())

    @property
    def n_stored(self) -> int:
        """The images that the object store had, which were not requested."""
        return int(self.images["stored_in"].notna().sum())

    @property
    def n_lost(self) -> int:
        """The images that an archive may be asked for."""
        return int(find_lost(self.images["reason"], self.images["fate"].to_numpy(object)).sum())


def replay_manifest(
    manifest: Path,
    data_root: Path,
    fetch: FetchSettings,
    accept_similar: bool = False,
    quality: QualitySettings | None = None,
    emit: Listener = ignore,
    recipe: Recipe | None = None,
) -> Replay:
    """Rebuild the data set of ``manifest`` in ``data_root/<name>-replay``; the manifest given is only read.

    Args:
        manifest: its folder has the name; what ``forgotten.jsonl`` beside it names is not requested, and goes along.
        fetch: with ``rescue``, what is dead or changed is looked up in a web archive (:mod:`curator.pipeline.rescue`).
        accept_similar: keep the pictures whose bytes have changed, with their new hashes.
        quality: its ``max_pixels`` limits what is decoded.
        recipe: of the manifest; what its ``[store]`` has is not requested, and the new data set has a part of it.

    Returns:
        Each image's fate. Folders, ``manifest.csv`` (with the same split), ``replay.csv`` and ``link-rot.csv`` are in
        the new folder. Run again, it requests only what may have come back.

    Raises:
        StateError: the manifest cannot be read, all its images are forgotten, or nothing of it could be had.
        CuratorError, DiskError, LockedError: see there.
    """
    rows, paths = _read_rows(manifest), DataPaths.of_manifest(manifest, data_root).replay
    store, place = (recipe.store, place_of(recipe)) if recipe else (StoreSettings(), "")
    project = Project(Recipe(paths.name, (), (), fetch, quality or QualitySettings(), store=store), paths, emit)
    refuse_other_owner(paths.folder, manifest)
    with locked(paths.lock, "replay"):
        with _begun(manifest, project):
            table, fates, is_stored = _obtain(rows, project, place)
        images = _report(rows, table, fates, np.where(is_stored, np.array(place, object), np.array(None)), paths)
        had = _restore(table, rows, fates, accept_similar)
        if not (n_kept := int(catalog.is_kept(had).sum())):
            raise StateError(f"Nothing of {manifest} could be had.", why_nothing(rows, table, project, recipe))
        asked = {"accept_similar": accept_similar, **({"rescue": fetch.archive} if fetch.rescue else {})}
        publish(project, had, partial(row_groups, had), {"replay_of": file_digest(manifest), **asked})
    return Replay(paths, images, n_kept, fetch.rescue)


@contextmanager
def _begun(manifest: Path, project: Project) -> Iterator[None]:
    """Claim the folder, take the tombstones along, and bring what comes into the object store."""
    paths = project.paths
    claim(paths.folder, manifest)
    remove_folder(paths.spool.folder)  # of a run that was killed
    if any((stones := read_tombstones(DataPaths.of_manifest(manifest).forgotten)).values()):
        append_tombstones(paths.forgotten, stones)
    with storing(project):
        yield


def _report(rows: pd.DataFrame, table: pd.DataFrame, fates: _Texts, places: _Texts, paths: DataPaths) -> pd.DataFrame:
    """Write what became of each image, and of those of each host; return the former."""
    answers = {name.removeprefix("drop_"): table[name] for name in _ANSWERS}
    images = rows.assign(fate=fates, stored_in=places, **answers)
    write_text_whole(paths.replayed_images, table_text(images[_REPORTED]))
    write_text_whole(paths.link_rot, table_text(count_hosts(images)))
    return images


def _obtain(rows: pd.DataFrame, project: Project, place: str) -> tuple[pd.DataFrame, _Texts, catalog.BoolArray]:
    """Get the images of a manifest, judge them, and make again what was made of those that are the same.

    Returns:
        Their catalog; each one's fate; and which came from the object store at ``place``.
    """
    served = as_served(rows)
    listed = catalog.conform(served[_FROM_MANIFEST].assign(tier=0))
    stored = take_stored(served, listed, place, project) if place else listed[:0]
    is_stored = listed.index.isin(stored.index)
    left = served[~is_stored].reset_index(drop=True)
    fetched = _fetch_rows(left, project) if len(left) else listed[:0]
    table = _join(fetched, stored, is_stored, project) if len(stored) else fetched
    fates = np.where(is_stored, str(Fate.SAME), judge_images(served, table)).astype(object)
    return _make_again(rows, table, fates, project), fates, is_stored


def _join(fetched: pd.DataFrame, stored: pd.DataFrame, is_stored: catalog.BoolArray, project: Project) -> pd.DataFrame:
    """Put what was fetched and what is stored into the order of the manifest."""
    order = np.argsort(np.argsort(is_stored, kind="stable"), kind="stable")  # those that are stored come last
    tables = [catalog.to_arrow(fetched), *with_pictures(stored, project.paths)]
    return catalog.from_arrow(concat_in_order(tables, order))


def _fetch_rows(rows: pd.DataFrame, project: Project) -> pd.DataFrame:
    """Fetch images of a manifest; what is lost comes from a web archive, if the settings say so."""
    options = FetchOptions("failed")
    fetched = fetch_images(catalog.conform(rows[_FROM_MANIFEST].assign(tier=0)), project, options)
    table = catalog.from_arrow(pa.concat_tables(with_pictures(fetched, project.paths)))
    if not project.recipe.fetch.rescue:
        return table
    fates = judge_images(rows, table)
    return Rescuer(project, options).rescue(table, find_lost(table["drop_reason"], fates), rows, fates == Fate.SIMILAR)


def as_served(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest's rows with the SHA-256 of what is served in the place of that of what was made of it.

    What else the manifest states of a made picture says nothing of the file that it was made of.
    """
    if _MADE_OF not in rows:
        return rows
    is_made = rows[_MADE_OF].notna()
    known = {name: rows[name].mask(is_made) for name in ("phash", "sha1")}
    return rows.assign(sha256=rows["sha256"].where(~is_made, rows[_MADE_OF]), **known)


def _make_again(rows: pd.DataFrame, table: pd.DataFrame, fates: _Texts, project: Project) -> pd.DataFrame:
    """Make of the files that are the same what the manifest's pictures were made of them."""
    if _MADE_BY not in rows or not rows[_MADE_BY].notna().any():
        return table
    makings = rows[_MADE_BY].fillna("").where(fates == Fate.SAME, "").astype(str).tolist()
    made = make_pictures(project, table, makings)
    return catalog.from_arrow(pa.concat_tables(with_pictures(made, project.paths)))


def _read_rows(manifest: Path) -> pd.DataFrame:
    """Read the manifest's rows, without what was forgotten beside it."""
    rows = read_manifest(manifest).sort_values("record_id", ignore_index=True)
    tombstones = DataPaths.of_manifest(manifest).forgotten
    left = rows[~find_forgotten(rows, read_tombstones(tombstones))].reset_index(drop=True)
    if len(rows) and left.empty:
        hint = f"{tombstones} names what was taken out for good; replay another manifest."
        raise StateError(f"Every image of {manifest} was forgotten.", hint)
    return left


def find_lost(reasons: pd.Series[Any], fates: _Texts) -> catalog.BoolArray:
    """Find the images that an archive is to be asked for: at a dead address, or with other bytes there.

    A name that does not resolve may again tomorrow, which makes it unreached, and yet it is dead today.

    >>> reasons = pd.Series(["gone", "forbidden", "dns", "timeout", "not-an-image", "opted-out", None])
    >>> fates = np.array(["gone", "gone", "unreached", "unreached", "changed", "changed", "similar"], object)
    >>> find_lost(reasons, fates).tolist()
    [True, False, True, False, True, False, True]
    """
    is_dead = np.isin(fates, [str(Fate.GONE), str(Fate.UNREACHED)]) & _is_among(reasons, DEAD)
    is_other = np.isin(fates, [str(Fate.CHANGED), str(Fate.SIMILAR)]) & ~_is_among(reasons, REFUSED)
    return np.asarray(is_dead | is_other)


def _is_among(reasons: pd.Series[Any], some: Collection[Drop]) -> catalog.BoolArray:
    return np.asarray(reasons.isin([*map(str, some)]), bool)


def _restore(table: pd.DataFrame, rows: pd.DataFrame, fates: _Texts, accept_similar: bool) -> pd.DataFrame:
    """Return what could be had to its side; drop the rest."""
    good = [Fate.SAME, Fate.SIMILAR] if accept_similar else [Fate.SAME]
    had = catalog.is_kept(table) & np.isin(fates, [str(fate) for fate in good])
    details = [f"{fate}: the manifest has {sha256[:16]}…" for fate, sha256 in zip(fates, rows["sha256"], strict=True)]
    table = catalog.drop(table, ~had, Stage.FETCHED, Drop.CHANGED, details)
    sides = {name: rows[name].where(had) for name in ("split", "split_group", FOLD) if name in rows}
    return catalog.with_columns(table, sides)


def count_hosts(images: pd.DataFrame) -> pd.DataFrame:
    """Count the fates by the host of ``url``, the host with the most losses first.

    ``elsewhere`` counts the images that another host served: one that this host led to, that of the fallback, or a web
    archive; those of an archive are ``rescued`` too, and lost by their host. No host was asked for what is stored.
    """
    images = images[images["stored_in"].isna()] if "stored_in" in images else images
    hosts = host_names(images["url"], "")
    served = host_names(images["final_url"], "")
    counts = pd.crosstab(pd.Series(hosts, name="host"), images["fate"].to_numpy(object))
    counts = counts.reindex(columns=[str(fate) for fate in Fate], fill_value=0).reset_index().rename_axis(columns=None)
    moved = Counter(host for host, other in zip(hosts, served, strict=True) if host and other not in ("", host))
    counts.insert(1, "images", counts.drop(columns="host").sum(axis=1))
    counts.insert(2, "elsewhere", [moved[host] for host in counts["host"]])
    is_rescued = images["archive_url"].notna() if "archive_url" in images else np.zeros(len(images), bool)
    rescued = Counter(np.array(hosts, object)[np.asarray(is_rescued, bool)])
    counts.insert(3, "rescued", [rescued[host] for host in counts["host"]])
    lost = counts["images"] - counts["same"] + counts["rescued"]
    order = counts.assign(lost=lost).sort_values(["lost", "images", "host"], ascending=[False, False, True]).index
    return counts.loc[order].reset_index(drop=True)
