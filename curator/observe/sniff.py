"""What a file is, from its bytes alone: a server's header and a name's ending are never trusted.

>>> sniff(b"<!DOCTYPE html><title>404</title>")
Sniffed(format='html', name='an HTML page', is_image=False)
>>> sniff(b"GIF89a" + bytes(20)).format
'gif'

Placeholders, which sites serve in place of a photograph that is gone, are known by the MD5 of their bytes.

>>> placeholder_name(b"a photograph") is None
True
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import partial

_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A kind of file.

    Attributes:
        format: the catalog's name for it, such as ``jpeg``; None if the bytes are of no known kind.
        name: how a sentence names it, with its article.
        is_image: it is a raster image (whether or not a decoder here opens it).
    """

    format: str | None
    name: str
    is_image: bool


_image = partial(Sniffed, is_image=True)
_other = partial(Sniffed, is_image=False)

_HTML, _VIDEO = _other("html", "an HTML page"), _other("video", "a video")

_MAGIC: tuple[tuple[bytes, Sniffed], ...] = (
    (b"\xff\xd8\xff", _image("jpeg", "a JPEG image")),
    (b"\x89PNG\r\n\x1a\n", _image("png", "a PNG image")),
    (b"GIF87a", _image("gif", "a GIF image")),
    (b"GIF89a", _image("gif", "a GIF image")),
    (b"II*\0", _image("tiff", "a TIFF image")),
    (b"MM\0*", _image("tiff", "a TIFF image")),
    (b"II+\0", _image("tiff", "a BigTIFF image")),
    (b"MM\0+", _image("tiff", "a BigTIFF image")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _image("jp2", "a JPEG 2000 image")),
    (b"\xff\x4f\xff\x51", _image("jp2", "a JPEG 2000 image")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _image("jxl", "a JPEG XL image")),
    (b"\xff\x0a", _image("jxl", "a JPEG XL image")),
    (b"8BPS", _image("psd", "a Photoshop file")),
    (b"\0\0\2\0", _image("cur", "a Windows cursor")),
    (b"icns", _image("icns", "a macOS icon")),
    (b"DDS ", _image("dds", "a DirectDraw surface")),
    (b"qoif", _image("qoi", "a QOI image")),
    (b"\x01\xda", _image("sgi", "an SGI image")),
    (b"\x59\xa6\x6a\x95", _image("sun", "a Sun raster image")),
    (b"\x76\x2f\x31\x01", _image("exr", "an OpenEXR image")),
    (b"#?RADIANCE", _image("hdr", "a Radiance image")),
    (b"SIMPLE  =", _image("fits", "a FITS image")),
    (b"/* XPM */", _image("xpm", "an XPM image")),
    (b"FUJIFILMCCD-RAW", _image("raw", "a raw photograph")),
    (b"%PDF-", _other("pdf", "a PDF document")),
    (b"%!PS", _other("postscript", "a PostScript document")),
    (b"\xd7\xcd\xc6\x9a", _other("wmf", "a Windows metafile")),
    (b"PK\x03\x04", _other("zip", "a ZIP archive")),
    (b"PK\x05\x06", _other("zip", "a ZIP archive")),
    (b"\x1f\x8b", _other("gzip", "a gzip file")),
    (b"BZh", _other("bzip2", "a bzip2 file")),
    (b"\xfd7zXZ\0", _other("xz", "an xz file")),
    (b"\x28\xb5\x2f\xfd", _other("zstd", "a Zstandard file")),
    (b"7z\xbc\xaf\x27\x1c", _other("7z", "a 7-Zip archive")),
    (b"Rar!\x1a\x07", _other("rar", "a RAR archive")),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
    (b"FLV\x01", _VIDEO),
    (b"\0\0\x01\xba", _VIDEO),
    (b"\0\0\x01\xb3", _VIDEO),
    (b"OggS", _other("ogg", "an Ogg sound or video")),
    (b"ID3", _other("audio", "a sound")),
    (b"fLaC", _other("audio", "a sound")),
    (b"CWS", _other("flash", "a Flash film")),
    (b"FWS", _other("flash", "a Flash film")),
    (b"MZ", _other("executable", "a program")),
    (b"\x7fELF", _other("executable", "a program")),
)
_RIFF = {b"WEBP": _image("webp", "a WebP image"), b"AVI ": _VIDEO, b"WAVE": _other("audio", "a sound")}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_NETPBM = re.compile(rb"P[1-6]\s+[\d#]")
_XML_NAME = re.compile(rb"<(?:[a-z]+:)?(svg|html|rss|feed)[\s>:]")
_HTML_START = re.compile(rb"<(!doctype\s+html|html|head|body|script|title|meta|div|p|h1|a|center|table|br|b)[\s>/]")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def sniff(data: bytes) -> Sniffed:
    """Return what kind of file ``data`` is, whatever the bytes."""
    head = data[:_HEAD_BYTES]
    if head[4:8] == b"ftyp":
        return _sniff_boxes(head)
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    for magic, sniffed in _MAGIC:
        if head.startswith(magic):
            return sniffed
    return _sniff_weak_magic(head) or _sniff_text(head)


def _sniff_boxes(head: bytes) -> Sniffed:
    """ISO base media: the brands of the first box distinguish still images from video (ISO/IEC 14496-12)."""
    size = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if brands & {b"avif", b"avis"}:
        return _image("avif", "an AVIF image")
    if brands & _HEIC_BRANDS:
        return _image("heic", "a HEIC image")
    if b"crx " in brands:
        return _image("raw", "a raw photograph")
    return _VIDEO


def _sniff_weak_magic(head: bytes) -> Sniffed | None:
    """Two-byte signatures, which need a second look so that text is not taken for an image."""
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return _image("bmp", "a BMP image")
    if head[:4] == b"\0\0\1\0" and 0 < int.from_bytes(head[4:6], "little") <= 256:
        return _image("ico", "a Windows icon")
    if _NETPBM.match(head):
        return _image("ppm", "a Netpbm image")
    return None


def _sniff_text(head: bytes) -> Sniffed:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _other("text", "text")
    if _BINARY.search(head) or not head:
        return Sniffed(None, "of no known kind", False)
    if _HTML_START.match(start):
        return _HTML
    if start.startswith((b"<?xml", b"<!--", b"<svg", b"<!doctype")) or _XML_NAME.match(start):
        match = _XML_NAME.search(start)
        known = {b"svg": _other("svg", "an SVG drawing"), b"html": _HTML}
        return known.get(match[1] if match else b"", _other("xml", "an XML document"))
    if start.startswith((b"{", b"[")):
        return _other("json", "JSON")
    return _other("text", "text")


_MOST_PLACEHOLDER_BYTES = 16_384
# Placeholders are small drawings; most photographs are larger, and are not hashed a second time.

_PLACEHOLDERS = {
    "880a7a58e05d3e83797f27573bb6d35c": "Flickr's 'photo unavailable' PNG",
    "e60b98765d26e34bfbb797c1a5f378f2": "Flickr's 'photo unavailable' GIF",
    "596246739a83bb45e30e13437e0810d9": "a 'photo unavailable' picture of public ImageNet lists",
    "969e595182a947c7fdaaef4a34401760": "a 'photo unavailable' picture of public ImageNet lists",
    "af5db09e39ca35d8930b4e59962e09e5": "a 'photo unavailable' picture of public ImageNet lists",
}


def placeholder_name(data: bytes) -> str | None:
    """Name the known placeholder that these bytes are; None if they are none."""
    if len(data) > _MOST_PLACEHOLDER_BYTES:
        return None
    return _PLACEHOLDERS.get(hashlib.md5(data, usedforsecurity=False).hexdigest())
