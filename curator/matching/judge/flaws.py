"""What was done to one of two pictures that are one: it was put into another one, or something was written on it.

A border, a bar, padding and the other half of a collage end at a seam, just where the other picture ends: a straight
line with a step in grey along all of it. Where a picture was only cropped, the whole one has no step there. And what is
written on a picture has outlines where the other has none.

>>> chance = np.random.default_rng(0)
>>> photo = np.kron(chance.integers(0, 200, (10, 10), np.uint8), np.ones((8, 8), np.uint8))
>>> framed = cv2.resize(np.pad(photo, 10, constant_values=255), (80, 80), interpolation=cv2.INTER_AREA)
>>> to_framed = np.array([[0.8, 0, 0.1], [0, 0.8, 0.1]])
>>> find_flaws(framed, photo, to_framed) == Flaws(composed=(True, False), marked=(False, False))
True
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge import rules
from curator.matching.judge.marks import NOISE, measure_marks

Luma = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]

_STRAIGHT = 0.03
"""Most slant of an edge of the one picture on the other, in sides, that a seam is looked for at."""
_INSIDE = 0.025
"""Least distance of a seam from the edge of the picture, in sides."""
_STEP, _ABOVE = 14.0, 2.0
"""Least mean step along a seam, in greys of 256, and how many times that of other lines of the picture."""
_HALF, _SLACK = 0.5, 2
"""Least share of the edges that lie on a seam, and cells by which that of a part that agrees may lie farther."""
_LEAST_COVERED, LEAST_FILLED = 0.2, 0.3
"""Least share of a picture that a copy covers whose edges need not all lie on seams, since the smaller a crop, the
likelier one of its edges is a line of the photograph; and that is not a crop if plain ground is all around it."""
_GREY, _COLOURED = 1.5, 3.0
"""Mean distance of Cb and Cr from grey, in 255ths: most of a grey picture, and least of the coloured one."""
_WHITE, _CLIPPED, _LIGHTS = 252, 0.02, 8.0
"""What is white, of 256 greys; least share of a picture that is and in its copy is not; and least deviation there."""
_COARSE, _FINE, _LEAST_PIXELS = 45, 65, 0.2
"""Qualities, as libjpeg counts them, below which a picture has lost detail against one of at least the second; and the
share of its pixels that the other has: what is compressed was often enlarged, up to twice as wide and high."""
_LEAST_PADDED, _ONE_GREY = 0.005, 12.0
"""Least share of a picture that padding takes, and most spread of its greys."""
_LEAST_SLANT, _CORNER_CELLS, _MOST_CORNERS = 0.01, 40, 0.15
"""How much a picture is rotated, in sides a side, to have corners, and how many cells those have; their most share."""
_CORNER_GREY, _CORNER_CHANGED = 10.0, 35
"""Greys by which they are all darker or all lighter than what they should go on with, but for so many in a hundred."""
_OTHER_GREY, _LEAST_OTHER = 24.0, 0.4
"""Greys by which the picture differs from its padding, at the least share of its rim."""
_MOST_SCALE, _LEAST_CELLS = 1.6, 200
"""What is written is looked for in pictures of like size on one another, over so many common cells."""
_AROUND = np.ones((3, 3), np.uint8)
_CHANGED = 36.0
_LEAST_CHANGED, _MOST_CHANGED = 0.001, 0.3
"""Of a picture something is written on: greys of 256 that it changes, and shares of the picture."""
_ELSEWHERE, _BRIGHTER = 12.0, 20.0
"""Most mean difference of the rest of it, and most difference of the medians, in greys."""
_MORE_OUTLINES, _WRITTEN, _SPREAD = 0.35, 0.5, 4.0
"""Natural logarithms: of how many more outlines one of two equally sharp pictures has; and of how many more what is
written has at its edge, and how many times fewer greys, with so many added to both spreads."""
_LEAST_STRENGTH, _MORE_AT_MARKS = 0.1, 0.05
"""How much of the way to white or black half-transparent marks go at least, and as many more outlines of those."""


class Flaws(NamedTuple):
    """Of the one picture and of the other: whether it is a part of a larger whole with seams; and is written on."""

    composed: tuple[bool, bool]
    marked: tuple[bool, bool]


def find_flaws(one: Luma, other: Luma, matrix: Floats, part: Floats | None = None) -> Flaws:
    """Find what was done to either of two pictures that are one.

    Args:
        one, other: small grey pictures, both stretched to a square of the same side.
        matrix: shape (2, 3): places on the other to places on the one, in shares of the sides.
        part: shape (2, 3): places in the unit square to places in the box on the one in which they agree; None: all
            that both show agrees.
    """
    last = [[0.0, 0.0, 1.0]]
    back = np.linalg.inv(np.concatenate([matrix, last]))[:2]
    parts = (None, None) if part is None else (part, back @ np.concatenate([part, last]))
    composed = _is_composed(one, other, matrix, parts[0]), _is_composed(other, one, back, parts[1])
    return Flaws(composed, _find_marked(one, other, matrix))


def find_faded(one: Any, other: Any, matrix: Floats) -> tuple[bool, bool]:
    """Find which of two copies has lost its colours, its lights (it is white where the other has many greys) or detail.

    Args:
        one, other: fields of their sketches; either shows nearly all of the other.
        matrix: as for :func:`find_flaws`.
    """
    chroma = [float(np.abs(row["colours"].astype(np.float32) - 128).mean()) for row in (one, other)]
    laid, covered = _lay(other["luma"], matrix)
    lumas, there = (one["luma"], laid), covered > 0.99
    faded = [chroma[side] < _GREY < _COLOURED < chroma[1 - side] for side in (0, 1)]
    white = [luma >= _WHITE for luma in lumas]
    around = 3 if np.abs(matrix - np.eye(2, 3)).max() > _INSIDE / 4 else 1  # an edge that was moved is soft
    near = [cv2.dilate(cells.astype(np.uint8), np.ones((around, around), np.uint8)) > 0 for cells in white]
    for side in (0, 1):
        lost = there & white[side] & ~near[1 - side]
        faded[side] |= bool(lost.mean() > _CLIPPED and lumas[1 - side][lost].std() > _LIGHTS)
        faded[side] |= _is_compressed(*(row["jpeg"].tolist() for row in (one, other)[:: 1 - 2 * side]))
    return faded[0], faded[1]


def _is_compressed(jpeg: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether a picture was compressed strongly, and the other, not so, is no small one beside it."""
    return 0 < jpeg[0] < _COARSE and other[0] >= _FINE and other[1] >= _LEAST_PIXELS * jpeg[1]


def _lay(picture: Floats | Luma, matrix: Floats, edge: int = cv2.BORDER_CONSTANT) -> tuple[Floats, Floats]:
    """Lay the other picture over the one: its greys, and how much of each cell it covers, 0 to 1."""
    side = len(picture)
    moved = np.concatenate([matrix[:, :2], (matrix[:, 2] * side + matrix[:, :2] @ [0.5, 0.5] - 0.5)[:, None]], axis=1)
    values = picture.astype(np.float32)
    laid = cv2.warpAffine(values, moved, (side, side), borderMode=edge)
    return np.asarray(laid), np.asarray(cv2.warpAffine(np.ones_like(values), moved, (side, side)))


def _is_composed(picture: Luma, copy: Luma, matrix: Floats, part: Floats | None) -> bool:
    """Return whether a picture is a larger whole, as a copy shows, or the part of it that agrees."""
    covered = float((_measure_beyond(len(picture), matrix) < 0).mean())
    return (
        _has_seam(picture, matrix, _HALF if covered >= _LEAST_COVERED else 1.0)
        or (part is not None and _has_seam(picture, part, slack=_SLACK))
        or (covered >= LEAST_FILLED and _is_padded(picture, matrix))
        or _has_corners(picture, copy, matrix)
    )


def _is_padded(picture: Luma, matrix: Floats) -> bool:
    """Return whether a picture is of one grey wherever the other one does not reach, which ends where that begins.

    So are a margin and bars. Where plain ground goes on beyond the other's edge, the
    other was cropped, unless the other lies just in the middle: a border has the same width at opposite sides.
    """
    beyond = _measure_beyond(len(picture), matrix)
    outside = beyond > _INSIDE / 2
    if outside.mean() < _LEAST_PADDED:
        return False
    low, grey, high = np.percentile(picture[outside], (10, 50, 90))
    if high - low > _ONE_GREY or (_is_in_the_middle(matrix) and not _is_slanted(matrix)):
        return bool(high - low <= _ONE_GREY)
    near = cv2.dilate(outside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    rim = near & (beyond < -_INSIDE / 2)
    is_other = np.abs(picture[rim].astype(np.float32) - grey) > _OTHER_GREY
    return bool(rim.any() and is_other.mean() >= _LEAST_OTHER)


def _measure_beyond(side: int, matrix: Floats) -> Floats:
    """Return how far each cell is beyond the other picture's edges, in its sides; less than 0: within."""
    centres = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(centres, centres)
    there = (np.stack([x, y], axis=-1) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return np.asarray(np.abs(there - 0.5).max(axis=-1) - 0.5)


def _is_slanted(matrix: Floats) -> bool:
    return bool(np.abs(matrix[0, :2]).min() > _LEAST_SLANT)


def _has_corners(picture: Luma, other: Luma, matrix: Floats) -> bool:
    """Return whether a rotation left corners: where the other does not reach, its outermost cells do not go on."""
    corners = _measure_beyond(len(picture), matrix) > 0
    if not _is_slanted(matrix) or corners.sum() < _CORNER_CELLS or corners.mean() > _MOST_CORNERS:
        return False
    ahead, _ = _lay(other, matrix, cv2.BORDER_REPLICATE)
    change = (picture.astype(np.float32) - ahead)[corners]
    lower, upper = np.percentile(change, (_CORNER_CHANGED, 100 - _CORNER_CHANGED))
    return bool(upper < -_CORNER_GREY or lower > _CORNER_GREY)


def _is_in_the_middle(matrix: Floats) -> bool:
    corners = matrix @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
    return bool(np.abs(corners.min(axis=1) + corners.max(axis=1) - 1).max() < _INSIDE / 2)


def _has_seam(picture: Luma, matrix: Floats, least: float = _HALF, slack: int = 0) -> bool:
    """Return whether edges of the unit square, moved onto the picture, lie on a seam in it, or near one.

    Args:
        picture: to look at.
        matrix: moves the unit square.
        least: the share of the edges within the picture that must.
        slack: how many cells farther a seam may be.
    """
    inside = _INSIDE + slack / len(picture)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) @ matrix[:, :2].T + matrix[:, 2]
    steps = []
    for place in range(4):
        first, second = corners[place], corners[(place + 1) % 4]
        for axis in (0, 1):
            if abs(first[axis] - second[axis]) > _STRAIGHT:
                continue
            at = (first[axis] + second[axis]) / 2
            low, high = sorted(np.clip((first[1 - axis], second[1 - axis]), 0, 1))
            if inside < at < 1 - inside and high - low > 0.3:
                steps.append(_is_step(picture, axis, at, (low, high), slack + 1))
    return bool(steps) and sum(steps) >= least * len(steps)


def _is_step(picture: Luma, axis: int, at: float, ends: tuple[float, float], reach: int) -> bool:
    """Return whether some cells from a line, of one x for axis 0, of one y for axis 1, is a step, between its ends."""
    side, (low, high) = len(picture), ends
    lines = (picture if axis == 1 else picture.T)[:, round(low * side) : max(round(high * side), 1)].astype(np.float32)
    steps = np.median(np.abs(np.diff(lines, n=1, axis=0)), axis=1)
    place = round(at * side) - 1
    near = steps[max(place - reach, 0) : place + reach + 1]
    rest = np.delete(steps, np.s_[max(place - reach - 1, 0) : place + reach + 2])
    if not len(near) or len(rest) < 8:
        return False
    return bool(near.max() >= max(_STEP, _ABOVE * float(np.percentile(rest, 75))) and near.max() > rest.max() * 0.9)


def _find_marked(one: Luma, other: Luma, matrix: Floats) -> tuple[bool, bool]:
    """Return which picture has words or marks that the other has not; both are made as coarse as the coarser."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if not 1 / _MOST_SCALE <= scale <= _MOST_SCALE:
        return False, False
    fine, coarse = (_blur(one, max(scale, 1.0)), _blur(other, max(1 / scale, 1.0)))
    laid, covered = _lay(coarse, matrix)
    there = cv2.erode((covered > 0.99).astype(np.uint8), _AROUND, borderValue=0) > 0
    if there.sum() < _LEAST_CELLS:
        return False, False
    written = _find_written(fine, laid, there)
    return written if any(written) else _find_watermarked(fine, laid, there)


def _find_written(fine: Floats, laid: Floats, there: BoolArray) -> tuple[bool, bool]:
    """Return which of two pictures, of which one is laid over the other, has something opaque that the other has not.

    Words, a logo and a small picture begin with a step, and mostly have few greys; what they cover is as the rest.
    """
    a, b = fine[there], laid[there]
    spread = [float(np.subtract(*np.percentile(values, (75, 25)))) for values in (a, b)]
    fitted: Floats = np.clip(spread[0] / max(spread[1], 1.0), 0.5, 2.0) * (laid - np.median(b)) + np.median(a)
    fitted = fitted.astype(np.float32)
    changed = there & (np.abs(fine - fitted) > _CHANGED)
    if not _LEAST_CHANGED <= changed.sum() / there.sum() <= _MOST_CHANGED:
        return False, False
    cells = changed.astype(np.uint8)
    wide = there & (cv2.dilate(cells, _AROUND) > 0)
    rest, edge = there & ~wide, wide & (cv2.erode(cells, _AROUND) == 0)
    if rest.sum() < _LEAST_CELLS or np.abs(fine - fitted)[rest].mean() > _ELSEWHERE:
        return False, False
    more, sharper = _compare_outlines(fine, fitted, edge, rest)
    if abs(np.median(a) - np.median(b)) > _BRIGHTER or abs(sharper) > _MORE_OUTLINES:  # all of it was changed
        return False, False
    more += float(np.log((fitted[changed].std() + _SPREAD) / (fine[changed].std() + _SPREAD)))
    return more > _WRITTEN, more < -_WRITTEN


def _find_watermarked(fine: Floats, laid: Floats, there: BoolArray) -> tuple[bool, bool]:
    """Return which of two such pictures, if any, has thin marks all over: more outlines are there."""
    marks = measure_marks(fine.astype(np.float32), laid.astype(np.float32), there.astype(np.float32))
    are_faint = (
        rules.MARKED_SHARE <= marks.share <= rules.MARKED_MOST
        and marks.against <= rules.MARKED_AGAINST
        and marks.thick <= rules.MARKED_THICK
        and _LEAST_STRENGTH <= marks.strength <= rules.MARKED_STRENGTH
        and marks.spread >= rules.MARKED_SPREAD
        and marks.rest >= rules.MARKED_REST
    )
    are_marks = are_faint or (marks.strength >= _LEAST_STRENGTH and rules.are_opaque(marks))
    changed = there & (np.abs(fine - laid) > NOISE)
    wide = there & (cv2.dilate(changed.astype(np.uint8), _AROUND) > 0)
    rest = there & ~wide
    if not are_marks or rest.sum() < _LEAST_CELLS:
        return False, False
    more, _ = _compare_outlines(fine, laid, wide, rest)
    return more > _MORE_AT_MARKS, more < -_MORE_AT_MARKS


def _compare_outlines(one: Floats, other: Floats, where: BoolArray, rest: BoolArray) -> tuple[float, float]:
    """Return how many more outlines the one has at some cells, given those of the rest, and how many more there."""
    outlines = [np.abs(cv2.Laplacian(picture, cv2.CV_32F)) for picture in (one, other)]
    here, elsewhere = (np.log([float(each[part].mean()) + 1e-3 for each in outlines]) for part in (where, rest))
    sharper = float(elsewhere[0] - elsewhere[1])
    return float(here[0] - here[1]) - sharper, sharper


def _blur(picture: Luma, times: float) -> Floats:
    """Blur a picture to cells that are some times as large."""
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.5 * times))
