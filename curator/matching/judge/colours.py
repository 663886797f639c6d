"""Compare the colours of two pictures where their greys agree: a grading keeps hues, another colourway has others.

Balance, curves and a film look make colours stronger or weaker, shift them, and tint greys by how light they are. What
they leave correlates; turned hues, exchanged channels and a recoloured part do not.

>>> chance = np.random.default_rng(0)
>>> luma = chance.integers(60, 200, (80, 80), dtype=np.uint8)
>>> colours = cv2.resize(chance.integers(78, 178, (6, 6, 2), dtype=np.uint8), (28, 28))
>>> one = {"luma": luma, "colours": colours}
>>> overlay = lay_over(np.eye(3)[:2], (WHOLE, WHOLE))
>>> everywhere = np.ones(overlay.canvas.shape, bool)
>>> for other in (colours // 2 + 70, 255 - colours):
...     found = compare_colours(one, {"luma": luma, "colours": other}, overlay, everywhere)
...     print(round(found.likeness.real, 1))
1.0
-1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from curator.matching.judge.agreement import AROUND, FEWEST, RIM, Bools
from curator.matching.judge.light import Complexes, read_rgb, relight, to_chroma
from curator.matching.judge.overlay import WHOLE as WHOLE
from curator.matching.judge.overlay import Bytes, Floats, Matrix, Overlay, sample
from curator.matching.judge.overlay import lay_over as lay_over

Row = Mapping[str, Any]

_OTHER_HUE, _COLOURED = 0.6, 10.0
"""Radians between two hues that are others, of cells that are at least so far from grey."""
_LEAST_PART = np.ones((3, 3), np.uint8)
_SCALES = (0.4, 2.5)
"""How much stronger or weaker the colours of a copy may be."""
_LEAST_SPREAD = 3.0
"""Root mean square of colours below which their correlation means nothing."""
_SEPIA, _SEPIA_TURN, _TONED, _MOSTLY = np.deg2rad(149), 0.4, 4.0, 0.8
"""The hue of sepia, how far 95 in a hundred cells of a picture may be from it, in radians, and the share of its cells
that are more than so far from grey."""
_APART, _TURNED, _HUED = 8.0, 0.5, 5.0
"""A cell belongs to a part of another colour if it is so far apart, as fitted, and its hue turned by such radians, of
colours that are at least so far from grey: burnt out ones are apart, and of one hue."""
_MANY_HUES = 1.1
"""How far 10 in a hundred coloured cells are from the mean hue, in radians, of a picture of several hues."""


@dataclass(frozen=True)
class Colours:
    """How the colours of two pictures agree where their greys do, in units of Cb and Cr.

    Attributes:
        distance: the 98th percentile of how far apart they are, once the other's are scaled, shifted, and tinted by
            grey to the one's, as balance and curves do it.
        tint: how much it was tinted: units a grey.
        likeness: the complex correlation of both besides such tints, its angle the turn of all hues in radians;
            None: one of them has too few colours for one.
        shift: how far apart they are in the mean as they are.
        patch: the largest connected part of another colour, in cells of the canvas.
        other_hue: the share of the cells at which both have colours, of other hues.
        most: how far from grey the most coloured cells of both are: the 95th percentiles.
        toned: whether each is of one brown all over, as sepia is, and the other has several hues.
        lit: ``distance`` and ``patch`` if one is the other in another light (:mod:`curator.matching.judge.light`), as
            it is, with no other fit; None: no colour of either ends there.
    """

    distance: float
    tint: float
    likeness: complex | None
    shift: float
    patch: int
    other_hue: float
    most: tuple[float, float]
    toned: tuple[bool, bool]
    lit: tuple[float, int] | None


def compare_colours(one: Row, other: Row, overlay: Overlay, where: Bools) -> Colours:
    """Compare the colours, Cb and Cr, of two pictures, at some cells, but for the rim of those.

    Args:
        one, other: ``luma`` and ``colours`` of their sketches.
        overlay: how one lies on the other.
        where: cells of its canvas.
    """
    a, b = (
        np.asarray(_blurred(row["colours"], overlay, to_picture) @ np.array([1, 1j]), np.complex64)
        for row, to_picture in zip((one, other), (np.eye(3), overlay.back), strict=True)
    )
    inside = overlay.cover > 0
    inner = np.asarray(cv2.erode(where.astype(np.uint8), RIM) > 0)  # the small pictures of colours are soft at edges
    where = inner if inner.sum() >= FEWEST else where
    luma = sample(one["luma"], overlay.canvas, np.eye(3))[where]
    apart, tint, likeness = _fit_colours(a[where], b[where], luma)
    coloured = np.minimum(np.abs(a), np.abs(b)) > _COLOURED
    return Colours(
        distance=float(np.percentile(apart, 98)),
        tint=tint,
        likeness=likeness,
        shift=float(np.abs(a - b)[where].mean()),
        patch=_measure_patch(where, (apart > _APART) & _is_turned(a[where], b[where])),
        other_hue=float(((np.abs(np.angle(a * b.conj())) > _OTHER_HUE) & coloured)[where].mean()),
        most=(float(np.percentile(np.abs(a)[inside], 95)), float(np.percentile(np.abs(b)[inside], 95))),
        toned=(_is_toned(a[where], b[where]), _is_toned(b[where], a[where])),
        lit=_compare_lit([read_rgb(one, overlay, np.eye(3)), read_rgb(other, overlay, overlay.back)], (a, b), where),
    )


def _compare_lit(
    pictures: Sequence[Floats], chromas: tuple[Complexes, Complexes], where: Bools
) -> tuple[float, int] | None:
    """Compare each picture's colours with those that it would have if it were the other one in its light."""
    found = []
    for source, target, there in zip(pictures, pictures[::-1], chromas[::-1], strict=True):
        if (lit := relight(source, target, where)) is not None:
            here = to_chroma(np.asarray(cv2.GaussianBlur(lit, (0, 0), AROUND), np.float32))
            apart = np.abs(here - there)
            is_other = (apart > _APART) & _is_turned(here, there)
            found.append((float(np.percentile(apart[where], 98)), _measure_patch(where, is_other[where])))
    return min(found, default=None)


def _blurred(colours: Bytes, overlay: Overlay, to_picture: Matrix) -> Floats:
    return np.asarray(cv2.GaussianBlur(sample(colours, overlay.canvas, to_picture) - 128, (0, 0), AROUND), np.float32)


def _fit_colours(a: Complexes, b: Complexes, luma: Floats) -> tuple[Floats, float, complex | None]:
    """Fit one picture's colours by the other's; return how far apart they are, tint and likeness: see :class:`Colours`.

    Where all that has colours has one grey, as an orange thing on white, tints say nothing: then without them.
    """
    grey = luma - luma.mean()
    x, y = a - a.mean(), b - b.mean()
    slopes = [complex((colours * grey).sum() / max(float((grey**2).sum()), 1e-3)) for colours in (x, y)]
    left, right = x - slopes[0] * grey, y - slopes[1] * grey
    is_tinted = min(_spread(left), _spread(right)) >= _LEAST_SPREAD or min(_spread(x), _spread(y)) < _LEAST_SPREAD
    if not is_tinted:
        left, right, slopes = x, y, [0, 0]
    both, scale = complex((left * right.conj()).sum()), 1.0
    if min(_spread(x), _spread(y)) >= _LEAST_SPREAD:  # grey has no strength of colours
        scale = min(max(both.real / max(float((np.abs(right) ** 2).sum()), 1e-6), _SCALES[0]), _SCALES[1])
    apart, tint = np.asarray(np.abs(left - scale * right), np.float32), abs(slopes[0] - scale * slopes[1])
    spreads = _spread(left), _spread(right)
    likeness = both / (len(a) * spreads[0] * spreads[1]) if min(spreads) >= _LEAST_SPREAD else None
    return np.asarray(apart / max(1.0, scale), np.float32), tint / max(1.0, scale), likeness


def _is_turned(a: Complexes, b: Complexes) -> Bools:
    return np.asarray((_turn(a, b) > _TURNED) & (np.minimum(np.abs(a), np.abs(b)) > _HUED))


def _measure_patch(where: Bools, is_other: Bools) -> int:
    """Return the size of the largest connected part of some cells, without its finest arms."""
    cells = np.zeros(where.shape, np.uint8)
    cells[where] = is_other
    _, _, facts, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(cells, cv2.MORPH_OPEN, _LEAST_PART))
    return int(facts[1:, cv2.CC_STAT_AREA].max(initial=0))


def _spread(colours: Complexes) -> float:
    return float(np.sqrt((np.abs(colours) ** 2).mean()))


def _is_toned(colours: Complexes, others: Complexes) -> bool:
    """Return whether a picture is sepia and the other is not of one hue: a brown thing and a green one are none."""
    turn = _turn(colours, np.exp(1j * _SEPIA))
    if (np.abs(colours) > _TONED).mean() < _MOSTLY or np.percentile(turn, 95) > _SEPIA_TURN:
        return False
    coloured = others[np.abs(others) > _TONED]
    if not len(coloured) or (_turn(coloured, np.exp(1j * _SEPIA)) <= _SEPIA_TURN).mean() > _MOSTLY:
        return False  # a brown picture of which a part was recoloured
    return bool(np.percentile(_turn(coloured, coloured.mean()), 90) > _MANY_HUES)


def _turn(colours: Complexes, towards: complex | Complexes) -> Floats:
    return np.asarray(np.abs(np.angle(colours * np.conj(towards))), np.float32)
