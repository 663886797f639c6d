"""What the bytes of an image file say before a pixel is decoded, so that a bomb is refused unopened.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40)).save(file, "png")
>>> header = read_header(file.getvalue(), "png")
>>> header.width, header.height, header.mode, header.n_frames
(60, 40, 'L', 1)

Some decoders accept a file whose end is missing, so its bytes are checked.

>>> file = io.BytesIO()
>>> Image.new("L", (8, 8)).save(file, "gif")
>>> looks_truncated(file.getvalue(), "gif"), looks_truncated(file.getvalue()[:-1], "gif")
(False, True)
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import partial

from PIL import IcoImagePlugin, Image, ImageFile, PngImagePlugin

from curator.observe.bmp import is_bmp_cut
from curator.observe.boxes import walk_boxes
from curator.observe.deep_pixels import load_deep
from curator.observe.frames import MAX_FRAMES, count_frames
from curator.observe.jpeg_scans import END, check_jpeg
from curator.observe.jpeg_xl import read_jxl_size
from curator.observe.metadata import without_metadata
from curator.observe.openers import OPENERS
from curator.observe.png import SIGNATURE, DamagedPngError, Png, inflate_rows, read_png
from curator.observe.png_colours import read_png_colours
from curator.observe.tiff_tags import read_directory

_ORIENTATION_TAG = 0x0112
_uint = partial(int.from_bytes, byteorder="little")
_int = partial(int.from_bytes, byteorder="little", signed=True)


@dataclass(frozen=True, slots=True)
class Header:
    """An image file opened but not decoded.

    Attributes:
        image: the file, open at its first frame.
        width, height: pixels of the upright picture.
        orientation: EXIF orientation, 1 to 8.
        mode: Pillow's mode of the stored image; one with a transparent colour is named as if it had an alpha channel,
            and ``RGB;16`` is a PNG's colours of 16 bits.
        n_frames: frames or pages, counted up to :data:`MAX_FRAMES`.
        png: the chunks of a PNG, or of the one in an icon; its image has no pixels until :meth:`open_whole`.
        is_odd: some metadata could not be read; another reader may understand it otherwise.
    """

    image: ImageFile.ImageFile
    width: int
    height: int
    orientation: int
    mode: str
    n_frames: int
    png: Png | None = None
    is_odd: bool = False

    @property
    def unapplied_orientation(self) -> int:
        """What is left to apply to the loaded image: Pillow turns a TIFF upright itself."""
        return 1 if self.image.format == "TIFF" else self.orientation

    def open_whole(self) -> ImageFile.ImageFile:
        """Return the image to be loaded; a PNG's is loaded, and every row of it proven.

        Raises:
            DamagedPngError: a part of a PNG's picture is missing, damaged or of no colour.
        """
        if self.png is None:
            return self.image
        image = PngImagePlugin.PngImageFile(io.BytesIO(self.png.with_rows(inflate_rows(self.png))))
        image.info = self.image.info
        load_deep(image)
        if image.mode == "P" and any(image.histogram()[len(self.png.palette) // 3 :]):
            raise DamagedPngError("a pixel has a colour that the palette lacks")
        return image


def read_header(data: bytes, image_format: str) -> Header:
    """Open ``data`` as ``image_format``, one of :data:`OPENERS`, without decoding it.

    Raises:
        Exception: whatever the decoder raises for a broken header.
    """
    if image_format == "ico" and data.startswith(SIGNATURE, at := _icon_offset(data)):
        data, image_format = data[at:], "png"
    png = read_png(data) if image_format == "png" else None
    image, is_odd = _open_png(png, data) if png else _open(data, image_format)
    mode = image.mode
    if "transparency" in image.info:
        _scale_transparent_colour(image, png.bits if png else 8)
        mode = {"L": "LA", "RGB": "RGBA"}.get(mode, mode)
    if png and png.bits == 16 and mode == "RGB":
        mode = "RGB;16"
    orientation = read_orientation(image)
    width, height = image.size
    if (orientation or 1) >= 5 and image_format != "tiff":  # Pillow swaps a TIFF's sides itself
        width, height = height, width
    n_frames = min(png.n_frames, MAX_FRAMES) if png else count_frames(data, image)
    return Header(image, width, height, orientation or 1, mode, n_frames, png, is_odd or orientation is None)


def _open_png(png: Png, data: bytes) -> tuple[ImageFile.ImageFile, bool]:
    """Open a PNG of which only what its picture depends on is left, for the mode and size that it will have."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(png.without_rows()))
    texts = {"exif": png.exif and b"Exif\0\0" + png.exif, "xmp": png.xmp, "icc_profile": png.profile}
    image.info.update({name: text for name, text in texts.items() if text}, **read_png_colours(data))
    return image, False


def _open(data: bytes, image_format: str) -> tuple[ImageFile.ImageFile, bool]:
    """Open a file, if need be without the metadata that keep Pillow from it; say whether that was so."""
    if image_format == "jpeg" and looks_truncated(data, image_format):
        check_jpeg(data)
        data += END  # which is all that is missing
    try:
        return OPENERS[image_format](io.BytesIO(data)), False
    except Exception as error:
        try:
            cleaned = without_metadata(data, image_format)
        except (ValueError, IndexError, struct.error):
            cleaned = None
        if cleaned is None:
            raise
        try:
            return OPENERS[image_format](io.BytesIO(cleaned)), True
        except Exception:
            raise error from None  # it was not the metadata


def _scale_transparent_colour(image: ImageFile.ImageFile, bits: int) -> None:
    """Scale a PNG's transparent colour as Pillow scales its pixels of 2, 4 or 16 bits, which leaves that one out."""
    colour = image.info["transparency"]
    if image.mode == "RGB" and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    elif image.mode == "L" and bits in (2, 4):
        image.info["transparency"] = colour * (85 if bits == 2 else 17)


def read_orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 to 8 (1 if there is none that means anything); None if it cannot be read."""
    try:
        # A PNG's own getexif() decodes the file.
        exif = Image.Image.getexif(image) if isinstance(image, PngImagePlugin.PngImageFile) else image.getexif()
        orientation = exif.get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block does not make the picture worse, and breaks in many ways
        return None
    return orientation if orientation in range(1, 9) else 1


def canvas_size(data: bytes, image_format: str) -> tuple[int, int] | None:
    """Read width and height of a GIF, WebP, icon or JPEG XL from its bytes; None for others and incomplete headers.

    Opening these checks, allocates or even decodes the canvas. See https://www.w3.org/Graphics/GIF/spec-gif89a.txt and
    https://developers.google.com/speed/webp/docs/riff_container.
    """
    if image_format == "jxl":
        return read_jxl_size(data)
    if image_format == "gif" and len(data) >= 10:
        return _uint(data[6:8]), _uint(data[8:10])
    if image_format == "ico":
        at = _icon_offset(data)
        if data.startswith(SIGNATURE, at):
            return None  # which is read as a PNG
        return abs(_int(data[at + 4 : at + 8])), abs(_int(data[at + 8 : at + 12])) // 2  # with its mask's rows
    if image_format != "webp" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return _uint(data[24:27]) + 1, _uint(data[27:30]) + 1
    if data[12:16] == b"VP8L":
        bits = _uint(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _uint(data[26:28]) & 0x3FFF, _uint(data[28:30]) & 0x3FFF


def _icon_offset(data: bytes) -> int:
    """Return where the picture begins that Pillow chooses of an icon."""
    return int(IcoImagePlugin.IcoFile(io.BytesIO(data)).entry[0].offset)


_END_MARKS = {"png": b"IEND\xaeB`\x82", "gif": b";", "jp2": b"\xff\xd9"}
_TAIL_BYTES = 4096  # some files carry a little padding or a comment after their end


def looks_truncated(data: bytes, image_format: str) -> bool:
    """Return whether the end mark is missing, or the announced length is longer than the file."""
    if image_format == "jpeg":
        return data.find(END, max(data.find(b"\xff\xda"), 0)) < 0
    if image_format == "ico":
        return _icon_end(data) > len(data)
    if mark := _END_MARKS.get(image_format):
        return mark not in data[-_TAIL_BYTES:]
    if image_format == "webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if image_format == "bmp":
        return is_bmp_cut(data)
    if image_format == "tiff":
        return read_directory(data) is None
    if image_format in ("avif", "heic") or (image_format == "jxl" and data[4:8] == b"JXL "):
        return max((end for _, _, end in walk_boxes(data)), default=0) > len(data)
    return False


def _icon_end(data: bytes) -> int:
    """Return where an icon's list of pictures, or the last of them, says that it ends."""
    count = _uint(data[4:6])
    entries = [data[at : at + 16] for at in range(6, min(6 + 16 * count, len(data)), 16)]
    return max([6 + 16 * count, *(_uint(entry[8:12]) + _uint(entry[12:16]) for entry in entries)])
