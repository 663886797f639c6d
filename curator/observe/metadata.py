"""A file without the metadata that keep a decoder from its picture; only what the picture depends on is left.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (2, 2)).save(file, "gif", comment=b"a comment")
>>> b"a comment" in without_metadata(file.getvalue(), "gif")
False
"""

from __future__ import annotations

import struct

from curator.observe.gif_blocks import FRAME, GRAPHIC_CONTROL, screen_end, walk_blocks
from curator.observe.jpeg_scans import clean_jpeg
from curator.observe.tiff_tags import walk_directories

_PIXEL_TAGS = frozenset({254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 318, 320, 322})
_MORE_PIXEL_TAGS = frozenset({323, 324, 325, 332, 338, 339, 347, 512, 513, 514, 529, 530, 531, 532, 33421, 33422})
# https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf: size, packing, samples, strips, tiles, colours.
_ORIENTATION = (274, 3, 1)  # one short number
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def without_metadata(data: bytes, image_format: str) -> bytes | None:
    """Make a file of the same picture without its metadata; None if this cannot do so for its format."""
    if image_format == "jpeg":
        return clean_jpeg(data)
    if image_format == "gif":
        return _first_gif_frame(data)
    if image_format == "tiff" and data[:4] in _ORDERS:
        return _with_pixel_tags(data, _ORDERS[data[:4]])
    if image_format == "avif":
        return data.replace(b"Exif", b"none", 1)  # the kind of an item: one that no decoder knows
    return None


def _first_gif_frame(data: bytes) -> bytes:
    """Leave out every extension but a graphic control before the first frame."""
    at = screen_end(data)
    parts = [data[:at]]
    for start, end in walk_blocks(data):
        if data[start] == FRAME:
            break
        if data.startswith(GRAPHIC_CONTROL, start) and data[start + 2] == 4:
            parts.append(data[start:end])
        at = end
    return b"".join((*parts, data[at:]))


def _is_needed(tag: int, kind: int, count: int) -> bool:
    return tag in _PIXEL_TAGS or tag in _MORE_PIXEL_TAGS or (tag, kind, count) == _ORIENTATION


def _with_pixel_tags(data: bytes, order: str) -> bytes | None:
    """Keep of the first directory the tags that say how the pixels are stored, in its place, and no other directory."""
    if (found := next(walk_directories(data), None)) is None:
        return None
    at, n_tags = found
    entries = [data[start : start + 12] for start in range(at, at + 12 * n_tags, 12)]
    kept = [entry for entry in entries if _is_needed(*struct.unpack(order + "HHI", entry[:8]))]
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    start = at - 2
    return data[:start] + directory + data[start + len(directory) :]
