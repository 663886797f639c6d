"""Shrink a grey picture to 32x32 with Lanczos' filter, by two small matrix products: a third of the time of Pillow's.

Sides of 128 pixels or more are halved first by adding neighbours, so that the products are small. The weights and the
sums between are whole numbers that single precision holds exactly: the result is the same on every machine, whatever
order it adds in. See Lanczos' kernel with three lobes at https://en.wikipedia.org/wiki/Lanczos_resampling.

>>> shrink_grey(np.full((150, 201), 77, np.uint8))[:2, :3]
array([[77, 77, 77],
       [77, 77, 77]], dtype=uint8)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from curator.observe.perceptual_hash import LUMA_SIDE

Grey = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float32]

_HALVED_SIDE = 128  # half of it is twice the wanted side: halving moves the hash by 0.03 bits in the mean
_ONE = 4096
# What weights add up to. Of sums up to 1,020 (four pixels), times this, times the 1.4 that negative lobes add in each
# pass, single precision loses nothing: all stay below 2**24.

_REMEMBERED_SIDE = 2048  # the weights of 512 such sides take 67 MB; longer ones are rare, and made anew

_STEPS = 4096
_LOBES = np.sinc(np.arange(3 * _STEPS + 1) / _STEPS) * np.sinc(np.arange(3 * _STEPS + 1) / (3 * _STEPS))
_LOBES[-1] = 0  # what lies further off has no weight
_CELLS = np.arange(LUMA_SIDE)


def shrink_grey(grey: Grey) -> Grey:
    """Shrink a grey picture, uint8 of shape (height, width), to uint8 of shape (32, 32)."""
    height, width = grey.shape
    sums, n_added = _add_pairs(grey, height >= _HALVED_SIDE, width >= _HALVED_SIDE)
    rows = _weights_of(height) @ sums.astype(np.float32)
    rows *= 1 / _ONE
    cells = np.rint(rows, out=rows) @ _weights_of(width).T
    cells *= 1 / (_ONE * n_added)
    np.rint(cells, out=cells)
    return np.minimum(np.maximum(cells, 0, out=cells), 255, out=cells).astype(np.uint8)


def _add_pairs(grey: Grey, of_rows: bool, of_columns: bool) -> tuple[npt.NDArray[np.uint16] | Grey, int]:
    """Add neighbours, a last odd one left out; give how many pixels are in a sum, too."""
    sums: npt.NDArray[np.uint16] | Grey = grey
    if of_columns:  # two bytes read as one number: much faster than picking every second one
        pairs = grey[:, : grey.shape[1] // 2 * 2].view(np.uint16)
        sums = np.add(pairs & 255, pairs >> 8, dtype=np.uint16)
    if of_rows:
        sums = np.add(sums[:-1:2], sums[1::2], dtype=np.uint16)
    return sums, (1 + of_columns) * (1 + of_rows)


def _weights_of(n_pixels: int) -> Weights:
    make = _remembered_weights if n_pixels <= _REMEMBERED_SIDE else _weights
    return make(n_pixels, n_pixels >= _HALVED_SIDE)


def _weights(n_pixels: int, halved: bool) -> Weights:
    """The weights of each cell's pixels (or pairs of them) along one side, float32 of shape (32, n), whole numbers."""
    n = n_pixels // 2 if halved else n_pixels
    step = n_pixels / (2 if halved else 1) / LUMA_SIDE
    reach = max(step, 1.0)
    centres = (_CELLS[:, None] + 0.5) * step
    pixels = np.floor(centres - 3 * reach).astype(np.int64) + np.arange(int(6 * reach) + 3)
    steps = np.abs(pixels + 0.5 - centres) * (_STEPS / reach)
    kernel = _LOBES.take((steps + 0.5).astype(np.int64), mode="clip") * ((pixels >= 0) & (pixels < n))
    whole = np.rint(kernel * (_ONE / kernel.sum(axis=1, keepdims=True)))
    whole[_CELLS, whole.argmax(axis=1)] += _ONE - whole.sum(axis=1)
    margin = -int(pixels[0, 0])
    weights = np.zeros((LUMA_SIDE, int(pixels[-1, -1]) + 1 + margin), np.float32)
    weights[_CELLS[:, None], pixels + margin] = whole
    return weights[:, margin : margin + n].copy()


_remembered_weights = lru_cache(maxsize=512)(_weights)
