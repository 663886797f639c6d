"""What makes two pictures one, once one lies over the other: every threshold, in one place.

docs/decisions/0029-pixels.md has the measurement behind each: the nearest strangers and the farthest copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from curator.matching.judge.compare import Agreement, Colours


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
        orientation: index in ORIENTATIONS.
        stretch: how many times more one axis is stretched than the other.
        n_points: paired points that say so; 0: the whole was laid on the whole.
    """

    overlap: tuple[float, float]
    orientation: int
    stretch: float
    n_points: int


def rate(agreement: Agreement, colours: Colours, pose: Pose) -> Rating:
    """Rate a pair: by all that both show, or by what they share if one has text on it or another ground."""
    is_one = _agree_all_over(agreement, pose) or _agree_but_for_what_was_added(agreement, pose)
    if is_one and _have_same_colours(agreement, colours):
        return Rating.ONE
    if is_one or _may_be_one(agreement, pose):
        return Rating.DOUBTFUL
    return Rating.TWO


LEAST_AGREEING = 0.85
LEAST_OUTLINES = 0.94
LEAST_FIT, LEAST_FIT_TURNED = 0.90, 0.94
LEAST_DETAIL = 200
LEAST_HELD, LEAST_SHARED = 0.9, 0.35
MOST_STRETCH, MOST_STRETCH_PATCH = 2.0, 1.3


def _agree_all_over(agreement: Agreement, pose: Pose) -> bool:
    fit = LEAST_FIT_TURNED if pose.orientation else LEAST_FIT
    return (
        agreement.agreeing >= LEAST_AGREEING
        and agreement.outlines >= LEAST_OUTLINES
        and agreement.fit >= fit
        and agreement.n_detail >= LEAST_DETAIL
        and (max(pose.overlap) >= LEAST_HELD or min(pose.overlap) >= LEAST_SHARED)
        and pose.stretch <= MOST_STRETCH
    )


PATCH_FIT = 0.96
PATCH_OUTLINES = 0.955
PATCH_PURITY = 0.9
PATCH_EQUAL = 0.7
PATCH_SHARE, PATCH_CELLS = 0.12, 500
PATCH_POINTS = 12
MOST_BEYOND = 0.3
LEAST_LOPSIDED = 0.7


def _agree_but_for_what_was_added(agreement: Agreement, pose: Pose) -> bool:
    patch = agreement.patch
    return (
        agreement.fit >= PATCH_FIT
        and agreement.lopsided >= LEAST_LOPSIDED
        and patch.outlines >= PATCH_OUTLINES
        and patch.purity >= PATCH_PURITY
        and patch.equal >= PATCH_EQUAL
        and patch.share >= PATCH_SHARE
        and patch.n_cells >= PATCH_CELLS
        and patch.beyond <= MOST_BEYOND
        and (pose.n_points == 0 or pose.n_points >= PATCH_POINTS)
        and pose.stretch <= MOST_STRETCH_PATCH
    )


MOST_COLOUR, MOST_OTHER_HUE = 15.0, 0.15
GREY, COLOURED = 4.0, 8.0
GREY_EQUAL, GREY_FIT = 0.85, 0.97


def _have_same_colours(agreement: Agreement, colours: Colours) -> bool:
    if min(colours.most) < GREY and max(colours.most) > COLOURED:
        return agreement.equal >= GREY_EQUAL and agreement.fit >= GREY_FIT
    return colours.distance <= MOST_COLOUR and colours.other_hue <= MOST_OTHER_HUE


def _may_be_one(agreement: Agreement, pose: Pose) -> bool:
    return (
        agreement.agreeing >= 0.75
        and agreement.outlines >= 0.88
        and agreement.n_detail >= LEAST_DETAIL
        and max(pose.overlap) >= LEAST_HELD
    )
