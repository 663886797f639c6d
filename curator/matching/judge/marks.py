"""Tell half-transparent marks that lie all over one of two pictures: a watermark.

What is laid over in white makes a picture lighter and never darker, black marks only darker, neither more than a part
of the way. Marks are thin; between them, everywhere, both pictures are equal. Two views of one scene differ both ways,
and what came into a scene is thick.

>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(20, 200, (2, 20, 20), dtype=np.uint8)
>>> clean, other = (cv2.resize(luma, (80, 80), interpolation=cv2.INTER_CUBIC).astype(np.float32) for luma in coarse)
>>> marked = clean.copy()
>>> marked[::8] += 0.4 * (255 - marked[::8])
>>> everywhere = np.ones_like(clean)
>>> for second in (marked, other):
...     marks = measure_marks(clean, second, everywhere)
...     print(marks.against < 0.1, marks.thick < 0.01, marks.strength < 0.5, marks.spread == 1, marks.rest > 0.99)
True True True True True
False False False True False
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curator.matching.judge.overlay import Floats, correlate, without_shade

NOISE = 8.0
"""Greys by which a cell differs if something lies on it."""
_LEAST_ROOM = 64.0
"""Greys: how strong a mark is cannot be told of a cell that is hardly further from the mark's own grey."""
_THICK = np.ones((7, 7), np.uint8)
"""Cells that no stroke of a mark covers."""
_TILES, _LEAST_MARKED = (5, 5), 0.02
"""The picture is parted so; a part has marks if this share of its cells has."""


@dataclass(frozen=True)
class Marks:
    """Where one of two pictures is lighter, or where it is darker, whichever is more.

    Attributes:
        share: the share of the cells at which it is.
        against: how many cells differ the other way, for each of those.
        thick: the share of all cells that lie in thick parts of those.
        strength: how much of the way to white, or to black, it is from the other there: nearly the most of all.
        spread: the share of 25 parts of the picture in which there are any.
        rest: the correlation of outlines at all other cells.
    """

    share: float
    against: float
    thick: float
    strength: float
    spread: float
    rest: float


def measure_marks(a: Floats, b: Floats, cover: Floats) -> Marks:
    """Measure what would be marks on one of two pictures.

    Args:
        a, b, cover: as of :func:`curator.matching.judge.agreement.compare_luma`.
    """
    inside = cover > 0
    both_ways = [(lighter - darker > NOISE) & inside for darker, lighter in ((a, b), (b, a))]
    is_lighter = both_ways[0].sum() >= both_ways[1].sum()
    darker, lighter = (a, b) if is_lighter else (b, a)
    marked, against = both_ways if is_lighter else both_ways[::-1]
    step, cells = lighter - darker, marked.astype(np.uint8)
    in_white, in_black = (step / np.maximum(room, _LEAST_ROOM) for room in (255 - darker, lighter))
    tiles = cv2.resize(marked.astype(np.float32), _TILES, interpolation=cv2.INTER_AREA)
    rest = np.asarray(cover * ~marked, np.float32)
    one, other = without_shade((a, b), rest)
    return Marks(
        share=float(marked.sum() / inside.sum()),
        against=float(against.sum() / max(marked.sum(), 1)),
        thick=float(cv2.morphologyEx(cells, cv2.MORPH_OPEN, _THICK).sum() / inside.sum()),
        strength=min(float(np.percentile(way[inside], 99.5)) for way in (in_white, in_black)),
        spread=float((tiles > _LEAST_MARKED).mean()),
        rest=correlate(one, other, rest),
    )
