"""What the judge needs of a picture, in a row of fixed size: its points, its luma and its colours, small.

>>> rgb = np.zeros((120, 160, 3), np.uint8)
>>> sketch = make_sketch(rgb)
>>> {name: (value.dtype.str, value.shape) for name, value in sketch.items()} == {
...     name: (np.dtype(dtype).str, shape) for name, dtype, shape in SKETCH_FIELDS
... }
True
>>> sum(value.nbytes for value in sketch.values()) < 25_000
True
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.keypoints import N_POINTS, PACKED_BYTES, find_keypoints
from curator.matching.trimmed import trimmed_box

SKETCH_SIDE = 256
"""Longest side, in pixels, of the picture to make a sketch of; a smaller one is taken as it is."""
POINTS_SIDE = 192
"""Longest side of the grey picture in which points are searched."""
LUMA_SIDE = 80
"""Cells along each side of the small grey picture."""
COLOUR_SIDE = 28
"""Cells along each side of the small picture of colours."""

Sketch = dict[str, npt.NDArray[Any]]

SKETCH_FIELDS: list[tuple[str, str, tuple[int, ...]]] = [
    ("size", "<u2", (2,)),
    ("jpeg", "<u4", (2,)),
    ("box", "<u2", (4,)),
    ("n_points", "<u2", ()),
    ("places", "<u2", (N_POINTS, 2)),
    ("sizes", "<f2", (N_POINTS,)),
    ("angles", "<u2", (N_POINTS,)),
    ("descriptors", "|u1", (N_POINTS, PACKED_BYTES)),
    ("luma", "|u1", (LUMA_SIDE, LUMA_SIDE)),
    ("colours", "|u1", (COLOUR_SIDE, COLOUR_SIDE, 2)),
]
"""Name, dtype and shape of each field: width and height in pixels; of a JPEG libjpeg's quality and
how many pixels the file has, 0 if not known; left, top, right and bottom of
what is within borders and bars, in 65,535ths of the sides; how many points there are; x and y in 65,535ths of
the sides, the sizes in pixels of a picture of 192 pixels, the angles in 65,536ths of a turn, and the descriptors, two
counts a byte; luma, and Cb and Cr, both stretched to a square."""


def make_sketch(rgb: npt.NDArray[np.uint8]) -> Sketch:
    """Make the sketch of a picture, upright and without transparency: uint8, shape (height, width, 3)."""
    height, width = rgb.shape[:2]
    ycc = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), np.uint8)
    luma = np.ascontiguousarray(ycc[..., 0])
    scale = min(POINTS_SIDE / max(height, width), 2.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    points = find_keypoints(_resize(luma, size))
    n = len(points.places)
    row = {name: np.zeros(shape, dtype) for name, dtype, shape in SKETCH_FIELDS}
    row["size"][:] = width, height
    row["box"][:] = np.rint(np.array(trimmed_box(rgb)) / (width, height, width, height) * 65_535)
    row["n_points"][...] = n
    row["places"][:n] = np.rint(((points.places + 0.5) / size).clip(0, 1) * 65_535)
    row["sizes"][:n] = points.sizes * (POINTS_SIDE / max(size))
    row["angles"][:n] = np.rint(points.angles / (2 * np.pi) * 65_536).astype(np.int64) % 65_536
    row["descriptors"][:n] = points.descriptors
    row["luma"][:] = _resize(luma, (LUMA_SIDE, LUMA_SIDE))
    row["colours"][:] = _resize(np.ascontiguousarray(ycc[..., 2:0:-1]), (COLOUR_SIDE, COLOUR_SIDE))
    return row


def _resize(picture: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    smaller = size[0] <= picture.shape[1] and size[1] <= picture.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
