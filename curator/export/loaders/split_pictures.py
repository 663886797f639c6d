"""The pictures of a split, as the train and test folders hold them: files, labels and the decoder.

>>> list_pictures.__annotations__["return"]
'list[tuple[Path, str]]'
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from curator.errors import CuratorError, StateError
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.observe.pixels import MAX_PIXELS
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_picture
from curator.reasons import SPLITS
from curator.text import Command


def list_pictures(project: Project, split: str) -> list[tuple[Path, str]]:
    """List a split's files with their labels, in the manifest's order.

    Raises:
        CuratorError: there is no such split.
        StateError: there is no manifest.
    """
    if split not in SPLITS:
        raise CuratorError(f"There is no split {split!r}.", f"There are {', '.join(SPLITS)}.")
    rows = read_manifest(project.paths.manifest)
    rows = rows[rows["split"] == split]
    return [(project.paths.folder / file, label) for file, label in zip(rows["file"], rows["label"], strict=True)]


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
