"""How one picture lies on another, and what the two are.

>>> Pose((0.5, 1.0), 0, 1.0, 0).overlap, Rating.ONE.value
((0.5, 1.0), 'one picture')
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Rating(Enum):
    """What two pictures are."""

    ONE = "one picture"
    DOUBTFUL = "neither surely one nor surely two"
    TWO = "two pictures"


@dataclass(frozen=True)
class Pose:
    """How the other picture lies on the one.

    Attributes:
        overlap: the share of the one that the other covers, and of the other that lies in the one.
        orientation: index in :data:`curator.matching.orientations.ORIENTATIONS`.
        stretch: how many times more one axis is stretched than the other.
        n_points: paired points that say so; 0: the whole was laid on the whole.
    """

    overlap: tuple[float, float]
    orientation: int
    stretch: float
    n_points: int
