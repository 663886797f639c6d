"""Pairs of contents as rows of a table: numbered by both, and with the verdict on each.

>>> pairs = pa.table({"sha256": ["a", "a", "b"], "other_sha256": ["b", "d", "c"]})
>>> number_pairs(pairs, np.array(["a", "b", "c"], object)).to_pylist()
[1, -1, 5]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray
from curator.decide.judged import (
    DOUBTFUL,
    ONE,
    OTHER_COMPOSED,
    OTHER_FADED,
    OTHER_MARKED,
    THIS_COMPOSED,
    THIS_FADED,
    THIS_MARKED,
    TWO,
)
from curator.matching.judge.flaws import LEAST_FILLED, find_faded, find_flaws
from curator.matching.judge.judge import Judgement
from curator.pipeline.judging.contents import Contents, Texts
from curator.store.judged_file import SCHEMA

COPIES = pc.field("verdict") == ONE
"""Pairs that are one picture."""
TURNED_COPIES = COPIES & (pc.field("orientation") > 0)
_MOST_OF = 0.8
"""Least share of each of two copies in the other, for one to stand for the other."""
WHOLE_COPIES = (
    COPIES
    & (pc.list_element(pc.field("overlap"), 0) >= _MOST_OF)
    & (pc.list_element(pc.field("overlap"), 1) >= _MOST_OF)
)
"""Those of which one shows what the other does: no collage, and no small part."""
_BORDER = 0.03
"""Least share of a picture that bars take, more than of its copy."""
_WHOLE = 0.95
"""Least share that each of two copies has of the other, for their colours and lights to be compared as a whole."""


def name_pairs(
    contents: Contents, judged: Sequence[pa.Table], only: pc.Expression | None = None
) -> tuple[IntArray, IntArray]:
    """Name pairs of judged ones by their contents' numbers: two arrays of int64, shape (pairs,).

    Args:
        contents: that were judged.
        judged: verdicts on pairs of them, of :data:`curator.store.judged_file.SCHEMA`.
        only: which of them, such as :data:`COPIES`.
    """
    table = pa.concat_tables(judged)
    chosen = table if only is None else table.filter(only)
    i, j = np.divmod(number_pairs(chosen, contents.sha256).to_numpy(), max(1, len(contents)))
    return i, j


def number_pairs(table: pa.Table, sha256s: Texts) -> pa.Array:
    """Number pairs by the places i, j of their contents among n SHA-256s: int64 i * n + j; -1: one is not there."""
    there = pa.array(sha256s, pa.string())
    i, j = (
        pc.fill_null(pc.index_in(table[name], there), -1).to_numpy().astype(np.int64)
        for name in ("sha256", "other_sha256")
    )
    return pa.array(np.where((i < 0) | (j < 0), -1, i * len(sha256s) + j))


def tabulate(one: Texts, other: Texts, rows: Sequence[tuple[Any, Any]], found: Sequence[Judgement]) -> pa.Table:
    """Write verdicts on pairs of contents as a table; ``rows`` are their sketches."""
    seen = [one if one.same or one.doubtful else None for one in found]
    columns = {
        "sha256": one,
        "other_sha256": other,
        "verdict": [ONE if each.same else DOUBTFUL if each.doubtful else TWO for each in found],
        "orientation": [each.orientation for each in found],
        "flaws": [0 if each is None else _flaws(*pair, each) for pair, each in zip(rows, seen, strict=True)],
        "cosine": pa.nulls(len(found), pa.float32()),
        "transform": [each and each.transform.ravel().tolist() for each in seen],
        "overlap": [each and list(each.overlap) for each in seen],
        "differs": [", ".join(each.differs) for each in found],
    }
    return pa.table(columns, SCHEMA)


def _flaws(one: Any, other: Any, judgement: Judgement) -> int:
    """Say what was done to either of two copies, as their sketches show."""
    flaws = find_flaws(one["luma"], other["luma"], judgement.transform, judgement.part)
    within = [_share(row["box"]) for row in (one, other)]
    composed = [
        flaws.composed[side] or (covered >= LEAST_FILLED and within[side] < within[1 - side] - _BORDER)
        for side, covered in enumerate(judgement.overlap)
    ]
    is_whole = min(judgement.overlap) > _WHOLE
    faded = find_faded(one, other, judgement.transform) if is_whole else (False, False)
    bits = zip(
        (THIS_COMPOSED, OTHER_COMPOSED, THIS_MARKED, OTHER_MARKED, THIS_FADED, OTHER_FADED),
        (*composed, *flaws.marked, *faded),
        strict=True,
    )
    return sum(bit for bit, is_so in bits if is_so)


def _share(box: npt.NDArray[np.uint16]) -> float:
    """Return the share of a picture that lies within its borders and bars."""
    left, top, right, bottom = (float(edge) / 65_535 for edge in box)
    return (right - left) * (bottom - top)
