"""Pictures of one recording: numbered frames that are alike, and photographs that one camera took in one burst.

>>> import pandas as pd
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

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray, IntArray, as_arrow, is_known, number_values
from curator.decide.picture_columns import Columns, cut_rows, identify_by_parts
from curator.decide.row_places import read_bytes
from curator.manifests.settings import SplitSettings
from curator.matching.perceptual_hash import HashBytes
from curator.matching.pictures import Indices
from curator.text import Text

if TYPE_CHECKING:
    import pandas as pd

FRAME_BITS = 88
"""Bits of 256 in which frames of one recording may differ, one after the other."""
NEAREST = 5
"""How many numbers on a frame is compared with: a recording may change to and fro between two cameras."""
LEAST_FRAMES, LEAST_SHARE, MOST_GAP = 8, 0.8, 10
"""Of so many numbered pictures, if so many are like the next one, all are of one recording, cuts and fast movements
too; but for a gap in the numbers that is so many times the usual one."""
BURST_S = 5.0
"""Seconds that may lie between two photographs of one burst."""

_NUMBERED = r"^(?P<folder>.*[/\\])?(?P<head>[^/\\]*?)(?P<number>[0-9]{1,15})(?P<tail>[^0-9/\\]*(?:\.jp2)?)$"


def link_frames(table: Columns) -> tuple[Indices, Indices]:
    """Link frames of one recording: rows whose files differ in name only by a number, and whose pictures are alike.

    Numbers are compared within a folder; of names that have letters, such as ``match1_0012.jpg``, also across folders,
    into which the frames may have been sorted by label.
    """
    in_folder, by_name, numbers = _number_files(table)
    bits, known = read_bytes(table["phash256"], 32), table["phash256"].notna().to_numpy(dtype=bool)
    links = [_link_series(np.where(known, series, -1), numbers, bits) for series in (in_folder, by_name)]
    return np.concatenate([i for i, _ in links]), np.concatenate([j for _, j in links])


def describe_frames(table: pd.DataFrame | pa.Table, settings: SplitSettings) -> tuple[Text, ...]:
    """Say which images look like frames of recordings, and what keeps each on one side; nothing if that is written.

    Args:
        table: the kept rows of a catalog after the fetch: names and 64-bit hashes.
        settings: what stays together already.
    """
    if "video" in settings.group_by or settings.group_pattern:
        return ()
    series, _, numbers = _number_files(table)
    series = np.where(is_known(table, "phash"), series, -1)
    hashes = pc.fill_null(as_arrow(table["phash"], pa.uint64()), 0).to_numpy(zero_copy_only=False)
    rows, near, gap = _neighbours(series, numbers, 1)
    alike = np.bitwise_count(hashes[rows[near]] ^ hashes[rows[near + 1]]) <= FRAME_BITS // 4
    joined = near[_is_recorded(series[rows[near]], alike, gap)]
    found = np.unique(series[rows[joined]])
    if not len(found):
        return ()
    n = len(np.unique(np.append(joined, joined + 1)))
    places = pc.coalesce(*(as_arrow(table[name], pa.string()) for name in ("local_path", "url")))
    least = pc.sort_indices(places.take(pa.array(rows[joined])))[0].as_py()
    ends = places.take(pa.array(rows[series[rows] == series[rows[joined][least]]][[0, -1]])).to_pylist()
    names = [place.replace("\\", "/").rpartition("/")[2] for place in ends]
    line = f"group_by = {json.dumps([*settings.group_by, 'video'])}"
    recordings = "1 recording" if len(found) == 1 else f"{len(found):,} recordings"
    return (
        f"{n:,} of {len(table):,} images look like the frames of {recordings}, such as {' to '.join(names)}: their "
        f"neighbours would be in train and in test. `{line}` below [split] keeps each recording on one side",
    )


def _number_files(table: Columns) -> tuple[IntArray, IntArray, IntArray]:
    """Number the series of files that differ by a number, in a folder and across (-1: none); and that number."""
    in_folder, across, numbers = zip(*map(_name_series, cut_rows(table)), strict=True)
    return number_values(pa.chunked_array(in_folder)), number_values(pa.chunked_array(across)), np.concatenate(numbers)


def _name_series(table: Columns) -> tuple[pa.Array, pa.Array, IntArray]:
    """Name the series of each row's file, in a folder and across; null if there is none; and its number."""
    urls = pc.replace_substring_regex(as_arrow(table["url"], pa.string()), "[?#].*$", "")
    names = pc.coalesce(as_arrow(table["local_path"], pa.string()), urls)
    parts = pc.extract_regex(names, _NUMBERED)
    folder, head, tail, number = (pc.struct_field(parts, name) for name in ("folder", "head", "tail", "number"))
    source = as_arrow(table["source"], pa.string())
    in_folder = pc.binary_join_element_wise(source, folder, head, tail, "\n")
    by_name = pc.binary_join_element_wise(source, head, tail, "\n")
    across = pc.if_else(pc.match_substring_regex(head, r"\pL"), by_name, pa.scalar(None, pa.string()))
    return in_folder, across, pc.fill_null(number.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)


def _neighbours(series: IntArray, numbers: IntArray, step: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the rows of series in order, the places of those with one ``step`` on in theirs, and how far that is."""
    rows = np.flatnonzero(series >= 0)
    rows = rows[np.lexsort((numbers[rows], series[rows]))]
    near = np.flatnonzero(series[rows[step:]] == series[rows[:-step]])
    return rows, near, numbers[rows[near + step]] - numbers[rows[near]]


def _link_series(series: IntArray, numbers: IntArray, bits: HashBytes) -> tuple[Indices, Indices]:
    i, j = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for step in range(1, NEAREST + 1):
        rows, near, gap = _neighbours(series, numbers, step)
        alike = np.bitwise_count(bits[rows[near]] ^ bits[rows[near + step]]).sum(axis=1) <= FRAME_BITS
        if step == 1:
            alike |= _is_recorded(series[rows[near]], alike, gap)
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


def link_bursts(table: Columns) -> tuple[Indices, Indices]:
    """Link photographs that one camera took within :data:`BURST_S` seconds of each other; an unknown one took none."""
    taken = as_arrow(table["taken"], pa.string()).cast(pa.timestamp("ms"))
    camera = number_values(identify_by_parts(_identify_cameras, table))
    rows = np.flatnonzero((camera >= 0) & taken.is_valid().to_numpy(zero_copy_only=False))
    times = pc.fill_null(taken.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    rows = rows[np.lexsort((times[rows], camera[rows]))]
    near = np.flatnonzero((np.diff(camera[rows]) == 0) & (np.diff(times[rows]) <= BURST_S * 1_000))
    return rows[near], rows[near + 1]


def _identify_cameras(table: Columns) -> pa.Array:
    author = pc.fill_null(as_arrow(table["author"], pa.string()), "")
    texts = (as_arrow(table[name], pa.string()) for name in ("source", "camera"))
    return pc.binary_join_element_wise(*texts, author, "\n")
