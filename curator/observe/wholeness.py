"""Whether a file's bytes are all there and undamaged, where its decoder would not tell.

>>> looks_truncated(b"GIF89a" + bytes(40), "gif"), looks_truncated(b"GIF89a" + bytes(40) + b";", "gif")
(True, False)
"""

from __future__ import annotations

import zlib

_END_MARKS = {
    "jpeg": b"\xff\xd9",
    "png": b"IEND\xaeB`\x82",
    "gif": b";",
    "jp2": b"\xff\xd9",
}
_TAIL_BYTES = 4096  # some files carry a little padding or a comment after their end


def looks_truncated(data: bytes, image_format: str) -> bool:
    """Tell whether the end mark is missing, or the announced length is longer than the file."""
    if mark := _END_MARKS.get(image_format):
        return mark not in data[-_TAIL_BYTES:]
    if image_format == "webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if image_format == "bmp":
        return int.from_bytes(data[2:6], "little") > len(data)
    if image_format == "tiff":
        return int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big") >= len(data)
    if image_format == "avif":
        return _boxes_end(data) > len(data)
    return False


def damaged_png_chunk(data: bytes) -> str | None:
    """Name the first header or pixel chunk of a PNG whose checksum is wrong, or give None.

    Pillow checks no pixel chunk, and shows a stream that damage ended early as a picture with a black rest. See
    https://www.w3.org/TR/png-3/#5Chunk-layout.
    """
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        name, end = data[at + 4 : at + 8], at + 8 + int.from_bytes(data[at : at + 4], "big")
        checksum = int.from_bytes(data[end : end + 4], "big")
        if name in (b"IHDR", b"PLTE", b"IDAT") and end + 4 <= len(data) and zlib.crc32(view[at + 4 : end]) != checksum:
            return name.decode()
        at = end + 4
    return None


def _boxes_end(data: bytes) -> int:
    """Where the last of a file's boxes says that it ends (ISO/IEC 14496-12)."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            break
        at += size
    return at
