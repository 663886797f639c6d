"""Show a picture in the light of another one: more or less of it, or of contrast, and each channel ends at 0 and 255.

What is made brighter burns out channel by channel: red is the first to end in a red shirt, which turns orange, then
yellow. By greys and hues alone such a copy looks like another colourway.

>>> chance = np.random.default_rng(0)
>>> picture = chance.integers(20, 230, (40, 40, 3)).astype(np.float32)
>>> brighter = (picture * 1.3).clip(0, 255)
>>> lit = relight(picture, brighter, np.ones((40, 40), bool))
>>> bool(np.abs(lit - brighter).max() < 3), relight(brighter, picture, np.ones((40, 40), bool)) is None
(True, True)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.agreement import FEWEST, Bools
from curator.matching.judge.overlay import Floats, Matrix, Overlay, sample

Complexes = npt.NDArray[np.complexfloating[Any]]

_END, _LEAST_ENDED = 6.0, 0.005
"""How far from 0 and 255 a channel is whole; least share of the cells at which another light ends one."""
_TO_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def read_rgb(row: Mapping[str, Any], overlay: Overlay, to_picture: Matrix) -> Floats:
    """Read a sketch at the cells of a canvas: red, green and blue (ITU-R 601-2), float32 of shape (n_y, n_x, 3)."""
    luma = sample(row["luma"], overlay.canvas, to_picture)
    cb, cr = cv2.split(sample(row["colours"], overlay.canvas, to_picture) - 128)
    channels = luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb
    return np.stack(channels, axis=2).astype(np.float32)


def relight(source: Floats, target: Floats, where: Bools) -> Floats | None:
    """Return a picture as it would be in the light of another one; None: nothing of it would end at 0 or 255.

    Args:
        source, target: see :func:`read_rgb`.
        where: bool, shape (n_y, n_x): the cells that count. Light and contrast are fitted to the greys of those in
            which all channels of both are whole.
    """
    is_whole = where & np.logical_and(*((each > _END) & (each < 255 - _END) for each in (source, target))).all(axis=2)
    if is_whole.sum() < FEWEST:
        return None
    x, y = to_luma(source)[is_whole], to_luma(target)[is_whole]
    gain = max(float(((x - x.mean()) * (y - y.mean())).sum() / max(float(((x - x.mean()) ** 2).sum()), 1e-3)), 0.0)
    lit = gain * (source - x.mean()) + y.mean()
    ended = np.asarray(lit.clip(0, 255), np.float32)
    return ended if (ended != lit).any(axis=2)[where].mean() >= _LEAST_ENDED else None


def to_luma(rgb: Floats) -> Floats:
    """Return the greys of a picture, float32 of shape (n_y, n_x)."""
    return np.asarray(rgb @ _TO_LUMA, np.float32)


def to_chroma(rgb: Floats) -> Complexes:
    """Return Cb + i Cr of a picture, complex64 of shape (n_y, n_x)."""
    luma = to_luma(rgb)
    return np.asarray((rgb[..., 2] - luma) / 1.772 + 1j * (rgb[..., 0] - luma) / 1.402, np.complex64)
