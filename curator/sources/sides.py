"""The words for train, val and test that folders and tables of data sets use.

>>> side_of("Training"), side_of("valid"), side_of("TEST"), side_of("trains")
('train', 'val', 'test', None)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SIDE_WORDS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "tr"),
    "val": ("val", "valid", "validation", "validate", "dev", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout"),
}
"""Each side of a split, and what it is called elsewhere, in lower case."""

_SIDES = {word: side for side, words in SIDE_WORDS.items() for word in words}


def side_of(text: str) -> str | None:
    """Return the side that the name of a folder, or a value of a table, means: train, val, test, or None."""
    return _SIDES.get(text.strip().casefold())


def side_of_name(name: str) -> str | None:
    """Return the side that the name of a file says, if it says one.

    >>> side_of_name("instances_train2017.json"), side_of_name("test-00000-of-00002.parquet"), side_of_name("list.csv")
    ('train', 'test', None)
    """
    sides = {side for word in re.findall(r"[A-Za-z]+", name.partition(".")[0]) if (side := side_of(word))}
    return sides.pop() if len(sides) == 1 else None
