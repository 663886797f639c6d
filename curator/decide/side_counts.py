"""How many images of each label train, val and test should have.

>>> settings = SplitSettings(ratio=0.7, val=0.1)
>>> [side_counts(n, settings) for n in (1_000, 10, 3)]
[(700, 100, 200), (7, 1, 2), (1, 1, 1)]
>>> side_counts(1_224, SplitSettings(train=979, test=245))
(979, 0, 245)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from curator.catalog import BoolArray, IntArray
from curator.errors import ShortfallError
from curator.manifests.settings import SplitSettings
from curator.reasons import SPLITS
from curator.text import Command, Text

Counts = tuple[int, int, int]


def side_counts(have: int, settings: SplitSettings) -> Counts:
    """Divide a number of images into train, val and test, as settings say; at least one each where there are so many.

    A share is rounded; what rounding leaves goes to train.
    """
    if settings.train is not None and settings.test is not None:
        return settings.train, int(settings.val or 0), settings.test
    if have < fewest(settings):
        return side_counts(have, dataclasses.replace(settings, val=None)) if have > 1 else (have, 0, 0)
    val = settings.val or 0
    others = round((settings.ratio + val) * have) if isinstance(val, float) else round(settings.ratio * have) + val
    n_val = min(max(round(val * have), 1), have - 2) if isinstance(val, float) else val
    n_test = min(max(have - others, 1), have - n_val - 1)
    return have - n_val - n_test, n_val, n_test


def fewest(settings: SplitSettings) -> int:
    """Return the fewest images that a label needs for every side to have one."""
    if not settings.val:
        return 2
    return 3 if isinstance(settings.val, float) else settings.val + 2


def count_wanted(
    have: Sequence[int], settings: SplitSettings, label: IntArray, sides: BoolArray, listed: IntArray | None
) -> IntArray:
    """Count the images that each side of each label should have: shape (labels, 3).

    If listed sides are kept, a label with a listed val or test set has just that, and what comes to it by a group or
    from the previous split; of another label, what has no side is divided.

    Args:
        have, label: the number of images of each label, and the label of each image.
        sides: shape (images, 3): the side that an image has already.
        listed: shape (images,): the side that an image is listed on, -1: on none; None: listed sides are not kept.
    """
    if listed is None:
        return np.array([side_counts(n, settings) for n in have], np.int64)
    n_labels = len(have)
    count = [np.bincount(label[sides[:, side]], minlength=n_labels) for side in range(len(SPLITS))]
    is_listed = [np.bincount(label[listed == side], minlength=n_labels) > 0 for side in range(len(SPLITS))]
    free = np.bincount(label[~sides.any(axis=1)], minlength=n_labels)
    drawn = np.array([side_counts(int(n), settings) for n in free], np.int64)
    held = np.stack(count, axis=1)
    return np.where(np.stack(is_listed, axis=1), held, held + drawn)


def check_counts(have: Mapping[str, int], settings: SplitSettings, most: Command) -> None:
    """Raise an error that names every label that has the wrong number of images, those that are short first.

    Raises:
        ShortfallError: labels have not as many images as ``train``, ``val`` and ``test`` add up to, or too few for one
            on each side.
    """
    if settings.train is None or settings.test is None:
        if few := {label: n for label, n in have.items() if n < fewest(settings)}:
            hint: Text = (f"Give {'it' if len(few) == 1 else 'them'} another source and run ", Command("fetch"), ".")
            missing = {label: fewest(settings) - n for label, n in few.items()}
            sides = {2: "two sides", 3: "three sides"}.get(fewest(settings), f"val = {settings.val} and two more sides")
            raise ShortfallError(f"{_counted(few)}: too few for {sides}.", hint, missing)
        return
    asked = {"train": settings.train, "val": int(settings.val or 0), "test": settings.test}
    total = sum(asked.values())
    short = {label: n for label, n in have.items() if n < total}
    over = {label: n for label, n in have.items() if n > total}
    if not short and not over:
        return
    hint = f"Give `--per-class {total}`, or other counts."
    if short:
        hint = (most, " would divide what there is in that proportion.")
    *first, last = [f"{side} = {n}" for side, n in asked.items() if n]
    parts = [f"{_counted(some)}, which is too {much}" for some, much in ((short, "few"), (over, "many")) if some]
    missing = {label: total - n for label, n in short.items()} or dict.fromkeys(over, 0)
    counts = f"{', '.join(first)} and {last}"
    message = f"[split] asks for {counts} images a label, {total} together, but {'; '.join(parts)}."
    raise ShortfallError(message, hint, missing)


def _counted(have: Mapping[str, int]) -> str:
    *others, last = [f"{label} has {n:,}" for label, n in have.items()]
    return f"{', '.join(others)} and {last}" if others else f"{last} images"
