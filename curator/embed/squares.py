"""Stored images as networks see them: upright RGB from the one decoder, squeezed to a square; nothing is cropped.

>>> as_square(Image.new("RGB", (640, 480)), 96).shape
(96, 96, 3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from curator.errors import StateError
from curator.observe.pixels import decode_rgb
from curator.text import Command

PixelArray = npt.NDArray[np.uint8]

CHANGED = "has changed since it was fetched"
_NAMED_AT_MOST = 5


def read_square(path: Path, sha256: str, side: int) -> PixelArray:
    """Read one stored image as RGB, upright, squeezed to ``side`` pixels square: uint8, shape (side, side, 3).

    Raises:
        StateError: the file is gone, its bytes are not those of ``sha256``, or it cannot be decoded.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(unreadable(path, error)) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StateError(f"{path} {CHANGED}")
    try:
        picture = decode_rgb(content, short_px=side)
    except ValueError as error:
        raise StateError(f"{path} cannot be decoded ({error})") from error
    return as_square(picture, side)


def as_square(picture: Image.Image, side: int) -> PixelArray:
    """Squeeze a picture to a square: uint8, shape (side, side, 3)."""
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0), dtype=np.uint8)


def unreadable(path: Path, error: OSError) -> str:
    """Say that the disk does not return a file."""
    return f"{path} cannot be read ({error.strerror})"


def raise_all(problems: Sequence[str]) -> None:
    """Raise one error that counts all problems and names the first few, if there are any.

    Raises:
        StateError: there are.
    """
    if not problems:
        return
    more = f"; and {len(problems) - _NAMED_AT_MOST} more" if len(problems) > _NAMED_AT_MOST else ""
    message = f"{len(problems)} images cannot be used: {'; '.join(sorted(problems)[:_NAMED_AT_MOST])}{more}."
    raise StateError(message, (Command("verify"), " lists them all."))
