"""Take frames of a local video, once: they are kept below the cache of lists, with when each is shown.

A video is read in a process of its own (:mod:`curator.sources.video.frame_reader`), which may die of it.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "match.mp4").write_bytes(b"no video")
>>> take_frames(folder / "match.mp4", Choice(every_s=1.0), ListingContext((), folder))
Traceback (most recent call last):
curator.errors.SourceError: no video that can be decoded here
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import pyarrow as pa

from curator.errors import SourceError
from curator.events import Warned, WorkAdvanced, WorkFinished, WorkStarted
from curator.observe.workers.start import with_package
from curator.sources.base import ListingContext
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.places import place_version
from curator.store.image_files import Unnamed, name_files, sync_files
from curator.store.paths import FRAMES, DataPaths
from curator.store.whole_files import TEMPORARY_PREFIX, disk_errors

READER = "curator.sources.video.frame_reader"
_MOST_LOST_S, _MOST_LOST = 2.0, 0.05
_SYNCED_AT_ONCE = 256
_SHA256, _TOKEN = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{0,32}")


@dataclass(frozen=True)
class Choice:
    """Which frames: one every so many seconds, or one of each scene."""

    every_s: float = 1.0
    scenes: bool = False


@dataclass(frozen=True)
class Taken:
    """Frames of one video: when each is shown, in milliseconds from the beginning, and its file."""

    at_ms: list[int]
    files: list[str]


def entry_of(video: Path, choice: Choice, context: ListingContext) -> CacheEntry:
    """Return where the frames are listed: another file, another choice or another decoder is another list."""
    version = {**place_version(str(video), context.base_dir), **asdict(choice), "opencv": cv2.__version__}
    return CacheEntry(context, FRAMES, version)


def take_frames(video: Path, choice: Choice, context: ListingContext) -> Taken:
    """Return the frames of a video, those taken before from the cache.

    Raises:
        SourceError: it cannot be read; the message is a clause.
        DiskError: the disk refused.
    """
    entry = entry_of(video, choice, context)
    folder = context.cache_dir.absolute()
    if (known := entry.load()) is not None:
        files = [f"{folder}/{name}" for name in known["file"].to_pylist()]
        if all(Path(file).stem in context.forgotten or os.path.isfile(file) for file in files):  # noqa: PTH113
            return Taken(known["ms"].to_pylist(), files)
    found = _read(video, choice, context, DataPaths(folder, folder, FRAMES))
    names = [name.removeprefix(f"{folder}/") for name in found.files]
    kept = {"ms": pa.array(found.at_ms, pa.int64()), "file": pa.array(names, pa.string())}
    entry.save(pa.table(kept), {"origin": str(video)})
    return Taken(found.at_ms, found.files)


class _Reading:
    """What one run of the reader has said so far. It reads what strangers made: no path that it names is taken."""

    def __init__(self, video: Path, context: ListingContext, store: DataPaths) -> None:
        self.video, self.context, self.store = video, context, store
        self.what = f"Seconds of {video.name}"
        self.at_ms, self.files, self.temporaries = list[int](), list[str](), list[str]()
        self.stated_s, self.read_s = 0.0, -1.0

    def take(self, line: dict[str, Any]) -> None:
        """Take one line.

        Raises:
            SourceError: the video cannot be read.
            DiskError: the disk refused.
            ValueError: it is no line of a reader.
        """
        match line:
            case {"ms": int(at_ms), "sha256": str(sha256), "token": str(token)}:
                self._take_frame(at_ms, sha256, token)
            case {"stated_ms": float() | int() as stated_ms}:
                self.stated_s = stated_ms / 1000
                self.context.emit(WorkStarted(self.what, round(self.stated_s), "second"))
            case {"read_ms": float() | int() as read_ms}:
                self.read_s = read_ms / 1000
            case {"unreadable": str(why)}:
                raise SourceError(why)
            case {"disk": int(number)}:
                with disk_errors(self.store.images):
                    raise OSError(number, os.strerror(number))
            case _:
                raise ValueError(line)

    def _take_frame(self, at_ms: int, sha256: str, token: str) -> None:
        if not _SHA256.fullmatch(sha256) or not _TOKEN.fullmatch(token):
            raise ValueError(sha256, token)
        folder, name = self.store.image_text(sha256, "jpeg")
        temporary = f"{folder}/{TEMPORARY_PREFIX}{token}-{name}"
        if token and sha256 in self.context.forgotten:
            Path(temporary).unlink(missing_ok=True)
        elif token:
            self.temporaries.append(temporary)
        self.context.emit(WorkAdvanced(self.what, at_ms // 1000 - (self.at_ms[-1] // 1000 if self.at_ms else 0)))
        self.at_ms.append(at_ms)
        self.files.append(f"{folder}/{name}")
        if len(self.temporaries) == _SYNCED_AT_ONCE:
            self.keep()

    def keep(self) -> None:
        """Give written frames their final names."""
        if self.temporaries:
            sync_files(self.store.images, self.temporaries)
            name_files(map(Unnamed.of, self.temporaries))
            self.temporaries.clear()

    def end(self) -> None:
        """Refuse a video that gave no frames, and warn of one whose end could not be read."""
        if self.read_s < 0:
            raise SourceError("the decoder crashed, or used too much memory or time")
        if not self.files:
            raise SourceError("it has no frame that can be decoded")
        if self.stated_s - self.read_s > max(_MOST_LOST_S, _MOST_LOST * self.stated_s):
            ends = f"ends after {self.read_s:,.0f} of the {self.stated_s:,.0f} s that it states"
            self.context.emit(Warned(f"{self.video.name} {ends}: it may be cut"))


def _read(video: Path, choice: Choice, context: ListingContext, store: DataPaths) -> _Reading:
    reading = _Reading(video, context, store)
    store.images.mkdir(parents=True, exist_ok=True)
    try:
        for line in _lines(video, choice, context.cache_dir.absolute()):
            reading.take(line)
        reading.keep()
    except (ValueError, TypeError):  # no line of JSON, or none that a reader writes
        reading.read_s = -1.0
    finally:
        for temporary in reading.temporaries:
            Path(temporary).unlink(missing_ok=True)
        context.emit(WorkFinished(reading.what))
    reading.end()
    return reading


def _lines(video: Path, choice: Choice, folder: Path) -> Iterator[dict[str, Any]]:
    """Start the reader and yield what it says, line by line; it ends with this generator."""
    order = {
        "path": str(video.absolute()),
        "folder": str(folder),
        "scenes": choice.scenes,
        "every_ms": choice.every_s * 1000,
    }
    command, pipe = [sys.executable, "-P", "-m", READER, json.dumps(order)], subprocess.PIPE
    with subprocess.Popen(
        command, env=with_package(), stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield from map(json.loads, process.stdout or ())
        finally:
            process.kill()
