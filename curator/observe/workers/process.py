"""One observing process, seen from the outside: the files assigned to it, and its replies.

>>> import json, selectors, tempfile
>>> worker = WorkerProcess(DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"), max_pixels=1000)
>>> worker.assign(Job(1, b"<html>"))
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

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from curator.observe.workers.main import REPLY, REQUEST, encode_settings
from curator.observe.workers.start import stop_process, take_process
from curator.store.paths import DataPaths

_STUCK = 20


@dataclass(slots=True)
class Job:
    """A file to be observed: its bytes, or the path of one that is on the disk already.

    ``is_second`` says that a worker died at it before: this time it is alone, so that no other file's memory counts.
    With a ``rendering`` it is rendered instead.
    """

    number: int
    source: bytes | Path
    is_second: bool = False
    rendering: bytes = b""

    @property
    def payload(self) -> bytes:
        """What is sent: the bytes, or the absolute path: a worker stays in the folder that it was started in."""
        return os.fsencode(self.source.absolute()) if isinstance(self.source, Path) else self.source

    @property
    def n_bytes(self) -> int:
        """Bytes held in memory."""
        return 0 if isinstance(self.source, Path) else len(self.source)


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
        self.send()

    def assign(self, job: Job) -> None:
        """Send a file, or as much of it as the socket accepts."""
        if not self.jobs:
            self.busy_s, self.cpu_s = 0.0, None
        self.jobs.append(job)
        payload = job.payload
        header = REQUEST.pack(isinstance(job.source, Path), len(job.rendering), len(payload))
        self.unsent.append(memoryview(header + job.rendering))
        self.unsent.append(memoryview(payload))
        self.send()

    def send(self) -> None:
        """Send as much of what is unsent as the socket accepts."""
        try:
            while self.unsent:
                rest = self.unsent[0][self.socket.send(self.unsent[0]) :] if self.unsent[0] else memoryview(b"")
                if rest:
                    self.unsent[0] = rest
                else:
                    self.unsent.popleft()
        except BlockingIOError:
            return
        except OSError:  # it died; reading from it says so too
            self.unsent.clear()

    def replies(self) -> list[tuple[bytes, bytes]] | None:
        """Read what came, the JSON and the luma of each reply; None if the process is gone."""
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
