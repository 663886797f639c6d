"""The view of the map: which rows are on it, in an order in which neighbours follow each other, and their points.

>>> along_curve(np.array([[0.9, 0.1], [0.1, 0.1], [0.1, 0.9], [0.9, 0.9]], np.float32)).tolist()
[1, 2, 3, 0]
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.manifests.reviews import DECISIONS, Review
from curator.review.images import BoolArray, Images
from curator.review.suspected import is_suspected
from curator.store.map_file import PictureMap, read_map
from curator.store.paths import DataPaths

Rows = npt.NDArray[np.int64]

SCALE = 10_000
"""Points are sent as whole numbers from 0 to this."""

_LEVELS = 8


class _Latest:
    """The map that was drawn last, read again when it is another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: object = None
        self._drawn: PictureMap | None = None

    def read(self, folder: Path) -> PictureMap | None:
        facts = sorted((str(path), path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.glob("map-*.npy"))
        with self._lock:
            if (folder, facts) != self._seen:
                self._seen, self._drawn = (folder, facts), read_map(folder)
            return self._drawn


_latest = _Latest()


def rows_on_map(images: Images, passing: BoolArray, paths: DataPaths) -> Rows:
    """Return the rows that pass and are on the map, along a curve that keeps neighbours together."""
    points = points_of(images, paths)
    rows = np.flatnonzero(np.isfinite(points[:, 0]) & passing)
    return rows[along_curve(points[rows])]


def points_of(images: Images, paths: DataPaths) -> npt.NDArray[np.float32]:
    """Return the point of each row: float32 (rows, 2), NaN for a row that is not on the map."""
    drawn = _latest.read(paths.features)
    if drawn is None or not len(drawn.sha256s):
        return np.full((len(images), 2), np.nan, np.float32)
    places = pc.fill_null(pc.index_in(images.table["sha256"], pa.array(drawn.sha256s, pa.string())), -1)
    numbers = places.to_numpy().astype(np.int64)
    return np.where(numbers[:, None] >= 0, drawn.points[numbers], np.float32(np.nan))


def describe_points(
    images: Images, rows: Rows, paths: DataPaths, decided: Mapping[int, Review], labels: Sequence[str]
) -> dict[str, Any]:
    """Describe what is drawn of some rows, an entry a row in each list.

    Args:
        decided: row to review.
        labels: of the recipe.

    Returns:
        ``x`` and ``y`` in :data:`SCALE`, ``label`` (a number of ``labels``; -1: none), ``suspect`` (0 or 1), and
        ``decided`` (0: no; else 1 and the place in :data:`curator.manifests.reviews.DECISIONS`).
    """
    drawn = _latest.read(paths.features)
    points = np.nan_to_num(points_of(images, paths)[rows]) * SCALE
    found = pc.fill_null(pc.index_in(images.table["label"], pa.array(labels, pa.string())), -1).to_numpy()[rows]
    found, what = found.copy(), np.zeros(len(rows), np.int64)
    place = {row: n for n, row in enumerate(rows.tolist())} if decided else {}
    for row, review in decided.items():
        if (n := place.get(row)) is not None:
            what[n] = 1 + DECISIONS.index(review.decision)
            if review.new_label in labels:
                found[n] = labels.index(review.new_label)
    x, y = points.round().astype(np.int64).T
    suspect = is_suspected(images, paths)[rows].astype(np.int64)
    lists = {"x": x, "y": y, "label": found, "suspect": suspect, "decided": what}
    return {"title": drawn.title if drawn else "", **{name: values.tolist() for name, values in lists.items()}}


def along_curve(points: npt.NDArray[np.float32]) -> Rows:
    """Order points in the unit square along Hilbert's curve (https://en.wikipedia.org/wiki/Hilbert_curve)."""
    side = 1 << _LEVELS
    x, y = np.clip((points * side).astype(np.int64), 0, side - 1).T
    distance = np.zeros(len(points), np.int64)
    step = side // 2
    while step:
        right, low = (x & step) > 0, (y & step) > 0
        distance += step * step * ((3 * right) ^ low)
        flip = ~low & right
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(low, x, y), np.where(low, y, x)
        step //= 2
    return np.argsort(distance, kind="stable")
