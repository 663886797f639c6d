"""How folders of pictures are laid out: which label, and which side of a split, the place of a file says.

>>> find_label = LabelFinder({"rugby": ("Rugby ball",), "indoor/pool": ()}).find
>>> place_nested(("train", "Rugby_ball", "images", "1.jpg"), find_label)
Placed(label='rugby', side='train')
>>> place_nested(("p", "indoor", "pool", "1.jpg"), find_label).label, text_of_name("great_pyrenees_12.jpg")
('indoor/pool', 'great_pyrenees')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from curator.manifests.labels import LabelFinder as LabelFinder
from curator.sources.sides import side_of

FindLabel = Callable[[str], str | None]

_NUMBERED = re.compile(r"(.*?)[\s._-]*\(?\d+\)?(?:[\s._-][^.]*)?\.[^.]+")


MASKS = frozenset(
    (
        "masks",
        "mask",
        "segmentationclass",
        "segmentationobject",
        "ground_truth",
        "groundtruth",
        "annotations",
        "trimaps",
    )
)
"""What folders of pictures of shapes are called, in lower case: they are no photographs."""


class Placed(NamedTuple):
    """What the place of a file says: its label, None if that is none of the recipe's, and its side of a split."""

    label: str | None
    side: str | None = None


def place_under_label(parts: tuple[str, ...], find_label: FindLabel) -> Placed:
    """Place a file by the first folder of its path; a folder below that may be a side."""
    return Placed(find_label(parts[0]) if len(parts) > 1 else None, _side(parts[1:-1]))


def place_nested(parts: tuple[str, ...], find_label: FindLabel) -> Placed:
    """Place a file by the innermost of its folders that is a label, alone or with those above it (``indoor/pool``).

    The other folders may be sides (``train/rugby``), or anything but those of masks (``ground_truth/rugby``).
    """
    folders = parts[:-1]
    for end in range(len(folders), 0, -1):
        for start in range(end):
            if (label := find_label("/".join(folders[start:end]))) is not None:
                others = folders[:start] + folders[end:]
                return Placed(None) if MASKS & {*map(str.casefold, others)} else Placed(label, _side(others))
    return Placed(None)


def place_by_name(parts: tuple[str, ...], find_label: FindLabel) -> Placed:
    """Place a file by its own name, without its number: ``cat.12.jpg``."""
    return Placed(find_label(text_of_name(parts[-1])), _side(parts[:-1]))


LAYOUTS: Mapping[str, Callable[[tuple[str, ...], FindLabel], Placed]] = {
    "labels": place_under_label,
    "nested": place_nested,
    "names": place_by_name,
    "openimages": place_nested,
}


def text_of_name(name: str) -> str:
    """Return what the name of a numbered file says before its number; the whole stem if it has none."""
    found = _NUMBERED.fullmatch(name)
    return found[1] if found else name.rpartition(".")[0] or name


def _side(folders: tuple[str, ...]) -> str | None:
    return next((side for name in folders if (side := side_of(name))), None)
