"""Pooled features of the frozen base, computed once an image and kept on disk.

A file of features is named by what decides them besides the image: weights, pixel scaling, side and which augmented
variant; within it each row is found by the image's hash, so a new manifest computes only what is new.

>>> feature_file_name("ab" * 32, "unit", 224, 0)
'features-abababababab-unit-224-variant0.npz'
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curator.benchmark.images import arrays
from curator.benchmark.images.augment import augment_images
from curator.benchmark.models.extract import BATCH, N_FEATURES, Extractor, FloatArray
from curator.benchmark.models.model import TrainingSet
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.store.whole_files import whole_file

WORK = "features"


@dataclass(frozen=True)
class FeatureSource:
    """Where features come from: the images, who runs the base over them, and what to call the result."""

    data: TrainingSet
    extractor: Extractor
    weights_sha256: str
    preprocessing: str


def feature_file_name(weights_sha256: str, preprocessing: str, side: int, variant: int) -> str:
    """Name the file of cached features; variant 0 is the image as it is, others are augmented."""
    return f"features-{weights_sha256[:12]}-{preprocessing}-{side}-variant{variant}.npz"


def cached_features(source: FeatureSource, rows: Sequence[int], variant: int = 0) -> tuple[FloatArray, float]:
    """Compute the features of ``rows`` that no earlier run has kept, and keep them.

    Args:
        source: pixels and extractor.
        rows: positions in ``source.data.pixels``, shape (images,).
        variant: 0 for the image as it is; k > 0 for the k-th augmented copy, the same on every run.

    Returns:
        Features of ``rows``, float32 (images, 1280), and the seconds that computing them took once.
    """
    sha256s, side = source.data.sha256s, source.data.pixels.shape[1]
    path = source.data.cache / feature_file_name(source.weights_sha256, source.preprocessing, side, variant)
    known, values, seconds = _read(path)
    missing = [row for row in rows if sha256s[row] not in known]
    if missing:
        start = time.perf_counter()
        values = np.concatenate([values, _compute(source, missing, variant)])
        seconds += time.perf_counter() - start
        known |= {sha256s[row]: len(known) + index for index, row in enumerate(missing)}
        names = np.array(list(known), dtype="S64")
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, version=arrays.VERSION, sha256=names, features=values, seconds=seconds)
    chosen = np.array([known[sha256s[row]] for row in rows], dtype=np.int64)
    return values[chosen], seconds * len(rows) / max(1, len(known))


def _compute(source: FeatureSource, rows: Sequence[int], variant: int) -> FloatArray:
    data, values = source.data, np.empty((len(rows), N_FEATURES), dtype=np.float32)
    data.emit(WorkStarted(WORK, len(rows)))
    for start in range(0, len(rows), BATCH):
        batch = np.asarray(rows[start : start + BATCH])
        pixels = data.pixels[batch]
        if variant:
            pixels = augment_images(pixels, [int(data.sha256s[row][:12], 16) for row in batch], variant)
        values[start : start + BATCH] = source.extractor.run(pixels)
        data.emit(WorkAdvanced(WORK, len(batch)))
    data.emit(WorkFinished(WORK))
    return values


def _read(path: Path) -> tuple[dict[str, int], FloatArray, float]:
    try:
        with np.load(path) as file:
            if int(file["version"]) == arrays.VERSION:
                names = file["sha256"].astype(str).tolist()
                return dict(zip(names, range(len(names)), strict=True)), file["features"], float(file["seconds"])
    except (FileNotFoundError, zipfile.BadZipFile, KeyError, ValueError, EOFError):
        pass  # none yet, or a damaged cache, which is only computed again
    return {}, np.empty((0, N_FEATURES), dtype=np.float32), 0.0
