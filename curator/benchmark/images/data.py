"""The manifest as arrays: which images, which labels, which split, which groups must stay together.

>>> images = LabelledImages(pd.DataFrame({"record_id": ["a", "b"], "label": ["x", "y"], "split": ["train", "test"],
...     "split_group": ["a", None]}), ("x", "y"))
>>> images.label_index.tolist(), images.rows("test").tolist(), images.groups.tolist()
([0, 1], [1], ['a', 'b'])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.errors import StateError
from curator.manifests.manifest import read_manifest
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
        """Positions of the images of ``split`` (``train`` or ``test``): int64, ascending."""
        return np.flatnonzero((self.table["split"] == split).to_numpy(dtype=bool)).astype(np.int64)


def load_images(manifest: Path, recipe_labels: tuple[str, ...]) -> LabelledImages:
    """Read a manifest for the benchmark; labels in the recipe's order, any others after them.

    Raises:
        StateError: no manifest, fewer than two labels, or a label with too few images to train and test on.
    """
    table = read_manifest(manifest)
    table = table[table["split"].isin(["train", "test"])].reset_index(drop=True)
    present = set(table["label"])
    labels = tuple(label for label in dict.fromkeys((*recipe_labels, *sorted(present))) if label in present)
    images = LabelledImages(table, labels)
    _check_counts(manifest, images)
    return images


def _check_counts(manifest: Path, images: LabelledImages) -> None:
    if len(images.labels) < 2:
        found = f"only the label {images.labels[0]!r}" if images.labels else "no image"
        raise StateError(f"{manifest} holds {found}; a comparison needs at least two labels.", SPLIT_AGAIN)
    for split, least in (("train", N_FOLDS), ("test", 1)):
        counts = np.bincount(images.label_index[images.rows(split)], minlength=len(images.labels))
        short = [f"{label} has {n}" for label, n in zip(images.labels, counts, strict=True) if n < least]
        if short:
            message = f"{manifest}: too few {split} images ({', '.join(short)}; every label needs {least} or more)."
            raise StateError(message, SPLIT_AGAIN)
