"""Compare two pictures, laid one over the other, cell by cell: what agrees, what does not, and how.

Around each cell the two are correlated, so that brightness and contrast do not matter; a cell counts if either picture
has some detail there, unless one of them is burnt out to black or white.

>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(60, 200, (2, 20, 20), dtype=np.uint8)
>>> one, stranger = (cv2.resize(luma, (80, 80), interpolation=cv2.INTER_CUBIC) for luma in coarse)
>>> one, stranger = one.astype(np.float32), stranger.astype(np.float32)
>>> found = [compare_luma(one, other, np.ones_like(one))[0] for other in (one * 0.7, stranger)]
>>> [bool(agreement.agreeing > 0.9) for agreement in found]
[True, False]
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.marks import Marks
from curator.matching.judge.overlay import Floats, blur_within, correlate, without_shade

Bools = npt.NDArray[np.bool_]

AROUND = 2.0
"""Standard deviation, in cells, of the window around each cell."""
_DETAIL = 4.0
"""Least standard deviation, of 255 greys, around a cell that counts."""
_PLAIN, _BURNT = 2.0, 4.0
"""A cell is burnt out if it has at most such a deviation and is at most so many greys from black or white."""
_NOISE = 2.0
"""Added to the product of both deviations: grain does not agree, and does not count."""
_AGREES, _DISAGREES = 0.6, 0.3
"""Correlations around a cell at least and below which two pictures agree and disagree there."""
_EQUAL = 12.0
"""Greys, after one straight line for all, within which two cells are equal."""
_LOPSIDED = 1.6
"""How many times more detail the one picture has at a disagreeing cell if something lies on it."""
RIM = np.ones((5, 5), np.uint8)
"""What is taken off a patch, 2 cells all round."""
FEWEST = 30
"""Cells that agree, or cells in all, below which nothing can be said."""
LEAST_DETAIL = 200
"""Fewest cells with detail of a picture that is not plain: a crop to 30% of both sides has some 350."""
_FINE, _MOST_REST = 1.0, 3.0
"""Standard deviation, in cells, of the window that leaves a bird, or a line of words, and the most greys, after one
straight line for all, by which any cell may differ of two pictures that are known by their shades."""
_LEAST_SHADE, _LEAST_SLOPE, _EQUAL_SURFACES = 0.3, 1.0, 1.0
"""Least standard deviations, in greys, of shades, and of a surface, that say anything; and most mean difference of two
surfaces that are equal."""


@dataclass(frozen=True)
class Agreement:
    """How the greys of two pictures agree where they lie over one another.

    Attributes:
        n_cells: cells that both pictures cover.
        n_detail: those with detail.
        agreeing: the share of the detailed cells that agree.
        disagreeing: the share of the detailed or burnt out cells that disagree.
        outlines: the correlation of both without slow shades, over all cells.
        fit: the median correlation around the agreeing cells.
        equal: the share of the agreeing cells whose greys are equal, after one straight line for all.
        unchanged: the share of all cells whose greys are equal as they are.
        lined: the share of all cells whose greys are equal after that line, which ends at black and white.
        gain: the slope of that line: how much contrast the one picture has for the other's.
        lopsided: the share of the disagreeing cells at which that picture has more detail that mostly has more.
        plain: the share of all cells that in both have the median grey: most of a drawing on white.
        shades: of two of which one has hardly any detail, how their slow shades correlate, and how strong those are
            (:func:`correlate_shades`); 0 of all others.
        patch: how the largest connected part that agrees, holes filled, agrees by itself.
        marks: what may lie on one of them; None: not looked for.
        inside: the correlation of fine outlines away from plain ground; None: not looked for, or hardly any is there.
    """

    n_cells: int
    n_detail: int
    agreeing: float
    disagreeing: float
    outlines: float
    fit: float
    equal: float
    unchanged: float
    lined: float
    gain: float
    lopsided: float
    plain: float
    shades: tuple[float, float]
    patch: Patch
    marks: Marks | None = None
    inside: float | None = None


@dataclass(frozen=True)
class Patch:
    """The largest connected part that agrees, with its holes.

    Attributes:
        share: its share of all cells.
        purity: the share of its detailed cells that agree.
        beyond: the share of the detailed cells out of it that agree.
        outlines, equal: as of an :class:`Agreement`, within it and not at its rim, where another ground begins.
    """

    share: float
    n_cells: int
    purity: float
    beyond: float
    outlines: float
    equal: float


def compare_luma(a: Floats, b: Floats, cover: Floats) -> tuple[Agreement, Bools, Bools] | None:
    """Compare the greys of two pictures; None: there is too little to compare.

    Args:
        a, b, cover: both at the cells of a canvas, float32 of its shape; the cells that count, 1 or 0.

    Returns:
        How they agree; the cells that agree (of a plain pair all), and those of the patch: bool, of the canvas' shape.
    """
    inside = cover > 0
    local, (mean_a, mean_b), (detail_a, detail_b) = _correlate_around(a, b, cover)
    detailed = inside & (np.maximum(detail_a, detail_b) > _DETAIL)
    counted = detailed & ~(_burnt_out(mean_a, detail_a) | _burnt_out(mean_b, detail_b))
    agrees, disagrees = counted & (local > _AGREES), detailed & (local < _DISAGREES)
    is_plain = (inside & (np.minimum(detail_a, detail_b) > _DETAIL)).sum() < LEAST_DETAIL
    shades = correlate_shades(a, b, cover) if is_plain else (0.0, 0.0)
    if agrees.sum() < FEWEST and shades[0] <= 0:
        return None
    agrees = agrees if agrees.sum() >= FEWEST else inside
    gain, lined = _fit_line(a, b, agrees)
    is_equal = np.abs(a - lined) < _EQUAL
    largest = _fill_largest(agrees) & inside
    agreement = Agreement(
        n_cells=int(inside.sum()),
        n_detail=int(counted.sum()),
        agreeing=float(agrees.sum() / max(counted.sum(), agrees.sum())),
        disagreeing=float(disagrees.sum() / max(detailed.sum(), 1)),
        outlines=_correlate_outlines(a, b, cover),
        fit=float(np.median(local[agrees])),
        equal=float(is_equal[agrees].mean()),
        unchanged=float((np.abs(a - b) < _EQUAL)[inside].mean()),
        lined=float((np.abs(a - lined.clip(0, 255)) < _EQUAL)[inside].mean()),
        gain=gain,
        lopsided=_measure_lopsided(detail_a, detail_b, disagrees),
        plain=float((_is_median(a, inside) & _is_median(b, inside))[inside].mean()),
        shades=shades,
        patch=_describe_patch(a, b, largest, agrees, detailed, is_equal, inside),
    )
    return agreement, agrees, largest


def correlate_shades(a: Floats, b: Floats, cover: Floats) -> tuple[float, float]:
    """Correlate what varies slowly, besides a surface of the second degree: any two skies get lighter downwards.

    Returns:
        The correlation, -1 to 1, and the less standard deviation of both, in greys; 0 if any cell says that one has
        something that the other has not, whatever it is. If one of them has nothing but such a surface 1, if both have
        equal greys, and 0 otherwise; 0 as well if one is of one grey.
    """
    inside = np.asarray(cv2.erode(cover, RIM) > 0)  # pads of half a cell
    if inside.sum() < FEWEST:
        return 0.0, 0.0
    layers = np.stack([a * cover, b * cover, cover], axis=2)
    if _measure_rest(*(picture[inside].astype(np.float64) for picture in blur_within(layers, _FINE))) > _MOST_REST:
        return 0.0, 0.0
    n_y, n_x = cover.shape
    x, y = np.meshgrid(np.linspace(-1, 1, n_x), np.linspace(-1, 1, n_y))
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=2)[inside]
    greys = [picture[inside].astype(np.float64) for picture in blur_within(layers, AROUND)]
    one, other = (values - surface @ np.linalg.lstsq(surface, values, rcond=None)[0] for values in greys)
    spread = float(min(one.std(), other.std()))
    if spread < _LEAST_SHADE:
        is_equal = float(np.abs(greys[0] - greys[1]).mean()) <= _EQUAL_SURFACES
        return float(is_equal and min(map(np.std, greys)) >= _LEAST_SLOPE), 0.0
    return float((one * other).mean() / (one.std() * other.std())), spread


def _measure_rest(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Return the most by which the picture with less contrast differs from a straight line of the other, in greys."""
    low, high = (a, b) if a.std() <= b.std() else (b, a)
    x = high - high.mean()
    gain = float((x * low).sum() / max(float((x**2).sum()), 1e-6))
    return float(np.abs(low - low.mean() - gain * x).max())


def _describe_patch(
    a: Floats, b: Floats, patch: Bools, agrees: Bools, detailed: Bools, is_equal: Bools, inside: Bools
) -> Patch:
    inner = np.asarray(cv2.erode(patch.astype(np.float32), RIM), np.float32)
    return Patch(
        share=float(patch.sum() / inside.sum()),
        n_cells=int(patch.sum()),
        purity=_share(agrees, patch & detailed),
        beyond=_share(agrees, detailed & ~patch),
        outlines=_correlate_outlines(a, b, inner),
        equal=_share(is_equal, (inner > 0) & detailed),
    )


def _correlate_outlines(a: Floats, b: Floats, cover: Floats) -> float:
    one, other = without_shade((a, b), cover)
    return correlate(one, other, cover)


def _is_median(picture: Floats, where: Bools) -> Bools:
    return np.asarray(np.abs(picture - np.median(picture[where])) < _EQUAL)


def _measure_lopsided(detail_a: Floats, detail_b: Floats, where: Bools) -> float:
    """Return the share of some cells at which the picture has more detail that mostly has more; 1 of none."""
    return max(_share(x > _LOPSIDED * y, where) for x, y in ((detail_a, detail_b), (detail_b, detail_a)))


def _correlate_around(
    a: Floats, b: Floats, cover: Floats
) -> tuple[Floats, tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Correlate two pictures around each cell: that, their means and their standard deviations there."""
    x, y = a * cover, b * cover
    layers = np.stack([x, y, x * a, y * b, x * b, cover], axis=2)
    mean_a, mean_b, square_a, square_b, both = blur_within(layers, AROUND)
    var_a, var_b = np.maximum(square_a - mean_a**2, 0), np.maximum(square_b - mean_b**2, 0)
    local = (both - mean_a * mean_b) / (np.sqrt(var_a * var_b) + _NOISE)
    return np.asarray(local, np.float32), (mean_a, mean_b), (np.sqrt(var_a), np.sqrt(var_b))


def _burnt_out(mean: Floats, detail: Floats) -> Bools:
    return np.asarray((detail < _PLAIN) & ((mean < _BURNT) | (mean > 255 - _BURNT)))


def _fit_line(a: Floats, b: Floats, where: Bools) -> tuple[float, Floats]:
    """Fit one picture's greys by a straight line of the other's, over some cells; return its slope, and the fit."""
    x, y = b[where].astype(np.float64), a[where].astype(np.float64)
    middle = x.mean()
    gain = float(((x - middle) * (y - y.mean())).sum() / max(float(((x - middle) ** 2).sum()), 1e-6))
    return gain, np.asarray(gain * (b - middle) + y.mean(), np.float32)


def _fill_largest(agrees: Bools) -> Bools:
    """Return the largest connected part that agrees, without its finest arms and with its holes."""
    window = np.ones((5, 5), np.uint8)
    cells = cv2.morphologyEx(agrees.astype(np.uint8), cv2.MORPH_CLOSE, window)
    cells = cv2.morphologyEx(cells, cv2.MORPH_OPEN, window)
    filled = np.zeros_like(cells)
    outlines, _ = cv2.findContours(cells, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if outlines:
        cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 1, -1)
    return filled > 0


def _share(these: Bools, of: Bools) -> float:
    """Return the share of some cells that are among these; 1 of none."""
    return float(these[of].mean()) if of.any() else 1.0
