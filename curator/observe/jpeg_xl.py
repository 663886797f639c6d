"""How large a JPEG XL image is, read from its first bytes: its decoder decodes what it opens.

>>> read_jxl_size(bytes.fromhex("ff0a 7f00"))  # 8 x 32 rows, ratio 1: as many columns
(256, 256)
>>> read_jxl_size(b"GIF89a") is None
True
"""

from __future__ import annotations

from curator.observe.boxes import walk_boxes

_CODESTREAM = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_BITS_OF_SIDE = (9, 13, 18, 30)
_HEADER_BYTES = 12


def read_jxl_size(data: bytes) -> tuple[int, int] | None:
    """Read width and height in pixels, as shown, from a codestream or the container around it; None if there is none.

    See ISO/IEC 18181-1, D.2 (SizeHeader and ImageMetadata's orientation follow the signature), and 18181-2, 9.
    """
    header = _codestream_start(data)
    if not header.startswith(_CODESTREAM):
        return None
    bits = _Bits(header[2:].ljust(_HEADER_BYTES, b"\0"))
    is_small = bits.take(1)
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if not ratio:
        return _side(bits, is_small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _codestream_start(data: bytes) -> bytes:
    """Return the first bytes of the codestream: of the file, or of its box ``jxlc``, or of its first box ``jxlp``."""
    if data.startswith(_CODESTREAM):
        return data[: 2 + _HEADER_BYTES]
    for name, body, _ in walk_boxes(data):
        if name in (b"jxlc", b"jxlp"):
            start = body + (4 if name == b"jxlp" else 0)
            return data[start : start + 2 + _HEADER_BYTES]
    return b""


class _Bits:
    """Bits of little-endian bytes, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, n_bits: int) -> int:
        value = self._rest & ((1 << n_bits) - 1)
        self._rest >>= n_bits
        return value


def _side(bits: _Bits, is_small: int) -> int:
    if is_small:
        return (bits.take(5) + 1) * 8
    return bits.take(_BITS_OF_SIDE[bits.take(2)]) + 1
