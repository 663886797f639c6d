"""On which terms a plan is worked off: alone on one machine, or as a fragment among others.

>>> ALONE.is_late(), ALONE.leases
(False, None)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curator.fetch.attempts import Downgrades
from curator.fetch.politeness.leases import Leases
from curator.store.image_files import Unnamed


@dataclass(frozen=True)
class Terms:
    """What differs where a plan is one of many.

    Attributes:
        leases: what may be requested of hosts that others request something of too.
        is_late: whether no further request is to be started: what is left is another fragment's.
        is_over: whether to end at once, as if Ctrl-C had been pressed.
        n_observers: processes that look at files; None: one a core.
        take_downgrades: takes what :class:`curator.fetch.attempts.Downgrades` counted; None: the listener is told.
        held: takes the stored files that are to get their names only once the fragment's commit is published.
    """

    leases: Leases | None = None
    is_late: Callable[[], bool] = lambda: False
    is_over: Callable[[], bool] = lambda: False
    n_observers: int | None = None
    take_downgrades: Callable[[Downgrades], None] | None = None
    held: list[Unnamed] | None = None


ALONE = Terms()
"""The fetch of one machine: its ledger is that of the data set, and its one fragment has all rows."""
