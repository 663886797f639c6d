"""The picture as it is hashed: 32x32 greys, upright, shrunk with Lanczos' filter.

A JPEG is decoded at 1/2, 1/4 or 1/8, in grey, straight from its coefficients, and shrunk by two small matrix products,
as the whole one would be. Each of its pixels is the mean of a square of pixels, over which the kernel is summed, and
the last row and column only over what there is of them: taking those for whole moves the hash by 4 bits at the 95th
percentile of pictures with 64 pixels left, by 6 with 48; so, by 2. The decoder's mean blurs the picture, and summing
blurs it again; a twelfth of the weights' second difference undoes both, since a mean over one pixel adds a
twenty-fourth of the second difference of what it is taken of (Taylor's series).

The weights and the sums between are whole numbers that single precision holds exactly: the result is the same on every
machine, whatever order it adds in. See Lanczos' kernel with three lobes at
https://en.wikipedia.org/wiki/Lanczos_resampling.

>>> shrink_reduced(np.full((50, 76), 77, np.uint8), (601, 400), 8)[:2, :3]
array([[77, 77, 77],
       [77, 77, 77]], dtype=uint8)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, JpegImagePlugin

from curator.matching.perceptual_hash import LUMA_SIDE
from curator.observe.header import Header, read_header
from curator.observe.jpeg_header import PlainJpeg, read_plain_jpeg
from curator.observe.jpeg_scans import check_jpeg, ends_with_picture, require_all_scans
from curator.observe.pixels import as_grey, turn_upright
from curator.observe.silence import silence

Luma = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float32]

REDUCED_SIDE = 48
"""A JPEG is decoded at 1/8, 1/4 or 1/2 if both sides stay this long: the hash moves by 0.22 bits in the mean and by
2 at the 95th percentile of 767 photos (0.12 and 2 with 128)."""

_ONE = 16384
# What weights add up to. Of 255 times this, times the 1.7 that negative lobes may add in each pass, single precision
# loses nothing: all stays below 2**24.

_CACHED_SIDE = 512  # the weights of 1,024 such sides take 67 MB; longer ones are rare, and computed each time

_STEPS = 4096
_CELLS = np.arange(LUMA_SIDE)
_AT = np.arange(-3 * _STEPS, 3 * _STEPS + 1) / _STEPS
_KERNEL = np.sinc(_AT) * np.sinc(_AT / 3)
_KERNEL_SUMS = np.cumsum(_KERNEL) - _KERNEL / 2  # from its left end on, at each step of its six lobes


def decode_luma(data: bytes, header: Header | PlainJpeg) -> tuple[Luma, bool]:
    """Decode the first frame and shrink its luma.

    Returns:
        uint8, shape (32, 32), upright; and whether every strict reader takes the file as it is (of JPEG and PNG).

    Raises:
        DamagedPixelsError, DamagedPngError: the pixels are not what was written.
        Exception: whatever the decoder raises for a broken or truncated file.
    """
    if isinstance(header, PlainJpeg):
        try:
            grey, scale = decode_reduced_grey(data, header)
        except ValueError:  # Pillow reads on past what does no harm
            with silence("jpeg"):
                return decode_luma(data, read_header(data, "jpeg"))
        else:
            if not header.has_one_scan:
                require_all_scans(data)
            luma = _turn_upright(shrink_reduced(grey, header.stored_size, scale), header.orientation)
            return luma, ends_with_picture(data, header.scan_at)
    is_well_formed = False
    if isinstance(header.image, JpegImagePlugin.JpegImageFile):
        is_well_formed = check_jpeg(data) and read_plain_jpeg(data, with_foreign=True) is not None
    image = header.open_whole()
    size, scale = image.size, 1
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft("L", (REDUCED_SIDE, REDUCED_SIDE))
        scale = -(-size[0] // image.width)
    image.load()
    if header.png:
        is_well_formed = header.png.is_well_formed
    grey_image = as_grey(image)
    luma = shrink(grey_image) if scale == 1 else shrink_reduced(np.asarray(grey_image), size, scale)
    return _turn_upright(luma, header.unapplied_orientation), is_well_formed and not header.is_odd


def decode_reduced_grey(data: bytes, jpeg: PlainJpeg) -> tuple[Luma, int]:
    """Decode to uint8, shape (height, width), as stored, both sides at least 48 pixels or as long as the picture's.

    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("L", (600, 400), 77).save(file, "jpeg")
    >>> grey, scale = decode_reduced_grey(file.getvalue(), PlainJpeg(600, 400, 1, "L"))
    >>> grey.shape, scale, int(grey[0, 0])
    ((50, 75), 8, 77)

    Returns:
        The pixels, and of how many of the picture's along a side each is the mean (the last of a row or column, of what
        there is): 1, 2, 4 or 8.

    Raises:
        ValueError: the decoder has something to say, harmful or not.
    """
    width, height = jpeg.stored_size
    scale = next((scale for scale in (8, 4, 2) if min(width, height) >= scale * REDUCED_SIDE), 1)
    least = {"min_height": -(-height // scale), "min_width": -(-width // scale), "min_factor": scale}
    grey: Luma = simplejpeg.decode_jpeg(data, "GRAY", strict=True, **least)[..., 0]
    return grey, scale


def _turn_upright(luma: Luma, orientation: int) -> Luma:
    return luma if orientation == 1 else np.asarray(turn_upright(Image.fromarray(luma), orientation))


def shrink(grey: Image.Image) -> Luma:
    """Shrink a grey image to uint8, shape (32, 32), bit for bit as imagehash does (Lanczos)."""
    size = (LUMA_SIDE, LUMA_SIDE)
    return np.frombuffer(grey.resize(size, Image.Resampling.LANCZOS).tobytes(), np.uint8).reshape(size)


def shrink_reduced(grey: Luma, size: tuple[int, int], scale: int) -> Luma:
    """Shrink a grey picture that was decoded at reduced size, uint8 of shape (height, width), to uint8, shape (32, 32).

    Args:
        grey: what is left of the picture at reduced size: sides are divided by ``scale`` and rounded up.
        size: width and height of the whole picture in pixels, at least 32 times ``scale``.
        scale: of how many of its pixels along each side one of ``grey`` is the mean.
    """
    if scale == 1:
        return shrink(Image.fromarray(grey))
    width, height = size
    cells = grey.astype(np.float32) @ _shares_of(width, scale)
    np.rint(cells, out=cells)
    cells = _shares_of(height, scale).T @ cells
    np.rint(cells, out=cells)
    return np.asarray(np.minimum(np.maximum(cells, 0, out=cells), 255, out=cells).astype(np.uint8))


def _shares_of(n_pixels: int, scale: int) -> Weights:
    return (_cached_shares if n_pixels <= _CACHED_SIDE * scale else _shares)(n_pixels, scale)


def _shares(n_pixels: int, scale: int) -> Weights:
    """The weights, so that those of a cell add up to 1: to divide by a power of two loses nothing."""
    return _weights(n_pixels, scale) / np.float32(_ONE)


def _weights(n_pixels: int, scale: int) -> Weights:
    """The weights of each cell's pixels along one side, float32 of shape (ceil(n / scale), 32), whole numbers."""
    lobe = n_pixels / LUMA_SIDE
    edges = np.minimum(np.arange(0, n_pixels + scale, scale), n_pixels) * (_STEPS / lobe)
    places = np.subtract.outer(edges, (_CELLS - 2.5) * _STEPS - 0.5).astype(np.int32)
    sums = _KERNEL_SUMS.take(places, mode="clip")
    weights = sums[1:] - sums[:-1]
    weights[1:-1] -= (weights[2:] + weights[:-2] - 2 * weights[1:-1]) / 12
    weights *= _ONE / weights.sum(axis=0)
    np.rint(weights, out=weights)
    weights[((_CELLS + 0.5) * lobe).astype(np.int32) // scale, _CELLS] += _ONE - weights.sum(axis=0)
    return np.asarray(weights.astype(np.float32))


_cached_shares = lru_cache(maxsize=1024)(_shares)
