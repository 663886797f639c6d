"""How many connections there is room for: as many as the recipe says, if the system lets so many files be open.

>>> room_for(64) >= 1
True
>>> has_room([0.0, 9.0], now=10.0, connections=2)  # the first has been in flight for so long that it does not count
True
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import takewhile

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

PATIENCE_S = 3.0
"""A transfer in flight for longer no longer counts against ``connections``, so that slow hosts take nobody's place."""

IN_FLIGHT, IDLE = 4, 256
"""So many times as many may be in flight while hosts are slow, and so many are kept for the next request."""

_OTHERS = 192
"""Files, workers' sockets and the name server's: what is open besides."""

_ENOUGH = 1 << 16


def room_for(connections: int) -> int:
    """Raise the limit of open files as far as this process may, and return how many connections fit into it.

    Args:
        connections: how many are wanted; each may have :data:`IN_FLIGHT` in flight.
    """
    if resource is None:
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IN_FLIGHT * connections + IDLE + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(most, wanted)), hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft < wanted:
            return max(1, min(connections, (soft - _OTHERS) // (2 * IN_FLIGHT)))
    return connections


def idle_for(connections: int) -> int:
    """Return how many idle connections may be kept beside those in flight."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource else -1
    return IDLE if soft < 0 else max(1, min(IDLE, soft - IN_FLIGHT * connections - _OTHERS))


def has_room(started: Sequence[float], now: float, connections: int) -> bool:
    """Return whether one more transfer may start, given when those in flight started (oldest first)."""
    n_stalled = sum(1 for _ in takewhile(lambda start: start < now - PATIENCE_S, started))
    return len(started) - n_stalled < connections and len(started) < IN_FLIGHT * connections
