"""Read the pictures of a catalog: which rows can be compared by hash, which are equal, and what tells them apart.

>>> rows = {"detail": [50.0, 50.0, 1.0], "phash_turns": [bytes(64)] * 3, "phash256": [bytes(32)] * 3, "thumbnail": None}
>>> table = pd.DataFrame(rows)
>>> number_pictures(table)
array([ 0,  0, -1])
>>> read_pictures(table).has_signature.tolist()
[False, False, False]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from curator.catalog import BoolArray, IntArray, Rows, as_arrow, number_values, read_bytes
from curator.matching.luma_signatures import SIGNATURE_BYTES
from curator.matching.perceptual_hash import FLAT_DETAIL, Hashes64
from curator.matching.pictures import Pictures


def find_comparable(table: pd.DataFrame) -> BoolArray:
    """Return which rows can be compared by hash: bool, shape (rows,). Unknown ``detail`` and flat pictures cannot."""
    detailed = (table["detail"] >= FLAT_DETAIL).fillna(False).to_numpy(dtype=bool)
    return np.asarray(detailed & table["phash_turns"].notna().to_numpy(dtype=bool))


def number_pictures(table: pd.DataFrame) -> IntArray:
    """Number the rows by their hashes, of 64 bits in every orientation and of 256 bits: equal pictures are one number.

    Returns:
        int64, shape (rows,): from 0 in the order of the rows; -1: the row cannot be compared, or has no 256-bit hash.
    """
    short, long = number_values(table["phash_turns"]), number_values(table["phash256"])
    unknown = ~find_comparable(table) | (long < 0)
    return number_values(pa.array(short * (long.max(initial=0) + 1) + long, mask=unknown))


def take_facts(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Take rows of a catalog without their thumbnails, which stay where they are: on disk, if they are many."""
    return table.drop(columns="thumbnail", errors="ignore").iloc[rows]


def read_pictures(table: pd.DataFrame) -> Pictures:
    """Read the hashes and luma signatures of all rows, without copying the signatures; a missing hash is all zeros."""
    column = as_arrow(table["thumbnail"], pa.large_binary())
    _, offsets, values = column.buffers()
    starts = np.frombuffer(offsets or b"", np.int64)[column.offset : column.offset + len(column)]
    usable = (values.size if values else 0) // SIGNATURE_BYTES * SIGNATURE_BYTES
    signatures = np.frombuffer(values or b"", np.uint8)[:usable].reshape(-1, SIGNATURE_BYTES)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    places = np.where(known, starts // SIGNATURE_BYTES, -1)
    hashes = read_orientation_hashes(table["phash_turns"])
    return Pictures(hashes, read_bytes(table["phash256"], 32), signatures, places)


def read_orientation_hashes(column: pd.Series[Any]) -> Hashes64:
    """Read the catalog's ``phash_turns`` as uint64 of shape (n, 8); a missing one is all zeros."""
    return read_bytes(column, 64).view(">u8").astype(np.uint64)
