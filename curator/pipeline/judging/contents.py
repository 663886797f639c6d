"""The contents that can be compared pixel by pixel: those with a hash and a file, in the order of their SHA-256s.

>>> table = catalog.empty()
>>> Contents.of_catalog(table, DataPaths(Path("data"), Path("manifests"), "none")).sha256.tolist()
[]
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.catalog import BoolArray, IntArray, as_arrow, number_values
from curator.decide.keyed_hash import last_digits
from curator.decide.picture_columns import number_pictures, read_pictures, take_facts
from curator.matching.pictures import Indices, Pictures
from curator.store.image_store import are_in_shards, stored_prefixes
from curator.store.paths import DataPaths

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Contents:
    """Distinct contents, ascending by SHA-256; arrays of shape (contents,).

    Attributes:
        sha256: 64 hex digits each.
        files: paths, as text.
        pictures: their hashes.
        equal: int64: contents of equal hashes have one number, that of the first of them.
    """

    sha256: Texts
    files: Texts
    pictures: Pictures
    equal: IntArray

    def __len__(self) -> int:
        return len(self.sha256)

    @classmethod
    def of_catalog(cls, table: pd.DataFrame, paths: DataPaths) -> Contents:
        """Read the kept rows of a catalog whose files are in the store."""
        chosen = catalog.is_kept(table) & _may_be_stored(table["sha256"], paths)
        return cls.of_rows(table, lambda rows: _stored_files(rows, paths), chosen)

    @classmethod
    def of_rows(cls, rows: pd.DataFrame, name_files: Any, chosen: BoolArray | None = None) -> Contents:
        """Read rows of ``sha256``, ``detail`` and hashes.

        Args:
            rows: as in a catalog.
            name_files: returns a path for each of some rows, as text; empty: there is no file.
            chosen: bool, shape (rows,): which of them to read; without it all.
        """
        known = rows["sha256"].notna().to_numpy(dtype=bool)
        at = np.flatnonzero(known if chosen is None else known & chosen)
        at = _first_of_each(rows["sha256"], at[number_pictures(take_facts(rows, at)) >= 0])
        names = rows["sha256"].iloc[at].to_numpy(dtype=object)
        files = np.array(name_files(take_facts(rows, at)), dtype=object)
        there = np.flatnonzero(files.astype(bool)) if len(files) else np.empty(0, np.intp)
        pictures = read_pictures(rows).take(at[there])
        return cls(names[there], files[there], pictures, number_equal(pictures))

    def join(self, others: Contents) -> Contents:
        """Return the contents of both, each once."""
        names, first = np.unique(np.concatenate([self.sha256, others.sha256]), return_index=True)
        files, pictures = np.concatenate([self.files, others.files]), self.pictures.append(others.pictures)
        return Contents(names, files[first], pictures.take(first), number_equal(pictures.take(first)))

    def stand_for(self, others: Contents) -> BoolArray:
        """Return which are among others, or have the hashes of one that is: bool, shape (contents,)."""
        found = np.zeros(len(self), bool)
        found[self.equal[np.isin(self.sha256, others.sha256)]] = True
        return found[self.equal]

    def take(self, rows: Indices) -> Contents:
        """Return these only, each as equal to itself alone."""
        return Contents(self.sha256[rows], self.files[rows], self.pictures.take(rows), np.arange(len(rows)))


def number_equal(pictures: Pictures) -> IntArray:
    """Return, for each picture, the first one of the same hashes: int64, shape (pictures,)."""
    if not len(pictures):
        return np.empty(0, np.int64)
    keys = np.concatenate([pictures.hashes.view(np.uint8).reshape(len(pictures), -1), pictures.hashes256], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()].astype(np.int64)


def _first_of_each(names: pd.Series[Any], rows: Indices) -> Indices:
    """Return the first row of each name among these rows, by ascending name."""
    texts = as_arrow(names, pa.string()).take(pa.array(rows))
    order = pc.sort_indices(texts).to_numpy()  # which keeps the order of equal ones
    ordered = number_values(texts)[order]
    first: Indices = rows[order[np.flatnonzero(np.diff(ordered, prepend=-1))]]
    return first


def _may_be_stored(sha256s: pd.Series[Any], paths: DataPaths) -> BoolArray:
    """Return whose first 64 bits are those of a stored file: of the others, no name need be made."""
    digits = pc.fill_null(pc.utf8_slice_codeunits(as_arrow(sha256s, pa.string()), 0, 16), "0" * 16)
    return np.isin(last_digits(digits), stored_prefixes(paths))


def _stored_files(rows: pd.DataFrame, paths: DataPaths) -> Sequence[str]:
    """Name the stored file of each row, one that is there or in a shard."""
    there: dict[str, set[str]] = {}
    found = []
    for sha256, kind, is_in_shard in zip(
        rows["sha256"], rows["format"], are_in_shards(paths, rows["sha256"]), strict=True
    ):
        folder, name = paths.image_text(sha256, kind) if isinstance(kind, str) else ("", "")
        if folder not in there:
            there[folder] = _list(folder)
        found.append(f"{folder}/{name}" if name in there[folder] or (name and is_in_shard) else "")
    return found


def _list(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder)) if folder else set()  # noqa: PTH208 (paths are text here)
    except OSError:
        return set()
