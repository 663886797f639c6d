"""Rebuild a data set from its manifest alone: fetch each address, keep what is still the same, report what is not.

>>> row = {"phash": "00000000000000ff", "width": 400, "height": 300}
>>> looks_the_same(row, phash=0xFE, width=200, height=150), looks_the_same(row, phash=0xFF, width=200, height=200)
(True, False)
>>> images = pd.DataFrame({"url": ["http://a.example/1", "http://a.example/2"], "fate": ["same", "gone"]})
>>> images["final_url"] = ["http://b.example/1", None]
>>> count_hosts(images)[["host", "images", "elsewhere", "same", "gone"]].to_dict("records")
[{'host': 'a.example', 'images': 2, 'elsewhere': 1, 'same': 1, 'gone': 1}]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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
from curator.decide.picture_columns import find_comparable
from curator.errors import StateError
from curator.events import Listener, ignore
from curator.fetch.fetch_images import fetch_images
from curator.fetch.outcomes import with_pictures
from curator.fetch.plan import FetchOptions
from curator.manifests.cells import table_text
from curator.manifests.manifest import FOLD, SERVED_SIDES, read_manifest
from curator.manifests.owner import claim, refuse_other_owner
from curator.manifests.project import Project
from curator.manifests.recipe import FetchSettings, QualitySettings, Recipe
from curator.manifests.tombstones import read_tombstones
from curator.pipeline.publish import publish
from curator.reasons import RETRIED
from curator.store.catalog_files import file_digest
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole

SIMILAR_BITS = 4
"""Most differing bits of the 64-bit perceptual hashes of one picture in two files."""
_ASPECT_TOLERANCE = 0.03
_FROM_MANIFEST = [
    "record_id", "label", "source", "kind", "source_id", "source_class", "url", "fallback_url", "landing_url",
    "license", "author", "author_url", "title",
]  # fmt: skip
_REPORTED = ["record_id", "label", "split", "url", "final_url", "sha256", "fate", "reason", "detail"]


class Fate(StrEnum):
    """What became of an image since the manifest was written."""

    SAME = "same"  # the same bytes
    SIMILAR = "similar"  # other bytes, the same picture
    CHANGED = "changed"  # the address serves something else
    GONE = "gone"  # the address serves nothing
    UNREACHED = "unreached"  # no answer this time; a second replay requests it again
    NO_ADDRESS = "no-address"  # the image was a local file


@dataclass(frozen=True)
class Replay:
    """A finished replay: where it is, each image's fate, and how many images the new manifest holds."""

    paths: DataPaths
    images: pd.DataFrame
    n_kept: int

    @property
    def is_whole(self) -> bool:
        """Whether all images of the manifest could be had."""
        return self.n_kept == len(self.images)

    def counts(self) -> dict[str, int]:
        """Count the images of each fate."""
        return {str(fate): int((self.images["fate"] == fate).sum()) for fate in Fate}


def _why_nothing(rows: pd.DataFrame, table: pd.DataFrame, paths: DataPaths) -> str:
    """Say what would help where not one image could be had."""
    if not rows["url"].notna().any():
        return "It lists local files, which nobody else can fetch: hand on an export, or the photographs themselves."
    reasons = table["drop_reason"].value_counts()
    most = (
        f"; {int(reasons.iloc[0]):,} are out as {reasons.index[0]}: {Drop(reasons.index[0]).traits.remedy}"
        if len(reasons)
        else ""
    )
    return f"{paths.replayed_images} says why of each{most}. `--recipe NAME` takes the settings of a recipe."


def replay_manifest(
    manifest: Path,
    data_root: Path,
    fetch: FetchSettings,
    accept_similar: bool = False,
    quality: QualitySettings | None = None,
    emit: Listener = ignore,
) -> Replay:
    """Rebuild the data set of ``manifest`` in ``data_root/<name>-replay``; the manifest given is only read.

    Args:
        manifest: its folder has the name; what ``forgotten.jsonl`` beside it names is not requested.
        accept_similar: keep the pictures whose bytes have changed, with their new hashes.
        quality: its ``max_pixels`` limits what is decoded.

    Returns:
        Each image's fate. The folders, ``manifest.csv`` (the same split, of what could be had), ``replay.csv`` and
        ``link-rot.csv`` are in the new folder. Run again, it requests only what may have come back.

    Raises:
        StateError: the manifest cannot be read, all its images are forgotten, or nothing of it could be had.
        CuratorError, DiskError, LockedError: the new folder holds something else, or see there.
    """
    rows, paths = _read_rows(manifest), DataPaths.of_manifest(manifest, data_root).replay
    project = Project(Recipe(paths.name, (), (), fetch, quality or QualitySettings()), paths, emit)
    refuse_other_owner(paths.folder, manifest)
    with locked(paths.lock, "replay"):
        claim(paths.folder, manifest)
        fetched = fetch_images(catalog.conform(rows[_FROM_MANIFEST].assign(tier=0)), project, FetchOptions("failed"))
        table = catalog.from_arrow(pa.concat_tables(with_pictures(fetched, paths)))
        fates = judge_images(rows, table)
        answers = {"final_url": table["final_url"], "reason": table["drop_reason"], "detail": table["drop_detail"]}
        images = rows.assign(fate=fates, **answers)
        write_text_whole(paths.replayed_images, table_text(images[_REPORTED]))
        write_text_whole(paths.link_rot, table_text(count_hosts(images)))
        had = _restore(table, rows, fates, accept_similar)
        if not (n_kept := int(catalog.is_kept(had).sum())):
            raise StateError(f"Nothing of {manifest} could be had.", _why_nothing(rows, table, paths))
        publish(project, had, {"replay_of": file_digest(manifest), "accept_similar": accept_similar})
    return Replay(paths, images, n_kept)


def _read_rows(manifest: Path) -> pd.DataFrame:
    """Read the manifest's rows, without what was forgotten beside it."""
    rows = read_manifest(manifest).sort_values("record_id", ignore_index=True)
    tombstones = DataPaths.of_manifest(manifest).forgotten
    left = rows[~find_forgotten(rows, read_tombstones(tombstones))].reset_index(drop=True)
    if len(rows) and left.empty:
        hint = f"{tombstones} names what was taken out for good; replay another manifest."
        raise StateError(f"Every image of {manifest} was forgotten.", hint)
    return left


def judge_images(rows: pd.DataFrame, table: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Judge each image of a manifest by what its address serves now.

    Args:
        rows: the manifest.
        table: the catalog of the same images after the fetch, in the same order.
    """
    has_bytes = table["sha256"].notna().to_numpy(dtype=bool)
    is_same = (table["sha256"] == rows["sha256"]).fillna(False).to_numpy(dtype=bool)
    passing = table["drop_reason"].isin([str(reason) for reason in RETRIED]).to_numpy(dtype=bool)
    similar = np.zeros(len(rows), bool)
    comparable = catalog.is_kept(table) & find_comparable(table)
    for place in np.flatnonzero(has_bytes & ~is_same & comparable):
        now = table.iloc[place]
        row = dict(rows.iloc[place])
        similar[place] = looks_the_same(row, int(now["phash"]), int(now["width"]), int(now["height"]))
    nowhere = rows["url"].isna().to_numpy(dtype=bool)
    cases = [nowhere, is_same, similar, has_bytes, passing]
    fates = [Fate.NO_ADDRESS, Fate.SAME, Fate.SIMILAR, Fate.CHANGED, Fate.UNREACHED]
    return np.select(cases, [str(fate) for fate in fates], str(Fate.GONE)).astype(object)


def looks_the_same(row: Mapping[Any, Any], phash: int, width: int, height: int) -> bool:
    """Say whether another file shows the picture of a manifest's row: hashes within 4 bits, the same proportions."""
    sides: list[Any] = [row.get(name) for name in (SERVED_SIDES if SERVED_SIDES[0] in row else ("width", "height"))]
    if pd.isna(row.get("phash")) or any(map(pd.isna, sides)):
        return False
    distance = (int(str(row["phash"]), 16) ^ phash).bit_count()
    proportion = (width / height) / (float(sides[0]) / float(sides[1]))
    return distance <= SIMILAR_BITS and abs(proportion - 1) <= _ASPECT_TOLERANCE


def _restore(
    table: pd.DataFrame, rows: pd.DataFrame, fates: npt.NDArray[np.object_], accept_similar: bool
) -> pd.DataFrame:
    """Return what could be had to its side; drop the rest."""
    good = [Fate.SAME, Fate.SIMILAR] if accept_similar else [Fate.SAME]
    had = catalog.is_kept(table) & np.isin(fates, [str(fate) for fate in good])
    details = [f"{fate}: the manifest has {sha256[:16]}…" for fate, sha256 in zip(fates, rows["sha256"], strict=True)]
    table = catalog.drop(table, ~had, Stage.FETCHED, Drop.CHANGED, details)
    sides = {name: rows[name].where(had) for name in ("split", "split_group", FOLD) if name in rows}
    return catalog.with_columns(table, sides)


def count_hosts(images: pd.DataFrame) -> pd.DataFrame:
    """Count the fates by the host of ``url``, the host with the most losses first.

    ``elsewhere`` counts the images that another host served: one that this host led to, or that of the fallback.
    """
    hosts = host_names(images["url"], "")
    served = host_names(images["final_url"], "")
    counts = pd.crosstab(pd.Series(hosts, name="host"), images["fate"].to_numpy(object))
    counts = counts.reindex(columns=[str(fate) for fate in Fate], fill_value=0).reset_index().rename_axis(columns=None)
    moved = Counter(host for host, other in zip(hosts, served, strict=True) if host and other not in ("", host))
    counts.insert(1, "images", counts.drop(columns="host").sum(axis=1))
    counts.insert(2, "elsewhere", [moved[host] for host in counts["host"]])
    lost = counts["images"] - counts["same"]
    order = counts.assign(lost=lost).sort_values(["lost", "images", "host"], ascending=[False, False, True]).index
    return counts.loc[order].reset_index(drop=True)
