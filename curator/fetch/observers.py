"""What the network needs of those who look at what it brought, so that a test can stand in for them.

>>> class Nobody:
...     n_jobs = n_bytes = 0
...     def start(self): ...
...     def submit(self, job, source): ...
...     def check(self): ...
>>> isinstance(Nobody(), Observers)
True
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Observers(Protocol):
    """What the engine needs of :class:`curator.observe.workers.pool.ObserverPool`; results go to ``note_observed``."""

    n_jobs: int
    n_bytes: int

    def start(self) -> None:
        """Start the processes."""

    def submit(self, job: int, source: bytes | Path) -> None:
        """Have a file observed."""

    def check(self) -> None:
        """Look after processes that are stuck."""
