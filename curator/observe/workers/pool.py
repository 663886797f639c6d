"""Observe files in worker processes, so that a hostile file can kill only its worker, and only for itself.

Each worker is a process on a socket pair, forked or a new Python, with limits on memory and time; the pool's
sockets are served by the caller's selector, so that one loop drives the network and the observers.

>>> import tempfile
>>> done = []
>>> with selectors.DefaultSelector() as selector:
...     paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
...     with ObserverPool(paths, 1_000_000, selector, done.append, n_workers=1) as pool:
...         pool.submit(7, [b"<html>"])
...         while not done:
...             serve(selector, timeout_s=1.0)
>>> done[0].job, done[0].sighting.observation.flaw.value
(7, 'not-an-image')
"""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from curator.errors import CuratorError, DiskError, first_remedy, why
from curator.observe.observation import Observation, Sighting
from curator.observe.workers.process import PLENTY, Job, WorkerProcess
from curator.observe.workers.replies import decode_sighting, is_stored, read_values
from curator.observe.workers.start import count_cores
from curator.reasons import Drop
from curator.store.image_files import Incoming, Unnamed, to_be_named, write_incoming, written_elsewhere
from curator.store.image_store import here
from curator.store.paths import DataPaths
from curator.text import Command

MAX_SECONDS = 30.0
"""CPU time for one image; a worker that needs longer is killed."""

START_SECONDS = 120.0
"""Wall time for a worker to start: on a crowded machine that may take longer than any image."""

_TICK_S = 1.0
"""Most seconds that count between two checks: what held this process up is not a worker's fault."""

FAILED_STARTS = 3
"""Workers that may die in a row before they have started: then the fault is not a file's."""


class ObservedFile(NamedTuple):
    """What a worker found; ``sighting`` is None if the file could not be read; ``problem`` and ``reason`` say why."""

    job: int
    sighting: Sighting | None
    file: Unnamed | None = None
    problem: str | None = None
    reason: Drop = Drop.FILE_MISSING


class ObserverPool:
    """Worker processes, started when there is work; ``on_done`` is called from within the selector's loop.

    Args:
        paths: the data set whose store takes the files; None: they are only looked at.
        max_pixels: larger images are not decoded.
        selector: serves the workers' sockets; each key's data is a callable that takes the event mask.
        on_done: called with each :class:`ObservedFile`.
        n_workers: processes; one a core by default.
        max_seconds: CPU time for one file.
    """

    def __init__(
        self,
        paths: DataPaths | None,
        max_pixels: int,
        selector: selectors.BaseSelector,
        on_done: Callable[[ObservedFile], None],
        n_workers: int | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._paths, self._max_pixels = paths, max_pixels
        self._selector, self._on_done, self._max_seconds = selector, on_done, max_seconds
        self._n_workers = n_workers or count_cores()
        self._workers: list[WorkerProcess] = []
        self._queue: deque[Job] = deque()
        self._alone: deque[Job] = deque()
        self._n_failed_starts = 0
        self._checked = time.monotonic()
        self.n_jobs = 0
        """Files submitted and not yet observed."""
        self.n_bytes = 0
        """Bytes of them that came over the network."""

    def __enter__(self) -> ObserverPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def have_plenty(self) -> bool:
        """Whether each process has so many small files ahead that nobody need look after it for some milliseconds."""
        return bool(self._workers) and all(len(worker.jobs) >= PLENTY for worker in self._workers)

    def start(self) -> None:
        """Start the processes now, so that they are ready when the first file is."""
        while len(self._workers) < self._n_workers:
            self._add_worker()

    def submit(self, job: int, source: Sequence[bytes] | Path) -> None:
        """Have a file observed, given the pieces in which its bytes came or (of one on the disk already) its path.

        Bytes are written into the store at once, where the worker reads them; what is no image is removed again.

        Raises:
            DiskError: they cannot be.
        """
        self.start()
        waiting = Job(job, here(source) if isinstance(source, Path) else self._write(source))
        self.n_jobs += 1
        self.n_bytes += waiting.n_bytes
        self._queue.append(waiting)
        self._feed()

    def check(self) -> None:
        """Kill each worker that has been at one file for too long."""
        now = time.monotonic()
        passed, self._checked = min(now - self._checked, _TICK_S), now
        for worker in list(self._workers):
            worker.busy_s += passed
            limit = self._max_seconds if worker.is_ready else START_SECONDS
            if worker.jobs and worker.has_used(limit):
                self._replace(worker, f"took longer than {limit:g} s", may_be_chance=False)

    def discard(self, is_unwanted: Callable[[int], bool]) -> list[int]:
        """Forget the files that no worker has begun and nobody wants any more; return their numbers."""
        waiting = [*self._queue, *self._alone]
        gone = [job for job in waiting if is_unwanted(job.number)]
        if gone:
            self._queue = deque(job for job in self._queue if not is_unwanted(job.number))
            self._alone = deque(job for job in self._alone if not is_unwanted(job.number))
            self.n_jobs -= len(gone)
            self.n_bytes -= sum(job.n_bytes for job in gone)
            for job in gone:
                job.remove()
            self._feed()
        return [job.number for job in gone]

    def close(self) -> None:
        """Stop all workers at once; what they have not answered is forgotten, and removed if it came just now."""
        for worker in self._workers:
            self._selector.unregister(worker.socket)
            worker.stop()
        for job in [*self._queue, *self._alone, *(job for worker in self._workers for job in worker.jobs)]:
            job.remove()
        self._workers.clear()

    def _write(self, pieces: Sequence[bytes]) -> Incoming:
        if self._paths is None:
            raise ValueError("there is no store for bytes")
        try:
            return write_incoming(self._paths, pieces)
        except OSError as error:
            raise self._disk_error(why(error), error.errno) from error

    def _disk_error(self, reason: str, code: int | None) -> DiskError:
        ways = f" counts it. {first_remedy(code)}, or choose another place with --data, then run again."
        hint = ("What was stored stays: ", Command("status"), ways)
        place = self._paths.data_root if self._paths else ""
        return DiskError(f"Cannot store an image under {place}: {reason}.", hint)

    def _add_worker(self) -> WorkerProcess:
        worker = WorkerProcess(self._paths, self._max_pixels)
        self._workers.append(worker)
        self._selector.register(worker.socket, selectors.EVENT_READ, lambda mask: self._serve(worker, mask))
        return worker

    def _feed(self) -> None:
        """Assign what waits; a file that a worker died at gets one when no other file is at any."""
        if self._alone and not any(worker.jobs for worker in self._workers):
            self._workers[0].assign(self._alone.popleft())
        while self._queue and not self._alone and (worker := min(self._workers, key=_n_jobs)).has_room():
            if any(worker.jobs and worker.jobs[0].is_second for worker in self._workers):
                break
            worker.assign(self._queue.popleft())
        for worker in self._workers:
            if worker.unsent:
                worker.send()
                self._watch(worker)

    def _watch(self, worker: WorkerProcess) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.unsent else 0)
        key = self._selector.get_key(worker.socket)
        if key.events != events:
            self._selector.modify(worker.socket, events, key.data)

    def _serve(self, worker: WorkerProcess, mask: int) -> None:
        if worker not in self._workers:  # replaced while this event waited
            return
        if mask & selectors.EVENT_WRITE:
            worker.send()
            self._watch(worker)
        if mask & selectors.EVENT_READ:
            replies = worker.replies()
            if replies is None:
                self._replace(worker, "crashed", may_be_chance=True)
                return
            for reply, luma in replies:
                try:
                    result = self._result(worker.jobs[0], reply, luma)
                except (ValueError, TypeError, LookupError):  # no observing process says that: a decoder was broken
                    self._replace(worker, "replied what none does", may_be_chance=False)
                    return
                self._n_failed_starts = 0
                self._finish(worker.take_oldest(), result)
            self._feed()

    def _result(self, job: Job, reply: bytes, luma: bytes) -> ObservedFile:
        """Read a reply; a file that came just now is to be named, or removed.

        Raises:
            DiskError: the disk refused.
            ValueError, TypeError, LookupError: it is no reply to this job.
        """
        values = read_values(reply)
        if "disk" in values and not job.is_second:  # else it may have died having removed its file
            raise self._disk_error(values["disk"], values["errno"])
        if "unreadable" in values and isinstance(job.source, Path):
            return ObservedFile(job.number, None, problem=values["unreadable"])
        if values.keys() != {"observation", "temporary"}:
            raise ValueError(*values)
        sighting, temporary = decode_sighting(values["observation"], luma), values["temporary"]
        seen, file = sighting.observation, None
        if isinstance(job.source, Incoming) and seen.n_bytes != job.source.n_bytes:
            raise ValueError(seen.n_bytes)
        if not is_stored(seen):
            job.remove()
        elif isinstance(job.source, Incoming) and self._paths:
            file = to_be_named(self._paths, job.source, seen.sha256, str(seen.format))
        elif temporary is not None and self._paths:
            file = written_elsewhere(self._paths, temporary, seen.sha256, str(seen.format))
        return ObservedFile(job.number, sighting, file)

    def _finish(self, job: Job, result: ObservedFile) -> None:
        self.n_jobs -= 1
        self.n_bytes -= job.n_bytes
        self._on_done(result)

    def _replace(self, worker: WorkerProcess, what: str, may_be_chance: bool) -> None:
        """Start another worker for one that died; the file it was at is blamed, the others go back to the queue.

        Who killed a worker nobody knows, it may have been the system for want of memory: so the file is tried again.
        """
        self._selector.unregister(worker.socket)
        self._workers.remove(worker)
        worker.stop()
        if not worker.is_ready:
            self._n_failed_starts += 1
            if self._n_failed_starts > FAILED_STARTS:
                raise CuratorError("The processes that decode images die at once.", "Is the installation whole?")
        culprit = worker.take_oldest() if worker.jobs else None
        self._queue.extendleft(reversed(worker.jobs))
        self._add_worker()
        if culprit is not None and may_be_chance and not culprit.is_second:
            self._alone.append(replace(culprit, is_second=True))
        elif culprit is not None:
            self._blame(culprit, what)
        self._feed()

    def _blame(self, culprit: Job, what: str) -> None:
        try:
            sha256, n_bytes = culprit.digest()
        except OSError as error:  # its decoder may have removed it
            problem = f"the decoder {what}, and its file cannot be read: {why(error)}"
            gone = ObservedFile(culprit.number, None, problem=problem, reason=Drop.DECODER_CRASHED)
            self._finish(culprit, gone)
            return
        crash = Observation(sha256, n_bytes, flaw=Drop.DECODER_CRASHED, flaw_detail=f"the decoder {what}")
        culprit.remove()
        self._finish(culprit, ObservedFile(culprit.number, Sighting(crash)))


def _n_jobs(worker: WorkerProcess) -> int:
    return len(worker.jobs)


def serve(selector: selectors.BaseSelector, timeout_s: float) -> None:
    """Wait for events once and call what is registered for them."""
    for key, mask in selector.select(timeout_s):
        key.data(mask)
