"""Let a redirect to another host be followed only if a request to that host may be made: it counts there, too.

A request that is led where none may be made now is broken off, and made again once one is reserved there. While a
host leads on often, one is reserved before a request starts, so that it is not asked twice for each image.

>>> schedule = SimpleNamespace(retry=lambda task, when: print("again at", round(when, 2)))
>>> leases = HostLeases(Leases(lambda asked: Granted({}, {}, {})), ["h.example"])
>>> gate = LeaseGate(None, leases, schedule, host_of=[0] * 8)
>>> gate.may_follow(7, "http://h.example/b.jpg"), gate.may_follow(7, "http://cdn.example/b.jpg")
(True, False)
>>> gate.lead_on(7, "http://cdn.example/b.jpg", now=1.0)
again at 1.03
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace as SimpleNamespace

import numpy as np
import numpy.typing as npt

from curator.fetch.network.identity import MOST_REDIRECTS
from curator.fetch.policy import Verdict
from curator.fetch.politeness.governor import Granted as Granted
from curator.fetch.politeness.leases import RETRY_S, HostLeases, host_of_url
from curator.fetch.politeness.leases import Leases as Leases
from curator.fetch.politeness.robots_gate import RobotsGate
from curator.fetch.politeness.schedule import Schedule
from curator.reasons import Drop

_LEADING = 0.2
"""Share of the latest requests to a host that were led to one other, from which on the next is expected to be, too: two
of the first ones."""
_WEIGHT = 0.125
"""That of the latest request in this share."""


class LeaseGate:
    """A gate as :class:`curator.fetch.politeness.robots_gate.RobotsGate`, which it asks too, if there is one.

    Args:
        host_of: the host's number of each task.
    """

    def __init__(
        self,
        robots: RobotsGate | None,
        leases: HostLeases,
        schedule: Schedule,
        host_of: Sequence[int] | npt.NDArray[np.integer],
    ) -> None:
        self._robots, self._leases, self._schedule, self._host_of = robots, leases, schedule, host_of
        self._leads_to: dict[str, tuple[str, float]] = {}
        self._led: set[int] = set()
        self._awaits: dict[int, str] = {}
        self._n_led_on: Counter[int] = Counter()

    def pass_on(self, task: int, url: str, now: float) -> str | None:
        """Return what to request for a task that was just started, or nothing now."""
        target, share = self._leads_to.get(self._own(task), ("", 0.0))
        needed = self._awaits.get(task) or (target if share >= _LEADING else "")
        if needed and not self._leases.leases.reserve(task, needed):
            self._schedule.put_back(task, now, RETRY_S)
            return None
        wanted = self._robots.pass_on(task, url, now) if self._robots else url
        if wanted is None:
            self._leases.leases.release(task)
        else:
            self._awaits.pop(task, None)
        return wanted

    def may_follow(self, task: int, url: str) -> bool:
        """Return whether a redirect may be followed: the rules there allow it, and one request more may be made."""
        host = host_of_url(url)
        if host != self._own(task):
            self._note_led(task, host)
        if self._robots and not self._robots.may_follow(task, url):
            return False
        if host == self._own(task):
            return True
        if self._robots:
            self._leases.leases.slow_down(host, 0.0)
        return self._leases.leases.reserve(task, host)

    def lead_on(self, task: int, url: str, now: float) -> str | Verdict | None:
        """Decide about a task whose request was broken off because it was redirected to ``url``."""
        host = host_of_url(url)
        self._n_led_on[task] += 1
        if self._n_led_on[task] > 2 * MOST_REDIRECTS:
            return Verdict(Drop.REDIRECT_LOOP, "another host each time")
        is_own = host == self._own(task)
        if not is_own:
            self._awaits[task] = host
        if self._robots and (is_own or self._leases.leases.reserve(task, host)):
            outcome = self._robots.lead_on(task, url, now)
            if not isinstance(outcome, str):  # a robots.txt there is requested now, in the place of this request
                self._leases.leases.release(task)
            return outcome
        self._schedule.retry(task, now + RETRY_S)
        return None

    def is_requesting(self, task: int) -> bool:
        """Return whether the request in the place of ``task`` is for a robots.txt."""
        return self._robots is not None and self._robots.is_requesting(task)

    def is_requesting_elsewhere(self, task: int) -> bool:
        """Return whether it is for that of a host that the task was led to."""
        return self._robots is not None and self._robots.is_requesting_elsewhere(task)

    def note_answer(self, task: int, verdict: Verdict, body: bytes, now: float) -> None:
        """Learn what came for a robots.txt."""
        if self._robots:
            self._robots.note_answer(task, verdict, body, now)

    def note_end(self, task: int) -> None:
        """Give back what was reserved for a task whose request ended; its host may have answered by itself."""
        self._leases.leases.release(task)
        if task in self._led:
            self._led.discard(task)
        elif not self.is_requesting(task) and (found := self._leads_to.get(self._own(task))):
            self._leads_to[self._own(task)] = found[0], found[1] * (1 - _WEIGHT)

    def _note_led(self, task: int, host: str) -> None:
        if task not in self._led:
            self._led.add(task)
            target, share = self._leads_to.get(self._own(task), ("", 0.0))
            self._leads_to[self._own(task)] = host, _WEIGHT + (1 - _WEIGHT) * share * (target == host)

    def _own(self, task: int) -> str:
        return self._leases.name(int(self._host_of[task]))
