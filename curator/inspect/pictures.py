"""The pictures of a data set, or of one round of its cross-validation, for Python and three libraries.

>>> [name for name in ("images", "to_tf", "to_torch", "to_hf") if hasattr(Pictures, name)]
['images', 'to_tf', 'to_torch', 'to_hf']
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from curator.manifests.project import Project

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image


class Pictures:
    """What hands pictures and labels over; ``held_out`` is the fold that is test, None: the sides as they are."""

    held_out: int | None = None

    def __init__(self, project: Project) -> None:
        self.project = project

    def images(self, split: str = "train") -> Iterator[tuple[Image.Image, str]]:
        """Iterate over the upright RGB pictures of a split with their labels, in the manifest's order.

        Raises:
            StateError: there is no manifest, or a file is missing or damaged.
        """
        from curator.export.loaders.split_pictures import list_pictures, open_picture

        for file, label in list_pictures(self.project, split, self.held_out):
            yield open_picture(file, self.project.recipe.quality.max_pixels), label

    def to_tf(self, split: str = "train", *, image_size: int | tuple[int, int] = 224, batch_size: int = 32) -> Any:
        """Return a ``tf.data.Dataset`` of batches: float32 (n, height, width, 3) in 0 to 255, int32 labels (n,).

        Raises:
            CuratorError: TensorFlow is not installed.
        """
        return _loader("tensorflow").to_tf(self.project, split, image_size, batch_size, self.held_out)

    def to_torch(self, split: str = "train", *, transform: Callable[[Image.Image], Any] | None = None) -> Any:
        """Return a ``torch.utils.data.Dataset`` of (picture, label number) pairs; ``transform`` is given the picture.

        Raises:
            CuratorError: PyTorch is not installed.
        """
        return _loader("torch").to_torch(self.project, split, transform, self.held_out)

    def to_hf(self) -> Any:
        """Return a ``datasets.DatasetDict`` with the columns ``image`` and ``label``, one entry a split.

        ``datasets`` calls the split ``val`` by its long name, ``validation``.

        Raises:
            CuratorError: the package ``datasets`` is not installed.
        """
        return _loader("datasets").to_hf(self.project, self.held_out)


class Fold(Pictures):
    """One round of a cross-validation: a fold is its ``test``, the other folds its ``train``; ``val`` is as it was."""

    def __init__(self, project: Project, number: int) -> None:
        super().__init__(project)
        self.held_out = number
        self.manifest  # noqa: B018 (says at once that there is no such fold)

    @property
    def manifest(self) -> pd.DataFrame:
        """The rows of the manifest that it is about, their ``split`` as it is in this round."""
        from curator.export.loaders.split_pictures import hold_out
        from curator.manifests.manifest import read_manifest

        return hold_out(read_manifest(self.project.paths.manifest), self.held_out or 0)

    def __repr__(self) -> str:
        return f"Fold({self.project.recipe.name!r}, {self.held_out})"


def _loader(package: str) -> Any:
    """Import what hands a data set over to a library, or say how to get the library."""
    try:
        return importlib.import_module(f"curator.export.loaders.for_{package}")
    except ModuleNotFoundError as error:
        hint = f"Install it with `pip install {package}`."
        raise CuratorError(f"This needs the package {error.name}, which is not installed.", hint) from error
