"""The manifest as arrays: which images, which labels, which groups stay together; and the parts cut from it.

>>> images = LabelledImages(pd.DataFrame({"record_id": ["a", "b"], "label": ["x", "y"], "split": ["train", "test"],
...     "split_group": ["a", None]}), ("x", "y"))
>>> images.label_index.tolist(), images.rows("test").tolist(), images.groups.tolist()
([0, 1], [1], ['a', 'b'])

The validation part is stratified by label, and its groups are whole:

>>> labels, groups = np.repeat([0, 1], 10), np.array([f"g{i // 2}" for i in range(20)], dtype=object)
>>> np.bincount(labels[validation_rows(labels, groups, 0.2)]).tolist()
[2, 2]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.errors import StateError
from curator.manifests.manifest import FOLD, read_manifest
from curator.reasons import SPLITS
from curator.text import Command

N_FOLDS = 5
"""Folds of the confound check, and so the fewest training images that a label needs."""

IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]
SPLIT_AGAIN = (Command("split"), " writes the manifest; ", Command("status"), " says what each label has.")


@dataclass(frozen=True)
class LabelledImages:
    """The manifest's rows and the labels in the order of the models' outputs."""

    table: pd.DataFrame
    labels: tuple[str, ...]

    @cached_property
    def label_index(self) -> IntArray:
        """Index into ``labels`` for each image: int64, shape (images,)."""
        codes = pd.Categorical(self.table["label"], categories=list(self.labels)).codes
        return np.asarray(codes, dtype=np.int64)

    @cached_property
    def groups(self) -> TextArray:
        """Name of the group that each image stays with; an image of no group is its own: str, shape (images,)."""
        record_ids = self.table["record_id"]
        groups = self.table.get("split_group", record_ids)
        return groups.fillna(record_ids).to_numpy(dtype=object)

    def rows(self, split: str) -> IntArray:
        """Positions of the images of ``split`` (one of :data:`curator.reasons.SPLITS`): int64, ascending."""
        return np.flatnonzero((self.table["split"] == split).to_numpy(dtype=bool)).astype(np.int64)

    @cached_property
    def folds(self) -> IntArray:
        """The fold of each image from 1, 0: in none; int64, shape (images,)."""
        if FOLD not in self.table:
            return np.zeros(len(self.table), np.int64)
        return self.table[FOLD].fillna(0).to_numpy(dtype=np.int64)

    @property
    def n_folds(self) -> int:
        """The number of folds; 0 if there are none."""
        return int(self.folds.max(initial=0))

    @property
    def chance_accuracy(self) -> float:
        """The test accuracy of always naming the most frequent training label."""
        most_frequent = np.bincount(self.label_index[self.rows("train")]).argmax()
        return float((self.label_index[self.rows("test")] == most_frequent).mean())


def load_images(manifest: Path, recipe_labels: tuple[str, ...]) -> LabelledImages:
    """Read a manifest for the benchmark; labels in the recipe's order, any others after them.

    Raises:
        StateError: no manifest, fewer than two labels, or a label with too few images to train and test on.
    """
    table = read_manifest(manifest)
    images = order_labels(table[table["split"].isin(SPLITS)].reset_index(drop=True), recipe_labels)
    if len(images.labels) < 2:
        found = f"only the label {images.labels[0]!r}" if images.labels else "no image"
        raise StateError(f"{manifest} holds {found}; a comparison needs at least two labels.", SPLIT_AGAIN)
    for split, least in (("train", N_FOLDS), ("test", 1)):
        counts = np.bincount(images.label_index[images.rows(split)], minlength=len(images.labels))
        short = [f"{label} has {n}" for label, n in zip(images.labels, counts, strict=True) if n < least]
        if short:
            message = f"{manifest}: too few {split} images ({', '.join(short)}; every label needs {least} or more)."
            raise StateError(message, SPLIT_AGAIN)
    return images


def order_labels(table: pd.DataFrame, recipe_labels: tuple[str, ...]) -> LabelledImages:
    """Put the labels of a manifest in the recipe's order, any others after them."""
    present = set(table["label"])
    labels = (label for label in dict.fromkeys((*recipe_labels, *sorted(present))) if label in present)
    return LabelledImages(table, tuple(labels))


@dataclass(frozen=True)
class Parts:
    """Positions of the images that train, that watch the training, and that test."""

    train: IntArray
    watched: IntArray
    test: IntArray
    watched_is_val: bool = False


def cut_parts(images: LabelledImages, share: float, fold: int = 0) -> Parts:
    """Choose the watched part: val if each label has images there, else a share of train.

    With a share of 0 the test part is watched, as in the article. With a ``fold`` that one is the test part, and train
    is the other folds.
    """
    train_rows, val_rows, test_rows = map(images.rows, SPLITS)
    if fold:
        is_out = images.folds[train_rows] == fold
        train_rows, test_rows = train_rows[~is_out], train_rows[is_out]
    if not share:
        return Parts(train_rows, test_rows, test_rows)
    if len(np.unique(images.label_index[val_rows])) == len(images.labels):
        return Parts(train_rows, val_rows, test_rows, watched_is_val=True)
    chosen = validation_rows(images.label_index[train_rows], images.groups[train_rows], share)
    return Parts(train_rows[~chosen], train_rows[chosen], test_rows)


def validation_rows(labels: IntArray, groups: TextArray, share: float) -> npt.NDArray[np.bool_]:
    """Choose about ``share`` of each label's images, whole groups only: bool array, shape (images,).

    Groups are taken in the order of a hash of their names, so the same images produce the same part on every machine,
    and a further image moves few others. A group that would overshoot a label's share is passed over.

    Raises:
        StateError: a label's images are all of one group, so that none can be set aside.
    """
    names, group_index = np.unique(groups.astype(str), return_inverse=True)
    counts = np.zeros((len(names), int(labels.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group_index, labels), 1)
    room = np.maximum(1, np.round(share * counts.sum(axis=0)).astype(np.int64))
    taken = np.zeros(len(names), dtype=bool)
    for group in np.argsort([hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest() for name in names]):
        if np.all(counts[group] <= room):
            taken[group] = True
            room -= counts[group]
    for label in range(counts.shape[1]):
        holders = np.flatnonzero(counts[:, label])
        if taken[holders].any():
            continue
        if len(holders) < 2:
            message = "All training images of one label are of one group, so no validation part can be cut."
            raise StateError(message, "Set group_by = [] in [split], or gather images from more authors.")
        taken[holders[np.argmin(counts[holders].sum(axis=1))]] = True
    return np.asarray(taken[group_index], dtype=bool)
