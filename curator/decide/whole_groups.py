"""Groups of images that must not be divided: how many images of which label each holds.

>>> groups = Groups(np.array([0, 0, 1]), np.array([0, 1, 0]), keys=np.array([3, 7], np.uint64))
>>> groups.sizes.tolist(), groups.only_label.tolist()
([2, 1], [-1, 0])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curator.catalog import BoolArray, IntArray


@dataclass(frozen=True)
class Groups:
    """Groups of images: ``group`` and ``label`` of each image, shape (images,); ``keys`` of each group, all different.

    Groups are numbered from 0 in the order of their keys, which ascend.
    """

    group: IntArray
    label: IntArray
    keys: npt.NDArray[np.uint64]

    @cached_property
    def counts(self) -> tuple[IntArray, IntArray, IntArray]:
        """The images of each group and label: (group, label, count), by group."""
        n_labels = int(self.label.max(initial=0)) + 1
        pairs, counts = np.unique(self.group * n_labels + self.label, return_counts=True)
        return pairs // n_labels, pairs % n_labels, counts

    @cached_property
    def sizes(self) -> IntArray:
        """Images per group."""
        return np.bincount(self.group, minlength=len(self.keys))

    @cached_property
    def only_label(self) -> IntArray:
        """The label of each group that has but one, else -1."""
        group, label, _ = self.counts
        only = np.full(len(self.keys), -1, np.int64)
        only[group] = label
        only[np.bincount(group, minlength=len(only)) > 1] = -1
        return only

    def without(self, chosen: BoolArray) -> Groups:
        """Return the groups that are not chosen, numbered anew in the same order."""
        left = ~chosen[self.group]
        return Groups((np.cumsum(~chosen) - 1)[self.group[left]], self.label[left], self.keys[~chosen])

    def count_labels(self, chosen: BoolArray, n_labels: int) -> IntArray:
        """Count the images of each label in the chosen groups."""
        return np.bincount(self.label[chosen[self.group]], minlength=n_labels)
