"""Whether a decoder refused a file because it is broken, or because of a kind that the decoder does not know.

Asked after a failure, of the file's own structure: what is whole and of a kind without a decoder is no broken file.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40)).save(file, "jpeg")
>>> deep = file.getvalue().replace(bytes([0xFF, 0xC0, 0, 11, 8]), bytes([0xFF, 0xC1, 0, 11, 12]))
>>> unsupported_kind(deep, "jpeg"), unsupported_kind(file.getvalue(), "jpeg")
('a JPEG of 12 bits a sample', None)
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache

from PIL import Image, TiffImagePlugin

from curator.observe.bmp import read_bmp_header
from curator.observe.silence import silence
from curator.observe.tiff_tags import (
    BITS,
    COMPRESSION,
    HEIGHT,
    PLANES,
    SAMPLES,
    WIDTH,
    Directory,
    describe_pixels,
    read_directory,
)

_CODINGS = {
    0xC3: "a lossless",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "a hierarchical"),
    **dict.fromkeys((0xC9, 0xCA), "an arithmetic-coded"),
    0xCB: "a lossless, arithmetic-coded",
    0xF7: "a lossless (JPEG-LS)",
}
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, *_CODINGS})
_MOST_SAMPLES = 1024  # in a pixel of satellites' pictures; more is damage


def unsupported_kind(data: bytes, image_format: str) -> str | None:
    """Name the kind of a whole file that no decoder here reads; None if there is nothing unusual about it.

    Args:
        data: a file that a decoder refused.
        image_format: what its bytes are, such as ``tiff``.
    """
    find = _KINDS.get(image_format)
    try:
        return find(data) if find else None
    except (struct.error, LookupError, ValueError, OverflowError):
        return None


def _jpeg_kind(data: bytes) -> str | None:
    """See the frame header in ITU-T T.81, B.2.2 (https://www.w3.org/Graphics/JPEG/itu-t81.pdf)."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, (size,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        if marker == 0xFF:
            at += 1
        elif marker in _FRAMES:
            bits, height, n_components = data[at + 4], struct.unpack_from(">H", data, at + 5)[0], data[at + 9]
            if marker in _CODINGS:
                return f"{_CODINGS[marker]} JPEG"
            if bits != 8:
                return f"a JPEG of {bits} bits a sample"
            if n_components not in (1, 3, 4):
                return f"a JPEG of {n_components} samples a pixel"
            return None if height else "a JPEG whose height follows its pixels (DNL)"
        elif marker == 0xDA:
            break
        else:
            at += 2 + size
    return None


def _jp2_kind(data: bytes) -> str | None:
    """See marker SIZ in ITU-T T.800, A.5.1."""
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        return None
    (n_components,) = struct.unpack_from(">H", data, at + 40)
    depths = {(size & 127) + 1 for size in data[at + 42 : at + 42 + 3 * n_components : 3]}
    if n_components > 4:
        return f"a JPEG 2000 image of {n_components} samples a pixel"
    return f"a JPEG 2000 image of {max(depths)} bits a sample" if max(depths) > 16 else None


def _tiff_kind(data: bytes) -> str | None:
    directory = read_directory(data)
    if directory is None or not _has_size(directory) or not directory.lies_within(data):
        return None
    n_depths = len(directory.fields.get(BITS, (1,)))
    n_samples = directory.first(SAMPLES, n_depths)
    if n_depths not in (1, n_samples) or n_samples > _MOST_SAMPLES:
        return None
    if data[:4] == b"MM\0+":
        return "a big-endian BigTIFF"
    codec = TiffImagePlugin.COMPRESSION_INFO.get(directory.first(COMPRESSION, 1))
    try:
        TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        is_known = True
    except Exception:  # what it says differs from version to version; that it does not even open is enough
        is_known = False
    if is_known and not (codec and _is_without_codec(codec)):
        return None
    return f"a TIFF of {describe_pixels(directory)}"


def _has_size(directory: Directory) -> bool:
    return directory.first(WIDTH, 0) > 0 and directory.first(HEIGHT, 0) > 0


@cache
def _is_without_codec(codec: str) -> bool:
    """Return whether this build of libtiff lacks a compression, which it says only when it comes to the pixels."""
    if codec not in ("webp", "zstd", "lzma", "jpeg", "tiff_lzw", "tiff_adobe_deflate"):
        return False
    try:
        with silence("tiff"):
            Image.new("RGB", (16, 16)).save(io.BytesIO(), "TIFF", compression=codec)
    except Exception:  # as above
        return True
    return False


def misread_kind(data: bytes, image_format: str, height: int) -> str | None:
    """Name the kind of a file that Pillow opens without refusing it, and cannot read: to be asked before decoding.

    That is a JPEG without a ``height`` in its header, and a TIFF of deep samples in uncompressed planes, of which other
    pixels would be read than are stored.
    """
    if image_format == "jpeg" and not height:
        return unsupported_kind(data, image_format)
    directory = read_directory(data) if image_format == "tiff" else None
    if directory is None or directory.first(PLANES, 1) != 2 or directory.first(COMPRESSION, 1) != 1:
        return None
    depth, n_samples = max(directory.fields.get(BITS) or (1,)), directory.first(SAMPLES, 1)
    return f"a TIFF of {describe_pixels(directory)}" if depth > 8 and n_samples > 1 else None


def _bmp_kind(data: bytes) -> str | None:
    header = read_bmp_header(data)
    return header.kind() if header and not header.damage() else None


def _ppm_kind(data: bytes) -> str | None:
    return {b"P7": "a PAM image", b"PF": "a PFM image in colour"}.get(data[:2])


_KINDS: dict[str, Callable[[bytes], str | None]] = {
    "jpeg": _jpeg_kind,
    "jp2": _jp2_kind,
    "tiff": _tiff_kind,
    "bmp": _bmp_kind,
    "ppm": _ppm_kind,
}
