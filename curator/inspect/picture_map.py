"""Draw the map of a data set in two dimensions: pictures that look alike lie beside each other.

Features are projected onto their 50 largest principal directions, then laid out by t-SNE (van der Maaten and Hinton
2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html), as scikit-learn has it, from a fixed start and seed. Of a
large set a sample is laid out, and each other picture lies among those of it that it is most like. Without scikit-learn
the two largest principal directions are the map.

>>> lay_out(np.eye(3, 4, dtype=np.float32), "pca").shape
(3, 2)
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from curator.embed.features import open_features
from curator.embed.models import open_embedder
from curator.embed.row_file import RowFile
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.inspect.suspects.principal import likenesses, principal
from curator.manifests.project import Project
from curator.store.map_file import PictureMap, read_map, write_map

FloatArray = npt.NDArray[np.float32]

WORK = "map"
N_LAID_OUT = 5_000
"""Pictures that t-SNE lays out at most: its time grows faster than their number."""

_N_DIRECTIONS, _ITERATIONS, _PERPLEXITY, _N_NEAREST = 50, 500, 30, 3
_FEWEST = 10
"""Of fewer pictures there are no neighbourhoods to lay out."""
_AT_ONCE = 2_000


def draw_map(project: Project) -> PictureMap | None:
    """Draw the map of all pictures whose features are there, unless it is drawn already; None if there are none.

    Raises:
        CuratorError: the network cannot be used.
        DiskError: the disk refuses.
    """
    features = open_features(project.paths.features, open_embedder(project.recipe.embed, project.recipe.base_dir))
    way = "tsne" if importlib.util.find_spec("sklearn") else "pca"
    before = read_map(features.path.parent)
    contents = features.contents()
    if before and (before.way, before.features) == (way, features.path.name) and sorted(before.sha256s) == contents:
        return before
    return _draw(features, way, contents, project.emit) if contents else None


def _draw(features: RowFile, way: str, contents: list[str], emit: Listener) -> PictureMap:
    emit(WorkStarted(WORK, len(contents)))
    try:
        # In the order of their hashes: whatever the order in which they came, and the first ones are a sample.
        points = lay_out(features.rows["features"][features.find(contents)], way)
    finally:
        emit(WorkAdvanced(WORK, len(contents)))
        emit(WorkFinished(WORK))
    drawn = PictureMap(contents, points, way, features.path.name)
    write_map(features.path.parent, drawn)
    return drawn


def lay_out(features: FloatArray, way: str) -> FloatArray:
    """Return a point for each picture, the same for the same features: float32 (pictures, 2), in [0, 1].

    Args:
        features: float32 (pictures, channels), in an order that has nothing to do with what they show.
        way: ``tsne``, or ``pca`` for the two largest principal directions.
    """
    directions = principal(likenesses(features), _N_DIRECTIONS)
    if way == "pca" or len(features) < _FEWEST:
        return _in_square(np.pad(directions, ((0, 0), (0, 2)))[:, :2])
    sample = directions[:N_LAID_OUT]
    points = _tsne(sample)
    rest = directions[N_LAID_OUT:]
    return _in_square(np.concatenate([points, _among(rest, sample, points)]) if len(rest) else points)


def _tsne(directions: FloatArray) -> FloatArray:
    manifold: Any = importlib.import_module("sklearn.manifold")
    perplexity = min(_PERPLEXITY, (len(directions) - 1) / 3)
    settings = {"init": "pca" if directions.shape[1] > 1 else "random", "random_state": 0, "max_iter": _ITERATIONS}
    # One thread: several wait for each other in each iteration, which takes many times as long where cores are busy.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pictures that are all the same
        return np.asarray(manifold.TSNE(perplexity=perplexity, **settings).fit_transform(directions), np.float32)


def _among(rest: FloatArray, sample: FloatArray, points: FloatArray) -> FloatArray:
    """Lay each of the rest at the mean of those of the sample that are nearest to it, the nearest counting most."""
    found = np.empty((len(rest), 2), np.float32)
    squares = (sample**2).sum(axis=1)
    for start in range(0, len(rest), _AT_ONCE):
        block = rest[start : start + _AT_ONCE]
        distances = np.maximum(squares - 2 * block @ sample.T + (block**2).sum(axis=1)[:, None], 0)
        nearest = np.argpartition(distances, _N_NEAREST, axis=1)[:, :_N_NEAREST]
        weights = 1 / (np.take_along_axis(distances, nearest, axis=1) + 1e-6)
        weights /= weights.sum(axis=1, keepdims=True)
        found[start : start + len(block)] = (points[nearest] * weights[:, :, None]).sum(axis=1)
    return found


def _in_square(points: FloatArray) -> FloatArray:
    """Move and scale points into the unit square, both sides alike, the middle in the middle."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(float((high - low).max()), 1e-9)
    return np.asarray((points - (low + high) / 2) / side + 0.5, dtype=np.float32)
