"""Pictures for the page, upright and small, made from the stored files; thumbnails are made once and kept on disk.

No byte of a file from the web reaches the browser: every picture is decoded here and encoded anew.

>>> THUMBNAIL_PX < PICTURE_PX
True
"""

from __future__ import annotations

import io
import secrets
from pathlib import Path

from PIL import Image

from curator.observe.upright import decode_upright_rgb
from curator.store.paths import DataPaths
from curator.store.whole_files import TEMPORARY_PREFIX, disk_errors

THUMBNAIL_PX, PICTURE_PX = 256, 1600
"""Longest side of a thumbnail, and of the large picture."""

MEDIA_TYPE = "image/jpeg"
_QUALITY = 85
_END_OF_IMAGE = b"\xff\xd9"


def thumbnail(paths: DataPaths, sha256: str, image_format: str) -> bytes | None:
    """Give the thumbnail of a stored image as JPEG, made now where it was not before; None where it has no picture.

    Raises:
        DiskError: the disk refused to keep it.
    """
    cached = paths.thumbnail(sha256)
    if (data := _read_whole(cached)) is not None:
        return data
    data = shrink(paths.image(sha256, image_format), THUMBNAIL_PX)
    if data is not None:
        _keep(cached, data)
    return data


def _read_whole(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data if data.endswith(_END_OF_IMAGE) else None


def _keep(path: Path, data: bytes) -> None:
    # Renamed but not synced, for speed: what a power failure cuts off lacks its end, and is made anew.
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}-{path.name}")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)


def shrink(path: Path, side_px: int) -> bytes | None:
    """Decode an image file upright and encode it as JPEG, at most ``side_px`` long; None where that is impossible."""
    try:
        picture = decode_upright_rgb(path.read_bytes(), least_px=side_px)
        picture.thumbnail((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
