"""Stored images as networks see them: upright RGB from the one decoder, squeezed to a square; nothing is cropped.

>>> import hashlib, io, tempfile
>>> from PIL import Image
>>> Image.new("RGB", (640, 480)).save(file := io.BytesIO(), "png")
>>> path = Path(tempfile.mkdtemp()) / "1.png"
>>> _ = path.write_bytes(file.getvalue())
>>> read_square(path, hashlib.sha256(file.getvalue()).hexdigest(), 96).shape
(96, 96, 3)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curator.errors import StateError
from curator.observe.pixels import MAX_PIXELS
from curator.observe.renderings import Rendering
from curator.observe.workers.render import ChangedError, UndecodableError, UnreadableError, render
from curator.text import Command, plural

PixelArray = npt.NDArray[np.uint8]

CHANGED = "has changed since it was fetched"
_NAMED_AT_MOST = 5


def read_square(path: Path, sha256: str, side: int, max_pixels: int = MAX_PIXELS) -> PixelArray:
    """Read one stored image as RGB, upright, squeezed to ``side`` pixels square: uint8, shape (side, side, 3).

    Raises:
        StateError: the file is gone, its bytes are not those of ``sha256``, or it cannot be decoded.
    """
    squeezed = Rendering(fit="squeeze", side_px=side, least={"short_px": side})
    try:
        pixels = render(path, squeezed, max_pixels, sha256)
    except ChangedError as error:
        raise StateError(f"{path} {CHANGED}") from error
    except UnreadableError as error:
        raise StateError(unreadable(path, str(error))) from error
    except UndecodableError as error:
        raise StateError(f"{path} cannot be decoded ({error})") from error
    return np.frombuffer(pixels, np.uint8).reshape(side, side, 3)


def unreadable(path: Path, why: str) -> str:
    """Say that the disk does not return a file."""
    return f"{path} cannot be read ({why})"


def raise_all(problems: Sequence[str]) -> None:
    """Raise one error that counts all problems and names the first few, if there are any.

    Raises:
        StateError: there are.
    """
    if not problems:
        return
    more = f"; and {len(problems) - _NAMED_AT_MOST} more" if len(problems) > _NAMED_AT_MOST else ""
    message = f"{plural(len(problems), 'image')} cannot be used: {'; '.join(sorted(problems)[:_NAMED_AT_MOST])}{more}."
    raise StateError(message, (Command("verify"), " lists them all."))
