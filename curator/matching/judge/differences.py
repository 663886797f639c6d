"""Name what differs between two pictures of one, in words a person would use.

>>> name_crop((0.25, 1.0)), name_crop((0.8, 0.75)), name_crop((1.0, 1.0))
('25% of one in the other', '80% and 75% of each in both', '')
"""

from __future__ import annotations

from curator.matching.judge.agreement import Agreement
from curator.matching.judge.colours import Colours
from curator.matching.judge.pose import Pose
from curator.matching.judge.rules import COLOURED, GREY

WHOLE = 0.965
"""Share of a picture from which on it is called whole."""
_LEAST_DEGREES = 0.7
_LEAST_STRETCH = 1.04
_LEAST_DISAGREEING = 0.03
_LEAST_SHIFT = 6.0
_GAINS = (0.85, 1.18)


def name_differences(agreement: Agreement, colours: Colours, pose: Pose, degrees: float) -> tuple[str, ...]:
    """Name what differs, whichever comes first: "turned by 5°", "62% of one in the other", "text or another ground".

    The orientation is said by those who know which of the two lies otherwise.

    Args:
        agreement, colours, pose: of the pair.
        degrees: the turn beyond the orientation.
    """
    words = [
        f"turned by {abs(degrees):.0f}°" if abs(degrees) >= _LEAST_DEGREES else "",
        name_crop(pose.overlap),
        "stretched" if pose.stretch >= _LEAST_STRETCH else "",
        "text or another ground" if agreement.disagreeing >= _LEAST_DISAGREEING else "",
        _name_colours(agreement, colours),
    ]
    return tuple(word for word in words if word)


def name_crop(overlap: tuple[float, float]) -> str:
    """Name how much both pictures share, if that is not all."""
    if min(overlap) >= WHOLE:
        return ""
    if max(overlap) >= WHOLE:
        return f"{min(overlap):.0%} of one in the other"
    return f"{overlap[0]:.0%} and {overlap[1]:.0%} of each in both"


def _name_colours(agreement: Agreement, colours: Colours) -> str:
    if min(colours.most) < GREY and max(colours.most) > COLOURED:
        return "without colours"
    if colours.shift >= _LEAST_SHIFT:
        return "other colours"
    return "" if _GAINS[0] <= agreement.gain <= _GAINS[1] else "other contrast"
