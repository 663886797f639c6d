"""The planted truth, and how what curator decided compares with it.

>>> rows = [("rugby", "n1_1", "http://a.example/1.jpg", "gone", "p1", "gone")]
>>> truth = pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))
>>> decided = pd.DataFrame({"label": ["rugby"], "source_id": ["n1_1"], "drop_reason": ["gone"]})
>>> compare_with_truth(decided, truth).kinds
(KindResult(kind='gone', planted=1, found=1, missed=0, unreached=0),)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curator.demo.listing import CLEAN, KEPT, NOT_LISTED, Origins, World
from curator.reasons import Drop
from curator.store.whole_files import write_text_whole

TRUTH_COLUMNS = ("label", "source_id", "url", "planted", "picture", "expected")
UNREACHED = "unreached"
_KEY = ["label", "source_id"]
COMPARED = (*_KEY, "drop_reason")
"""The columns of a catalog that are compared with the truth."""
_NO_VERDICT = {str(Drop.SURPLUS): KEPT, str(Drop.BEYOND_TARGET): UNREACHED}
"""Drops that say nothing about the image itself."""


@dataclass(frozen=True)
class KindResult:
    """How one kind of plant fared: ``planted`` = ``found`` + ``missed`` + ``unreached`` (never fetched)."""

    kind: str
    planted: int
    found: int
    missed: int
    unreached: int


@dataclass(frozen=True)
class Miss:
    """One listed image that did not become what it should: what came of it, and what was expected."""

    kind: str
    label: str
    url: str
    outcome: str
    expected: str


@dataclass(frozen=True)
class Comparison:
    """The truth against the decisions; ``false_drops`` counts sound pictures that were lost."""

    kinds: tuple[KindResult, ...]
    false_drops: int
    misses: tuple[Miss, ...]

    @property
    def agrees(self) -> bool:
        """Whether everything planted and fetched was found, and nothing sound was dropped."""
        return not self.misses


def world_truth(world: World, origins: Origins) -> pd.DataFrame:
    """Tabulate the truth: one row for each listed image whose fate is known, columns :data:`TRUTH_COLUMNS`.

    ``expected`` holds what may become of it, separated by ``|``: kept, not-listed, or drop reasons. Of all rows of one
    ``picture`` exactly one must be kept if any of them may be, else none.
    """
    rows = [
        (row.label, row.source_id, row.url(origins), row.plant.kind, row.plant.picture, "|".join(row.plant.expected))
        for row in world.listings
        if row.plant.expected
    ]
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))


def write_truth(path: Path, truth: pd.DataFrame) -> None:
    """Write the truth as CSV."""
    write_text_whole(path, truth.to_csv(index=False, lineterminator="\n"))


def compare_with_truth(table: pd.DataFrame, truth: pd.DataFrame) -> Comparison:
    """Compare a catalog, after all its stages, with the truth.

    Args:
        table: a catalog; ``label``, ``source_id`` and ``drop_reason`` are read.
        truth: from :func:`world_truth`.
    """
    judged = truth.assign(outcome=_outcomes(table, truth))
    # What should be listed but is not: its list or tier was never read.
    unread = (judged["expected"] != NOT_LISTED) & (judged["outcome"] == NOT_LISTED)
    judged["reached"] = (judged["outcome"] != UNREACHED) & ~unread
    pairs = zip(judged["outcome"], judged["expected"].str.split("|"), strict=True)
    judged["right"] = _kept_once(judged) & np.array([outcome in expected for outcome, expected in pairs], bool)
    wrong = judged[judged["reached"] & ~judged["right"]]
    return Comparison(
        kinds=tuple(_kind_result(str(kind), rows) for kind, rows in judged.groupby("planted", sort=True)),
        false_drops=int(((wrong["planted"] == CLEAN) & (wrong["outcome"] != KEPT)).sum()),
        misses=tuple(
            Miss(row["planted"], row["label"], row["url"], row["outcome"], row["expected"])
            for row in wrong.to_dict("records")
        ),
    )


def _outcomes(table: pd.DataFrame, truth: pd.DataFrame) -> pd.Series[str]:
    """Say what came of each truth row: kept, not-listed, unreached, or its drop reason."""
    decided = table[[*COMPARED]].astype(object).drop_duplicates(_KEY)
    decided["outcome"] = decided["drop_reason"].where(decided["drop_reason"].notna(), KEPT).replace(_NO_VERDICT)
    joined = truth[_KEY].merge(decided, on=_KEY, how="left")
    return joined["outcome"].fillna(NOT_LISTED).set_axis(truth.index).astype(str)


def _kept_once(judged: pd.DataFrame) -> pd.Series[bool]:
    """Find the rows whose picture is kept as often as it should be: once if any row of it may be, else never."""
    may_keep = judged["expected"].str.split("|").map(lambda expected: KEPT in expected)
    wanted = may_keep.groupby(judged["picture"]).transform("any").astype(int)
    kept = (judged["outcome"] == KEPT).groupby(judged["picture"]).transform("sum")
    # A picture of which some row was never fetched may lack the one that would have been kept.
    complete = judged["reached"].groupby(judged["picture"]).transform("all")
    return (kept == wanted) | (~complete & (kept <= wanted))


def _kind_result(kind: str, rows: pd.DataFrame) -> KindResult:
    reached = int(rows["reached"].sum())
    found = int((rows["reached"] & rows["right"]).sum())
    return KindResult(kind, len(rows), found, reached - found, len(rows) - reached)
