"""Threads that work on arrays: one a core, and none below them.

A linear algebra library starts threads of its own for each product. Below ours, on small matrices, they spend most of
their time waiting busily for one another: 12,439 pairs of pictures took 220 CPU seconds on two cores, and 73 without.

>>> with one_thread_a_core() as threads:
...     list(threads.map(abs, [-1, 2]))
[1, 2]
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any

from threadpoolctl import threadpool_limits

_LOCK = Lock()
_limits: list[Any] = []
"""The limit of the process, once for each caller: the first sets it, the last lifts it."""


@contextmanager
def one_thread_a_core(n: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Lend threads, ``n`` of them in place of one a core, whose linear algebra starts no further ones."""
    with _single_threaded_algebra(), ThreadPoolExecutor(n or os.cpu_count()) as threads:
        yield threads


@contextmanager
def _single_threaded_algebra() -> Iterator[None]:
    with _LOCK:
        _limits.append(_limits[0] if _limits else threadpool_limits(1))
    try:
        yield
    finally:
        with _LOCK:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
