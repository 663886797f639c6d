"""The pictures of a split, as the train and test folders hold them: files, labels and the decoder.

>>> list_pictures.__annotations__["return"]
'list[tuple[Path, str]]'
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from PIL import Image

from curator.errors import CuratorError, StateError
from curator.export.image_files import files_without_folders
from curator.manifests.manifest import FOLD, read_manifest
from curator.manifests.project import Project
from curator.observe.pixels import MAX_PIXELS
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_picture
from curator.reasons import SPLITS
from curator.text import Command


def list_pictures(project: Project, split: str, fold: int | None = None) -> list[tuple[Path, str]]:
    """List a split's files with their labels, in the manifest's order.

    Args:
        project: the data set.
        split: one of :data:`curator.reasons.SPLITS`.
        fold: this fold is test, and train the other folds; None: the sides as they are.

    Raises:
        CuratorError: there is no such split.
        StateError: there is no manifest.
    """
    if split not in SPLITS:
        raise CuratorError(f"There is no split {split!r}.", f"There are {', '.join(SPLITS)}.")
    rows = read_manifest(project.paths.manifest)
    rows = rows if fold is None else hold_out(rows, fold)
    rows = rows[rows["split"] == split]
    names, folder = files_without_folders(project.paths, rows), project.paths.folder
    return [(folder / names.get(file, file), label) for file, label in zip(rows["file"], rows["label"], strict=True)]


def hold_out(rows: pd.DataFrame, fold: int) -> pd.DataFrame:
    """Return the rows of a manifest that one round of a cross-validation is about, their sides as they are there.

    Raises:
        CuratorError: there is no such fold.

    >>> rows = pd.DataFrame({"split": ["train", "train", "test"], "fold": [1, 2, None]})
    >>> hold_out(rows, 2)["split"].tolist()
    ['train', 'test']
    """
    n_folds = int(rows[FOLD].max()) if FOLD in rows else 0
    if not 1 <= fold <= n_folds:
        if n_folds:
            raise CuratorError(f"There is no fold {fold}.", f"There are folds 1 to {n_folds}.")
        hint = ("Write `folds = 5` below [split], or run ", Command("split --folds 5"), ".")
        raise CuratorError("The manifest has no folds.", hint)
    rows = rows[(rows["split"] != "test").to_numpy(dtype=bool)]
    is_out = (rows[FOLD] == fold).fillna(False).to_numpy(dtype=bool)
    return rows.assign(split=rows["split"].mask(is_out, "test"))


def open_picture(file: Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Have a file of the folders decoded in a process of its own: upright, RGB.

    Raises:
        StateError: it is missing, does not decode, or has more than ``max_pixels``.
    """
    try:
        return render_picture(file, Rendering(), max_pixels)
    except UndecodableError as error:
        hint = (Command("verify"), " names every file that differs from the manifest.")
        raise StateError(f"The image {file} cannot be read ({error}).", hint) from error
