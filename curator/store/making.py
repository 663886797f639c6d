"""Pictures that are made of a picture: a part of it, or all of it turned; what is to be made, as a text, and back.

Boxes are shares of the width and height of the upright picture, from its left and top; degrees are counter-clockwise.

>>> crop_text(0.1, 0.25, 0.5, 0.75, margin=0.1)
'crop 0.1 0.25 0.5 0.75 margin 0.1'
>>> read_making("turn 90, crop 0.1 0.25 0.5 0.75 margin 0.5")
Making(turn=90, box=(0.0, 0.0, 0.7, 1.0))
>>> Making(box=(0.1, 0.0, 0.2, 1.0)).pixels(100, 50)
(10, 0, 20, 50)
>>> join("", None), join("turn 180", "crop 0 0 1 1")
('', 'turn 180, crop 0 0 1 1')
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"(?:0|1|0\.[0-9]{1,9}|1\.0{1,9})"
_TURN, _CROP = "turn (90|180|270)", rf"crop ({_NUMBER}(?: {_NUMBER}){{3}})(?: margin ({_NUMBER}))?"
PATTERN = rf"(?:{_TURN}|{_CROP}|{_TURN}, {_CROP})"
"""What a text of a making looks like, for re and for RE2."""


@dataclass(frozen=True)
class Making:
    """What is done to an upright picture: turned by so many degrees, and then cut to a box, if there is one."""

    turn: int = 0
    box: tuple[float, ...] = ()

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the box in pixels (left, top, right, bottom) of a picture of this size: at least one pixel."""
        left, top, right, bottom = self.box
        x, y = min(math.floor(left * width), width - 1), min(math.floor(top * height), height - 1)
        return x, y, max(x + 1, math.ceil(right * width)), max(y + 1, math.ceil(bottom * height))


def crop_text(left: float, top: float, right: float, bottom: float, margin: float = 0.0) -> str:
    """Write which part is wanted; the margin is a share of the box's own width and height, on each side."""
    numbers = " ".join(_plain(one) for one in (left, top, right, bottom))
    return f"crop {numbers}" + (f" margin {_plain(margin)}" if margin else "")


def turned_crop(text: str | None, degrees: int) -> str | None:
    """Write which part of a picture is wanted once it is turned counter-clockwise, with the part inside it.

    >>> turned_crop("crop 0 0.1 0.2 0.5 margin 0.1", 90), turned_crop(None, 90)
    ('crop 0.1 0.8 0.5 1 margin 0.1', None)
    """
    if not text or degrees not in (90, 180, 270):
        return text
    left, top, right, bottom, *rest = text.removeprefix("crop ").split(" ")
    box = [float(one) for one in (left, top, right, bottom)]
    for _ in range(degrees // 90):
        box = [box[1], 1 - box[2], box[3], 1 - box[0]]
    return " ".join(["crop", *map(_plain, box), *rest])


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def join(*texts: str | None) -> str:
    """Join the steps that there are."""
    return ", ".join(text for text in texts if text)


def read_making(text: str) -> Making:
    """Read what is to be made.

    Raises:
        ValueError: the text says nothing that can be.
    """
    found = re.fullmatch(PATTERN, text)
    if not found:
        raise ValueError(f"{text!r} says nothing that can be made of a picture")
    turn, box, margin = found[1] or found[4], found[2] or found[5], found[3] or found[6]
    if not box:
        return Making(int(turn))
    left, top, right, bottom = map(float, box.split())
    if not (left < right and top < bottom):
        raise ValueError(f"{text!r} is no part of a picture")
    x, y = float(margin or 0) * (right - left), float(margin or 0) * (bottom - top)
    grown = (max(0.0, left - x), max(0.0, top - y), min(1.0, right + x), min(1.0, bottom + y))
    return Making(int(turn or 0), tuple(round(one, 9) for one in grown))
