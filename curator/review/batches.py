"""Decisions about many images at once: written in one write, taken back in one.

>>> rows_of_ranges([[0, 2], [5, 5]], 9).tolist()
[0, 1, 2, 5]
>>> rows_of_ranges([[8, 9]], 9)
Traceback (most recent call last):
ValueError: a range is two numbers from 0 to 8, the smaller first
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.errors import CuratorError
from curator.manifests.reviews import Key, Review
from curator.review.decisions import DecisionLog

MOST_BATCHES = 200
"""Batches that can be taken back."""


class ConflictError(CuratorError):
    """Another window or person decided about the image since the page read it; nothing was written."""


def rows_of_ranges(ranges: Any, n: int) -> npt.NDArray[np.int64]:
    """Return the places that ranges name, both ends included, each once.

    Raises:
        ValueError: they are no ranges of a selection of ``n`` rows.
    """
    is_right = isinstance(ranges, list) and all(
        isinstance(one, list) and len(one) == 2 and all(type(end) is int for end in one) and 0 <= one[0] <= one[1] < n
        for one in ranges
    )
    if not is_right or not ranges:
        raise ValueError(f"a range is two numbers from 0 to {n - 1:,}, the smaller first")
    return np.unique(np.concatenate([np.arange(first, last + 1) for first, last in ranges]))


class Batches:
    """The batches of one server, by number, so that each can be taken back whole."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log
        self._written: OrderedDict[int, list[Review]] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def decide(self, wanted: Sequence[tuple[Key, str, str, str]], version: int) -> dict[str, Any]:
        """Write decisions about keys (decision, new label, reason), each key once; what stands already is left out.

        Args:
            version: the number of decisions in the file that the page has seen.

        Returns:
            The number of the batch and how many decisions it has.

        Raises:
            ConflictError: somebody has decided about one of them since; nothing was written.
            DiskError: the disk refused; nothing was decided.
        """
        with self._lock:
            latest = self._log.latest()
            unseen = self._log.changed_since(version) if version != self._log.version else set()
            chosen = {key: what for key, *what in wanted}
            if n := len(unseen & chosen.keys()):
                raise ConflictError(f"Meanwhile {n:,} of them were decided about: look again. Nothing was saved.")
            new = {key: what for key, what in chosen.items() if not self._log.is_mine(latest.get(key), *what)}
            reviews = [self._log.make(key, *what) for key, what in new.items()]
            self._log.decide_all(reviews)
            return self._remember(reviews)

    def undo(self, number: int) -> dict[str, Any]:
        """Take a batch back.

        Raises:
            ValueError: there is no such batch.
            ConflictError: one of its decisions stands no more; nothing was taken back.
        """
        with self._lock:
            if (written := self._written.get(number)) is None:
                raise ValueError("there is no such batch to take back")
            latest = self._log.latest()
            if any(latest.get(review.key) != review for review in written):
                raise ConflictError("Meanwhile some of them were decided about again: take those back one by one.")
            self._log.decide_all([self._log.make(review.key, "undo") for review in written])
            del self._written[number]
        return {"batch": number, "n": len(written)}

    def _remember(self, reviews: list[Review]) -> dict[str, Any]:
        number = next(self._numbers)
        self._written[number] = reviews
        while len(self._written) > MOST_BATCHES:
            self._written.popitem(last=False)
        return {"batch": number, "n": len(reviews)}
