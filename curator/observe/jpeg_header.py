"""What a plain JPEG says of itself, read from its marker segments alone: a fifth of the time that opening it takes.

Plain is what nearly every photograph on the web is: grey or three colours of 8 bits, one picture, an EXIF block that is
whole or none. Of anything else this says nothing, and it is opened as every other format is.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40)).save(file, "jpeg")
>>> read_plain_jpeg(file.getvalue())
PlainJpeg(width=60, height=40, orientation=1, mode='L', n_frames=1)
>>> read_plain_jpeg(file.getvalue()[:10]) is None
True
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_FRAME = struct.Struct(">BHHB")  # bits, height, width, components
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive; the rest are rare
_PROGRESSIVE, _SCAN = 0xC2, 0xDA
_SKIPPED = frozenset({0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})  # tables, restart interval, comment, applications
_EXIF, _XMP, _MULTI_PICTURE = b"Exif\0\0", b"http://ns.adobe.com/xap/", b"MPF\0"
_MODES = {1: "L", 3: "RGB"}
_LEAST = {0xE0: (b"JFIF\0", 14), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 12)}  # bytes that readers count on
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION_TAG, _SHORT = 0x0112, 3


@dataclass(frozen=True, slots=True)
class PlainJpeg:
    """A JPEG that its markers say all of, in the fields of :class:`curator.observe.header.Header`.

    Attributes:
        scan_at: where its first scan begins, in bytes.
        has_one_scan: that scan is the whole picture.
    """

    width: int
    height: int
    orientation: int
    mode: str
    n_frames: int = 1
    scan_at: int = field(default=0, repr=False)
    has_one_scan: bool = field(default=True, repr=False)

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_plain_jpeg(data: bytes, *, with_foreign: bool = False) -> PlainJpeg | None:
    """Read a JPEG's markers up to its pixels; None if it is not plain, or not whole up to there.

    Args:
        with_foreign: pass over segments that announce more pictures, or an orientation outside the EXIF block.

    See ITU-T T.81, annex B (https://www.w3.org/Graphics/JPEG/itu-t81.pdf).
    """
    frame: tuple[int, int, int, int] | None = None
    exif: bytes | None = None
    has_one_scan = True
    at, n_bytes = 2, len(data)
    while at + 12 < n_bytes and data[at] == 0xFF:
        marker = data[at + 1]
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if marker == _SCAN:
            return _plain(frame, exif, at, has_one_scan and frame is not None and data[at + 4] == frame[3])
        if marker in _FRAMES and frame is None:
            frame = _FRAME.unpack_from(data, at + 4)
            has_one_scan = marker != _PROGRESSIVE
        elif marker not in _SKIPPED or (_is_foreign(data, marker, at + 4, end) and not with_foreign):
            return None
        elif marker == 0xE1 and data[at + 4 : at + 4 + len(_EXIF)] == _EXIF:
            if exif is not None:
                return None
            exif = data[at + 4 + len(_EXIF) : end]
        at = end
    return None


def _plain(
    frame: tuple[int, int, int, int] | None, exif: bytes | None, scan_at: int, has_one_scan: bool
) -> PlainJpeg | None:
    bits, height, width, n_components = frame or (0, 0, 0, 0)
    orientation = 1 if exif is None else simple_orientation(exif)
    if bits != 8 or not width or not height or n_components not in _MODES or orientation is None:
        return None
    if orientation >= 5:
        width, height = height, width
    return PlainJpeg(width, height, orientation, _MODES[n_components], scan_at=scan_at, has_one_scan=has_one_scan)


def _is_foreign(data: bytes, marker: int, at: int, end: int) -> bool:
    """Return whether a segment announces more pictures, or an orientation outside the EXIF block, or is cut short."""
    start, n_bytes = _LEAST.get(marker, (b"", 0))
    beginning = data[at : at + len(_XMP)]
    if end - at < n_bytes and beginning.startswith(start):
        return True
    if marker == 0xE1:
        return beginning == _XMP and data.find(b"Orientation", at, end) >= 0
    return marker == 0xE2 and beginning.startswith(_MULTI_PICTURE)


def simple_orientation(exif: bytes) -> int | None:
    """Read the orientation from an EXIF block (a TIFF header and its first directory); None if it is not simple."""
    order = _BYTE_ORDERS.get(exif[:4])
    if order is None or len(exif) < 14:
        return None
    (directory,) = struct.unpack_from(order + "I", exif, 4)
    if not 8 <= directory <= len(exif) - 2:
        return None
    (n_entries,) = struct.unpack_from(order + "H", exif, directory)
    entries = exif[directory + 2 : directory + 2 + 12 * n_entries]
    if len(entries) < 12 * n_entries:
        return None
    found = [entry[1:] for entry in struct.iter_unpack(order + "HHIH2x", entries) if entry[0] == _ORIENTATION_TAG]
    if not found:
        return 1
    kind, count, value = found[0]
    if len(found) > 1 or kind != _SHORT or count != 1:
        return None
    return value if 1 <= value <= 8 else 1
