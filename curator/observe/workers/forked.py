r"""Fork the observing processes from a command that has imported what they need and nothing else yet.

A new Python takes as long to import NumPy and Pillow as to look at 400 photographs; a fork has them. It is made before
the command reads anything, and confines itself like any other: see :mod:`curator.observe.workers.main`.

>>> import subprocess
>>> script = '''from curator.observe.workers.start import one_thread
... with one_thread():
...     from curator.observe.workers.forked import fork_process
... process, channel = fork_process()
... print(len(channel.recv(8)))  # ready: two zeros
... process.kill()'''
>>> subprocess.check_output([sys.executable, "-c", script])
b'8\n'
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from curator.observe.workers.main import main
from curator.observe.workers.start import interrupts_held


class ForkedProcess:
    """A child of this process, with what :class:`subprocess.Popen` has of it that a pool needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._has_ended = False

    def poll(self) -> int | None:
        """Return None while it runs."""
        return self._ended(os.WNOHANG)

    def kill(self) -> None:
        """Kill it; until it is waited for, no other process gets its number."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Return when it has ended."""
        self._ended(0)

    def _ended(self, how: int) -> int | None:
        if not self._has_ended:
            with suppress(ChildProcessError):
                if os.waitpid(self.pid, how)[0] == 0:
                    return None
            self._has_ended = True
        return 0


def fork_process() -> tuple[ForkedProcess, socket.socket]:
    """Fork a process that waits for its settings on a socket; its standard input is empty, and nothing else is open.

    From then on the system keeps the number of a child that has ended until it is waited for, which a parent of this
    process may have had it told not to (SIGCHLD ignored, sigaction(2)): another process could get that number.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ours, theirs = socket.socketpair()
    gc.freeze()  # what is imported is looked through by no collection, so that its memory stays common
    with theirs, interrupts_held():
        if not (pid := os.fork()):
            _observe(theirs.fileno())
    return ForkedProcess(pid), ours


def _observe(channel: int) -> NoReturn:
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 -- numbers
            if descriptor > 2 and descriptor != channel:
                with suppress(OSError):  # that of this list
                    os.close(descriptor)
        main([str(channel)])
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)
