"""Small upright JPEGs of stored images, for the pages; those of the review page are made once and kept on disk.

No byte of a file from the web reaches the browser: every picture is decoded and encoded again in another process.

>>> encode_small(Path("nowhere.jpg"), THUMBNAIL_PX, MAX_PIXELS), data_uri(Path("nowhere.jpg"), MAX_PIXELS)
(None, None)
"""

from __future__ import annotations

import base64
from pathlib import Path

from curator.observe.jpeg_scans import END
from curator.observe.pixels import MAX_PIXELS as MAX_PIXELS
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render
from curator.store.paths import DataPaths
from curator.store.sums import note_sum
from curator.store.whole_files import disk_errors, temporary_beside

THUMBNAIL_PX, PICTURE_PX, EMBEDDED_PX = 256, 1600, 176
"""Longest side of a thumbnail, of the large picture, and of a thumbnail that is embedded in a page."""

MEDIA_TYPE = "image/jpeg"


def thumbnail(paths: DataPaths, sha256: str, image_format: str, max_pixels: int = MAX_PIXELS) -> bytes | None:
    """Return the thumbnail of a stored image as JPEG, made now if there is none yet; None if there is no picture.

    Raises:
        DiskError: the disk refused to keep it.
    """
    path = paths.thumbnail(sha256)
    kept = path.read_bytes() if path.exists() else b""
    if kept.endswith(END):
        return kept
    data = encode_small(paths.image(sha256, image_format), THUMBNAIL_PX, max_pixels)
    if data is not None:
        # Renamed but not synced, for speed: what a power failure cuts off lacks its end, and is made again.
        temporary = temporary_beside(path)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            note_sum(path, temporary)
            temporary.replace(path)
    return data


def large_picture(paths: DataPaths, sha256: str, image_format: str, max_pixels: int = MAX_PIXELS) -> bytes | None:
    """Return a stored image as a JPEG that fills a window; None if there is no picture."""
    return encode_small(paths.image(sha256, image_format), PICTURE_PX, max_pixels)


def data_uri(path: Path, max_pixels: int = MAX_PIXELS, side_px: int = EMBEDDED_PX) -> str | None:
    """Return an image file as a small picture in a ``data:`` address; None if it cannot be read."""
    data = encode_small(path, side_px, max_pixels, quality=72)
    return None if data is None else f"data:{MEDIA_TYPE};base64,{base64.b64encode(data).decode('ascii')}"


def encode_small(path: Path, side_px: int, max_pixels: int = MAX_PIXELS, quality: int = 85) -> bytes | None:
    """Encode an image file as JPEG, upright, at most ``side_px`` long; None if it cannot be read or decoded."""
    options = {"quality": quality, "optimize": side_px < THUMBNAIL_PX}
    try:
        return render(path, Rendering("JPEG", "within", side_px, options, {"long_px": side_px}), max_pixels)
    except UndecodableError:
        return None
