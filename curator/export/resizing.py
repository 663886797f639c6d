"""Pictures of one size for an export: decoded once by the one decoder, brought to a square, encoded again.

>>> Resizing(224).sentence()
'Each was resized to 224 x 224 pixels: its middle, cut to a square (crop); Lanczos filter, JPEG of quality 95 or PNG.'
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curator.errors import CuratorError, StateError
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_to
from curator.text import Command

FITS = {
    "crop": "its middle, cut to a square",
    "pad": "the whole of it, black beside it to a square",
    "stretch": "the whole of it, its proportions changed",
}
"""What becomes of a picture that is no square."""

_LARGEST_PX = 8192
_JPEG = {"quality": 95, "subsampling": 0, "optimize": True}


@dataclass(frozen=True)
class Resizing:
    """The side of the squares in pixels, and what becomes of a picture that is none: a key of :data:`FITS`.

    Raises:
        CuratorError: the side or the fit cannot be.
    """

    side_px: int
    fit: str = "crop"

    def __post_init__(self) -> None:
        if not 1 <= self.side_px <= _LARGEST_PX:
            raise CuratorError(f"The image size {self.side_px} cannot be.", f"Give 1 to {_LARGEST_PX:,} pixels.")
        if self.fit not in FITS:
            ways = ", ".join(f"{name} ({about})" for name, about in FITS.items())
            raise CuratorError(f"There is no fit {self.fit!r}.", f"There are {ways}.")

    def write(self, source: Path, target: Path, max_pixels: int) -> None:
        """Write the resized picture of a file, as a read-only JPEG or PNG like the file itself; enlarged if need be.

        Raises:
            StateError: the file does not decode, or has more than ``max_pixels``.
        """
        # Decoded at twice the size or more: the filter has enough to work with, and a large JPEG costs a fraction.
        least = {"long_px" if self.fit == "pad" else "short_px": 2 * self.side_px}
        form, options = ("JPEG", _JPEG) if source.suffix == ".jpg" else ("PNG", {})
        try:
            with target.open("wb") as file:
                render_to(file, source, Rendering(form, self.fit, self.side_px, options, least), max_pixels)
        except UndecodableError as error:
            hint = (Command("verify"), " names every file that differs from the manifest.")
            raise StateError(f"The image {source} cannot be read ({error}).", hint) from error
        target.chmod(0o444)

    def sentence(self) -> str:
        """Say what was done to the pictures."""
        how = f"{FITS[self.fit]} ({self.fit})"
        filtered = "Lanczos filter, JPEG of quality 95 or PNG"
        return f"Each was resized to {self.side_px} x {self.side_px} pixels: {how}; {filtered}."


def read_resizing(side_px: int | None, fit: str | None) -> Resizing | None:
    """Make a resizing of what a person chose; None if the pictures stay as they are.

    Raises:
        CuratorError: the side or the fit cannot be, or there is a fit without a side.
    """
    if side_px is None and fit is not None:
        raise CuratorError(f"The fit {fit!r} has no size to fit to.", "Add `--image-size 224`, for instance.")
    return None if side_px is None else Resizing(side_px, fit or "crop")


def write_resized(
    rows: pd.DataFrame,
    source: Callable[[str], Path],
    folder: Path,
    resizing: Resizing,
    max_pixels: int,
    advance: Callable[[], None],
) -> pd.DataFrame:
    """Write a resized picture of each row's file below ``folder``, under the same name.

    Args:
        rows: a manifest.
        source: returns where a ``file`` of it is.
        max_pixels: width times height above which nothing is decoded.
        advance: called for each picture written.

    Returns:
        The rows with ``width`` and ``height`` as they are now.

    Raises:
        StateError: a file does not decode.
    """
    for parent in {(folder / file).parent for file in rows["file"]}:
        parent.mkdir(parents=True)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(lambda file: resizing.write(source(file), folder / file, max_pixels), rows["file"]):
            advance()
    return rows.assign(width=resizing.side_px, height=resizing.side_px)
