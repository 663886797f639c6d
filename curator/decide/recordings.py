"""Pictures of one recording: numbered frames that are alike, and photographs that one camera took in one burst.

>>> rows = {"local_path": [f"/v/a_{n}.png" for n in (1, 2, 4)], "phash256": [bytes(32)] * 2 + [b"w" * 32]}
>>> table = pd.DataFrame(rows | {"url": None, "source": "x"})
>>> {(int(i), int(j)) for i, j in zip(*link_frames(table), strict=True)}
{(0, 1)}
>>> shots = {"taken": ["2024-05-01T12:00:01", "2024-05-01T12:00:04", None], "camera": "Z9"}
>>> shots = pd.DataFrame(shots | {"author": None, "source": "x"})
>>> [(int(i), int(j)) for i, j in zip(*link_bursts(shots), strict=True)]
[(0, 1)]

How alike frames are, in bits of 256 that differ, of 40 photographs that a view of 60% of each moves across: by 1% of
its width a frame 19 (median) and 47 (most), by 2% 40 and 64, by 4% 79 and 109. Of 300 photographs, one pair of
strangers in 3,000 differs by :data:`FRAME_BITS` or less.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray, IntArray, as_arrow, number_values, read_bytes
from curator.matching.pictures import Indices

FRAME_BITS = 88
"""Bits of 256 in which frames of one recording may differ, one after the other."""
NEAREST = 5
"""How many numbers on a frame is compared with: a recording may change to and fro between two cameras."""
LEAST_FRAMES, LEAST_SHARE, MOST_GAP = 8, 0.8, 10
"""Of so many numbered pictures, if so many are like the next one, all are of one recording, cuts and fast movements
too; but for a gap in the numbers that is so many times the usual one."""
BURST_S = 5.0
"""Seconds that may lie between two photographs of one burst."""

_NUMBERED = r"^(?P<folder>.*[/\\])?(?P<head>[^/\\]*?)(?P<number>[0-9]{1,15})(?P<tail>[^0-9/\\]*)$"


def link_frames(table: pd.DataFrame) -> tuple[Indices, Indices]:
    """Link frames of one recording: rows whose files differ in name only by a number, and whose pictures are alike.

    Numbers are compared within a folder; of names that have letters, such as ``match1_0012.jpg``, also across folders,
    into which the frames may have been sorted by label.
    """
    names = as_arrow(pc.coalesce(as_arrow(table["local_path"], pa.string()), as_arrow(table["url"], pa.string())))
    parts = pc.extract_regex(pc.replace_substring_regex(names, "[?#].*$", ""), _NUMBERED)
    source, folder, head, tail = (as_arrow(one, pa.string()) for one in (table["source"], *_fields(parts)))
    number = pc.struct_field(parts, "number").cast(pa.int64())
    in_folder = pc.binary_join_element_wise(source, folder, head, tail, "\n")
    by_name = pc.binary_join_element_wise(source, head, tail, "\n")
    named = pc.if_else(pc.match_substring_regex(head, r"\pL"), by_name, pa.scalar(None, pa.string()))
    hashes = table["phash256"]
    links = [_link_series(number_values(key), number, hashes) for key in (in_folder, named)]
    return np.concatenate([i for i, _ in links]), np.concatenate([j for _, j in links])


def _fields(parts: pa.Array) -> list[pa.Array]:
    return [pc.struct_field(parts, name) for name in ("folder", "head", "tail")]


def _link_series(series: IntArray, number: pa.Array, hashes: pd.Series[bytes]) -> tuple[Indices, Indices]:
    """Link the frames of each series; -1: of none."""
    rows = np.flatnonzero((series >= 0) & hashes.notna().to_numpy(dtype=bool))
    numbers = pc.fill_null(number, 0).to_numpy(zero_copy_only=False)
    rows = rows[np.lexsort((numbers[rows], series[rows]))]
    of, at = series[rows], numbers[rows]
    bits = read_bytes(hashes.iloc[rows], 32)
    i, j = [rows[:0]], [rows[:0]]
    for step in range(1, min(NEAREST + 1, len(rows))):
        near = np.flatnonzero(of[step:] == of[:-step])
        alike = np.bitwise_count(bits[near] ^ bits[near + step]).sum(axis=1) <= FRAME_BITS
        if step == 1:
            alike |= _is_recorded(of[near], alike, at[near + 1] - at[near])
        i.append(rows[near[alike]])
        j.append(rows[near[alike] + step])
    return np.concatenate(i), np.concatenate(j)


def _is_recorded(series: IntArray, alike: BoolArray, gap: IntArray) -> BoolArray:
    """Return which neighbours are of a series that is one recording, and have no large gap between them."""
    _, place, n = np.unique(series, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=alike, minlength=len(n)) / np.maximum(n, 1)
    order = np.lexsort((gap, place))
    usual = gap[order][np.cumsum(n) - n + n // 2] if len(n) else n
    is_recording = (n + 1 >= LEAST_FRAMES) & (share >= LEAST_SHARE)
    recorded: BoolArray = is_recording[place] & (gap <= MOST_GAP * np.maximum(usual, 1)[place])
    return recorded


def link_bursts(table: pd.DataFrame) -> tuple[Indices, Indices]:
    """Link photographs that one camera took within :data:`BURST_S` seconds of each other; an unknown one took none."""
    taken = as_arrow(table["taken"], pa.string()).cast(pa.timestamp("ms"))
    author = pc.fill_null(as_arrow(table["author"], pa.string()), "")
    texts = (as_arrow(table[name], pa.string()) for name in ("source", "camera"))
    camera = number_values(pc.binary_join_element_wise(*texts, author, "\n"))
    rows = np.flatnonzero((camera >= 0) & taken.is_valid().to_numpy(zero_copy_only=False))
    times = pc.fill_null(taken.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    rows = rows[np.lexsort((times[rows], camera[rows]))]
    near = np.flatnonzero((np.diff(camera[rows]) == 0) & (np.diff(times[rows]) <= BURST_S * 1_000))
    return rows[near], rows[near + 1]
