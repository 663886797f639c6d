"""What the pixels say of pairs of contents, as data: it overrules what hashes say of them.

>>> rows = {"sha256": "a", "other_sha256": "b", "verdict": ONE, "orientation": 4}
>>> judged = Judged.from_table(pa.table({name: [value] for name, value in rows.items()}))
>>> pairs = judged.among(pd.Series(["b", "c", "a"]), np.array([7, 8, 9]))
>>> pairs.i.tolist(), pairs.j.tolist(), pairs.is_one.tolist()
([9], [7], [True])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator.catalog import BoolArray, IntArray, number_values
from curator.decide.row_places import find_places
from curator.matching.buckets import list_ranges
from curator.matching.orientations import invert_orientation
from curator.matching.perceptual_hash import distance64
from curator.matching.picture_matches import Matches, join_matches
from curator.matching.pictures import Indices, Pictures

TWO, ONE, DOUBTFUL = range(3)
"""Two pictures, one picture, or neither for sure: then what hashes say stands."""

THIS_COMPOSED, OTHER_COMPOSED, THIS_MARKED, OTHER_MARKED, THIS_FADED, OTHER_FADED = 1, 2, 4, 8, 16, 32
"""What was done to one of two copies: it was put into a border or beside other pictures, or was written on, or has lost
its colours, its lights or its detail."""

_ENDS = ("sha256", "other_sha256")
_INVERSE = np.array([invert_orientation(orientation) for orientation in range(8)], np.uint8)


@dataclass(frozen=True)
class Pairs:
    """Pairs of pictures, by their numbers; arrays of shape (pairs,).

    Attributes:
        i, j: numbers of pictures, never the same.
        verdict: int8: :data:`TWO`, :data:`ONE` or :data:`DOUBTFUL`.
        orientation: uint8: in which j looks like i.
        transform: float32, shape (pairs, 6): j's places to i's, in shares of the sides, row by row; NaN: not known.
    """

    i: IntArray
    j: IntArray
    verdict: npt.NDArray[np.int8]
    orientation: npt.NDArray[np.uint8]
    transform: npt.NDArray[np.float32]

    @property
    def is_one(self) -> BoolArray:
        """Whether each pair is one picture."""
        return np.asarray(self.verdict == ONE)

    def where(self, chosen: BoolArray | Indices) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(
            self.i[chosen], self.j[chosen], self.verdict[chosen], self.orientation[chosen], self.transform[chosen]
        )


@dataclass(frozen=True)
class Judged:
    """Pairs of contents that were compared; see :data:`curator.store.judged_file.SCHEMA` for what is known of each.

    ``names`` are the SHA-256s, each once; ``i`` and ``j``, shape (pairs,), are the places of the two contents in them.
    """

    names: pa.Array
    i: IntArray
    j: IntArray
    verdict: npt.NDArray[np.int8]
    orientation: npt.NDArray[np.uint8]
    flaws: npt.NDArray[np.int8]
    transform: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]
    overlap: npt.NDArray[np.float32]

    @classmethod
    def from_table(cls, table: pa.Table) -> Judged:
        """Read the pairs of a table; what it lacks of flaws, transforms and cosines is not known."""
        n, has = len(table), set(table.column_names)
        both = pa.chunked_array(
            [chunk for name in _ENDS for chunk in table[name].cast(pa.string()).chunks], pa.string()
        )
        names, places = both.unique(), number_values(both)  # 64 bytes a pair would not fit an array of texts
        verdict, orientation = (table[name].to_numpy() for name in ("verdict", "orientation"))
        flaws = table["flaws"].to_numpy() if "flaws" in has else np.zeros(n)
        transform, overlap = (_read_lists(table, name, width) for name, width in (("transform", 6), ("overlap", 2)))
        cosine = np.full(n, np.nan, np.float32)
        if "cosine" in has:
            cosine = table["cosine"].to_numpy().astype(np.float32)
        numbers = verdict.astype(np.int8), orientation.astype(np.uint8), flaws.astype(np.int8)
        return cls(names, places[:n], places[n:], *numbers, transform, cosine, overlap)

    def __len__(self) -> int:
        return len(self.verdict)

    def upright(self) -> Judged:
        """Return the pairs of which neither is rotated or mirrored."""
        chosen = self.orientation == 0
        values = (self.i, self.j, self.verdict, self.orientation, self.flaws, self.transform, self.cosine, self.overlap)
        return Judged(self.names, *(one[chosen] for one in values))

    def among(self, sha256s: pd.Series[Any], numbers: IntArray) -> Pairs:
        """Return the pairs of which both contents are among these, by the numbers of their pictures.

        Args:
            sha256s: shape (rows,).
            numbers: shape (rows,), of the picture that each row shows; -1: none that is compared.
        """
        own = np.append(numbers, -1)[find_places(self.names, sha256s)]
        i, j = own[self.i], own[self.j]
        known = np.flatnonzero((i >= 0) & (j >= 0) & (i != j))
        return Pairs(i[known], j[known], self.verdict[known], self.orientation[known], self.transform[known])

    def part_equal(self, sha256s: pd.Series[Any], numbers: IntArray) -> IntArray:
        """Give each content that hashes hold equal to another one, and pixels do not, a number of its own."""
        row = find_places(self.names, sha256s)
        i, j = row[self.i], row[self.j]
        apart = (self.verdict == TWO) & (i >= 0) & (j >= 0)
        apart[apart] = (numbers[i[apart]] >= 0) & (numbers[i[apart]] == numbers[j[apart]])
        if not apart.any():
            return numbers
        first = find_places(sha256s, sha256s)  # the first row of each row's content
        own = np.isin(first, first[j[apart]])
        return np.where(own, numbers.max(initial=0) + 1 + first, numbers)


def _read_lists(table: pa.Table, name: str, width: int) -> npt.NDArray[np.float32]:
    """Read a column of lists: float32, shape (rows, width); NaN where there is none."""
    values = np.full((len(table), width), np.nan, np.float32)
    if name in table.column_names:
        rows = table[name].combine_chunks()
        known = rows.is_valid().to_numpy(zero_copy_only=False)
        values[known] = rows.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    return values


def overrule(matches: Matches, rows: Indices, numbers: IntArray, pairs: Pairs, pictures: Pictures) -> Matches:
    """Take from what hashes match the pairs that pixels tell apart, and add those that are one picture by pixels.

    Args:
        matches: of rows.
        rows: those that are compared, in order: several of one picture, of several labels, may be.
        numbers: of the picture that each of all rows shows.
        pairs: of these numbers.
        pictures: of all rows.
    """
    n = int(max(numbers.max(initial=0), pairs.i.max(initial=0), pairs.j.max(initial=0))) + 1
    names, judged = _name(numbers[matches.i], numbers[matches.j], n), _name(pairs.i, pairs.j, n)
    stays = matches.where(~np.isin(names, judged[pairs.verdict == TWO]))
    new = pairs.where(pairs.is_one & ~np.isin(judged, names))
    order = rows[np.argsort(numbers[rows], kind="stable")]
    have = numbers[order]
    first, second = ((np.searchsorted(have, side), np.searchsorted(have, side, "right")) for side in (new.i, new.j))
    n_first, n_second = first[1] - first[0], second[1] - second[0]
    pair = np.repeat(np.arange(len(new.i)), n_first)
    i = np.repeat(order[list_ranges(first[0], n_first)], n_second[pair])
    j = order[list_ranges(second[0][pair], n_second[pair])]
    orientation = np.repeat(new.orientation[pair], n_second[pair])
    return join_matches([stays, Matches(i, j, measure_bits(pictures, i, j, orientation), orientation)])


def measure_bits(
    pictures: Pictures, i: Indices, j: Indices, orientation: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Count the bits in which the hash of picture i differs from that of j in the orientation that looks like i."""
    there = distance64(pictures.hashes[i, 0], pictures.hashes[j, orientation])
    back = distance64(pictures.hashes[j, 0], pictures.hashes[i, _INVERSE[orientation]])
    return np.minimum(there, back)


def _name(i: IntArray, j: IntArray, n: int) -> IntArray:
    return np.asarray(np.minimum(i, j) * n + np.maximum(i, j), dtype=np.int64)
