"""Sketches of stored pictures, made once and kept by content: all that two pictures are compared by.

>>> sketches_name()[:9]
'sketches-'
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curator.embed.features import compute_rows
from curator.embed.row_file import RowFile
from curator.embed.squares import PixelArray
from curator.errors import StateError
from curator.events import Listener, Warned, WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.cluster.orders import NO_FOLDER
from curator.fetch.cluster.spread import Spread
from curator.matching.judge.sketch import SKETCH_FIELDS, SKETCH_SIDE, make_sketch
from curator.matching.judge.versions import SKETCH_VERSION
from curator.observe.pixels import DECODER_VERSION
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_to
from curator.store.image_store import size_of
from curator.text import Command, Text

WORK = "sketches"
_AT_ONCE = 64
"""Pictures that a worker of a cluster makes the sketches of before it hands them over."""
_SMALL = Rendering(fit="within", side_px=SKETCH_SIDE, least={"long_px": SKETCH_SIDE})


def sketches_name() -> str:
    """Name the file of sketches, by what decides them besides the picture."""
    return f"sketches-version{SKETCH_VERSION}-decoder{DECODER_VERSION}.npy"


def open_sketches(folder: Path) -> RowFile:
    """Open the file of sketches in a folder of caches; those that other versions made are removed."""
    path = folder / sketches_name()
    for older in folder.glob("sketches-*.npy"):
        if older != path:
            older.unlink(missing_ok=True)
    return RowFile(path, list(SKETCH_FIELDS))


def make_sketches(
    file: RowFile,
    sha256s: Sequence[str],
    files: Sequence[Path],
    max_pixels: int,
    emit: Listener,
    spread: Spread | None = None,
) -> None:
    """Make the sketches that the file lacks; a picture that cannot be read gets none.

    Args:
        file: see :func:`open_sketches`.
        sha256s: of the contents.
        files: where each content is.
        max_pixels: larger pictures are not decoded.
        emit: receives the progress.
        spread: a cluster that makes them; None: this machine does.

    Raises:
        DiskError: the disk refuses.
    """
    if spread:
        _make_on(spread, file, sha256s, files, max_pixels, emit)
        return

    def compute(number: int) -> list[dict[str, Any]]:
        return [make_sketch(_read_small(files[number], sha256s[number], max_pixels))]

    try:
        compute_rows([file], sha256s, compute, emit, WORK)
    except StateError as error:  # which is raised when all others are kept
        emit(Warned(by_hash_alone(error)))


def by_hash_alone(error: StateError) -> Text:
    """Say what becomes of pictures that cannot be read now, and what to do."""
    what = f"{error.message} What cannot be read is compared by its hashes alone: mend it, then run "
    return (what, Command("dedupe --force"), ".")


def _make_on(
    spread: Spread, file: RowFile, sha256s: Sequence[str], files: Sequence[Path], max_pixels: int, emit: Listener
) -> None:
    found = file.find(sha256s).tolist()
    paths = {sha256: path for sha256, path, place in zip(sha256s, files, found, strict=True) if place < 0}
    wanted = [(sha256, path.absolute()) for sha256, path in paths.items() if size_of(path) is not None]
    parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    emit(WorkStarted(WORK, len(wanted)))
    try:
        for part, made in zip(parts, spread.map(sketch_part, max_pixels, parts), strict=True):
            rows = [(sha256, row) for (sha256, _), row in zip(part, made, strict=True) if row is not None]
            if rows:
                names = [sha256 for sha256, _ in rows]
                file.add(names, **{name: np.stack([row[name] for _, row in rows]) for name in rows[0][1]})
            emit(WorkAdvanced(WORK, len(part)))
    finally:
        emit(WorkFinished(WORK))


def sketch_part(max_pixels: int, part: Sequence[tuple[str, Path]]) -> list[dict[str, Any] | None]:
    """Make the sketches of some contents, given with the path of each; None for one that does not decode.

    Raises:
        StateError: a file is not there, which it is on the machine that names it.
    """
    found: list[dict[str, Any] | None] = []
    for sha256, path in part:
        if size_of(path) is None:
            raise StateError(f"{path} is not there.", NO_FOLDER)
        try:
            found.append(make_sketch(_read_small(path, sha256, max_pixels)))
        except StateError:
            found.append(None)
    return found


def _read_small(path: Path, sha256: str, max_pixels: int) -> PixelArray:
    """Read one stored picture as RGB, upright, its longer side :data:`SKETCH_SIDE` pixels at most.

    Raises:
        StateError: it is gone, is not what it was, or does not decode.
    """
    try:
        width, height = render_to(out := io.BytesIO(), path, _SMALL, max_pixels, sha256)
    except UndecodableError as error:
        raise StateError(f"{path} cannot be compared ({error})") from error
    return np.frombuffer(out.getbuffer(), np.uint8).reshape(height, width, 3)
