"""Which decoder opens which format, and what is put right in a file's bytes before it does.

>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (3, 2)).save(file, "bmp")
>>> OPENERS["bmp"](file).size
(3, 2)
>>> lacking_decoder("psd", "a Photoshop file")
'no decoder here opens a Photoshop file'
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from curator.observe.bmp import BadHeaderError, read_bmp_header
from curator.observe.jpeg_xl import read_jxl_size

_FEATURES = {"avif": "avif", "webp": "webp", "jp2": "jpg_2000"}  # parts that a build of Pillow may lack
_EXTRAS = {"heic": ("pillow_heif", "heic"), "jxl": ("pillow_jxl", "jxl")}
# Optional packages: the module that is loaded when such a file comes, and the extra of this package that installs it.

_HEAD_BYTES = 1 << 16
_BMP_HEADER = 14
_EMBEDDED_PROFILE = b"DEBM"  # PROFILE_EMBEDDED, of BITMAPV5HEADER


def lacking_decoder(image_format: str | None, name: str) -> str | None:
    """Say why no decoder here opens a format, with what would install one; None if one does.

    Args:
        image_format: the catalog's name for it.
        name: what a sentence calls it, such as ``a HEIC image``.
    """
    if image_format in _EXTRAS:
        module, extra = _EXTRAS[image_format]
        try:
            importlib.import_module(module)
        except ImportError:
            return f"{name} needs the extra {extra}: pip install 'imageset-curator[{extra}]'"
        return None
    feature = _FEATURES.get(image_format or "")
    if image_format in OPENERS and (feature is None or features.check(feature)):
        return None
    return f"no decoder here opens {name}"


def open_bmp(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open a BMP: one with OS/2's short second header too, or with more palette entries than it has colours.

    Its embedded profile becomes ``info["icc_profile"]``.

    Raises:
        BadHeaderError: its header says what no BMP can be.
    """
    if (header := read_bmp_header(file.getvalue())) and (damage := header.damage()):
        raise BadHeaderError(damage)
    data = _with_known_header(file.getvalue())
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    size = int.from_bytes(data[14:18], "little")
    if size >= 124 and data[70:74] == _EMBEDDED_PROFILE:
        at, n_bytes = struct.unpack_from("<II", data, _BMP_HEADER + 112)
        image.info["icc_profile"] = data[_BMP_HEADER + at : _BMP_HEADER + at + n_bytes]
    return image


def _with_known_header(data: bytes) -> bytes:
    """Return a BMP with a header that Pillow knows: OS/2's may end anywhere behind its first 16 bytes, zeros follow."""
    if len(data) < 30:
        return data
    (size,) = struct.unpack_from("<I", data, _BMP_HEADER)
    if 16 <= size < 64 and size not in (40, 52, 56):
        (offset,) = struct.unpack_from("<I", data, 10)
        fields = data[18 : _BMP_HEADER + size][:36].ljust(36, b"\0")
        start = data[:10] + struct.pack("<II", offset + 40 - size, 40)
        data, size = start + fields + data[_BMP_HEADER + size :], 40
    if size >= 40:
        bits, n_colours = struct.unpack_from("<H", data, 28)[0], int.from_bytes(data[46:50], "little")
        if bits <= 8 and (1 << bits) < n_colours <= 0xFFFF:
            data = data[:46] + bytes(4) + data[50:]
    return data


def open_avif(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open an AVIF image, with the numbers of its colours if it has no profile."""
    return _with_numbers(AvifImagePlugin.AvifImageFile(file), file)


def open_jp2(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open a JPEG 2000 image, with the profile in its box ``colr`` (ITU-T T.800, I.5.3.3), which Pillow leaves out."""
    image = Jpeg2KImagePlugin.Jpeg2KImageFile(file)
    data = file.getvalue()
    at = data.find(b"colr\2", 0, _HEAD_BYTES)
    if at >= 4:
        image.info["icc_profile"] = data[at + 7 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
    return image


def _with_numbers(image: ImageFile.ImageFile, file: io.BytesIO) -> ImageFile.ImageFile:
    """Add primaries and transfer from the box ``colr`` of type ``nclx`` (ISO/IEC 14496-12, 12.1.5)."""
    data = file.getvalue()
    at = data.find(b"colrnclx", 0, _HEAD_BYTES)
    if at >= 0 and len(data) >= at + 12 and not image.info.get("icc_profile"):
        image.info["cicp"] = struct.unpack_from(">HH", data, at + 8)
    return image


def open_heif(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open a HEIC image with pillow-heif, which turns it upright itself.

    See https://pillow-heif.readthedocs.io; it is not registered with Pillow, as nothing here asks Pillow to guess.
    """
    from pillow_heif import options
    from pillow_heif.as_plugin import HeifImageFile

    options.DECODE_THREADS = 1  # a process of observe/workers/ for each core is enough
    image: ImageFile.ImageFile = HeifImageFile(file)
    return _with_numbers(image, file)


def open_jxl(file: io.BytesIO) -> ImageFile.ImageFile:
    """Open a JPEG XL image with pillow-jxl-plugin, which decodes it at once.

    Its pixels are upright already, whatever EXIF says (ISO/IEC 18181-2, 9.5.6), unless they come from a JPEG in it.
    See https://pypi.org/project/pillow-jxl-plugin.

    Raises:
        SyntaxError: it does not say how large it is, so that it cannot be said what opening it would cost.
    """
    from pillow_jxl import JpegXLImagePlugin

    if read_jxl_size(file.getvalue()) is None:
        raise SyntaxError("there is no codestream in it")
    JpegXLImagePlugin.DECODE_THREADS = 0
    image: ImageFile.ImageFile = JpegXLImagePlugin.JXLImageFile(file)
    if not getattr(image, "jpeg", False):
        image.info.pop("exif", None)
    return image


# Pillow's classes are called directly, not through Image.open: its guesses are not needed after sniffing, and its
# pixel limit is global to the process, while ours is the recipe's.
OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.jpeg_factory,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "bmp": open_bmp,
    "tiff": TiffImagePlugin.TiffImageFile,
    "avif": open_avif,
    "jp2": open_jp2,
    "ico": IcoImagePlugin.IcoImageFile,
    "ppm": PpmImagePlugin.PpmImageFile,
    "heic": open_heif,
    "jxl": open_jxl,
}
"""Catalog format to the decoder that opens it; an image of any other format is unsupported."""
