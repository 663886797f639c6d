"""Cut a validation part from the training images: stratified by label, groups kept whole.

>>> labels, groups = np.repeat([0, 1], 10), np.array([f"g{i // 2}" for i in range(20)], dtype=object)
>>> chosen = validation_rows(labels, groups, 0.2)
>>> np.bincount(labels[chosen]).tolist()
[2, 2]
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.data import IntArray, TextArray
from curator.errors import StateError


def validation_rows(labels: IntArray, groups: TextArray, share: float) -> npt.NDArray[np.bool_]:
    """Choose about ``share`` of each label's images, whole groups only: bool array, shape (images,).

    Groups are taken in the order of a hash of their names, so the same images give the same part on every machine,
    and a further image moves few others. A group that would overshoot a label's share is passed over.

    Raises:
        StateError: a label's images are all of one group, so that none can be set aside.
    """
    names, group_index = np.unique(groups.astype(str), return_inverse=True)
    counts = np.zeros((len(names), int(labels.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group_index, labels), 1)
    room = np.maximum(1, np.round(share * counts.sum(axis=0)).astype(np.int64))
    taken = np.zeros(len(names), dtype=bool)
    for group in sorted(range(len(names)), key=lambda index: _hashed(str(names[index]))):
        if np.all(counts[group] <= room):
            taken[group] = True
            room -= counts[group]
    _take_smallest_where_none(counts, taken)
    return np.asarray(taken[group_index], dtype=bool)


def _take_smallest_where_none(counts: IntArray, taken: npt.NDArray[np.bool_]) -> None:
    for label in range(counts.shape[1]):
        holders = np.flatnonzero(counts[:, label])
        if taken[holders].any():
            continue
        if len(holders) < 2:
            message = "All training images of one label are of one group, so no validation part can be cut."
            raise StateError(message, "Set group_by = [] in [split], or gather images from more authors.")
        taken[holders[np.argmin(counts[holders].sum(axis=1))]] = True


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
