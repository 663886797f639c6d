"""Summaries of stored pictures, made once and kept by content: all that pictures are found and compared by.

>>> SKETCHES.file_name()[:9], GLIMPSES.file_name()[:9]
('sketches-', 'glimpses-')
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curator.embed.features import compute_rows
from curator.embed.row_file import RowFile
from curator.embed.squares import PixelArray
from curator.errors import StateError, why
from curator.events import Listener, Warned, WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.cluster.orders import NO_FOLDER
from curator.fetch.cluster.spread import Spread
from curator.matching.judge.sketch import SKETCH_FIELDS, SKETCH_SIDE, make_sketch
from curator.matching.judge.versions import GLIMPSE_VERSION, SKETCH_VERSION
from curator.matching.points.glimpse import GLIMPSE_FIELDS, GLIMPSE_SIDE, take_glimpse
from curator.observe.pixels import DECODER_VERSION
from curator.observe.renderings import Rendering
from curator.observe.traces import N_BYTES, read_compression
from curator.observe.workers.render import UndecodableError, render_to
from curator.observe.workers.rendered import opened_regular
from curator.store.image_store import here, size_of
from curator.text import Command, Text

_AT_ONCE = 64
"""Pictures that a worker of a cluster makes summaries of before it hands them over."""


@dataclass(frozen=True)
class Summary:
    """A kind of summary.

    Attributes:
        name: of its files, and of the work.
        version: of how it is made.
        fields: its NumPy fields.
        form, side_px: what it is made of: the form of a rendering, and the longest side.
        make: makes it of the pixels: uint8, shape (height, width, 3), or (height, width) in grey.
    """

    name: str
    version: int
    fields: Sequence[tuple[str, str, tuple[int, ...]]]
    form: str
    side_px: int
    make: Callable[[PixelArray], dict[str, Any]]

    def file_name(self) -> str:
        """Name the file, by what decides the summaries besides the picture."""
        return f"{self.name}-version{self.version}-decoder{DECODER_VERSION}.npy"

    def open(self, folder: Path) -> RowFile:
        """Open the file in a folder of caches; those that other versions made are removed."""
        path = folder / self.file_name()
        for older in folder.glob(f"{self.name}-*.npy"):
            if older != path:
                older.unlink(missing_ok=True)
        return RowFile(path, list(self.fields))

    def of_file(self, path: Path, sha256: str, max_pixels: int) -> dict[str, Any]:
        """Make that of a stored picture.

        Raises:
            StateError: it is gone, is not what it was, or does not decode.
        """
        rendering = Rendering(self.form, fit="within", side_px=self.side_px, least={"long_px": self.side_px})
        try:
            width, height = render_to(out := io.BytesIO(), path, rendering, max_pixels, sha256)
        except UndecodableError as error:
            raise StateError(f"{path} cannot be compared ({error})") from error
        shape = (height, width) if self.form == "L" else (height, width, 3)
        made = self.make(np.frombuffer(out.getbuffer(), np.uint8).reshape(shape))
        if "jpeg" in made:
            try:
                with opened_regular(here(path)) as file:
                    made["jpeg"][:] = read_compression(file.read(N_BYTES))
            except OSError as error:  # kept as unknown it would decide who stays
                raise StateError(f"{path} cannot be compared ({why(error)})") from error
        return made


SKETCHES = Summary("sketches", SKETCH_VERSION, SKETCH_FIELDS, "RGB", SKETCH_SIDE, make_sketch)
"""What the judge needs, of pictures that are in a pair."""
GLIMPSES = Summary("glimpses", GLIMPSE_VERSION, GLIMPSE_FIELDS, "L", GLIMPSE_SIDE, take_glimpse)
"""What pairs are found by, of all pictures."""


def make_summaries(
    summary: Summary,
    file: RowFile,
    sha256s: Sequence[str],
    files: Sequence[Path],
    max_pixels: int,
    emit: Listener,
    spread: Spread | None = None,
) -> None:
    """Make the summaries that the file lacks; a picture that cannot be read gets none.

    Args:
        summary: of which kind.
        file: see :meth:`Summary.open`.
        sha256s: of the contents.
        files: where each content is.
        max_pixels: larger pictures are not decoded.
        emit: receives the progress.
        spread: a cluster that makes them; None: this machine does.

    Raises:
        DiskError: the disk refuses.
    """
    if spread:
        _make_on(spread, summary, file, dict(zip(sha256s, files, strict=True)), max_pixels, emit)
        return

    def compute(number: int) -> list[dict[str, Any]]:
        return [summary.of_file(files[number], sha256s[number], max_pixels)]

    try:
        compute_rows([file], sha256s, compute, emit, summary.name)
    except StateError as error:  # which is raised when all others are kept
        emit(Warned(by_hash_alone(error)))


def by_hash_alone(error: StateError) -> Text:
    """Say what becomes of pictures that cannot be read now, and what to do."""
    what = f"{error.message} What cannot be read is compared by its hashes alone: mend it, then run "
    return (what, Command("dedupe --force"), ".")


def _make_on(
    spread: Spread, summary: Summary, file: RowFile, paths: Mapping[str, Path], max_pixels: int, emit: Listener
) -> None:
    known = zip(paths.items(), file.find([*paths]).tolist(), strict=True)
    lacking = [one for one, place in known if place < 0]
    wanted = [(sha256, path.absolute()) for sha256, path in lacking if size_of(path) is not None]
    parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    emit(WorkStarted(summary.name, len(wanted)))
    try:
        common = (summary.name, max_pixels)
        for part, made in zip(parts, spread.map(summarise_part, common, ((part,) for part in parts)), strict=True):
            rows = [(sha256, row) for (sha256, _), row in zip(part, made, strict=True) if row is not None]
            if rows:
                names = [sha256 for sha256, _ in rows]
                file.add(names, **{name: np.stack([row[name] for _, row in rows]) for name in rows[0][1]})
            emit(WorkAdvanced(summary.name, len(part)))
    finally:
        emit(WorkFinished(summary.name))


def summarise_part(common: tuple[str, int], part: Sequence[tuple[str, Path]]) -> list[dict[str, Any] | None]:
    """Make summaries of some contents, given with the path of each; None for one that does not decode.

    Args:
        common: the name of the kind of summary, and ``max_pixels``.

    Raises:
        StateError: a file is not there, which it is on the machine that names it.
    """
    name, max_pixels = common
    (summary,) = (each for each in (SKETCHES, GLIMPSES) if each.name == name)
    found: list[dict[str, Any] | None] = []
    for sha256, path in part:
        if size_of(path) is None:
            raise StateError(f"{path} is not there.", NO_FOLDER)
        try:
            found.append(summary.of_file(path, sha256, max_pixels))
        except StateError:
            found.append(None)
    return found
