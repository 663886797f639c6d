"""The first directory of a TIFF, read from its bytes: where the file should end, and what kind of pixels it holds.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("F", (3, 2)).save(file, "tiff")
>>> directory = read_directory(file.getvalue())
>>> describe_pixels(directory), directory.lies_within(file.getvalue())
('1 sample of 32 bits a pixel, float', True)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from curator.text import plural

_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
# Field types that hold whole numbers; fractions and texts are not needed.

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES, FORMAT = 256, 257, 258, 259, 262, 277, 284, 339
_STRIPS, _STRIP_ROWS, _TILES = 273, 278, 324
_PLACES = ((273, 279), (324, 325))  # of strips and of tiles: offsets, lengths in bytes
_READ = frozenset({WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES, FORMAT, _STRIP_ROWS}).union(*_PLACES)
# Each once: thousands of entries may point to the same bytes.
_FORMATS = {1: "unsigned", 2: "signed", 3: "float", 4: "undefined", 5: "complex, signed", 6: "complex, float"}
_PHOTOMETRICS = {
    **{0: "white is zero", 3: "palette", 4: "a mask", 5: "inks", 6: "YCbCr", 8: "CIE Lab", 9: "ICC Lab"},
    **{10: "ITU Lab", 32803: "a colour filter array", 32844: "LogL", 32845: "LogLuv", 34892: "linear raw"},
}
_COMPRESSIONS = {
    **{22610: "JPEG XR", 33003: "JPEG 2000", 33005: "JPEG 2000"},
    **{34676: "SGI Log", 34677: "SGI Log", 34712: "JPEG 2000", 34713: "NEF", 34887: "LERC", 34892: "lossy JPEG"},
    **{34925: "LZMA", 34927: "WebP", 34933: "PNG", 34934: "JPEG XR", 50000: "Zstandard", 50001: "WebP"},
    **{50002: "JPEG XL", 52546: "JPEG XL"},
}

_ORDINARY = frozenset({*range(1, 9), 32773, 32946})  # none, CCITT, LZW, JPEG, deflate, PackBits


@dataclass(frozen=True, slots=True)
class Directory:
    """The fields of a directory that tell of its pixels, by tag, and whether all of its fields lie within the file."""

    fields: dict[int, tuple[int, ...]]
    is_whole: bool

    def first(self, tag: int, default: int) -> int:
        """The only or first value of a field."""
        return (self.fields.get(tag) or (default,))[0]

    def lies_within(self, data: bytes) -> bool:
        """Return whether all that the directory points to lies within the file, pixels included."""
        ends = [0]
        for offsets, lengths in _PLACES:
            starts = self.fields.get(offsets, ())
            sizes = self.fields.get(lengths) or (1,) * len(starts)
            ends += [start + size for start, size in zip(starts, sizes, strict=False)]
        return self.is_whole and max(ends) <= len(data)

    def lacks_rows(self) -> bool:
        """Return whether there are too few strips for the picture's height, of which readers show the rest black."""
        height, strips = self.first(HEIGHT, 0), self.fields.get(_STRIPS, ())
        rows = self.first(_STRIP_ROWS, height)
        if _TILES in self.fields or not strips or not height or not rows:
            return False
        n_planes = self.first(SAMPLES, 1) if self.first(PLANES, 1) == 2 else 1
        return len(strips) < -(-height // rows) * n_planes


def _layout(data: bytes) -> tuple[str, str, str, int]:
    """Return the order of bytes, the codes of an offset and of a number of entries, and the bytes of an entry."""
    order = "<" if data[:2] == b"II" else ">"
    return (order, "Q", "Q", 20) if data[2:4] in (b"+\0", b"\0+") else (order, "I", "H", 12)


def walk_directories(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the entries of each directory begin, and how many they are, up to a loop or the end of the file."""
    order, offset_code, count_code, entry = _layout(data)
    seen, at = set[int](), 8 if offset_code == "Q" else 4
    while at + struct.calcsize(offset_code) <= len(data):
        (directory,) = struct.unpack_from(order + offset_code, data, at)
        if directory == 0 or directory in seen or directory + struct.calcsize("=" + count_code) > len(data):
            return
        seen.add(directory)
        (n_entries,) = struct.unpack_from(order + count_code, data, directory)
        first = directory + struct.calcsize("=" + count_code)
        yield first, n_entries
        at = first + n_entries * entry


def read_directory(data: bytes) -> Directory | None:
    """Read the first directory of a TIFF or BigTIFF; None if it does not begin within the file.

    See https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf and
    https://www.awaresystems.be/imaging/tiff/bigtiff.html.
    """
    if (found := next(walk_directories(data), None)) is None:
        return None
    at, n_entries = found
    order, offset_code, _, entry = _layout(data)
    fields: dict[int, tuple[int, ...]] = {}
    is_whole = n_entries * entry <= len(data) - at
    for start in range(at, min(at + n_entries * entry, len(data) - entry + 1), entry):
        tag, kind, count = struct.unpack_from(f"{order}HH{offset_code}", data, start)
        size, room = count * _SIZES.get(kind, 1), struct.calcsize(offset_code)
        value_at = start + entry - room
        if size > room:
            (value_at,) = struct.unpack_from(order + offset_code, data, value_at)
        if value_at + size > len(data):
            is_whole = False
        elif kind in _CODES and tag in _READ and tag not in fields:
            fields[tag] = struct.unpack_from(f"{order}{count}{_CODES[kind]}", data, value_at)
    return Directory(fields, is_whole)


def describe_pixels(directory: Directory) -> str:
    """Say how the pixels are stored, as far as that is out of the ordinary."""
    compression, photometric = directory.first(COMPRESSION, 1), directory.first(PHOTOMETRIC, 2)
    bits = directory.fields.get(BITS) or (1,)
    n_samples = directory.first(SAMPLES, len(bits))
    depth = " and ".join(str(n) for n in sorted(set(bits)))
    said = [f"{plural(n_samples, 'sample')} of {depth} bits a pixel"]
    said += [_FORMATS.get(kind, f"format {kind}") for kind in set(directory.fields.get(FORMAT, ())) - {1}]
    said += [_PHOTOMETRICS[photometric]] if photometric in _PHOTOMETRICS else []
    said += ["in separate planes"] if directory.first(PLANES, 1) == 2 else []
    if compression not in _ORDINARY:
        said.append(f"compression {compression}" + (f" ({name})" if (name := _COMPRESSIONS.get(compression)) else ""))
    return ", ".join(said)
