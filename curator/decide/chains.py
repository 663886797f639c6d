"""Follow copies of copies: what pixels link to the image that is kept is dropped, as long as they show a common part.

A copy that is altered much may match no image that is kept, but another copy that is dropped. From the image that is
kept on, each link's geometry says which part of the next picture it shows. The chain goes on where that is a fair part;
so a collage, of which each half is another photograph, does not take the one for the other.

>>> whole, left, right = [[1, 0, 0], [0, 1, 0]], [[0.5, 0, 0], [0, 1, 0]], [[0.5, 0, 0.5], [0, 1, 0]]
>>> ties = Ties.of_links([(0, 1, left), (1, 2, whole), (1, 3, right)])
>>> [(step.image, step.via) for step in ties.follow(0, np.zeros(4, bool), np.arange(4), np.zeros(4, bool))]
[(1, 0), (2, 1)]
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.catalog import BoolArray, IntArray
from curator.decide.judged import Pairs
from curator.matching.orientations import compose_orientations
from curator.matching.picture_matches import Matches

LEAST_SHARED = 0.3
"""Least part of a picture that the image it is dropped for must show, by way of others."""
MOST_PARTS = 8
"""Different parts of one picture from which a chain goes on, those that are reached first."""
LEAST_BEYOND = 0.2
"""How far, in sides, a part must reach beyond another one to be another part: the thirds of a collage do."""

Matrix = npt.NDArray[np.floating[Any]]
Polygon = npt.NDArray[np.float64]

_WHOLE: Polygon = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


class Step(NamedTuple):
    """An image that a chain reaches, the one it is reached by, and in which orientation it looks like the first."""

    image: int
    via: int
    orientation: int


@dataclass(frozen=True)
class Ties:
    """Images that pixels link: of each one the others, the matrix of its places to theirs, and their orientation."""

    links: dict[int, list[tuple[int, Matrix, int]]]

    @classmethod
    def of_links(cls, links: Iterable[tuple[int, int, Sequence[Sequence[float]]]]) -> Ties:
        """Tie images i and j by the matrices of i's places to j's, in shares of the sides; nothing is turned."""
        tied: dict[int, list[tuple[int, Matrix, int]]] = {}
        for i, j, rows in links:
            matrix = _square(np.array(rows, np.float64))
            tied.setdefault(i, []).append((j, matrix, 0))
            tied.setdefault(j, []).append((i, np.linalg.inv(matrix), 0))
        return cls(tied)

    @classmethod
    def of_matches(cls, matches: Matches, numbers: IntArray, pairs: Pairs) -> Ties:
        """Tie the images of matches, listed both ways, whose pictures are one by their pixels.

        Args:
            matches: of images.
            numbers: of the picture that each image shows.
            pairs: of pictures.
        """
        same = pairs.where(pairs.is_one & np.isfinite(pairs.transform).all(axis=1))
        n = int(max(numbers.max(initial=0), pairs.i.max(initial=0), pairs.j.max(initial=0))) + 1
        names = same.i * n + same.j
        places = {name: place for place, name in enumerate(names.tolist())}
        known = np.isin(numbers[matches.i] * n + numbers[matches.j], np.append(names, same.j * n + same.i))
        tied: dict[int, list[tuple[int, Matrix, int]]] = {}
        for i, j, _, orientation in matches.where(known).rows():
            one, other = int(numbers[i]), int(numbers[j])
            place = places.get(one * n + other, places.get(other * n + one, -1))
            matrix = _square(same.transform[place].reshape(2, 3))  # places of the pair's j to those of its i
            is_forward = one * n + other in places
            if not is_forward and abs(np.linalg.det(matrix)) < 1e-6:
                continue
            tied.setdefault(int(j), []).append((int(i), matrix if is_forward else np.linalg.inv(matrix), orientation))
        return cls(tied)

    def follow(self, first: int, stays: BoolArray, ranks: IntArray, composed: BoolArray) -> Iterator[Step]:
        """Yield what chains from an image reach, each image once, first what shows the largest common part.

        A chain that shows another part of an image goes on from there as well: a collage has copies of each half.

        Args:
            first: the image.
            stays: bool, shape (images,): those that no chain goes through.
            ranks: shape (images,), all different: of equally large parts that of the best rank comes first.
            composed: bool, shape (images,): at which a chain ends, since a small picture may lie on a large one.
        """
        closed, shown = {first}, dict[int, list[Polygon]]()
        heap = list[tuple[float, int, int, int, list[list[float]], int, int]]()

        def push(image: int, part: Polygon, turned: int) -> None:
            for other, matrix, orientation in self.links.get(image, ()):
                if other not in closed and not stays[other]:
                    there = clip(part @ matrix[:2, :2].T + matrix[:2, 2])
                    size, whole_turn = area(there), compose_orientations(orientation, turned)
                    if image == first or size >= LEAST_SHARED:
                        order = (-size, int(ranks[other]), int(ranks[image]), whole_turn, there.tolist())
                        heapq.heappush(heap, (*order, other, image))

        push(first, _WHOLE, 0)
        while heap:
            *_, turned, corners, image, via = heapq.heappop(heap)
            part, parts = np.array(corners, np.float64).reshape(-1, 2), shown.setdefault(image, [])
            if image in closed or any(lies_in(part, one) for one in parts):
                continue
            parts.append(part)
            if len(parts) == MOST_PARTS or lies_in(_WHOLE, part):
                closed.add(image)
            if len(parts) == 1:
                yield Step(image, via, turned)
            if not composed[image]:
                push(image, part, turned)


def _square(matrix: Matrix) -> Matrix:
    return np.concatenate([matrix, [[0.0, 0.0, 1.0]]])


def area(polygon: Polygon) -> float:
    """Measure a polygon, to a millionth.

    >>> area(_WHOLE * 2)
    4.0
    """
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T
    return round(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2, 6)


def lies_in(part: Polygon, other: Polygon) -> bool:
    """Return whether a part of a picture shows little that another part does not: by their upright frames.

    >>> lies_in(_WHOLE * 1.02, _WHOLE), lies_in(_WHOLE, _WHOLE * 0.5)
    (True, False)
    """
    if not len(part) or not len(other):
        return not len(part)
    beyond = np.maximum(other.min(axis=0) - part.min(axis=0), part.max(axis=0) - other.max(axis=0))
    return bool(beyond.max() <= LEAST_BEYOND)


def clip(polygon: Polygon) -> Polygon:
    """Cut a convex polygon to the square from (0, 0) to (1, 1), by Sutherland and Hodgman's method (CACM 1974).

    >>> area(clip(_WHOLE + 0.5))
    0.25
    """
    for axis, limit, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        kept: list[Polygon] = []
        for place, point in enumerate(polygon):
            before = polygon[place - 1]
            depth, depth_before = ((end[axis] - limit) * sign for end in (point, before))
            if (depth >= 0) != (depth_before >= 0):
                kept.append(before + (point - before) * (depth_before / (depth_before - depth)))
            if depth >= 0:
                kept.append(point)
        polygon = np.array(kept, np.float64).reshape(-1, 2)
    return polygon
