"""Small pictures inside the page, made from the stored files.

>>> data_uri(Path("nowhere.jpg")) is None
True
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageOps

SIDE_PX = 176
"""Longest side of a thumbnail, in pixels."""

_QUALITY = 72


def data_uri(path: Path, side_px: int = SIDE_PX) -> str | None:
    """Make a ``data:`` address of an image, upright, at most ``side_px`` long; None where it cannot be read."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (2 * side_px, 2 * side_px))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
