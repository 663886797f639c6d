"""What the pixels of one image and others said: which are one picture, which may be, and what differs.

>>> pair = {"sha256": "a", "other_sha256": "b", "verdict": ONE, "orientation": 4, "flaws": OTHER_MARKED}
>>> pair |= {"differs": "words added", "overlap": [1.0, 0.5]}
>>> table = pd.DataFrame({"record_id": ["x-1", "x-2"], "sha256": ["a", "b"], "label": "a"})
>>> found = find_compared(pa.Table.from_pylist([pair]), table, "a")
>>> for line in describe_compared(found):
...     print(line)
  pixels   one picture with x-2 (mirrored, words added); x-2 has something written on it

Which of several lies otherwise than it should is said, too:

>>> pairs = [{**pair, "sha256": one, "other_sha256": other} for one, other in ("ab", "bc", "bd")]
>>> pairs[1]["orientation"] = pairs[2]["orientation"] = 0
>>> find_compared(pa.Table.from_pylist(pairs), table, "a")[0]["flaws"]["this"]
['is turned or mirrored against the others']
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import as_arrow
from curator.decide.flaws import COMPOSED, FADED, FLAW_PHRASES, MARKED, SIDEWAYS, rate_flaws
from curator.decide.judged import (
    DOUBTFUL,
    ONE,
    OTHER_COMPOSED,
    OTHER_FADED,
    OTHER_MARKED,
    THIS_COMPOSED,
    THIS_FADED,
    THIS_MARKED,
    Judged,
)
from curator.matching.orientations import ORIENTATION_PHRASES, invert_orientation

_VERDICTS = {ONE: "one picture with", DOUBTFUL: "perhaps one picture with"}
_MOST = 10
_THIS, _OTHER = (THIS_COMPOSED, THIS_MARKED, THIS_FADED), (OTHER_COMPOSED, OTHER_MARKED, OTHER_FADED)
_PHRASES = (FLAW_PHRASES[COMPOSED], FLAW_PHRASES[MARKED], FLAW_PHRASES[FADED])


def find_compared(judged: pa.Table | None, table: pd.DataFrame, sha256: str | None) -> list[dict[str, Any]]:
    """Find the images that are one picture with a content, or may be, those that surely are first.

    Args:
        judged: of :data:`curator.store.judged_file.SCHEMA`; None: nothing was compared.
        table: a catalog, to name them.
        sha256: of the content.

    Returns:
        One dict an image: ``record_id``, ``file`` (its name, if it is a local one), ``verdict`` (``one`` or
        ``doubtful``), ``differs``, ``overlap`` (the share of this one in the other, and of the other in this one), and
        ``flaws`` of ``this`` and of the ``other``.
    """
    if judged is None or sha256 is None:
        return []
    is_this, is_other = (pc.equal(judged[name], sha256) for name in ("sha256", "other_sha256"))
    rows = judged.filter(pc.and_(pc.or_(is_this, is_other), pc.greater(judged["verdict"], 0))).to_pylist()
    names, sideways = as_arrow(table["sha256"], pa.string()), _find_sideways(judged, rows)
    found = []
    for row in sorted(rows, key=lambda row: (row["verdict"] != ONE, row["sha256"], row["other_sha256"])):
        is_first = row["sha256"] == sha256
        other = row["other_sha256" if is_first else "sha256"]
        at = pc.index(names, other).as_py()
        if at < 0:
            continue
        ends = zip((sha256, other), (_THIS, _OTHER) if is_first else (_OTHER, _THIS), strict=True)
        flaws = [_name_flaws(row, bits, row["orientation"] > 0 and end in sideways) for end, bits in ends]
        overlap = row["overlap"] if is_first or row["overlap"] is None else row["overlap"][::-1]
        turn = row["orientation"] if is_first else invert_orientation(row["orientation"])
        differs = ", ".join(filter(None, (ORIENTATION_PHRASES[turn], row["differs"])))
        other_row = table.iloc[at]
        file = None if pd.isna(other_row.get("local_path")) else str(other_row["source_id"])
        facts = {"record_id": str(other_row["record_id"]), "file": file, "differs": differs, "overlap": overlap}
        verdict = "one" if row["verdict"] == ONE else "doubtful"
        found.append({**facts, "verdict": verdict, "flaws": {"this": flaws[0], "other": flaws[1]}})
    return found


def _find_sideways(judged: pa.Table, rows: list[dict[str, Any]]) -> set[str]:
    """Return the contents of turned copies, of some pairs, that lie otherwise than the upright ones."""
    turned = [row for row in rows if row["verdict"] == ONE and row["orientation"]]
    if not turned:
        return set()
    names = pd.Series([row[end] for row in turned for end in ("sha256", "other_sha256")])
    return set(names[rate_flaws(Judged.from_table(judged), names) & SIDEWAYS > 0])


def _name_flaws(row: dict[str, Any], bits: tuple[int, ...], is_sideways: bool) -> list[str]:
    named = [FLAW_PHRASES[SIDEWAYS]] if is_sideways else []
    return named + [phrase for bit, phrase in zip(bits, _PHRASES, strict=True) if row["flaws"] & bit]


def describe_compared(found: list[dict[str, Any]]) -> list[str]:
    """Write a line for each of the first images of :func:`find_compared`, and how many more there are."""
    words = {"one": _VERDICTS[ONE], "doubtful": _VERDICTS[DOUBTFUL]}
    lines = []
    for one in found[:_MOST]:
        said = ", ".join(filter(None, (one["file"], one["differs"])))
        said = f" ({said})" if said else ""
        flaws = [f"this {phrase}" for phrase in one["flaws"]["this"]]
        flaws += [f"{one['record_id']} {phrase}" for phrase in one["flaws"]["other"]]
        lines.append("; ".join([f"  pixels   {words[one['verdict']]} {one['record_id']}{said}", *flaws]))
    return lines + ([f"  pixels   and {len(found) - _MOST:,} more"] if len(found) > _MOST else [])
