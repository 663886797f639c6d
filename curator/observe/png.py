"""A PNG read strictly: its chunks judged by what the standard asks of them, its pixel data inflated once and measured.

Pillow shows a picture whose pixel data is damaged, or ends early, as one with a black or shifted rest. Here every row
must be there, begin with a filter that exists, and agree with the checksum of the whole. See
https://www.w3.org/TR/png-3/ (chunks: 5 and 11, filters: 9, interlacing: 8).

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40), 7).save(file, "png")
>>> png = read_png(file.getvalue())
>>> png.width, png.height, png.is_well_formed, len(inflate_rows(png))
(60, 40, True, 2440)
>>> read_png(file.getvalue() + b"more").is_well_formed
False
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from curator.observe.jpeg_header import simple_orientation

SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"

_HEADER = struct.Struct(">IIBBBBB")
_GREY, _RGB, _PALETTE = 0, 2, 3
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, 4: 2, 6: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# First column and row of each of Adam7's passes, and the steps between its columns and rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_LAST_FILTER = 4
_MOST_IDAT_BYTES = 1 << 30

_XMP, _RAW_EXIF = b"XML:com.adobe.xmp\0\0\0\0\0", b"Raw profile type exif\0"
LENGTHS = {
    **{b"gAMA": (4,), b"cHRM": (32,), b"sRGB": (1,), b"cICP": (4,)},
    **{b"sBIT": (1, 2, 3, 4), b"pHYs": (9,), b"tIME": (7,)},
}
"""The bytes that the body of a chunk of a fixed form may have."""

_SELDOM_READ = frozenset({b"acTL", b"fcTL", b"fdAT", b"zTXt"})  # some show another frame, or unpack no long text
_MOST_PLAIN_BYTES = 1 << 20  # Pillow refuses a file with a longer profile or text
_MOST_PROFILE_BYTES = 1 << 24


class DamagedPngError(Exception):
    """A PNG breaks a rule that its picture depends on."""


class MissingRowsError(DamagedPngError):
    """A PNG's pixel data ends before its picture does, be it lost or cut off."""


@dataclass(slots=True)
class Png:
    """What a PNG's chunks say; the pixels are still packed.

    Attributes:
        width, height: pixels, as stored.
        bits: of a sample.
        colour: the standard's colour type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
        is_interlaced: in the seven passes of Adam7.
        palette, transparency: the bodies of PLTE and tRNS; empty if there is none that fits.
        exif, xmp, profile: the EXIF block, XMP, and the ICC profile unpacked; empty if there is none to be read.
        n_frames: of an animation, with a first picture that is no part of it; else 1.
        pixels: the bodies of the consecutive IDATs.
        damage: what is wrong with the picture, as far as the chunks tell; empty if nothing is.
        is_well_formed: no strict reader has anything to say against the file.
    """

    width: int
    height: int
    bits: int
    colour: int
    is_interlaced: bool
    palette: bytes = b""
    transparency: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    n_frames: int = 1
    pixels: list[memoryview] = field(default_factory=list)
    damage: str = ""
    is_well_formed: bool = True

    def without_rows(self) -> bytes:
        """Make a file that says what the picture depends on, without its pixels."""
        return self._file(b"")

    def with_rows(self, rows: bytes) -> bytes:
        """Make a file of inflated rows, which costs next to nothing to inflate again."""
        return self._file(zlib.compress(rows, 0))

    def _file(self, packed: bytes) -> bytes:
        header = _HEADER.pack(self.width, self.height, self.bits, self.colour, 0, 0, self.is_interlaced)
        parts = [(b"IHDR", header), (b"PLTE", self.palette), (b"tRNS", self.transparency)]
        parts += [(b"IDAT", packed[at : at + _MOST_IDAT_BYTES]) for at in range(0, len(packed), _MOST_IDAT_BYTES)]
        written = [piece for name, body in parts if body for piece in _chunk(name, body)]
        return b"".join((SIGNATURE, *written, _END))


def _chunk(name: bytes, body: bytes) -> tuple[bytes, ...]:
    return struct.pack(">I", len(body)), name, body, struct.pack(">I", checksum_of(name, body))


def checksum_of(name: bytes, body: bytes | memoryview) -> int:
    """Compute what a chunk's checksum must be (https://www.w3.org/TR/png-3/#5CRC-algorithm)."""
    return zlib.crc32(body, zlib.crc32(name))


def iterate_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int | None]]:
    """Iterate over a PNG's chunks: name, body and checksum; a chunk that the file's end cuts off has no checksum."""
    view, at, name = memoryview(data), len(SIGNATURE), b""
    while at + 12 <= len(data) and name != b"IEND":
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        checksum = int.from_bytes(data[end : end + 4], "big") if end + 4 <= len(data) else None
        yield name, view[at + 8 : end], checksum
        at = end + 4


def read_png(data: bytes) -> Png:
    """Read a PNG's chunks up to its end.

    Raises:
        DamagedPngError: the first is not a header that a PNG can have.
    """
    if len(data) < len(SIGNATURE) + 12 + _HEADER.size:
        raise MissingRowsError("the file ends within its header")
    chunks = iterate_chunks(data)
    png = _read_first(*next(chunks, (b"", memoryview(b""), None)))
    seen, previous, has_frame, n_animated = {b"IHDR"}, b"IHDR", False, 0
    n_bytes = len(SIGNATURE) + 12 + _HEADER.size
    for name, body, checksum in chunks:
        n_bytes += 12 + len(body)
        is_right = checksum_of(name, body) == checksum
        if name in (b"PLTE", b"IDAT") and not is_right and checksum is not None:
            png.damage = png.damage or f"chunk {name.decode()} has a wrong checksum"
        if name in (b"IHDR", b"PLTE") and name in seen:
            png.damage = png.damage or f"there is a second chunk {name.decode()}"
        png.is_well_formed &= is_right and _is_plain(name, body)
        if name == b"IDAT":
            _note_pixels(png, body, seen, previous)
        elif is_right:
            _note(png, name, body, seen)
            has_frame |= name == b"fcTL" and b"IDAT" not in seen
            if name == b"acTL" and b"IDAT" not in seen and len(body) == 8:
                n_animated = int.from_bytes(body[:4], "big")
        seen.add(name)
        previous = name
    if png.colour == _PALETTE and not png.palette:
        png.damage = png.damage or "there is no palette before the pixels"
    png.is_well_formed &= previous == b"IEND" and data.endswith(_END) and n_bytes == len(data)
    png.n_frames = n_animated + (not has_frame) if 0 < n_animated < 1 << 31 else 1
    return png


def _read_first(name: bytes, body: memoryview, checksum: int | None) -> Png:
    if name == b"CgBI":
        raise DamagedPngError("unsupported: a PNG of an iPhone's application (CgBI)")
    if name != b"IHDR" or len(body) != _HEADER.size:
        raise DamagedPngError("the file does not begin with a chunk IHDR")
    width, height, bits, colour, packing, filtering, interlacing = _HEADER.unpack(body)
    if bits not in _DEPTHS.get(colour, ()) or packing or filtering or interlacing > 1:
        raise DamagedPngError("chunk IHDR says what no PNG can be")
    png = Png(width, height, bits, colour, bool(interlacing))
    if checksum_of(name, body) != checksum:
        png.damage = "chunk IHDR has a wrong checksum"
    return png


def _is_plain(name: bytes, body: memoryview) -> bool:
    """Return whether every reader accepts a chunk of this name and length, or passes over it."""
    if name in LENGTHS:
        return len(body) in LENGTHS[name]
    if name == b"iTXt":
        return bytes(body).partition(b"\0")[2][:1] == b"\0"  # not packed
    is_known = name in (b"PLTE", b"IDAT", b"IEND") or name[:1].islower()
    return is_known and name.isalpha() and name[2:3].isupper() and name not in _SELDOM_READ


def _note_pixels(png: Png, body: memoryview, seen: set[bytes], previous: bytes) -> None:
    if previous == b"IDAT" or b"IDAT" not in seen:
        png.pixels.append(body)
    else:
        png.is_well_formed = False


def _note(png: Png, name: bytes, body: memoryview, seen: set[bytes]) -> None:
    """Take what a whole chunk says; as libpng does, pass over one that comes too late or does not fit."""
    is_late = b"IDAT" in seen
    if name == b"PLTE" and name not in seen:
        _note_palette(png, bytes(body), is_late, b"tRNS" in seen)
    elif name == b"tRNS":
        fits = {_GREY: len(body) == 2, _RGB: len(body) == 6, _PALETTE: 0 < len(body) <= len(png.palette) // 3}
        if fits.get(png.colour, False) and not is_late and name not in seen:
            png.transparency = bytes(body)
        else:
            png.is_well_formed = False
    elif name == b"eXIf":
        png.is_well_formed &= name not in seen and simple_orientation(bytes(body)) is not None
        png.exif = png.exif or bytes(body)
    elif name == b"iTXt" and bytes(body[:22]) == _XMP:
        png.xmp = bytes(body[22:])
    elif name == b"zTXt" or name == b"tEXt":
        png.exif = png.exif or _unpack_exif(name, bytes(body))
    elif name == b"iCCP":
        png.profile = b"" if is_late or name in seen else _unpack_profile(bytes(body))
        png.is_well_formed &= 0 < len(png.profile) <= _MOST_PLAIN_BYTES


def _note_palette(png: Png, body: bytes, is_late: bool, is_after_transparency: bool) -> None:
    is_right = 0 < len(body) <= 768 and len(body) % 3 == 0 and not is_late
    png.is_well_formed &= not is_after_transparency
    if png.colour != _PALETTE:  # a hint for screens of few colours; in a grey picture it has no place
        png.is_well_formed &= is_right and png.colour in (_RGB, 6)
    elif is_right:
        png.palette = body[: 3 << png.bits]
        png.is_well_formed &= png.palette == body
    else:
        png.damage = png.damage or "the palette is damaged or misplaced"


def _unpack_profile(body: bytes) -> bytes:
    name, _, rest = body.partition(b"\0")
    return _unpack(rest[1:], _MOST_PROFILE_BYTES) if name and rest[:1] == b"\0" else b""


def _unpack_exif(name: bytes, body: bytes) -> bytes:
    """Read ImageMagick's way of writing an EXIF block as a text: a name, its length, and then its bytes in hex."""
    if not body.startswith(_RAW_EXIF):
        return b""
    text = body[len(_RAW_EXIF) :]
    text = _unpack(text[1:], _MOST_PLAIN_BYTES) if name == b"zTXt" else text
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii")).removeprefix(b"Exif\0\0")
    except ValueError:
        return b""


def _unpack(packed: bytes, most: int) -> bytes:
    """Inflate at most so many bytes; nothing if there are more, or they are damaged."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, most)
    except zlib.error:
        return b""
    return found if stream.eof else b""


def inflate_rows(png: Png) -> bytes:
    """Inflate the rows, each with its filter byte before it, and prove that they are all there and whole.

    Clears ``is_well_formed`` if something follows them.

    Raises:
        DamagedPngError: the chunks are damaged, a row is missing, damaged or beyond the height, or the checksum of all
            is wrong.
    """
    if not png.pixels:
        raise MissingRowsError("there is no pixel data")
    if png.damage:
        raise DamagedPngError(png.damage)
    shapes = list(_row_shapes(png))
    n_bytes, most_more = sum(n_rows * row_bytes for n_rows, row_bytes in shapes), shapes[-1][1]
    packed, stream = b"".join(png.pixels), zlib.decompressobj()
    try:
        rows = stream.decompress(packed, n_bytes + most_more)
    except zlib.error as error:
        raise DamagedPngError(f"the pixel data is damaged ({error})") from error
    if len(rows) == n_bytes + most_more:
        raise DamagedPngError("the pixel data goes on after the last row of the picture")
    if len(rows) < n_bytes or not stream.eof:
        raise MissingRowsError("the pixel data ends before the picture does")
    at = 0
    for n_rows, row_bytes in shapes:
        end = at + n_rows * row_bytes
        if (np.frombuffer(rows, np.uint8)[at:end:row_bytes] > _LAST_FILTER).any():
            raise DamagedPngError("a row of pixels begins with a filter that does not exist")
        at = end
    window = 256 << (packed[0] >> 4)  # libpng reads back no further than the stream says
    png.is_well_formed &= len(rows) == n_bytes and not stream.unused_data and window >= min(n_bytes, 1 << 15)
    return rows[:n_bytes]


def _row_shapes(png: Png) -> Iterator[tuple[int, int]]:
    """Yield rows and bytes a row, with its filter byte, of each pass that has any."""
    bits = _CHANNELS[png.colour] * png.bits
    for left, top, right, down in _PASSES if png.is_interlaced else ((0, 0, 1, 1),):
        width, height = -(-(png.width - left) // right), -(-(png.height - top) // down)
        if width > 0 and height > 0:
            yield height, 1 + (width * bits + 7) // 8
