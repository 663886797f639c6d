"""Find a crowd among hashes: so many that agree in one part of their bits that a search compares each with all of them.

>>> find_crowd(np.arange(9, dtype=np.uint64), least=9).tolist()
[0, 1, 2, 3, 4, 5, 6, 7, 8]
>>> find_crowd(np.arange(9, dtype=np.uint64) << np.uint64(16 * 3), least=10).tolist()
[]
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import as_arrow
from curator.decide.picture_columns import find_comparable, take_facts
from curator.decide.row_places import read_bytes
from curator.matching.perceptual_hash import Hashes64
from curator.matching.pictures import Indices
from curator.text import Command, Text

PART_BITS = 16
LEAST_PAIRS, PAIRS_A_HASH = 1_000_000_000, 1_000
"""Pairs within a crowd that are worth a remark: some 3 to 8 s of processor time an orientation, and as many as else are
compared. See docs/decisions/0007-search-in-numpy.md."""
NARROW_BITS = 4
"""A radius within which a crowd costs a seventh of what it does within 10 bits."""


def describe_crowd(table: pd.DataFrame, radius: int) -> Text | None:
    """Say how many of the kept pictures agree in so much of their hash that it slows the search down; None: too few.

    Args:
        table: a catalog.
        radius: the largest distance of two hashes, in bits, that they are searched for.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    rows = rows[find_comparable(take_facts(table, rows))]
    least = math.isqrt(2 * max(LEAST_PAIRS, PAIRS_A_HASH * len(rows)))
    if len(rows) < least:
        return None
    upright = np.ascontiguousarray(read_bytes(table["phash_turns"], 64)[rows, :8]).view(">u8").ravel()
    crowd = find_crowd(upright.astype(np.uint64), least)
    if not len(crowd):
        return None
    first = min(as_arrow(table["record_id"].iloc[rows[crowd]], pa.string()).to_pylist())
    narrower = (", and ", Command(f"dedupe --max-distance {NARROW_BITS}"), " compares fewer and finds fewer copies")
    return (
        f"{len(crowd):,} of {len(rows):,} pictures agree in the same {PART_BITS} of the 64 bits of their hashes, so "
        "that each of them is compared with all the others, which slows the search down; most likely they are nearly "
        "plain or made from one template: ",
        Command.of("why", first),
        " tells of one of them",
        *(narrower if radius > NARROW_BITS else ()),
        ".",
    )


def find_crowd(hashes: Hashes64, least: int) -> Indices:
    """Find the largest crowd of ``least`` or more different hashes that agree in one of four parts of their bits.

    Returns:
        The places of all of it, ascending; none if there is no crowd.
    """
    crowd, most = np.empty(0, np.intp), least - 1
    for shift in range(0, 64, PART_BITS):
        parts = (hashes >> np.uint64(shift)).astype(np.uint16)
        for part in np.flatnonzero(np.bincount(parts) >= least):
            members = np.flatnonzero(parts == part)
            if (n_different := len(np.unique(hashes[members]))) > most:
                crowd, most = members, n_different
    return crowd
