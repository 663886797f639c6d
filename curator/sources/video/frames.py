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
from curator.store.image_files import name_files, sync_files
from curator.store.paths import FRAMES, DataPaths

READER = "curator.sources.video.frame_reader"
_MOST_LOST_S, _MOST_LOST = 2.0, 0.05
_SYNCED_AT_ONCE = 256


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
        if all(map(os.path.isfile, files)):
            return Taken(known["ms"].to_pylist(), files)
    at_ms, files = _read(video, choice, context, DataPaths(folder, folder, FRAMES))
    names = [name.removeprefix(f"{folder}/") for name in files]
    entry.save(
        pa.table({"ms": pa.array(at_ms, pa.int64()), "file": pa.array(names, pa.string())}), {"origin": str(video)}
    )
    return Taken(at_ms, files)


def _read(video: Path, choice: Choice, context: ListingContext, store: DataPaths) -> tuple[list[int], list[str]]:
    at_ms, files, temporaries = list[int](), list[str](), list[str]()
    facts: dict[str, Any] = {}
    what = f"Seconds of {video.name}"
    store.images.mkdir(parents=True, exist_ok=True)
    try:
        for line in _lines(video, choice, context.cache_dir.absolute()):
            if "ms" not in line:
                context.emit(WorkStarted(what, round(line.get("stated_ms", 0) / 1000), "second"))
                facts |= line
                continue
            context.emit(WorkAdvanced(what, (line["ms"] - (at_ms[-1] if at_ms else 0)) // 1000))
            at_ms.append(line["ms"])
            files.append(line["file"])
            temporaries += [line["temporary"]] if line["temporary"] else []
            if len(temporaries) == _SYNCED_AT_ONCE:
                _keep(store, temporaries)
        _keep(store, temporaries)
    finally:
        for temporary in temporaries:
            Path(temporary).unlink(missing_ok=True)
        context.emit(WorkFinished(what))
    _refuse_or_warn(video, facts, len(files), context)
    return at_ms, files


def _refuse_or_warn(video: Path, facts: dict[str, Any], n_frames: int, context: ListingContext) -> None:
    """Refuse a video that gave no frames, and warn of one whose end could not be read."""
    if "unreadable" in facts:
        raise SourceError(facts["unreadable"])
    if "read_ms" not in facts:
        raise SourceError("the decoder crashed, or used too much memory or time")
    if not n_frames:
        raise SourceError("it has no frame that can be decoded")
    read_s, stated_s = facts["read_ms"] / 1000, facts["stated_ms"] / 1000
    if stated_s - read_s > max(_MOST_LOST_S, _MOST_LOST * stated_s):
        context.emit(
            Warned(f"{video.name} ends after {read_s:,.0f} of the {stated_s:,.0f} s that it states: it may be cut")
        )


def _keep(store: DataPaths, temporaries: list[str]) -> None:
    """Give written frames their final names."""
    if temporaries:
        sync_files(store.images, temporaries)
        name_files(temporaries)
        temporaries.clear()


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
