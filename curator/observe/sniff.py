"""What a file is, from its bytes alone: a server's header and a name's ending are never trusted.

>>> sniff(b"<!DOCTYPE html><title>404</title>")
Sniffed(format='html', name='an HTML page', is_image=False)
>>> sniff(b"GIF89a" + bytes(20)).format
'gif'

Formats without a signature are known by a header in which every field is possible.

>>> sniff(bytes([0, 0, 2, *bytes(9), 1, 0, 1, 0, 24, 0]) + bytes(3)).name
'a TGA image'

Placeholders, which sites serve in place of a photograph that is gone, are known by the MD5 of their bytes.

>>> placeholder_name(b"a photograph") is None
True
"""

from __future__ import annotations

import hashlib
import re
import struct
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

_TGA = _image("tga", "a TGA image")
_HTML, _VIDEO = _other("html", "an HTML page"), _other("video", "a video")

_MAGIC: tuple[tuple[bytes, Sniffed], ...] = (
    (b"\xff\xd8\xff", _image("jpeg", "a JPEG image")),
    (b"\x89PNG\r\n\x1a\n", _image("png", "a PNG image")),
    (b"GIF87a", _image("gif", "a GIF image")),
    (b"GIF89a", _image("gif", "a GIF image")),
    (b"\x8aMNG\r\n\x1a\n", _image("mng", "an MNG animation")),
    (b"\x8bJNG\r\n\x1a\n", _image("jng", "a JNG image")),
    (b"II*\0\x10\0\0\0CR", _image("raw", "a raw photograph")),
    (b"II*\0", _image("tiff", "a TIFF image")),
    (b"MM\0*", _image("tiff", "a TIFF image")),
    (b"II+\0", _image("tiff", "a BigTIFF image")),
    (b"MM\0+", _image("tiff", "a BigTIFF image")),
    (b"II\xbc", _image("jxr", "a JPEG XR image")),
    (b"IIRO", _image("raw", "a raw photograph")),
    (b"IIRS", _image("raw", "a raw photograph")),
    (b"MMOR", _image("raw", "a raw photograph")),
    (b"IIU\0", _image("raw", "a raw photograph")),
    (b"\0MRM", _image("raw", "a raw photograph")),
    (b"FOVb", _image("raw", "a raw photograph")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _image("jp2", "a JPEG 2000 image")),
    (b"\xff\x4f\xff\x51", _image("jp2", "a JPEG 2000 image")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _image("jxl", "a JPEG XL image")),
    (b"\xff\x0a", _image("jxl", "a JPEG XL image")),
    (b"8BPS", _image("psd", "a Photoshop file")),
    (b"icns", _image("icns", "a macOS icon")),
    (b"DDS ", _image("dds", "a DirectDraw surface")),
    (b"qoif", _image("qoi", "a QOI image")),
    (b"\x01\xda", _image("sgi", "an SGI image")),
    (b"\x59\xa6\x6a\x95", _image("sun", "a Sun raster image")),
    (b"\x76\x2f\x31\x01", _image("exr", "an OpenEXR image")),
    (b"#?RADIANCE", _image("hdr", "a Radiance image")),
    (b"#?RGBE", _image("hdr", "a Radiance image")),
    (b"SIMPLE  =", _image("fits", "a FITS image")),
    (b"/* XPM */", _image("xpm", "an XPM image")),
    (b"! XPM2", _image("xpm", "an XPM image")),
    (b"\xb1\x68\xde\x3a", _image("dcx", "a DCX fax")),
    (b"DanM", _image("msp", "a Microsoft Paint image")),
    (b"LinS", _image("msp", "a Microsoft Paint image")),
    (b"\x80\xe8\0\0", _image("pixar", "a Pixar image")),
    (b"BLP1", _image("blp", "a Blizzard texture")),
    (b"BLP2", _image("blp", "a Blizzard texture")),
    (b"FTEX", _image("ftex", "a game's texture")),
    (b"\xabKTX ", _image("ktx", "a Khronos texture")),
    (b"BPG\xfb", _image("bpg", "a BPG image")),
    (b"FLIF", _image("flif", "a FLIF image")),
    (b"farbfeld", _image("farbfeld", "a farbfeld image")),
    (b"gimp xcf", _image("xcf", "a GIMP file")),
    (b"id=ImageMagick", _image("miff", "a MIFF image")),
    (b"Image type:", _image("im", "an IFUNC image")),
    (b"SDPX", _image("dpx", "a DPX image")),
    (b"XPDS", _image("dpx", "a DPX image")),
    (b"\x80\x2a\x5f\xd7", _image("cin", "a Cineon image")),
    (b"\x97JB2\r\n\x1a\n", _image("jbig2", "a JBIG2 image")),
    (b"\xab\1", _image("viff", "a VIFF image")),
    (b"P7 332", _image("xv", "an XV thumbnail")),
    (b"FUJIFILMCCD-RAW", _image("raw", "a raw photograph")),
    (b"%PDF-", _other("pdf", "a PDF document")),
    (b"%!PS", _other("postscript", "a PostScript document")),
    (b"AT&TFORM", _other("djvu", "a DjVu document")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _other("ole", "an Office document")),
    (b"\xd7\xcd\xc6\x9a", _other("wmf", "a Windows metafile")),
    (b"\1\0\x09\0\0\3", _other("wmf", "a Windows metafile")),
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
_HEIC_BRANDS = {
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"mif3", b"msf1"),
    *(b"avci", b"avcs", b"vvic", b"vvis", b"evbi", b"evbs", b"jpeg", b"jpgs", b"j2ki", b"j2is", b"unif"),
}
_NETPBM = re.compile(rb"P[1-6]\s+[\d#]|P7\s+(#|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)|P[Ff]\s+\d+\s+\d+\s+-?[\d.]+\s")
_XBM = re.compile(rb"\s*(/\*.*?\*/\s*)?#define\s+\w+_(width|height)\s+\d+\s", re.DOTALL)
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
    return _sniff_weak_magic(head) or (_TGA if _is_tga(data) else _sniff_text(head))


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
    """Signatures of two bytes, or none: every field of the header has to be possible, so that no text is an image."""
    if head[:2] == b"BM" and 12 <= int.from_bytes(head[14:18], "little") <= 255:
        return _image("bmp", "a BMP image")
    n_pictures = int.from_bytes(head[4:6], "little")
    if head[:4] == b"\0\0\1\0" and 0 < n_pictures <= 256:
        return _image("ico", "a Windows icon")
    if head[:4] == b"\0\0\2\0" and n_pictures and int.from_bytes(head[18:22], "little") >= 6 + 16 * n_pictures:
        return _image("cur", "a Windows cursor")
    if _NETPBM.match(head):
        return _image("ppm", "a Netpbm image")
    if _XBM.match(head):
        return _image("xbm", "an X bitmap")
    if head[40:44] == b" EMF" and head[:4] == b"\1\0\0\0":
        return _other("emf", "a Windows metafile")
    if head[128:132] == b"DICM":
        return _image("dicom", "a DICOM image")
    if head[4:6] in (b"\x11\xaf", b"\x12\xaf") and head[12:14] == b"\x08\0":
        return _image("fli", "an Autodesk animation")
    if _is_dib(head):
        return _image("dib", "a BMP image without its file header")
    if _is_pcx(head):
        return _image("pcx", "a PCX image")
    return None


def _is_dib(head: bytes) -> bool:
    """A BMP from its second header on: its size, one plane, a depth that exists (wingdi.h, ``BITMAPINFOHEADER``)."""
    if len(head) < 16 or int.from_bytes(head[:4], "little") not in (40, 52, 56, 108, 124):
        return False
    width, height, planes, bits = struct.unpack_from("<iiHH", head, 4)
    return width > 0 and height != 0 and planes == 1 and bits in (1, 4, 8, 16, 24, 32)


def _is_pcx(head: bytes) -> bool:
    """See ZSoft's PCX File Format Technical Reference Manual, revision 5."""
    if len(head) < 128 or head[0] != 10 or head[1] not in (0, 2, 3, 4, 5) or head[2] > 1 or head[64]:
        return False
    left, top, right, bottom = struct.unpack_from("<HHHH", head, 4)
    return head[3] in (1, 2, 4, 8) and head[65] in (1, 2, 3, 4) and left <= right and top <= bottom


def _is_tga(data: bytes) -> bool:
    """See Truevision's TGA File Format Specification, version 2.0: a footer that few write, else its 18 bytes."""
    if len(data) < 19:
        return False
    if data[-18:-2] == b"TRUEVISION-XFILE":
        return True
    n_id, has_map, kind, _, n_colours, colour_bits, _, _, width, height, bits, flags = struct.unpack_from(
        "<BBBHHBHHHHBB", data
    )
    depths = {1: (8,), 9: (8,), 2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (8, 16), 11: (8, 16)}
    if bits not in depths.get(kind, ()) or not width or not height or flags & 0xC0 or flags & 15 not in (0, 1, 8):
        return False
    if kind in (1, 9):
        has_colours = has_map == 1 and n_colours > 0 and colour_bits in (15, 16, 24, 32)
    else:
        has_colours = has_map == 0 and not any(data[3:8])
    return has_colours and len(data) > 18 + n_id + n_colours * ((colour_bits + 7) // 8)


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
