"""One picture as a file of every odd kind, each with the picture that a viewer shows of it."""

import io
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, features

from tests.observe.drawings import draw, encode, encode_turned, png_chunk

PICTURE = draw()
GREY = PICTURE.convert("L")
MASK = draw(seed=1, mode="L").point(lambda value: 255 * (value > 100))
SEEN = Image.composite(PICTURE, Image.new("RGB", PICTURE.size, "white"), MASK)
SEEN_GREY = Image.composite(GREY, Image.new("L", PICTURE.size, 255), MASK)
KEY = (1, 2, 3)
"""A colour that the pictures do not have."""


@dataclass(frozen=True)
class Kind:
    """A file, the picture to be seen, and how far the mean pixel may be from it (lossy formats)."""

    data: bytes
    seen: Image.Image
    tolerance: float = 0.0


def with_alpha(mode="RGBA"):
    """The picture, transparent where the mask is black; what is stored there is black."""
    picture = PICTURE.convert("RGBA")
    picture.putalpha(MASK)
    return picture.convert(mode)


def keyed(picture):
    """The picture with one colour where the mask is black."""
    return Image.composite(picture, Image.new(picture.mode, picture.size, KEY if picture.mode == "RGB" else 1), MASK)


def png(bits, colour_type, samples, *chunks):
    """A PNG of these samples, shape (height, width) or (height, width, channels), 16 bits each or packed into bytes."""
    height, width = samples.shape[:2]
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in samples]
    else:
        planes = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        rows = [np.packbits(row.ravel()).tobytes() for row in planes]
    header = b"".join(
        (width.to_bytes(4, "big"), height.to_bytes(4, "big"), bytes([bits, colour_type, 0, 0, 0])),
    )
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def grey_of_lightness(lightness):
    """The sRGB grey of CIE lightness, 0 to 255 for 0 to 100 (CIE 15, and IEC 61966-2-1)."""
    cube_root = (lightness * 100 / 255 + 16) / 116
    light = cube_root**3 if cube_root > 6 / 29 else 3 * (6 / 29) ** 2 * (cube_root - 4 / 29)
    return round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


def deep(picture):
    """Samples of 16 bits whose high bytes are the picture's."""
    return np.asarray(picture).astype(np.uint16) * 257


def shallow(picture, bits):
    """Samples of so many bits, in the low bits of 16."""
    return np.rint(np.asarray(picture) * ((2**bits - 1) / 255)).astype(np.uint16)


def few_of_16_bits():
    """Pictures of 8, 10, 12 or 14 bits in samples of 16, as they are; or scaled, as PNG asks, which uses all 16."""
    rgba, grey_alpha = shallow(with_alpha(), 12), shallow(with_alpha("LA"), 10)
    opaque = rgba.copy()
    opaque[..., 3] = np.asarray(MASK).astype(np.uint16) * 257
    dark = PICTURE.point(lambda value: value // 5)
    return {
        "png 8 in 16 bits": Kind(png(16, 0, shallow(GREY, 8)), GREY),
        "png 10 in 16 bits": Kind(png(16, 0, shallow(GREY, 10)), GREY),
        "png 12 in 16 bits": Kind(png(16, 0, shallow(GREY, 12)), GREY),
        "png 14 in 16 bits": Kind(png(16, 0, shallow(GREY, 14), (b"sBIT", b"\x0e")), GREY),
        "png RGB 10 in 16 bits": Kind(png(16, 2, shallow(PICTURE, 10)), PICTURE),
        "png RGB 12 in 16 bits": Kind(png(16, 2, shallow(PICTURE, 12)), PICTURE),
        "png RGB 14 in 16 bits": Kind(png(16, 2, shallow(PICTURE, 14), (b"sBIT", b"\x0e\x0e\x0e")), PICTURE),
        "png RGB 10 bits scaled": Kind(png(16, 2, shallow(PICTURE, 10) << 6, (b"sBIT", b"\x0a\x0a\x0a")), PICTURE, 1),
        "png RGB 14 bits scaled, dark": Kind(png(16, 2, shallow(dark, 14) << 2, (b"sBIT", b"\x0e\x0e\x0e")), dark, 1),
        "png RGBA 12 in 16 bits": Kind(png(16, 6, rgba), SEEN, 0.5),
        "png RGBA 12 in 16 bits, alpha of 16": Kind(png(16, 6, opaque), SEEN, 0.5),
        "png LA 10 in 16 bits": Kind(png(16, 4, grey_alpha), SEEN_GREY, 0.5),
    }


def few_greys(bits):
    """A PNG of 2 or 4 bits with one transparent grey, and what is seen."""
    most = 2**bits - 1
    samples = np.asarray(GREY).astype(np.uint16) * most // 255
    seen = (samples * (255 // most)).astype(np.uint8)
    seen[samples == 1] = 255
    return Kind(png(bits, 0, samples, (b"tRNS", b"\0\1")), Image.fromarray(seen))


def ycck_jpeg():
    """A JPEG of four inks whose first three are stored as luma and chroma, in Adobe's inverted way."""
    inks = PICTURE.convert("CMYK")
    cyan, magenta, yellow, black = inks.split()
    stored = [channel.point(lambda value: 255 - value) for channel in
              Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()]  # fmt: skip
    data = bytearray(encode(Image.merge("CMYK", (*stored, black)), "JPEG", quality=97, subsampling=0))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def transparent_palettes():
    """Palette pictures with one transparent entry, and with an alpha for each entry."""
    few = keyed(PICTURE).quantize(64, dither=Image.Dither.NONE)
    clear = next(n for n, colour in enumerate(np.reshape(few.getpalette(), (-1, 3))) if tuple(colour) == KEY)
    seen = few.convert("RGB")
    seen.paste("white", mask=MASK.point(lambda value: 255 - value))
    alphas = bytes(0 if n == clear else 255 for n in range(64))
    return {
        "png P index": Kind(encode(few, transparency=clear), seen),
        "png P bytes": Kind(encode(few, transparency=alphas), seen),
        "gif P index": Kind(encode(few, "GIF", transparency=clear), seen),
    }


def pngs():
    """Every kind of PNG."""
    few = PICTURE.quantize(64)
    key16, key1 = b"".join(bytes([value, value]) for value in KEY), b"\0\1\0\2\0\3"
    bilevel = PICTURE.convert("1")
    return {
        "png L": Kind(encode(GREY), GREY),
        "png LA": Kind(encode(with_alpha("LA")), SEEN_GREY),
        "png P": Kind(encode(few), few),
        "png RGB": Kind(encode(PICTURE), PICTURE),
        "png RGBA": Kind(encode(with_alpha()), SEEN),
        "png 1": Kind(encode(bilevel), bilevel),
        "png 1 key": Kind(encode(bilevel, transparency=0), Image.new("L", bilevel.size, 255)),
        "png 2 bits key": few_greys(2),
        "png 4 bits key": few_greys(4),
        "png L key": Kind(encode(keyed(GREY), transparency=1), SEEN_GREY),
        "png RGB key": Kind(encode(keyed(PICTURE), transparency=KEY), SEEN),
        "png I;16": Kind(png(16, 0, deep(GREY)), GREY),
        "png I;16 key": Kind(png(16, 0, deep(keyed(GREY)), (b"tRNS", b"\1\1")), SEEN_GREY),
        "png LA 16": Kind(png(16, 4, deep(with_alpha("LA"))), SEEN_GREY),
        "png RGB 16": Kind(png(16, 2, deep(PICTURE)), PICTURE),
        "png RGB 16 key": Kind(png(16, 2, deep(keyed(PICTURE)), (b"tRNS", key16)), SEEN),
        "png RGB key chunk": Kind(png(8, 2, np.asarray(keyed(PICTURE)), (b"tRNS", key1)), SEEN),
        "png RGBA 16": Kind(png(16, 6, deep(with_alpha())), SEEN),
        "png animated": Kind(encode(PICTURE, save_all=True, append_images=[draw(seed=2)]), PICTURE),
        **transparent_palettes(),
        **few_of_16_bits(),
    }


def tiffs():
    """Every kind of TIFF that Pillow writes and reads alike."""
    numbers = np.asarray(GREY)
    stretched = (np.float64(numbers) - numbers.min()) * 255 / (np.float64(numbers).max() - numbers.min())
    stretched = Image.fromarray(np.rint(stretched).astype(np.uint8))
    neutral = Image.new("L", GREY.size, 128)
    few, bilevel = PICTURE.quantize(64), PICTURE.convert("1")
    kinds = {
        "tiff L": (GREY, GREY),
        "tiff LA": (with_alpha("LA"), SEEN_GREY),
        "tiff RGB": (PICTURE, PICTURE),
        "tiff RGBA": (with_alpha(), SEEN),
        "tiff P": (few, few),
        "tiff 1": (bilevel, bilevel),
        "tiff I;16": (Image.fromarray(deep(GREY)), GREY),
        "tiff I": (Image.fromarray((numbers.astype(np.int32) - 90) * 1000), stretched),
        "tiff F": (Image.fromarray(numbers.astype(np.float32) / 7), stretched),
        "tiff CMYK": (PICTURE.convert("CMYK"), PICTURE.convert("CMYK")),
        "tiff YCbCr": (PICTURE.convert("YCbCr"), PICTURE.convert("YCbCr")),
        "tiff LAB": (Image.merge("LAB", (GREY, neutral, neutral)), GREY.point(grey_of_lightness)),
    }
    packed = {
        "tiff lzw": Kind(encode(PICTURE, "TIFF", compression="tiff_lzw"), PICTURE),
        "tiff group 4": Kind(encode(bilevel, "TIFF", compression="group4"), bilevel),
        "tiff pages": Kind(encode(PICTURE, "TIFF", save_all=True, append_images=[draw(seed=2)]), PICTURE),
    }
    whole = {
        name: Kind(encode(stored, "TIFF"), seen, 0.1 * (name == "tiff LAB")) for name, (stored, seen) in kinds.items()
    }
    return packed | whole


def jpegs():
    """Every kind of JPEG, small ones and some that are decoded at reduced size."""
    large, cmyk = draw(700, 500, seed=3), PICTURE.convert("CMYK")
    return {
        "jpeg L": Kind(encode(GREY, "JPEG", quality=97), GREY, 1),
        "jpeg RGB": Kind(encode(PICTURE, "JPEG", quality=97), PICTURE, 1),
        "jpeg progressive": Kind(encode(PICTURE, "JPEG", quality=97, progressive=True), PICTURE, 1),
        "jpeg CMYK": Kind(encode(cmyk, "JPEG", quality=97), cmyk, 1),
        "jpeg YCCK": Kind(ycck_jpeg(), cmyk, 1),
        "jpeg large": Kind(encode(large, "JPEG", quality=97), large, 1),
        "jpeg large CMYK": Kind(encode(large.convert("CMYK"), "JPEG", quality=97), large, 1),
        "jpeg large turned": Kind(encode_turned(large, 6, "JPEG", quality=97), large, 1),
        "mpo": Kind(encode(PICTURE, "MPO", save_all=True, append_images=[draw(seed=2)], quality=97), PICTURE, 1),
    }


def other_formats():
    """GIF, BMP, WebP, AVIF, JPEG 2000, ICO and Netpbm."""
    few, bilevel = PICTURE.quantize(64), PICTURE.convert("1")
    more = {"save_all": True, "append_images": [draw(seed=2)]}
    found = {
        "gif P": Kind(encode(few, "GIF"), few),
        "gif L": Kind(encode(GREY, "GIF"), GREY),
        "gif animated": Kind(encode(few, "GIF", save_all=True, append_images=[draw(seed=2).quantize(64)]), few),
        "bmp RGB": Kind(encode(PICTURE, "BMP"), PICTURE),
        "bmp L": Kind(encode(GREY, "BMP"), GREY),
        "bmp P": Kind(encode(few, "BMP"), few),
        "bmp 1": Kind(encode(bilevel, "BMP"), bilevel),
        "webp RGB": Kind(encode(PICTURE, "WEBP", quality=97), PICTURE, 1),
        "webp lossless": Kind(encode(PICTURE, "WEBP", lossless=True), PICTURE),
        "webp alpha": Kind(encode(with_alpha(), "WEBP", lossless=True), SEEN),
        "webp animated": Kind(encode(PICTURE, "WEBP", lossless=True, **more), PICTURE),
        "jp2 RGB": Kind(encode(PICTURE, "JPEG2000"), PICTURE),
        "jp2 L": Kind(encode(GREY, "JPEG2000"), GREY),
        "jp2 LA": Kind(encode(with_alpha("LA"), "JPEG2000"), SEEN_GREY),
        "jp2 RGBA": Kind(encode(with_alpha(), "JPEG2000"), SEEN),
        "ico RGBA": Kind(encode(with_alpha(), "ICO", sizes=[PICTURE.size]), SEEN),
        "ppm RGB": Kind(encode(PICTURE, "PPM"), PICTURE),
        "ppm L": Kind(encode(GREY, "PPM"), GREY),
        "ppm 1": Kind(encode(bilevel, "PPM"), bilevel),
        "ppm 16": Kind(encode(Image.fromarray(deep(GREY)), "PPM"), GREY),
    }
    if features.check("avif"):
        found["avif RGB"] = Kind(encode(PICTURE, "AVIF", quality=97), PICTURE, 1)
        found["avif alpha"] = Kind(encode(with_alpha(), "AVIF", quality=100, subsampling="4:4:4"), SEEN, 1)
    return found


def turned():
    """The eight EXIF orientations in each format that has them."""
    options = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 97}}
    return {
        f"{kind.lower()} orientation {orientation}": Kind(
            encode_turned(PICTURE, orientation, kind, **more), PICTURE, 1 if kind == "JPEG" else 0
        )
        for kind, more in options.items()
        for orientation in range(1, 9)
    }


KINDS = pngs() | tiffs() | jpegs() | other_formats() | turned()


def opened(data):
    """What a reader that knows nothing of all this gets, as Keras' ``load_img`` reads: uint8 (height, width, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
