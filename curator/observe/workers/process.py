"""One observing process, seen from the outside: the files assigned to it, and its replies.

>>> import json, selectors, tempfile
>>> worker = WorkerProcess(DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"), max_pixels=1000)
>>> worker.assign(Job(1, b"<html>"))
>>> worker.send()
>>> with selectors.DefaultSelector() as selector:
...     key = selector.register(worker.socket, selectors.EVENT_READ)
...     replies = []
...     while not replies and selector.select(timeout=60):
...         replies = worker.replies()
>>> worker.is_ready, [json.loads(values)["observation"]["flaw"] for values, luma in replies]
(True, ['not-an-image'])
>>> worker.stop()
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from curator.observe.workers.main import BYTES, INCOMING, PATH, REPLY, REQUEST, encode_settings
from curator.observe.workers.rendered import opened_regular
from curator.observe.workers.start import stop_process, take_process
from curator.store.image_files import Incoming
from curator.store.paths import DataPaths

_STUCK = 20
_LEAST_AHEAD, _MOST_AHEAD, _MOST_BYTES_AHEAD = 2, 32, 1 << 21
PLENTY = 8
"""Files ahead of a process that take it some milliseconds; of large files it has fewer."""

_MOST_REPLIED = 1 << 16
"""Bytes of a reply, but for those of a rendering: each of its texts is short."""


@dataclass(slots=True)
class Job:
    """A file to be observed: its bytes, the path of one that is on the disk, or one that is in the store as incoming.

    ``is_second`` says that a worker died at it before: this time it is alone, so that no other file's memory counts.
    With a ``rendering`` it is rendered instead.
    """

    number: int
    source: bytes | Path | Incoming
    is_second: bool = False
    rendering: bytes = b""

    @property
    def payload(self) -> tuple[int, bytes]:
        """What is sent: the bytes, or the absolute path, as a worker stays in the folder that it was started in."""
        if isinstance(self.source, bytes):
            return BYTES, self.source
        if isinstance(self.source, Incoming):
            return INCOMING, os.fsencode(self.source.path)
        return PATH, os.fsencode(self.source.absolute())

    @property
    def n_bytes(self) -> int:
        """Bytes that came and wait for their turn; those of a file that was on the disk before do not count."""
        return self.source.n_bytes if isinstance(self.source, Incoming) else 0

    def remove(self) -> None:
        """Remove a file that came just now; what cannot be removed is rubbish to the next start."""
        if isinstance(self.source, Incoming):
            with suppress(OSError):
                os.unlink(self.source.path)  # noqa: PTH108 -- see image_files

    def digest(self) -> tuple[str, int]:
        """Return the SHA-256 and the length of a file that killed a decoder, without holding it.

        Raises:
            OSError: it cannot be read.
        """
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest(), len(self.source)
        path = Path(self.source.path) if isinstance(self.source, Incoming) else self.source
        with opened_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


class WorkerProcess:
    """One process of :class:`curator.observe.workers.pool.ObserverPool`, and what is under way with it.

    Attributes:
        socket: ours, not blocking.
        jobs: what was assigned to it and has no reply yet, oldest first.
        busy_s: seconds that it has been at the oldest, or at starting, as its pool counts them.
        cpu_s: CPU seconds that it had used when half its time was over; None before that, or if nobody knows.
        is_ready: whether it has started.
        unsent: what the socket has not accepted yet.
    """

    def __init__(self, paths: DataPaths | None, max_pixels: int) -> None:
        self.process, self.socket = take_process()
        self.socket.setblocking(False)
        self.jobs: deque[Job] = deque()
        self.busy_s = 0.0
        self.cpu_s: float | None = None
        self.is_ready = False
        self.unsent = deque([memoryview(encode_settings(paths, max_pixels))])
        self._received = bytearray()
        self._n_bytes_ahead = 0
        self.send()

    def has_room(self) -> bool:
        """Return whether it may be assigned one more: two, so that it need not wait, and more if they are small.

        Who has only two files of a photograph's size waits for the next a fifth of the time, whoever hands them out.
        """
        n_ahead = len(self.jobs)
        return n_ahead < _LEAST_AHEAD or (n_ahead < _MOST_AHEAD and self._n_bytes_ahead < _MOST_BYTES_AHEAD)

    def assign(self, job: Job) -> None:
        """Take a file to be sent next."""
        if not self.jobs:
            self.busy_s, self.cpu_s = 0.0, None
        self.jobs.append(job)
        self._n_bytes_ahead += job.n_bytes or _MOST_BYTES_AHEAD
        kind, payload = job.payload
        head = REQUEST.pack(kind, len(job.rendering), len(payload)) + job.rendering
        pieces = (head, payload) if kind == BYTES else (head + payload,)
        self.unsent += map(memoryview, pieces)

    def take_oldest(self) -> Job:
        """Return the file that it is done with, or died at."""
        job = self.jobs.popleft()
        self._n_bytes_ahead -= job.n_bytes or _MOST_BYTES_AHEAD
        return job

    def send(self) -> None:
        """Send as much of what is unsent as the socket accepts."""
        try:
            while self.unsent:
                n_sent = self.socket.sendmsg([*self.unsent])
                while self.unsent and n_sent >= len(self.unsent[0]):
                    n_sent -= len(self.unsent.popleft())
                if n_sent:
                    self.unsent[0] = self.unsent[0][n_sent:]
        except BlockingIOError:
            return
        except OSError:  # it died; reading from it says so too
            self.unsent.clear()

    def replies(self) -> list[tuple[bytes, bytes]] | None:
        """Read what came, the JSON and the luma of each reply; None if the process is gone, or raves."""
        try:
            chunk = self.socket.recv(1 << 18)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not chunk:
            return None
        self._received += chunk
        replies = []
        while len(self._received) >= REPLY.size:
            n_values, n_luma = REPLY.unpack_from(self._received)
            is_piece = bool(self.jobs and self.jobs[0].rendering)
            if n_values + (0 if is_piece else n_luma) > _MOST_REPLIED or (self.is_ready and not n_values):
                return None  # it says what none does: it might never end, or fill the memory
            middle = REPLY.size + n_values
            end = middle + n_luma
            if len(self._received) < end:
                break
            if end > REPLY.size:
                replies.append((bytes(self._received[REPLY.size : middle]), bytes(self._received[middle:end])))
            self.is_ready, self.busy_s, self.cpu_s = True, 0.0, None
            del self._received[:end]
        return replies

    def has_used(self, limit_s: float) -> bool:
        """Return whether it was at work for ``limit_s`` seconds: of CPU time, where the system tells, else of all.

        On a crowded machine a second of CPU takes several; one that is asleep for twenty times the limit is stuck, too.
        """
        if self.busy_s > limit_s / 2 and self.cpu_s is None:
            self.cpu_s = cpu_seconds(self.process.pid)
        if self.busy_s <= limit_s:
            return False
        now = cpu_seconds(self.process.pid)
        is_waiting = now is not None and self.cpu_s is not None and now - self.cpu_s < limit_s / 2
        return not is_waiting or self.busy_s > _STUCK * limit_s

    def stop(self) -> None:
        """Kill the process."""
        stop_process(self.process, self.socket)


def cpu_seconds(process_id: int) -> float | None:
    """Return the CPU seconds that a process has used (proc(5)); None where the system does not tell so.

    >>> cpu_seconds(os.getpid()) is None or cpu_seconds(os.getpid()) > 0.01
    True
    """
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
