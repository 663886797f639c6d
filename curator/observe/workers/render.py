"""Render image files in processes that may die doing it: no file on the disk is decoded in a person's own process.

What was checked when it was fetched may have been exchanged since. The processes are those of
:mod:`curator.observe.workers`, with the same limits on memory, CPU time and pixels: started when there is work, shared
by all threads, and stopped when there was none for a while.

>>> import tempfile
>>> page = Path(tempfile.mkdtemp()) / "photo.jpg"
>>> _ = page.write_bytes(b"<html>")
>>> render(page, Rendering("JPEG", "within", 256), max_pixels=1_000_000)
Traceback (most recent call last):
curator.observe.workers.render.UndecodableError: no decoder here opens an HTML page
"""

from __future__ import annotations

import io
import os
import selectors
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from PIL import Image

from curator.errors import CuratorError
from curator.observe.renderings import Rendering
from curator.observe.workers.pool import FAILED_STARTS, MAX_SECONDS, START_SECONDS
from curator.observe.workers.process import Job, WorkerProcess
from curator.observe.workers.rendered import encode_rendering
from curator.observe.workers.replies import read_values
from curator.observe.workers.start import count_cores
from curator.store.image_store import here, is_away

_IDLE_SECONDS = 20.0
_TICK_S = 1.0
_N_TRIES = 3
_LAST_REPLIES = {"size", "changed", "unreadable", "undecodable"}


class UndecodableError(ValueError):
    """A file has no picture that can be shown; the text says why, as a clause."""


class UnreadableError(UndecodableError):
    """The disk does not return a file."""


class ChangedError(UndecodableError):
    """A file has another SHA-256 than it should."""


def render(source: Path | bytes, rendering: Rendering, max_pixels: int, sha256: str = "") -> bytes:
    """Return what a rendering makes of a file.

    Args:
        source: the file, or its bytes.
        rendering: what to make of it.
        max_pixels: width times height above which it is refused before a pixel is decoded.
        sha256: what the file must have, if that is known.

    Raises:
        UndecodableError: it cannot be read, has another SHA-256, does not decode within the limits, or is too large.
    """
    render_to(out := io.BytesIO(), source, rendering, max_pixels, sha256)
    return out.getvalue()


def render_picture(source: Path | bytes, rendering: Rendering, max_pixels: int) -> Image.Image:
    """Return the picture that a rendering in the form ``RGB`` makes of a file.

    Raises:
        UndecodableError: see :func:`render`.
    """
    size = render_to(out := io.BytesIO(), source, rendering, max_pixels)
    try:
        return Image.frombytes("RGB", size, out.getbuffer())
    except ValueError as error:
        raise UndecodableError("the decoder replied what none does") from error


def render_to(
    out: IO[bytes], source: Path | bytes, rendering: Rendering, max_pixels: int, sha256: str = ""
) -> tuple[int, int]:
    """Write what a rendering makes of a file, as it comes; return the size of the picture in pixels.

    Args:
        out: empty, and cut to that again if it has to be begun anew.

    Raises:
        UndecodableError: see :func:`render`; what is in ``out`` then is nothing.
    """
    rendered = encode_rendering(rendering, sha256)
    for _ in range(_N_TRIES):
        job = Job(0, source if isinstance(source, bytes) else here(source), rendering=rendered)
        result = _PROCESSES.ask(job, max_pixels, out)
        if "unreadable" not in result or isinstance(source, bytes) or not is_away(source):
            break  # else another process has made room by it meanwhile
    if "unreadable" in result:
        raise UnreadableError(result["unreadable"])
    if "changed" in result:
        raise ChangedError("it has changed since it was fetched")
    if "undecodable" in result:
        raise UndecodableError(result["undecodable"])
    width, height = result["size"]
    return width, height


class _DiedError(Exception):
    """The process is gone: of the file, or killed from outside."""


@dataclass
class _Idle:
    worker: WorkerProcess
    max_pixels: int
    since: float


class _Processes:
    """The processes of this process: at most one a core at work, the idle ones kept for the next file."""

    def __init__(self) -> None:
        self._lock, self._free = threading.Lock(), threading.BoundedSemaphore(count_cores())
        self._alone, self._idle = threading.Lock(), list[_Idle]()
        self._watcher: threading.Thread | None = None

    def ask(self, job: Job, max_pixels: int, out: IO[bytes]) -> dict[str, Any]:
        """Have a file rendered; by a second process, while no other file is tried again, if the first one dies."""
        with self._free:
            try:
                return self._ask(job, max_pixels, out)
            except _DiedError:
                out.seek(0)
                out.truncate()
            with self._alone:
                try:
                    return self._ask(replace(job, is_second=True), max_pixels, out)
                except _DiedError:
                    return {"undecodable": "the decoder crashed"}

    def _ask(self, job: Job, max_pixels: int, out: IO[bytes]) -> dict[str, Any]:
        worker = self._take(max_pixels)
        try:
            result = _converse(worker, job, out)
        except BaseException:
            worker.stop()
            raise
        if worker.jobs:  # it took too long, and is at it still
            worker.stop()
        else:
            self._give_back(worker, max_pixels)
        return result

    def _take(self, max_pixels: int) -> WorkerProcess:
        with self._lock:
            fitting = [one for one in self._idle if one.max_pixels == max_pixels]
            # One that allows another number of pixels makes room: all together are no more than one a core.
            gone = fitting[-1:] or (self._idle[:1] if len(self._idle) >= count_cores() else [])
            self._idle = [one for one in self._idle if one not in gone]
        if fitting and fitting[-1].worker.process.poll() is None:
            return fitting[-1].worker
        for one in gone:
            one.worker.stop()
        return _started(max_pixels)

    def _give_back(self, worker: WorkerProcess, max_pixels: int) -> None:
        with self._lock:
            self._idle.append(_Idle(worker, max_pixels, time.monotonic()))
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._stop_idle, name="curator-idle", daemon=True)
                self._watcher.start()

    def _stop_idle(self) -> None:
        """Stop the processes that had no work for a while, until there are none."""
        while True:
            time.sleep(_IDLE_SECONDS / 4)
            with self._lock:
                old = [one for one in self._idle if one.since < time.monotonic() - _IDLE_SECONDS]
                self._idle = [one for one in self._idle if one not in old]
                is_done = not self._idle
                if is_done:
                    self._watcher = None
            for one in old:
                one.worker.stop()
            if is_done:
                return


def _started(max_pixels: int) -> WorkerProcess:
    """Start a process and wait until it is ready.

    Raises:
        CuratorError: none starts.
    """
    for _ in range(FAILED_STARTS + 1):
        worker = WorkerProcess(None, max_pixels)
        with selectors.DefaultSelector() as selector:
            selector.register(worker.socket, selectors.EVENT_READ)
            deadline = time.monotonic() + START_SECONDS
            while not worker.is_ready and time.monotonic() < deadline:
                if selector.select(_TICK_S) and worker.replies() is None:
                    break
        if worker.is_ready:
            return worker
        worker.stop()
    raise CuratorError("The processes that decode images die at once.", "Is the installation whole?")


def _converse(worker: WorkerProcess, job: Job, out: IO[bytes]) -> dict[str, Any]:
    """Send a file and write the pieces that come back, until the last reply, which is returned.

    Raises:
        _DiedError: there is none.
    """
    worker.assign(job)
    worker.send()
    with selectors.DefaultSelector() as selector:
        key = selector.register(worker.socket, selectors.EVENT_READ)
        while True:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.unsent else 0)
            if key.events != wanted:
                key = selector.modify(worker.socket, wanted)
            before = time.monotonic()
            mask = next((mask for _, mask in selector.select(_TICK_S)), 0)
            worker.busy_s += min(time.monotonic() - before, _TICK_S)
            if mask & selectors.EVENT_WRITE:
                worker.send()
            replies = worker.replies() if mask & selectors.EVENT_READ else []
            if replies is None:
                raise _DiedError
            for values, data in replies:
                out.write(data)
                try:
                    if (result := read_values(values)) and not result.keys() <= _LAST_REPLIES:
                        raise ValueError(*result)
                except ValueError:  # a decoder was broken; its process is stopped
                    return {"undecodable": "the decoder replied what none does"}
                if result:
                    worker.take_oldest()
                    return result
            if worker.has_used(MAX_SECONDS):
                return {"undecodable": f"the decoder took longer than {MAX_SECONDS:g} s"}


def _begin_anew() -> None:
    global _PROCESSES
    _PROCESSES = _Processes()


_PROCESSES = _Processes()
os.register_at_fork(after_in_child=_begin_anew)  # a child has processes of its own: two cannot share a socket
