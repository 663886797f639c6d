"""Shrink a picture that was decoded at 1/2, 1/4 or 1/8 to 32x32 with Lanczos' filter, by two small matrix products.

It is shrunk as the whole one would be. Each of its pixels stands for a square of pixels, over which the kernel is
summed, and the last row and column only for what there is of them: taking them for whole moves the hash by 4 bits at
the 95th percentile where 64 pixels are left, by 6 where 48 are; so, by 2. That a decoder takes the mean of each
square blurs the picture, and summing blurs it again; a twelfth of the weights' bend undoes both, since a mean over
one pixel adds a twenty-fourth of the bend of what it is taken of (Taylor's series).

The weights and the sums between are whole numbers that single precision holds exactly: the result is the same on every
machine, whatever order it adds in. See Lanczos' kernel with three lobes at
https://en.wikipedia.org/wiki/Lanczos_resampling.

>>> shrink_grey(np.full((50, 76), 77, np.uint8), (601, 400), 8)[:2, :3]
array([[77, 77, 77],
       [77, 77, 77]], dtype=uint8)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from curator.matching.perceptual_hash import LUMA_SIDE

Grey = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float32]

_ONE = 16384
# What weights add up to. Of 255 times this, times the 1.7 that negative lobes may add in each pass, single precision
# loses nothing: all stays below 2**24.

_REMEMBERED_SIDE = 512  # the weights of 1,024 such sides take 67 MB; longer ones are rare, and made anew

_STEPS = 4096
_CELLS = np.arange(LUMA_SIDE)


def _kernel_sums() -> npt.NDArray[np.float64]:
    """The sum of the kernel from its left end on, at each step of its six lobes."""
    at = np.arange(-3 * _STEPS, 3 * _STEPS + 1) / _STEPS
    kernel = np.sinc(at) * np.sinc(at / 3)
    return np.cumsum(kernel) - kernel / 2


_KERNEL_SUMS = _kernel_sums()


def shrink_grey(grey: Grey, size: tuple[int, int], scale: int) -> Grey:
    """Shrink a grey picture, uint8 of shape (height, width), to uint8 of shape (32, 32).

    Args:
        grey: what is left of the picture at reduced size: sides are divided by ``scale`` and rounded up.
        size: width and height of the whole picture in pixels, at least 32 times ``scale``.
        scale: how many of its pixels one of ``grey`` stands for along each side.
    """
    width, height = size
    cells = grey.astype(np.float32) @ _weights_of(width, scale)
    cells *= 1 / _ONE
    np.rint(cells, out=cells)
    cells = _weights_of(height, scale).T @ cells
    cells *= 1 / _ONE
    np.rint(cells, out=cells)
    luma: Grey = np.minimum(np.maximum(cells, 0, out=cells), 255, out=cells).astype(np.uint8)
    return luma


def _weights_of(n_pixels: int, scale: int) -> Weights:
    make = _remembered_weights if n_pixels <= _REMEMBERED_SIDE * scale else _weights
    return make(n_pixels, scale)


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
    whole: Weights = weights.astype(np.float32)
    return whole


_remembered_weights = lru_cache(maxsize=1024)(_weights)
