"""A split as a ``torch.utils.data.Dataset``, with the attributes of torchvision's ``ImageFolder``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch.utils.data
from PIL import Image

from curator.export.loaders.split_pictures import list_pictures, open_picture
from curator.manifests.project import Project


class Pictures(torch.utils.data.Dataset[tuple[Any, int]]):
    """Pairs of a picture (PIL, upright RGB, or what ``transform`` makes of it) and a label number.

    Attributes:
        classes: the labels; a label's number is its place.
        samples: each file and its label number, in the manifest's order.
    """

    def __init__(
        self,
        files: list[tuple[Path, str]],
        labels: tuple[str, ...],
        transform: Callable[[Image.Image], Any] | None,
        max_pixels: int,
    ) -> None:
        self.classes = list(labels)
        self.class_to_idx = {label: number for number, label in enumerate(labels)}
        self.samples = [(str(file), self.class_to_idx[label]) for file, label in files]
        self.targets = [number for _, number in self.samples]
        self.transform, self._max_pixels = transform, max_pixels

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        file, number = self.samples[index]
        picture = open_picture(Path(file), self._max_pixels)
        return (self.transform(picture) if self.transform else picture), number


def to_torch(
    project: Project, split: str, transform: Callable[[Image.Image], Any] | None, fold: int | None = None
) -> Pictures:
    """Return a split; it can be pickled, so that a ``DataLoader`` may read it in several processes."""
    recipe = project.recipe
    return Pictures(list_pictures(project, split, fold), recipe.labels, transform, recipe.quality.max_pixels)
