"""Features in fewer numbers: likenesses, for neighbours; principal directions, for a model.

>>> rng = np.random.default_rng(0)
>>> features = (rng.normal(size=(50, 3)) @ np.diag([9, 3, 0.1])).astype(np.float32)
>>> points = likenesses(features, 3)
>>> points.shape, principal(points, 2).shape, len(judged_by(features))
((50, 3), (50, 2), 50)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

FEW = 2_000
"""So many images are judged thoroughly, as time allows: by all likenesses, and with several divisions into folds."""

N_THOROUGH, N_PRINCIPAL = 256, 128
"""Directions that few images are judged by, and many: docs/decisions/0016-suspects.md has what that changes."""

N_LIKENESS = 256
"""Cosines in 256 directions rank what is unlike the rest nearly as those in 1,280 do, in a fifth of the time."""

N_LEARNED = 20_000
"""At most so many images, evenly taken, show which directions to keep."""

_AT_ONCE = 4096


def judged_by(features: FloatArray) -> FloatArray:
    """Return what a model judges by: principal directions of features whose channels vary more alike than they did.

    A few channels vary much more than the others, and would decide nearly alone which images differ; divided by all of
    their deviation, those that hardly ever say anything would be as loud, which ruins small sets. Of few images the
    directions are of the kernel exp(cosine - 1) (Schoelkopf and others 1998, https://doi.org/10.1162/089976698300017467).

    Args:
        features: as for :func:`likenesses`.

    Returns:
        float32 (images, directions), of mean variance 1.
    """
    if len(features) > FEW:
        return principal(likenesses(features, evened=True))
    known = np.asarray(features)
    middle, scale = _moments(known)
    known = _directions((known - middle) * scale)
    kernel = np.exp(known @ known.T - 1).astype(np.float64)
    kernel -= kernel.mean(axis=0)
    kernel -= kernel.mean(axis=1, keepdims=True)
    values, vectors = _largest(kernel, min(N_THOROUGH, max(1, len(known) - 1)))
    values = np.maximum(values, 0)  # of features that are all alike, what rounding leaves
    total = max(float(values.sum()), 1e-30)
    return np.asarray(vectors * np.sqrt(values * len(known) * len(values) / total), dtype=np.float32)


def likenesses(features: FloatArray, n_kept: int = N_LIKENESS, *, evened: bool = False) -> FloatArray:
    """Project features so that the cosines between them stay nearly what they are.

    Args:
        features: float32 (images, channels), perhaps a memory map; at most ``N_LEARNED`` rows are read at once.
        n_kept: directions kept at most.
        evened: whether each channel is first given mean 0 and divided by the root of its deviation.

    Returns:
        float32 (images, directions), of length 1 each.
    """
    n, n_channels = features.shape
    known = np.asarray(features[:: max(1, -(-n // N_LEARNED))])
    middle, scale = _moments(known) if evened else (np.float32(0), np.float32(1))
    known = _directions((known - middle) * scale)
    if n < n_channels:  # as many numbers of each image as there are images say all: a smaller square to take apart
        values, vectors = _largest((known @ known.T).astype(np.float64), min(n_kept, n))
        return _directions((vectors * np.sqrt(values)).astype(np.float32))
    _, directions = _largest(_square(known).astype(np.float64), n_kept)
    result = np.empty((n, directions.shape[1]), np.float32)
    for start, block in _blocks(features):
        turned = _directions((block - middle) * scale) @ directions.astype(np.float32)
        result[start : start + len(block)] = _directions(turned)
    return result


def _moments(known: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each channel's mean, and one over the root of its deviation; 0 where nothing varies."""
    deviation = known.std(axis=0, dtype=np.float64)
    varies = deviation > 1e-6 * deviation.max()
    scale = np.where(varies, np.where(varies, deviation, 1) ** -0.5, 0)
    return known.mean(axis=0, dtype=np.float64).astype(np.float32), scale.astype(np.float32)


def principal(points: FloatArray, n_kept: int = N_PRINCIPAL) -> FloatArray:
    """Project points onto their directions of largest variance, and scale all alike to a mean variance of 1.

    Args:
        points: of :func:`likenesses`, whose few directions are quickly taken apart.
        n_kept: directions kept at most.

    Returns:
        float32 (images, directions).
    """
    centred = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
    values, directions = _largest(
        _square(centred).astype(np.float64) / len(points), min(n_kept, max(1, len(points) - 1))
    )
    scale = np.sqrt(len(values) / max(float(values.sum()), 1e-30))
    return np.asarray(centred @ (directions * scale).astype(np.float32), dtype=np.float32)


def _blocks(features: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    for start in range(0, len(features), _AT_ONCE):
        yield start, np.asarray(features[start : start + _AT_ONCE])


def _square(block: FloatArray) -> FloatArray:
    return block.T @ block


def _directions(block: FloatArray) -> FloatArray:
    return np.asarray(block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), np.float32(1e-12)))


def _largest(products: npt.NDArray[np.float64], n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the largest eigenvalues that are not nothing, and their vectors as columns."""
    values, vectors = np.linalg.eigh(products)
    n = max(1, min(n, int((values > values[-1] * 1e-9).sum())))
    kept = vectors[:, ::-1][:, :n]
    # An eigenvector's sign is chance: its largest entry is positive.
    return values[::-1][:n], kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(n)])
