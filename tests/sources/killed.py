"""A listing in a process of its own, which is killed as one of its requests arrives."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


class _Deadly(list[Any]):
    """Requests as they come; the ``n``-th kills the process that makes them."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n, self.process = n, 0

    def append(self, request: Any) -> None:
        super().append(request)
        if len(self) == self.n:
            os.kill(self.process, signal.SIGKILL)


def list_killed(site: Any, name: str, n: int, work: Callable[[], object]) -> list[Any]:
    """Do the work in a process that gets SIGKILL at its ``n``-th request, which ``site`` notes in its list ``name``.

    Returns:
        The requests before that one. The list of the site is empty again.
    """
    deadly = _Deadly(n)
    setattr(site, name, deadly)
    begin, told = os.pipe()
    if (process := os.fork()) == 0:
        try:
            os.read(begin, 1)
            work()
        finally:
            os._exit(0)
    deadly.process = process
    os.write(told, b"!")
    status = os.waitpid(process, 0)[1]
    os.close(begin)
    os.close(told)
    setattr(site, name, [])
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "it ended before it was killed"
    return list(deadly)[: n - 1]
