"""Observe files in worker processes, so that a hostile file can kill only its worker, and only for itself.

Each worker is a fresh Python on a socket pair, with limits on memory and time; the pool's sockets are served by the
caller's selector, so that one loop drives the network and the observers.

>>> import tempfile
>>> done = []
>>> with selectors.DefaultSelector() as selector:
...     paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
...     with ObserverPool(paths, 1_000_000, selector, done.append, n_workers=1) as pool:
...         pool.submit(7, b"<html>")
...         while not done:
...             serve(selector, timeout_s=1.0)
>>> done[0].job, done[0].sighting.observation.flaw.value
(7, 'not-an-image')
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from curator.errors import CuratorError, DiskError
from curator.observe.observation import Observation, Sighting
from curator.observe.workers.main import decode_sighting
from curator.observe.workers.process import Job, WorkerProcess
from curator.observe.workers.rendered import opened_regular
from curator.observe.workers.start import count_cores
from curator.reasons import Drop
from curator.store.image_store import here
from curator.store.paths import DataPaths
from curator.store.whole_files import first_remedy

MAX_SECONDS = 30.0
"""CPU time for one image; a worker that needs longer is killed."""

START_SECONDS = 120.0
"""Wall time for a worker to start: on a crowded machine that may take longer than any image."""

_TICK_S = 1.0
"""Most seconds that count between two checks: what held this process up is not a worker's fault."""

_DEPTH = 2
"""Files assigned to a worker at once, so that it need not wait for the next."""

FAILED_STARTS = 3
"""Workers that may die in a row before they have started: then the fault is not a file's."""


@dataclass(frozen=True, slots=True)
class ObservedFile:
    """What a worker found; ``sighting`` is None if the file could not be read, and ``problem`` says why."""

    job: int
    sighting: Sighting | None
    temporary: str | None = None
    problem: str | None = None


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
        """Bytes held for them."""

    def __enter__(self) -> ObserverPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the processes now, so that they are ready when the first file is."""
        while len(self._workers) < self._n_workers:
            self._add_worker()

    def submit(self, job: int, source: bytes | Path) -> None:
        """Have a file observed, given its bytes or (for what is on the disk already) its path."""
        self.start()
        waiting = Job(job, source if isinstance(source, bytes) else here(source))
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
            self._feed()
        return [job.number for job in gone]

    def close(self) -> None:
        """Stop all workers at once; what they have not answered is forgotten."""
        for worker in self._workers:
            self._selector.unregister(worker.socket)
            worker.stop()
        self._workers.clear()

    def _add_worker(self) -> WorkerProcess:
        worker = WorkerProcess(self._paths, self._max_pixels)
        self._workers.append(worker)
        self._selector.register(worker.socket, selectors.EVENT_READ, lambda mask: self._serve(worker, mask))
        return worker

    def _feed(self) -> None:
        """Assign what waits; a file that a worker died at gets one when no other file is at any."""
        under_way = [job for worker in self._workers for job in worker.jobs]
        if self._alone and not under_way:
            self._workers[0].assign(self._alone.popleft())
            self._watch(self._workers[0])
        if self._alone or any(job.is_second for job in under_way):
            return
        for depth in range(_DEPTH):
            for worker in self._workers:
                if self._queue and len(worker.jobs) <= depth:
                    worker.assign(self._queue.popleft())
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
                self._note_reply(worker, reply, luma)
            self._feed()

    def _note_reply(self, worker: WorkerProcess, reply: bytes, luma: bytes) -> None:
        job = worker.jobs.popleft()
        self._n_failed_starts = 0
        values = json.loads(reply)
        if "disk" in values:
            first = first_remedy(values["errno"])
            hint = f"What was stored stays. {first}, or choose another place with --data, then run again."
            place = self._paths.data_root if self._paths else ""
            raise DiskError(f"Cannot store an image under {place}: {values['disk']}.", hint)
        if "unreadable" in values:
            self._finish(job, ObservedFile(job.number, None, problem=values["unreadable"]))
        else:
            sighting = decode_sighting(values["observation"], luma)
            self._finish(job, ObservedFile(job.number, sighting, values["temporary"]))

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
        culprit = worker.jobs.popleft() if worker.jobs else None
        self._queue.extendleft(reversed(worker.jobs))
        self._add_worker()
        if culprit is not None and may_be_chance and not culprit.is_second:
            self._alone.append(replace(culprit, is_second=True))
        elif culprit is not None:
            self._blame(culprit, what)
        self._feed()

    def _blame(self, culprit: Job, what: str) -> None:
        sha256, n_bytes = digest_of(culprit.source)
        crash = Observation(sha256, n_bytes, flaw=Drop.DECODER_CRASHED, flaw_detail=f"the decoder {what}")
        self._finish(culprit, ObservedFile(culprit.number, Sighting(crash)))


def digest_of(source: bytes | Path) -> tuple[str, int]:
    """Return the SHA-256 and the length of a file that killed a decoder, without holding it."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    with opened_regular(source) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def serve(selector: selectors.BaseSelector, timeout_s: float) -> None:
    """Wait for events once and call what is registered for them."""
    for key, mask in selector.select(timeout_s):
        key.data(mask)
