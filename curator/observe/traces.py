"""What a file says of the device that took its picture, and how strongly it is compressed; nothing is decoded.

>>> import io
>>> from PIL import Image
>>> exif = Image.Exif()
>>> exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 5D"
>>> Image.new("L", (60, 40)).save(file := io.BytesIO(), "jpeg", quality=85, exif=exif)
>>> read_traces(file.getvalue())
Traces(camera_model='Canon EOS 5D', jpeg_quality=85)
>>> read_traces(b"no picture")
Traces(camera_model=None, jpeg_quality=None)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from curator.observe.capture import read_camera_model

N_BYTES = 1 << 17
"""What is read of a file: an EXIF block has at most half of it, and the tables come after that."""

_SCAN, _TABLES, _FRAMES = 0xDA, 0xDB, (0xC0, 0xC1, 0xC2)
_STANDARD_LUMA = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
"""The table of luma of ITU-T T.81, K.1, as files write it; libjpeg scales it by the quality."""


class Traces(NamedTuple):
    """The camera's model, after its maker unless it says that itself, and libjpeg's quality; None: not known."""

    camera_model: str | None = None
    jpeg_quality: int | None = None


def read_traces(data: bytes) -> Traces:
    """Read the traces in the first :data:`N_BYTES` of a file; of any but a JPEG nothing is known."""
    tables = (segment for marker, segment in _segments(data) if marker == _TABLES)
    return Traces(read_camera_model(data), next(map(_quality, tables), None))


def read_compression(data: bytes) -> tuple[int, int]:
    """Return libjpeg's quality of a JPEG, and its number of pixels, by the first bytes of the file; both 0: not known.

    >>> import io
    >>> from PIL import Image
    >>> Image.new("L", (60, 40)).save(file := io.BytesIO(), "jpeg", quality=30)
    >>> read_compression(file.getvalue()), read_compression(b"no picture")
    ((30, 2400), (0, 0))
    """
    quality = pixels = 0
    for marker, segment in _segments(data):
        if marker == _TABLES:
            quality = quality or _quality(segment) or 0
        elif marker in _FRAMES:
            pixels = int.from_bytes(segment[1:3]) * int.from_bytes(segment[3:5])
    return (quality, pixels) if quality and pixels else (0, 0)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker segments of a JPEG up to its first scan (ITU-T T.81, annex B)."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        yield data[at + 1], data[at + 4 : end]
        at = max(end, at + 4)


def _quality(segment: bytes) -> int | None:
    """Return the quality with which libjpeg makes the table of luma, or one of the same mean from other tables."""
    if len(segment) < 65 or segment[0] != 0:  # 16-bit tables, and files whose first table is another one, are rare
        return None
    scale = 100 * sum(segment[1:65]) / sum(_STANDARD_LUMA)
    return max(1, min(100, round((200 - scale) / 2 if scale <= 100 else 5000 / scale)))
