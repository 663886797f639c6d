"""Start the observing processes before there is work: their imports take as long as this process's own.

A command that will observe holds :func:`started_ahead` around its imports; :func:`take_process` returns one of them.

>>> with started_ahead(1):
...     process, channel = take_process()
>>> _ = channel.settimeout(60)
>>> len(channel.recv(8))  # ready: two zeros
8
>>> stop_process(process, channel)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from curator.observe.workers.forked import ForkedProcess

MOST_AHEAD = 4
"""New Pythons started while nobody knows yet whether there is work for them."""

_PACKAGE_ROOT = str(Path(__file__).parents[3])
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

Started: TypeAlias = "tuple[subprocess.Popen[bytes] | ForkedProcess, socket.socket]"
"""A process, and our end of its socket."""

_ahead: list[Started] = []


@contextmanager
def started_ahead(n_processes: int, start: Callable[[], Started] | None = None) -> Iterator[None]:
    """Start processes for use within the block; those that were not taken are stopped at its end.

    Args:
        start: starts one; None: :func:`start_process`.
    """
    try:
        for _ in range(n_processes):
            _ahead.append((start or start_process)())
        yield
    finally:
        while _ahead:
            stop_process(*_ahead.pop())


def n_worth_starting(are_forked: bool = False) -> int:
    """Return how many processes to start ahead: one a core if they are forked.

    Of new Pythons, few; none if they would only slow this process down.
    """
    n_cores = count_cores()
    return n_cores if are_forked else min(n_cores, MOST_AHEAD) if n_cores > 1 else 0


def may_fork() -> bool:
    """Return whether this process may fork others that work: it has no thread yet, nor NumPy, whose library makes some.

    Only Linux is known to fork whatever was imported. A child closes what ``/proc`` says is open.
    """
    is_able = sys.platform == "linux" and Path("/proc/self/fd").is_dir()
    return is_able and threading.active_count() == 1 and "numpy" not in sys.modules


@contextmanager
def one_thread() -> Iterator[None]:
    """Have the libraries that are imported in this block calculate in one thread, here and in whatever is forked."""
    before = os.environ.copy()
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name in _ONE_THREAD:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


def take_process() -> Started:
    """Return a process that runs :mod:`curator.observe.workers.main`, and our end of its socket."""
    return _ahead.pop(0) if _ahead else start_process()


def start_process() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process that waits for its settings on a socket."""
    ours, theirs = socket.socketpair()
    with theirs, interrupts_held():
        command = [sys.executable, "-P", "-m", "curator.observe.workers.main", str(theirs.fileno())]
        descriptors = [theirs.fileno()]
        process = subprocess.Popen(
            command, pass_fds=descriptors, stdin=subprocess.DEVNULL, env=with_package() | _ONE_THREAD
        )
    return process, ours


def with_package() -> dict[str, str]:
    """Return this process's environment, in which Python finds this package, installed or not."""
    search = os.pathsep.join(filter(None, [_PACKAGE_ROOT, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": search}


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Block Ctrl-C: a process started meanwhile never sees it, as the mask is inherited; this one does afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stop_process(process: subprocess.Popen[bytes] | ForkedProcess, channel: socket.socket) -> None:
    """Kill a process and close our end of its socket."""
    channel.close()
    process.kill()
    process.wait()


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
