"""How alike pictures are: the cosine between the features of one and those of others, a few thousand at a time.

>>> import tempfile
>>> file = RowFile(Path(tempfile.mkdtemp()) / "features.npy", [("features", "<f4", (2,))])
>>> file.add(["ab" * 32, "cd" * 32], features=np.array([[2, 0], [3, 3]]))
>>> likeness_to(np.array([1, 0], np.float32), file, file.find(["cd" * 32, "ef" * 32, "ab" * 32])).round(2)
array([0.71,  nan, 1.  ], dtype=float32)
"""

from __future__ import annotations

from pathlib import Path as Path

import numpy as np
import numpy.typing as npt

from curator.embed.embedder import FloatArray
from curator.embed.row_file import RowFile

_AT_ONCE = 4096


def likeness_to(one: FloatArray, file: RowFile, places: npt.NDArray[np.int64]) -> FloatArray:
    """Return the cosine between one picture's features and those of others.

    Args:
        one: float32 (n_features,).
        file: see :func:`curator.embed.features.open_features`.
        places: rows of the file, int64 (pictures,); -1: a picture without features.

    Returns:
        float32 (pictures,), from -1 to 1; NaN where there are no features.
    """
    found = np.full(len(places), np.nan, np.float32)
    known = np.flatnonzero(places >= 0)
    direction = one / max(float(np.linalg.norm(one)), 1e-12)
    for start in range(0, len(known), _AT_ONCE):
        block = known[start : start + _AT_ONCE]
        features = file.rows["features"][places[block]]
        found[block] = features @ direction / np.maximum(np.linalg.norm(features, axis=1), 1e-12)
    return np.clip(found, -1, 1)
