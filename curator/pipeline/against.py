"""Read what another data set has, to compare ours with it: a folder of images, or a manifest.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "note.txt").write_text("no image")
>>> len(read_others([str(folder)], Path(), 1_000_000, DataPaths(folder / ".data", folder, "balls")))
0
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.decide.dedupe import describe_narrower
from curator.decide.elsewhere import COLUMNS, describe_elsewhere, drop_elsewhere, find_elsewhere, other_images
from curator.errors import StateError
from curator.fetch.cluster.spread import Spread
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.tombstones import read_tombstones
from curator.matching.perceptual_hash import from_hex
from curator.observe.observation import Sighting, hash_sightings
from curator.observe.workers.look import look_at_files
from curator.pipeline.against_cache import read_seen, seen_table, write_seen
from curator.pipeline.judging.evidence import gather_elsewhere
from curator.pipeline.judging.spread_search import spread_search
from curator.pipeline.other_sets import mark, walk
from curator.store.catalog_files import read_catalog
from curator.store.paths import DataPaths
from curator.text import plural

_SHOWN = 20


def leave_out_others(
    table: pd.DataFrame, project: Project, is_protected: catalog.BoolArray, spread: Spread | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Drop, or with ``report_only`` only report, the images that the recipe's ``[dedupe] against`` has already.

    Args:
        project: its recipe's ``dedupe`` says what and how, ``quality`` up to which size files are decoded; its paths
            keep what was observed.
        is_protected: bool, shape (rows,): rows that a person wants; they are reported and kept.
        spread: a cluster that helps; None: this machine does all.

    Returns:
        The catalog, and notes for a person.
    """
    recipe = project.recipe
    if not recipe.dedupe.against:
        return table, ()
    others = read_others(recipe.dedupe.against, recipe.base_dir, recipe.quality.max_pixels, project.paths)
    judged = gather_elsewhere(table, others, project, spread)
    found, n_compared = find_elsewhere(table, others, recipe.dedupe, judged, spread_search(spread))
    stays = is_protected[found.i] | recipe.dedupe.report_only
    staying = found.where(stays)
    n_kept = int(catalog.is_kept(table).sum())
    there = plural(len(found.i), "is there too", "are there too")
    notes = [f"{plural(n_kept, 'image')} compared with {len(others):,} elsewhere: {there}"]
    notes += describe_narrower(n_compared, recipe.dedupe)
    if len(staying.i):
        record_ids = table["record_id"].iloc[staying.i[:_SHOWN]]
        texts = describe_elsewhere(table, staying.where(np.arange(len(staying.i)) < _SHOWN), others)
        named = "; ".join(f"{one}: {text}" for one, text in zip(record_ids, texts, strict=True))
        more = f"; and {len(staying.i) - _SHOWN:,} more" if len(staying.i) > _SHOWN else ""
        notes.append(f"{plural(len(staying.i), 'of them stays', 'of them stay')}: {named}{more}")
    return drop_elsewhere(table, found.where(~stays), others), tuple(notes)


def read_others(places: Sequence[str], base_dir: Path, max_pixels: int, paths: DataPaths) -> pd.DataFrame:
    """Read the images of other data sets; of a folder, only the files whose name, size or time is new.

    Args:
        places: manifests (files) and folders, whose images are decoded and hashed, however deep they lie.
        base_dir: what relative places are relative to.
        max_pixels: larger images are not decoded: they match by their bytes only.
        paths: what was observed of folders is kept there for the next time.

    Returns:
        As :func:`curator.decide.elsewhere.other_images`. Of a manifest only the 64-bit hashes are known, unless the
        catalog that it was written from lies beside it (``manifests/NAME`` and ``data/NAME``).

    Raises:
        StateError: a place does not exist, or a manifest cannot be read.
        DiskError: what was observed cannot be kept.
    """
    tables = [other_images([])]
    for place in places:
        path = base_dir / Path(place).expanduser()
        if not path.exists():
            hint = "Mend --against, or [dedupe] against of the recipe."
            raise StateError(f"{path} does not exist, so nothing can be compared with it.", hint)
        tables.append(_read_folder(path, max_pixels, paths) if path.is_dir() else _read_listed(path))
    return pd.concat(tables, ignore_index=True)


def _read_folder(folder: Path, max_pixels: int, paths: DataPaths) -> pd.DataFrame:
    files = list(walk(folder))
    seen = _look_at(files, folder, max_pixels, paths)
    is_image = pc.fill_null(seen["is_image"], False)
    names = [os.fsencode(path).decode("utf-8", "replace") for path in compress(files, is_image.to_pylist())]
    images = catalog.from_arrow(seen.filter(is_image))
    paths_of_images = [os.fsdecode(path) for path in compress(files, is_image.to_pylist())]
    return other_images(names, paths_of_images, **{name: images[name].array for name in COLUMNS})


def _look_at(files: Sequence[Path], folder: Path, max_pixels: int, paths: DataPaths) -> pa.Table:
    """Observe the files that are new or changed, and keep all that is known, even of a run that is interrupted."""
    marks = pa.array([mark(path, folder) for path in files], pa.binary())
    before = read_seen(paths.against(folder), max_pixels)
    place = pc.index_in(marks, before["mark"].combine_chunks())
    known = before.take(place.drop_null())
    is_new = place.is_null()
    new = list(compress(files, is_new.to_pylist()))
    found: list[Sighting | None] = [None] * len(new)
    try:
        for number, sighting in look_at_files(new, max_pixels):
            found[number] = sighting
    finally:
        hashed = iter(hash_sightings([sighting for sighting in found if sighting is not None]))
        observations = [None if sighting is None else next(hashed) for sighting in found]
        table = pa.concat_tables([known, seen_table(marks.filter(is_new).to_pylist(), observations)])
        if new or known.num_rows < before.num_rows:
            forgotten = read_tombstones(paths.forgotten)["content"]
            write_seen(paths.against(folder), table, max_pixels, forgotten)
    # In the order of the files, whichever of them were known before, so that equal matches name the same one each time.
    return table.take(pc.index_in(marks, table["mark"].combine_chunks()))


def _read_listed(path: Path) -> pd.DataFrame:
    """Read a manifest, with all that the catalog beside it knows of the same files."""
    listed = read_manifest(path)
    names = [f"{path}: {record_id}" for record_id in listed["record_id"]]
    paths = DataPaths.of_manifest(path)
    beside = paths.catalog(catalog.Stage.SPLIT)
    if beside.exists():
        known = read_catalog(beside).drop_duplicates("sha256").set_index("sha256", drop=False)
        if set(listed["sha256"]) <= set(known.index):
            rows = known.loc[listed["sha256"].tolist()]
            files = ["/".join(paths.image_text(*key)) for key in zip(rows["sha256"], rows["format"], strict=True)]
            return other_images(names, files, **{name: rows[name].array for name in COLUMNS})
    hexes = listed["phash"] if "phash" in listed.columns else pd.Series([None] * len(listed), dtype=object)
    hashes = [None if pd.isna(text) else int(from_hex([str(text)])[0]) for text in hexes]
    return other_images(names, sha256=listed["sha256"].tolist(), phash=hashes)
