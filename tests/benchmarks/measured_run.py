"""Run a command and measure the whole tree of its processes: wall time, CPU time, memory.

>>> run = measure(["true"])
>>> run.wall_s < 30, run.cpu_s < 30
(True, True)
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.25


@dataclass(frozen=True)
class MeasuredRun:
    """What one run cost: seconds of wall and of CPU (children included), and peaks of memory in bytes.

    ``tree_bytes`` is the largest sum, sampled four times a second, over the processes that ran at once, pages that
    several share counted once; ``parent_bytes`` is the largest that the first process ever was. Where the system does
    not tell (it has no ``/proc``), both are 0. ``output`` is the end of what was printed.
    """

    wall_s: float
    cpu_s: float
    tree_bytes: int
    parent_bytes: int
    output: str


class _Sampler(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.tree_bytes = self.parent_bytes = 0
        self.start()

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self.parent_bytes = max(self.parent_bytes, _field(self._pid, "status", "VmHWM:"))
            self.tree_bytes = max(self.tree_bytes, sum(_field(pid, "smaps_rollup", "Pss:") for pid in _tree(self._pid)))

    def end(self) -> None:
        self._ended.set()
        self.join()


def measure(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    allowed: Sequence[int] = (0,),
) -> MeasuredRun:
    """Run a command to its end; ``allowed`` are the exit codes of a success.

    Raises:
        RuntimeError: it failed; holds what it wrote last.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    sampler = _Sampler(process.pid)
    text = (process.stdout.read() if process.stdout else b"").decode(errors="replace")[-2000:]
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.end()
    if process.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command[:4])}: {text}")
    return MeasuredRun(wall_s, usage.ru_utime + usage.ru_stime, sampler.tree_bytes, sampler.parent_bytes, text)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = " ".join((task / "children").read_text() for task in tasks)
    except OSError:
        return
    for child in children.split():
        yield from _tree(int(child))


def _field(pid: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)
