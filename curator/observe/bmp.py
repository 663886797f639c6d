r"""What the header of a BMP says: whether it can be, whether a decoder here reads it, and whether its pixels end.

See https://learn.microsoft.com/windows/win32/gdi/bitmap-header-types and, for OS/2's,
https://www.fileformat.info/format/os2bmp/egff.htm.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40)).save(file, "bmp")
>>> good = file.getvalue()
>>> header = read_bmp_header(good)
>>> (header.width, header.height, header.bits), header.damage()
((60, 40, 8), None)
>>> read_bmp_header(good[:18] + b"\xff\xff\xff\xff" + good[22:]).damage()
'the header says -1 x 40 pixels'
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SIZES = frozenset((12, *range(16, 65), 108, 124))
_DEPTHS = (1, 2, 4, 8, 16, 24, 32, 64)
_COMPRESSIONS = {
    0: _DEPTHS,
    1: (8,),
    2: (4,),
    3: (16, 32),
    4: (0, 8, 24, 32),
    5: (0, 8, 24, 32),
    6: (16, 32),
    11: (8, 32),
    12: (8,),
    13: (4,),
}
"""The depths of each compression, in bits a pixel."""

_RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 1, 2, 3, 6
_OS2_SIZE = 64
_KINDS = {4: "that holds a JPEG", 5: "that holds a PNG", 11: "in CMYK", 12: "in CMYK", 13: "in CMYK"}
_OS2_KINDS = {3: "of OS/2 with Huffman codes", 4: "of OS/2 with 24-bit run lengths"}
_MOST_COLOURS = 1 << 16


class BadHeaderError(Exception):
    """A header says what no file of its kind can be."""


@dataclass(frozen=True)
class BmpHeader:
    """The fields of a BMP's second header; ``masks`` say where red, green and blue are in a pixel."""

    size: int
    width: int
    height: int
    bits: int
    compression: int = 0
    n_colours: int = 0
    masks: tuple[int, ...] = ()

    def damage(self) -> str | None:
        """Say what in it no BMP can have, or None."""
        if self.size not in _SIZES:
            return f"the second header has {self.size} bytes, as none has"
        if self.width <= 0 or self.height == 0:
            return f"the header says {self.width} x {self.height} pixels"
        if self.n_colours > _MOST_COLOURS:
            return f"the header says {self.n_colours:,} colours"
        depths = _DEPTHS if self._is_os2 else _COMPRESSIONS.get(self.compression, ())
        if self.bits not in depths:
            return f"the header says {self.bits} bits a pixel, in compression {self.compression}"
        overlap = [one & other for i, one in enumerate(self.masks) for other in self.masks[:i]]
        return "the header says that colours share bits" if any(overlap) else None

    def kind(self) -> str | None:
        """Name what it is if no decoder here reads it."""
        names = _OS2_KINDS if self._is_os2 else _KINDS
        if self.compression in names:
            return f"a BMP {names[self.compression]}"
        if self.bits in (2, 64):
            return f"a BMP of {self.bits} bits a pixel"
        depths = "-".join(str(mask.bit_count()) for mask in self.masks)
        return f"a BMP of {depths} bits for red, green and blue" if self.masks else None

    @property
    def is_in_runs(self) -> bool:
        """Whether its pixels are run lengths, which end with a mark."""
        return self.compression in (_RLE8, _RLE4)

    @property
    def _is_os2(self) -> bool:
        return self.size == _OS2_SIZE


def read_bmp_header(data: bytes) -> BmpHeader | None:
    """Read the header of a BMP; None if it is cut."""
    try:
        (size,) = struct.unpack_from("<I", data, 14)
        if size == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            return BmpHeader(size, width, height, bits)
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
        compression, n_colours = struct.unpack_from("<I12xI", data[:14] + data[14 : 14 + size].ljust(54, b"\0"), 30)
        is_masked = compression in (_BITFIELDS, _ALPHA_BITFIELDS) and size != _OS2_SIZE
        masks = struct.unpack_from("<III", data, 54) if is_masked else ()
    except struct.error:
        return None
    return BmpHeader(size, width, height, bits, compression, n_colours, masks)


def is_bmp_cut(data: bytes) -> bool:
    """Return whether a BMP is shorter than it says, or its run lengths do not end."""
    header = read_bmp_header(data)
    if header is None or int.from_bytes(data[2:6], "little") > len(data):
        return True
    return header.is_in_runs and not data.rstrip(b"\0").endswith(b"\0\1")
