"""Features of images, computed once and kept by content; a run that was killed goes on where it was.

A file of features is named by what decides them besides the image: weights, pixel scaling, side, decoder, and which
augmented variant. In it each row is found by the image's hash, so a few more images cost only what is new.

>>> file_name("ab" * 32, "unit", 224)
'features-abababababab-unit-224-decoder3.npy'
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.embed.embedder import Embedder, FloatArray, PixelArray
from curator.embed.row_file import RowFile
from curator.embed.squares import raise_all
from curator.errors import StateError
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.observe.pixels import DECODER_VERSION

WORK = "features"
AT_ONCE = 64
"""Images between two writes: what a killed run loses."""


def file_name(weights_sha256: str, pixels: str, side: int, variant: int = 0) -> str:
    """Name the file of features; variant 0 is the image as it is, others are augmented."""
    varied = f"-variant{variant}" if variant else ""
    return f"features-{weights_sha256[:12]}-{pixels}-{side}-decoder{DECODER_VERSION}{varied}.npy"


def open_features(folder: Path, embedder: Embedder, variant: int = 0) -> RowFile:
    """Open the file of a network's features in a folder of caches."""
    name = file_name(embedder.sha256, embedder.pixels, embedder.side, variant)
    return RowFile(folder / name, [("features", "<f4", (embedder.n_features,))])


def embed_images(
    file: RowFile, sha256s: Sequence[str], embedder: Embedder, read: Callable[[int], PixelArray], emit: Listener
) -> None:
    """Compute the features of those contents that the file has no row of.

    Args:
        file: see :func:`open_features`.
        sha256s: of the images.
        embedder: the network.
        read: returns the pixels of the n-th of them, uint8 (side, side, 3), or raises :class:`StateError`.
        emit: receives the progress.

    Raises:
        StateError: images could not be read; the features of all others were kept.
        DiskError: the disk refuses.
    """
    compute_rows([file], sha256s, lambda number: [{"features": embedder.run_image(read(number))}], emit)


def compute_rows(
    files: Sequence[RowFile],
    sha256s: Sequence[str],
    compute: Callable[[int], Sequence[dict[str, Any]]],
    emit: Listener,
    work: str = WORK,
) -> None:
    """Compute what any of several files lacks of some contents, a chunk at a time, on all cores.

    Args:
        compute: returns the fields of the n-th content for each file; a :class:`StateError` is collected.
    """
    lacking = np.any([file.find(sha256s) < 0 for file in files], axis=0)
    first = {sha256: number for number, sha256 in reversed(list(enumerate(sha256s))) if lacking[number]}
    numbers = sorted(first.values())
    if not numbers:
        return
    problems: list[str] = []

    def attempt(number: int) -> Sequence[dict[str, Any]] | None:
        try:
            return compute(number)
        except StateError as error:
            problems.append(str(error))
            return None

    emit(WorkStarted(work, len(numbers)))
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for start in range(0, len(numbers), AT_ONCE):
            chunk = numbers[start : start + AT_ONCE]
            done = [(sha256s[number], one) for number, one in zip(chunk, pool.map(attempt, chunk), strict=True) if one]
            for place, file in enumerate(files):
                _add(file, [(sha256, one[place]) for sha256, one in done])
            emit(WorkAdvanced(work, len(chunk)))
    finally:
        pool.shutdown(cancel_futures=True)
        emit(WorkFinished(work))
    raise_all(problems)


def _add(file: RowFile, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    known = file.find([sha256 for sha256, _ in rows])
    new = [row for row, place in zip(rows, known, strict=True) if place < 0]
    if new:
        columns = {name: np.stack([values[name] for _, values in new]) for name in new[0][1]}
        file.add([sha256 for sha256, _ in new], **columns)


def features_of(file: RowFile, sha256s: Sequence[str]) -> FloatArray:
    """Return the features of contents that all have a row: float32 (contents, n_features)."""
    found: npt.NDArray[np.float32] = file.rows["features"][file.find(sha256s)]
    return found
