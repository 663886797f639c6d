"""Move each threshold of the judge past what a pair has, until that changes what becomes of the pair.

Every number of :mod:`curator.matching.judge.rules` is moved up and down, all others as they are: past each value that
it is compared with while the pair is judged again. What takes time of that is kept, so that nothing of the judge is
written twice, and what no threshold changes is done once.

>>> share = Threshold(0.5)
>>> 0.4 >= share, 0.7 >= share, sorted(share.met)
(False, True, [0.4, 0.7])
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from unittest import mock

import cv2
import numpy as np

from curator.matching.judge import judge, rules

THRESHOLDS = {name: value for name, value in vars(rules).items() if name.isupper() and isinstance(value, int | float)}
COSTLY = ("propose", "improve", "_compare", "_look_for_marks", "_compare_alike", "measure_inside", "compare_colours")
"""Functions that :mod:`curator.matching.judge.judge` calls, and no threshold changes."""


class Threshold(float):
    """A threshold that remembers what it was compared with."""

    def __new__(cls, value, met=None):
        """Make one; ``met``: where to remember."""
        self = super().__new__(cls, value)
        self.met = set() if met is None else met
        return self


def remember(compare):
    """Have a comparison remember the other number."""

    def compared(self, other):
        self.met.add(float(other))
        return compare(self, other)

    return compared


for _name in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Threshold, _name, remember(getattr(float, _name)))


def mark(value):
    """What tells an argument from others: its content, or which object it is."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def kept(function, memory):
    """The function, called once for each arguments; ``memory`` keeps these, too: no other object has their id."""

    def ask(*given, **named):
        key = (function, *map(mark, given), *map(mark, named.values()))
        if key not in memory:
            found = function(*given, **named)
            memory[key] = list(found) if isinstance(found, Iterator) else found, given, named
        return memory[key][0]

    return ask


def rate(one, other):
    """What the judge says of two sketches."""
    judged = judge.judge_pair(one, other)
    return "one" if judged.same else "doubtful" if judged.doubtful else "two"


def is_held(rating, name):
    """Whether a pair passes, as far as a threshold is concerned: those for doubtful pairs part these from strangers."""
    return rating != "two" if name.startswith("DOUBTFUL") else rating == "one"


def measure_pair(job):
    """Move every threshold until a copy is lost, or a stranger held.

    Args:
        job: whether the pair is one picture, and its two sketches.

    Returns:
        The rating; the thresholds that the pair came to; and, by threshold and direction, what the pair has that this
        one need be moved past for another outcome.
    """
    is_one, one, other = job
    cv2.setNumThreads(1)
    memory, limits = {}, {name: Threshold(value) for name, value in THRESHOLDS.items()}
    costly = {name: kept(getattr(judge, name), memory) for name in COSTLY}
    with mock.patch.multiple(judge, **costly), mock.patch.multiple(rules, **limits):
        rating = rate(one, other)
        met = [name for name in limits if limits[name].met]
        found = {
            (name, toward): at
            for name in met
            if is_held(rating, name) == is_one
            for toward in (-math.inf, math.inf)
            if (at := move(limits[name], name, toward, (one, other), is_one)) is not None
        }
    return rating, met, found


def move(limit, name, toward, pair, is_one):
    """Move a threshold past one after another of the values that it is compared with; the first that matters."""
    at = float(limit)
    while beyond := [value for value in limit.met if (value >= at if toward > 0 else value <= at)]:
        value = min(beyond, key=lambda value, at=at: abs(value - at))
        at = math.nextafter(value, toward)
        with mock.patch.object(rules, name, Threshold(at, limit.met)):
            if is_held(rate(*pair), name) != is_one:
                return value
    return None
