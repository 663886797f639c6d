"""The gallery of duplicates: a page of every group, the image that is kept beside its copies, largest group first.

>>> table = catalog.conform(pd.DataFrame({
...     "record_id": ["x-1", "x-2", "x-3"], "label": ["a"] * 3, "source": ["x"] * 3, "kind": ["x"] * 3, "tier": [0] * 3,
...     "duplicate_of": [None, "x-1", None], "drop_reason": [None, "near-duplicate", None]}))
>>> [[row["record_id"] for row in group] for group in read_groups(table)]
[['x-1', 'x-2']]
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import as_arrow, rank_texts, read_integers
from curator.errors import StateError
from curator.matching.components import label_components
from curator.observe.thumbnails import thumbnail
from curator.report.gallery_page import Group, gallery_page
from curator.store.catalog_files import read_catalog
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Command

_COLUMNS = [
    "record_id",
    "label",
    "sha256",
    "format",
    "width",
    "height",
    "duplicate_of",
    "distance_bits",
    "turn",
    "drop_reason",
]


def build_gallery(paths: DataPaths) -> Path:
    """Write ``duplicates.html`` from the catalog after dedupe, with one small picture on disk for each image.

    Returns:
        The page's path. It names the pictures relative to itself, so the data set's folder can be moved as a whole.

    Raises:
        StateError: dedupe has not run yet, or its catalog is damaged.
    """
    deduped = paths.catalog(catalog.Stage.DEDUPED)
    if not deduped.exists():
        raise StateError(f"No duplicates of {paths.name} were looked for yet.", ("Run ", Command("dedupe"), " first."))
    groups = read_groups(read_catalog(deduped))
    pictures = _make_pictures(paths, groups)
    write_text_whole(paths.duplicates, gallery_page(paths.name, groups, pictures))
    return paths.duplicates


def read_groups(table: pd.DataFrame) -> list[Group]:
    """Gather the groups of a catalog after dedupe: all that ``duplicate_of`` links, directly or through others.

    Returns:
        The largest group first; in a group what is kept comes first, then the nearest. Rows as dicts, unknown as None.
    """
    names = as_arrow(table["record_id"], pa.string())
    copies = np.flatnonzero(table["duplicate_of"].notna().to_numpy(dtype=bool))
    originals = pc.index_in(as_arrow(table["duplicate_of"].iloc[copies], pa.string()), names)
    originals = originals.to_numpy(zero_copy_only=False).astype(np.intp)
    group = label_components(len(table), copies, originals)
    size = np.bincount(group, minlength=len(table))[group]
    rows = np.flatnonzero(size > 1)
    dropped = ~catalog.is_kept(table)[rows]
    distance, place = read_integers(table["distance_bits"].iloc[rows], 0), rank_texts(table["record_id"])
    order = np.lexsort((place[rows], distance, dropped, place[group[rows]], -size[rows]))
    rows = rows[order]
    values = catalog.to_arrow(table.iloc[rows]).select(_COLUMNS).to_pylist()
    ends = np.flatnonzero(np.diff(group[rows], append=-1)) + 1
    return [values[start:end] for start, end in pairwise([0, *ends])]


def _make_pictures(paths: DataPaths, groups: Sequence[Group]) -> dict[str, str]:
    """Make the small pictures that are not there yet; give the address of each by SHA-256."""
    formats = {row["sha256"]: row["format"] for group in groups for row in group if row["sha256"] and row["format"]}

    def make(item: tuple[str, str]) -> bool:
        return paths.thumbnail(item[0]).exists() or thumbnail(paths, *item) is not None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made: dict[Any, bool] = dict(zip(formats, threads.map(make, formats.items()), strict=True))
    home = paths.duplicates.parent
    return {sha256: paths.thumbnail(sha256).relative_to(home).as_posix() for sha256, there in made.items() if there}
