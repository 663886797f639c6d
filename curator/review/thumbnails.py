"""Pictures for the page, upright and small, made from the stored files; thumbnails are made once and kept on disk.

No byte of a file from the web reaches the browser: every picture is decoded here and encoded anew.

>>> THUMBNAIL_PX < PICTURE_PX
True
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from curator.observe.upright import decode_upright_rgb
from curator.store.paths import DataPaths
from curator.store.whole_files import whole_file

THUMBNAIL_PX, PICTURE_PX = 256, 1600
"""Longest side of a thumbnail, and of the large picture."""

MEDIA_TYPE = "image/webp"


def thumbnail(paths: DataPaths, sha256: str, image_format: str) -> bytes | None:
    """Give the thumbnail of a stored image as WebP, made now where it was not before; None where it has no picture."""
    cached = paths.thumbnail(sha256)
    try:
        return cached.read_bytes()
    except FileNotFoundError:
        data = shrink(paths.image(sha256, image_format), THUMBNAIL_PX)
    if data is not None:
        with whole_file(cached) as temporary:
            temporary.write_bytes(data)
    return data


def shrink(path: Path, side_px: int) -> bytes | None:
    """Decode an image file upright and encode it as WebP, at most ``side_px`` long; None where that is impossible."""
    try:
        picture = decode_upright_rgb(path.read_bytes())
        picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()
