"""Judge whether two pictures are one, by their sketches: lay one over the other, then compare cells and colours.

>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
>>> one, stranger = (cv2.resize(picture, (240, 200), interpolation=cv2.INTER_CUBIC) for picture in coarse)
>>> copy = np.ascontiguousarray(one[30:170, 20:200][:, ::-1])
>>> judged = judge_pairs([(make_sketch(one), make_sketch(other)) for other in (copy, stranger)])
>>> [judgement.same for judgement in judged], judged[0].orientation, judged[0].differs
([True, False], 4, ('mirrored', 'cropped to 53%'))
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge import overlay
from curator.matching.judge.geometry import Points, fit_similarity
from curator.matching.judge.keypoints import mirror, pair_keypoints, unpack
from curator.matching.judge.sketch import POINTS_SIDE, make_sketch as make_sketch
from curator.matching.orientations import ORIENTATION_PHRASES

JUDGE_VERSION = 1
Row = Mapping[str, Any]
Matrix = npt.NDArray[np.float64]

_MIRROR = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1]], np.float64)
_QUARTER = np.array([[0, 1, 0], [-1, 0, 1], [0, 0, 1]], np.float64)
"""A quarter counter-clockwise: shares (x, y) to (y, 1 - x)."""
_SMALL = 20
_LEAST_WHOLE = 0.7
_AGREES, _DIFFERS = 0.6, 0.3
_DETAIL = 4.0
_LEAST_DETAIL = 200
_SAME, _DOUBTFUL = 0.85, 0.6
_STRANGE_HUE = 0.05


@dataclass(frozen=True)
class Judgement:
    """Whether two pictures are one, and how one lies on the other.

    Attributes:
        same: they are one picture.
        doubtful: neither surely one nor surely two; ``same`` is False then.
        orientation: index in :data:`curator.matching.orientations.ORIENTATIONS`: how to turn the other to lie like one.
        transform: float64 (2, 3): shares of the other's sides to shares of the one's, x before y.
        overlap: the share of the one picture that lies in the other, and of the other in the one.
        differs: what differs, in words.
    """

    same: bool
    doubtful: bool
    orientation: int
    transform: Matrix
    overlap: tuple[float, float]
    differs: tuple[str, ...]


UNLIKE = Judgement(False, False, 0, np.eye(3)[:2], (0.0, 0.0), ())


def judge_pairs(pairs: Iterable[tuple[Row, Row]], threads: int | None = None) -> list[Judgement]:
    """Judge many pairs of sketches, on all cores."""
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(lambda pair: judge_pair(*pair), pairs))


def judge_pair(one: Row, other: Row) -> Judgement:
    """Judge two pictures by the fields of their sketches: see :data:`curator.matching.judge.sketch.SKETCH_FIELDS`."""
    best = UNLIKE
    for matrix in _propose(one, other):
        judgement = _judge_overlaid(one, other, matrix)
        if judgement.same:
            return judgement
        best = judgement if judgement.doubtful and not best.doubtful else best
    return best


def _propose(one: Row, other: Row) -> Iterable[Matrix]:
    """Propose transforms: the whole on the whole in the likeliest orientation, then what points say."""
    likeness = _compare_whole(one["luma"], other["luma"])
    orientation = int(likeness.argmax())
    if likeness[orientation] >= _LEAST_WHOLE:
        yield orient_shares(orientation)[:2]
    left, right = (unpack(row["descriptors"][: int(row["n_points"])]) for row in (one, other))
    for mirrored in (False, True):
        i, j = pair_keypoints(left, mirror(right) if mirrored else right)
        a, b = _points(one, i, False), _points(other, j, mirrored)
        fit = fit_similarity(a, b, POINTS_SIDE)
        if fit is not None:
            matrix = np.linalg.inv(_to_points(one)) @ overlay.square(fit.matrix) @ _to_points(other)
            yield (matrix @ _MIRROR if mirrored else matrix)[:2]


def orient_shares(orientation: int) -> Matrix:
    """Return the matrix (3, 3) that takes shares of a picture to those of it mirrored, if 4 or more, then rotated."""
    return np.linalg.matrix_power(_QUARTER, orientation % 4) @ (_MIRROR if orientation >= 4 else np.eye(3))


def _compare_whole(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Correlate two small pictures in each orientation: shape (8,)."""
    a, b = (
        cv2.resize(luma, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float64) for luma in (one, other)
    )
    a, b = a - a.mean(), b - b.mean()
    turned = [np.rot90(b[:, ::-1] if k >= 4 else b, k % 4) for k in range(8)]
    return np.array([(a * picture).sum() for picture in turned]) / np.sqrt((a * a).sum() * (b * b).sum() + 1)


def _to_points(row: Row) -> Matrix:
    """Return the matrix that takes shares of the sides to pixels of a picture with a longest side of 192."""
    width, height = (float(side) for side in row["size"])
    scale = POINTS_SIDE / max(width, height)
    return np.diag([width * scale, height * scale, 1.0])


def _points(row: Row, chosen: npt.NDArray[np.intp], mirrored: bool) -> Points:
    places = row["places"][chosen].astype(np.float64) / 65_535
    angles = row["angles"][chosen].astype(np.float64) * (2 * np.pi / 65_536)
    if mirrored:
        places[:, 0] = 1 - places[:, 0]
        angles = np.pi - angles
    return Points(places @ _to_points(row)[:2, :2], row["sizes"][chosen].astype(np.float64), angles)


def _judge_overlaid(one: Row, other: Row, matrix: Matrix) -> Judgement:
    if not 0.02 < abs(np.linalg.det(matrix[:, :2])) < 50:
        return UNLIKE
    matrix = overlay.improve(one["luma"], other["luma"], matrix)
    found = overlay.compare(one["luma"], other["luma"], matrix)
    if found is None:
        return UNLIKE
    detailed = found.inside & (np.maximum(found.detail_one, found.detail_other) > _DETAIL)
    n = int(detailed.sum())
    if n < _LEAST_DETAIL:
        return UNLIKE
    agreeing = float((found.local[detailed] > _AGREES).mean())
    a, b = overlay.compare_colours(one["colours"], other["colours"], found, matrix)
    turned = np.abs(np.angle((a[..., 0] + 1j * a[..., 1]) * np.conj(b[..., 0] + 1j * b[..., 1]))) > 0.6
    coloured = np.minimum(np.hypot(a[..., 0], a[..., 1]), np.hypot(b[..., 0], b[..., 1])) > 10
    other_hue = float((turned & coloured & found.inside).sum() / found.inside.sum())
    same = agreeing >= _SAME and other_hue < _STRANGE_HUE
    doubtful = not same and agreeing >= _DOUBTFUL
    if not (same or doubtful):
        return UNLIKE
    overlap = overlay.measure_overlap(matrix)
    orientation = _orientation(one, other, matrix)
    return Judgement(same, doubtful, orientation, matrix, overlap, _words(orientation, overlap))


def _orientation(one: Row, other: Row, matrix: Matrix) -> int:
    """Return the orientation nearest to a transform."""
    linear = (_to_points(one) @ overlay.square(matrix) @ np.linalg.inv(_to_points(other)))[:2, :2]
    return int(np.argmax([(orient_shares(k)[:2, :2] * linear).sum() for k in range(8)]))


def _words(orientation: int, overlap: tuple[float, float]) -> tuple[str, ...]:
    words = [ORIENTATION_PHRASES[orientation]] if orientation else []
    if min(overlap) < 0.97:
        words.append(f"cropped to {min(overlap):.0%}")
    return tuple(words)
