"""Where the workers of one fetch ask and report: an actor of Ray, on the machine of the command.

>>> desk = Desk(per_host=2)
>>> desk.exchange("0/0", Asked(wanted={"h.example"}), ()).most
{'h.example': 2}
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from curator.events import Event
from curator.fetch.politeness.governor import Asked, Governor, Granted


class Desk:
    """The governor of the leases, and the events that nobody has taken yet; it grants nothing for ``rest_s``."""

    def __init__(
        self,
        per_host: int,
        limits: Mapping[str, int] | None = None,
        delay_s: float = 0.0,
        rules_first: bool = False,
        rest_s: float = 0.0,
    ) -> None:
        self._governor = Governor(per_host, limits, delay_s, rules_first, opens_at=time.monotonic() + rest_s)
        self._events: defaultdict[str, list[Event]] = defaultdict(list)

    def exchange(self, process: str, asked: Asked, events: Sequence[Event]) -> Granted:
        """See :meth:`curator.fetch.politeness.governor.Governor.exchange`."""
        self._events[process] += events
        return self._governor.exchange(process, asked, time.monotonic())

    def take_events(self) -> dict[str, list[Event]]:
        """Take what happened since the last call, by process."""
        events, self._events = self._events, defaultdict(list)
        return dict(events)

    def stop(self) -> None:
        """Tell every worker to end now."""
        self._governor.stop = True

    def clock(self) -> float:
        """Return the time here, in seconds since 1970."""
        return time.time()
