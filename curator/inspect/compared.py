"""What the pixels of one image and others said: which are one picture, which may be, and what differs.

>>> pair = {"sha256": "a", "other_sha256": "b", "verdict": ONE, "orientation": 4, "flaws": OTHER_MARKED}
>>> pair |= {"differs": "words added", "overlap": [1.0, 0.5], "transform": [0.5, 0, 0, 0, 0.5, 0]}
>>> table = catalog.conform(pd.DataFrame({"record_id": ["x-1", "x-2"], "sha256": ["a", "b"], "label": "a"}))
>>> found = find_compared(pa.Table.from_pylist([pair]), table, "a")
>>> for line in describe_compared(found, []):
...     print(line)
  pixels   one picture with x-2 (mirrored, words added); x-2 has something written on it

Which of several lies otherwise than it should is said, too:

>>> pairs = [{**pair, "sha256": one, "other_sha256": other} for one, other in ("ab", "bc", "bd")]
>>> pairs[1]["orientation"] = pairs[2]["orientation"] = 0
>>> find_compared(pa.Table.from_pylist(pairs), table, "a")[0]["flaws"]["this"]
['is turned or mirrored against the others']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
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
    TWO,
    Judged,
)
from curator.matching.judge.differences import WHOLE
from curator.matching.orientations import ORIENTATION_PHRASES, invert_orientation
from curator.matching.perceptual_hash import distance64, unpack_orientations
from curator.report.laid_over import place_on
from curator.text import plural

Found = dict[str, Any]

PIXELS = "  pixels   "
"""How a line of a story begins that says what pixels say."""

_VERDICTS = {"one": "one picture with", "doubtful": "perhaps one picture with", "two": "another picture than"}
_MOST = 10
_CROP = re.compile(r"\d+% of one in the other|\d+% and \d+% of each in both")
_THIS, _OTHER = (THIS_COMPOSED, THIS_MARKED, THIS_FADED), (OTHER_COMPOSED, OTHER_MARKED, OTHER_FADED)
_PHRASES = (FLAW_PHRASES[COMPOSED], FLAW_PHRASES[MARKED], FLAW_PHRASES[FADED])
_SHOWN = ("record_id", "label", "sha256", "format", "width", "height", "drop_reason")


def find_compared(judged: pa.Table | None, table: pd.DataFrame, sha256: str | None) -> list[Found]:
    """Find the images that are one picture with a content, or may be, those that surely are first.

    Args:
        judged: of :data:`curator.store.judged_file.SCHEMA`; None: nothing was compared.
        table: a catalog, to name them.
        sha256: of the content.

    Returns:
        One dict an image: ``record_id``, ``label``, ``sha256``, ``format``, ``width``, ``height``, ``drop_reason``,
        ``file`` (its name, if it is a local one), ``verdict`` (``one`` or ``doubtful``), ``differs``, ``overlap`` (the
        share of this one in the other, and of the other in this one), ``transform`` (places on the other to those on
        this one, in shares of the sides), and ``flaws`` of ``this`` and of the ``other``.
    """
    rows = _pairs_of(judged, sha256, [ONE, DOUBTFUL])
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
        said = _CROP.sub(say_crop(overlap), row["differs"]) if overlap else row["differs"]
        differs = ", ".join(filter(None, (ORIENTATION_PHRASES[turn], said)))
        facts = {"verdict": "one" if row["verdict"] == ONE else "doubtful", "differs": differs, "overlap": overlap}
        facts |= {"transform": place_on(row, str(sha256)), "flaws": {"this": flaws[0], "other": flaws[1]}}
        found.append({**_name(table.iloc[at]), **facts})
    return found


def find_told_apart(judged: pa.Table | None, table: pd.DataFrame, sha256: str | None) -> list[Found]:
    """Find the images that are other pictures than a content, though something brought the two near, the nearest first.

    >>> judged = pa.table({"sha256": ["a"], "other_sha256": ["b"], "verdict": [TWO]})
    >>> rows = {"record_id": ["x-1", "x-2"], "sha256": ["a", "b"], "phash_turns": [bytes(64), bytes([3] + 63 * [0])]}
    >>> found = find_told_apart(judged, catalog.conform(pd.DataFrame(rows)), "b")
    >>> describe_compared([], found)
    ['  pixels   another picture than x-1 (hashes 2 bits apart)']

    Returns:
        As :func:`find_compared` does; ``verdict`` is ``two``, ``bits`` are those in which hashes differ.
    """
    if not (rows := _pairs_of(judged, sha256, [TWO])):
        return []
    names = {sha256, *(row[end] for row in rows for end in ("sha256", "other_sha256"))}
    is_meant = table["sha256"].isin(names).to_numpy(dtype=bool) & table["phash_turns"].notna().to_numpy(dtype=bool)
    near = table[is_meant].drop_duplicates("sha256")
    is_this = (near["sha256"] == sha256).to_numpy(dtype=bool)
    if is_this.all() or not is_this.any():
        return []
    this, others = (unpack_orientations(near["phash_turns"][chosen].tolist()) for chosen in (is_this, ~is_this))
    bits = distance64(this[0, 0], others).min(axis=1)
    order = np.argsort(bits, kind="stable")
    unknown: Found = {"overlap": None, "transform": None, "flaws": {"this": [], "other": []}}
    return [
        {**_name(row), "verdict": "two", "differs": f"hashes {plural(n, 'bit')} apart", "bits": n, **unknown}
        for n, (_, row) in zip(bits[order].tolist(), near[~is_this].iloc[order].iterrows(), strict=True)
    ]


def say_crop(overlap: Sequence[float]) -> str:
    """Say how much two pictures share, if that is not all: the share of this one in the other, then of the other.

    >>> say_crop((1.0, 0.25)), say_crop((0.25, 1.0)), say_crop((1.0, 0.99))
    ('this shows 25% of the other', 'the other shows 25% of this', '')
    >>> say_crop((0.78, 0.34))
    '78% of this picture and 34% of the other show the same'
    """
    if min(overlap) >= WHOLE:
        return ""
    if max(overlap) < WHOLE:
        return f"{overlap[0]:.0%} of this picture and {overlap[1]:.0%} of the other show the same"
    return (
        f"this shows {overlap[1]:.0%} of the other"
        if overlap[0] >= WHOLE
        else f"the other shows {overlap[0]:.0%} of this"
    )


def _pairs_of(judged: pa.Table | None, sha256: str | None, verdicts: Sequence[int]) -> list[dict[str, Any]]:
    """Return the pairs of a content that have one of these verdicts."""
    if judged is None or sha256 is None:
        return []
    is_this = pc.or_(*(pc.equal(judged[name], sha256) for name in ("sha256", "other_sha256")))
    is_wanted = pc.is_in(judged["verdict"], pa.array(verdicts, judged["verdict"].type))
    rows: list[dict[str, Any]] = judged.filter(pc.and_(is_this, is_wanted)).to_pylist()
    return rows


def _name(row: pd.Series[Any]) -> Found:
    """Return what names and shows an image."""
    facts = {name: None if pd.isna(row[name]) else row[name] for name in _SHOWN}
    return {**facts, "file": None if pd.isna(row["local_path"]) else str(row["source_id"])}


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


def describe_compared(found: Sequence[Found], apart: Sequence[Found], n_apart: int = 0) -> list[str]:
    """Write a line for each of the first images of :func:`find_compared`, how many more, and so of the others."""
    lines, others = ([f"{PIXELS}{describe(one)}" for one in some] for some in (found[:_MOST], apart))
    more = [f"{PIXELS}and {len(found) - _MOST:,} more"] if len(found) > _MOST else []
    if n_apart > len(apart):
        others.append(f"{PIXELS}and {n_apart - len(apart):,} more whose hash is near; each is another picture")
    return [*lines, *more, *others]


def describe(one: Mapping[str, Any]) -> str:
    """Say in words what one of these images is to the one at hand, and what differs."""
    said = ", ".join(filter(None, (one["file"], one["differs"])))
    flaws = [f"this {phrase}" for phrase in one["flaws"]["this"]]
    flaws += [f"{one['record_id']} {phrase}" for phrase in one["flaws"]["other"]]
    return "; ".join([f"{_VERDICTS[one['verdict']]} {one['record_id']}{f' ({said})' if said else ''}", *flaws])
