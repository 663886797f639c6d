"""Pictures of low quality: blurred, dark, washed out, of tiny detail, of an odd shape, grey among colour.

>>> looks = np.array([[10, 240, 90, 0.09, 0.17], [0, 60, 40, 0.09, 0.17], [10, 240, 90, 0.008, 0.03]], np.float32)
>>> sizes = np.full((3, 2), 400)
>>> [[flaw.kind for flaw in flaws] for flaws in find_flaws(looks, sizes)]
[[], ['dark'], ['blurred']]
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

KINDS = ("blurred", "dark", "washed-out", "tiny-detail", "odd-aspect", "grey")

# Of 264 photographs of balls and matches none is flagged as blurred or dark; of their copies blurred by 1% of a side
# (Gaussian), 96%, by 2% all; of those enlarged from 64 pixels, 96%.
LEAST_FINE, LEAST_MEDIUM = 0.02, 0.012
MOST_DARK, LEAST_CONTRAST, MOST_GREY = 90, 70, 12
LEAST_SIDE_PX = 96
ODD_ASPECT = 2.5
RARE = 0.1
"""What more than a tenth of the images of a set share is how the set is, not a flaw: grey X-rays, tall tombstones."""


class Flaw(NamedTuple):
    """One thing that is wrong with a picture, and what was measured."""

    kind: str
    evidence: str


def find_flaws(looks: npt.NDArray[np.float32], sizes: npt.NDArray[Any]) -> list[list[Flaw]]:
    """Find what is wrong with each picture.

    Args:
        looks: see :data:`curator.inspect.suspects.look.FIELDS` (images, 5).
        sizes: width and height in pixels (images, 2).
    """
    low, high, colour, fine, medium = looks.T
    contrast = high - low
    shorter, longer = sizes.min(axis=1), sizes.max(axis=1)
    is_grey, is_odd = colour < MOST_GREY, longer > ODD_ASPECT * shorter
    is_plain = contrast < 16  # nothing is in it that could be sharp
    is_tiny = (shorter < LEAST_SIDE_PX) | ((medium < LEAST_MEDIUM) & ~is_plain)
    is_dark = high < MOST_DARK
    masks = {
        "blurred": (fine < LEAST_FINE) & ~is_plain & ~is_tiny,
        "dark": is_dark,
        "washed-out": (contrast < LEAST_CONTRAST) & ~is_dark,
        "tiny-detail": is_tiny,
        "odd-aspect": is_odd & (is_odd.mean() <= RARE),
        "grey": is_grey & (is_grey.mean() <= RARE),
    }
    flaws: list[list[Flaw]] = [[] for _ in looks]
    for kind, mask in masks.items():
        for row in np.flatnonzero(mask):
            flaws[row].append(Flaw(kind, _evidence(kind, looks[row], sizes[row])))
    return flaws


def _evidence(kind: str, look: npt.NDArray[np.float32], size: npt.NDArray[Any]) -> str:
    low, high, _, fine, medium = (float(one) for one in look)
    width, height = (int(one) for one in size)
    if kind == "tiny-detail" and min(width, height) < LEAST_SIDE_PX:
        return f"tiny: {width} x {height} pixels"
    return {
        "blurred": f"blurred: shrunk to 112 pixels it loses {fine:.1%} of its contrast, a sharp picture 4% to 16%",
        "dark": f"dark: 98% of it are darker than {high:.0f} of 255",
        "washed-out": f"washed out: nearly all of it is between {low:.0f} and {high:.0f} of 255",
        "tiny-detail": f"tiny detail: shrunk to 56 pixels it loses {medium:.1%} of its contrast, as if it was enlarged",
        "odd-aspect": f"odd shape: {width} x {height} pixels, longer side over {ODD_ASPECT:g} times the shorter",
        "grey": "grey, among pictures in colour",
    }[kind]
