"""What a list may cost: bytes, rows, columns, memory and time, each with a limit that a recipe can raise.

Whatever reads a list asks :func:`budget`, which is that of the source being listed; nobody passes it on.

>>> with within(ListSettings(max_columns=2)):
...     budget().columns(2)
...     budget().columns(3)
Traceback (most recent call last):
curator.errors.SourceError: has more than 2 columns If it is meant to, raise `max_columns` under [lists] in the recipe.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from curator.errors import SourceError
from curator.manifests.settings import ListSettings
from curator.sources.reading.lend import await_return
from curator.store.spilled import Spilled

_CGROUP = Path("/sys/fs/cgroup/memory.max")


class Budget:
    """The limits of one listing, when it began, and the folder in which there is room for many rows."""

    def __init__(self, limits: ListSettings, folder: Path | None = None) -> None:
        self._limits, self._began, self._folder = limits, time.monotonic(), folder
        self.max_bytes = limits.max_bytes
        self.max_memory = limits.max_memory or half_of_memory()

    def columns(self, n: int) -> None:
        """Refuse more columns than a list may have."""
        if n > self._limits.max_columns:
            raise _too_much("has", self._limits.max_columns, "columns", "max_columns")

    def rows(self, n: int) -> None:
        """Refuse more rows than a list may have."""
        if n > self._limits.max_rows:
            raise _too_much("has", self._limits.max_rows, "rows", "max_rows")

    def memory(self, n_bytes: int) -> None:
        """Refuse rows that take more memory than a list may; the system refuses what nobody counts."""
        if n_bytes > self.max_memory:
            raise _too_much("takes", self.max_memory, "bytes of memory", "max_memory")

    def time(self) -> None:
        """Refuse to go on when the time is over."""
        if time.monotonic() - self._began > self._limits.max_seconds:
            raise _too_much("takes", self._limits.max_seconds, "seconds to read", "max_seconds")

    def spilled(self) -> Spilled:
        """Make a place for rows that come part by part."""
        return Spilled(self._folder)

    def too_long(self) -> SourceError:
        """Make the error for more bytes, once unpacked, than a list may have."""
        return _too_much("has", self.max_bytes, "bytes, once unpacked", "max_bytes")


def _too_much(has: str, limit: float, what: str, name: str) -> SourceError:
    return SourceError(f"{has} more than {limit:,} {what}", raise_it(name))


def raise_it(name: str) -> str:
    """Say how a limit is raised."""
    return f"If it is meant to, raise `{name}` under [lists] in the recipe."


_BUDGET: ContextVar[Budget | None] = ContextVar("budget", default=None)


def budget() -> Budget:
    """Return the budget of the source that is being listed; else one with the default limits."""
    return _BUDGET.get() or Budget(ListSettings())


class Kept:
    """Keeps the rows of a table while it is read, or only counts them, within the budget."""

    def __init__(self, n_columns: int) -> None:
        self._budget, self._n_rows, self._n_bytes = budget(), 0, 0
        self._budget.columns(n_columns)
        self._rows = self._budget.spilled()

    def add(self, n_rows: int, n_bytes: int) -> None:
        """Count more rows, and the bytes that they take."""
        self._n_rows, self._n_bytes = self._n_rows + n_rows, self._n_bytes + n_bytes
        self._budget.rows(self._n_rows)
        self._budget.memory(self._n_bytes)
        self._budget.time()

    def keep(self, rows: pa.Table) -> None:
        """Count more rows, and keep them."""
        self.add(rows.num_rows, rows.nbytes)
        self._rows.add(rows)

    def whole(self) -> pa.Table:
        """Return the rows that were kept; a column that some lack is null there."""
        return self._rows.whole()


@contextmanager
def within(limits: ListSettings, folder: Path | None = None) -> Iterator[None]:
    """List a source within limits; on Linux, this process cannot take more memory meanwhile than they allow.

    Args:
        limits: the limits.
        folder: where there is room for rows that are too many to be kept in memory; None: they are kept there.

    Raises:
        MemoryError: (within) it would.
    """
    made = Budget(limits, folder)
    token = _BUDGET.set(made)
    try:
        with _limited_memory(made.max_memory):
            yield
    finally:
        _BUDGET.reset(token)


@contextmanager
def _limited_memory(n_bytes: int) -> Iterator[None]:
    """Let this process use so much more than now; see ``RLIMIT_AS`` in getrlimit(2)."""
    # The thread that Arrow's reader needs is started before: the process ends if that fails.
    pa.csv.read_csv(pa.py_buffer(await_return(memoryview(b"a\n1\n")[:])), pa.csv.ReadOptions(use_threads=False))
    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    known = [one for one in (soft, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([now + n_bytes, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def half_of_memory() -> int:
    """Return half of the bytes of memory that this machine, or the container that this runs in, has."""
    found = [16 << 30]
    with suppress(OSError, ValueError, AttributeError):
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):
        found.append(int(_CGROUP.read_text()))
    return min(found) // 2
