"""How one host is treated: how many requests at once, how far apart, and when to leave it alone.

A host starts with two requests in flight and gains one with each answer; trouble halves them. 429 and 503 raise the
delay between its requests; failures in a row open a circuit breaker, which lets one request through after a while
(see M. Nygard, Release It!, and https://martinfowler.com/bliki/CircuitBreaker.html).

>>> host = Host(Politeness(per_host=8), 8, np.array([7, 9]), 0, 2)
>>> host.start(now=0.0), host.in_flight, host.window
(7, 1, 2)
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from curator.fetch.policy import Verdict, backoff_s, blames_host


@dataclass(frozen=True)
class Politeness:
    """How hosts are treated; the numbers that no recipe needs to change have their values here."""

    per_host: int = 8
    """Requests in flight a host."""
    delay_s: float = 0.0
    """Least seconds between the starts of two requests to a host."""
    first_window: int = 2
    """Requests in flight for a host that has not answered yet."""
    first_throttle_s: float = 0.25
    """The delay that the first 429 or 503 sets; each further one doubles it."""
    max_delay_s: float = 30.0
    """The most that 429 and 503 can raise the delay to."""
    max_wait_s: float = 120.0
    """A host that asks for a longer wait is left alone for the rest of the run."""
    breaker_failures: int = 5
    """Failures in a row after which the breaker opens."""
    breaker_s: float = 1.0
    """How long it stays open at first; doubled each time that the request let through fails."""
    breaker_probes: int = 3
    """Requests let through in vain after which the host is given up for this run."""
    throttled_probes: int = 6
    """The same for a host that answers, but only 429 or 503."""


@dataclass(slots=True, eq=False)
class Host:
    """One host's queue and state; ``tasks[next:stop]`` are its tasks, ``again`` those that came back or late.

    ``number`` is its own in the schedule.
    """

    politeness: Politeness
    limit: int
    tasks: npt.NDArray[np.integer]
    next: int
    stop: int
    number: int = 0
    again: deque[int] = field(default_factory=deque)
    window: int = 0
    delay_s: float = 0.0
    in_flight: int = 0
    failures: int = 0
    probes: int = 0
    not_before: float = 0.0
    opened_at: float | None = None
    given_up: Verdict | None = None
    ready: bool = False
    parked: bool = False

    def __post_init__(self) -> None:
        """Start with the first window."""
        self.window = min(self.limit, self.politeness.first_window)
        self.delay_s = self.politeness.delay_s

    def has_tasks(self) -> bool:
        """Return whether anything waits here."""
        return bool(self.again) or self.next < self.stop

    def pop(self) -> int:
        """Take the next task: what came back goes first."""
        if self.again:
            return self.again.popleft()
        self.next += 1
        return int(self.tasks[self.next - 1])

    def may_start(self, now: float) -> bool:
        """Return whether a request may start at ``now``."""
        return self.given_up is None and self.in_flight < self.window and self.not_before <= now and self.has_tasks()

    def start(self, now: float) -> int:
        """Take the next task as started at ``now``."""
        self.in_flight += 1
        self.not_before = max(self.not_before, now + self.delay_s)
        return self.pop()

    def undo_start(self, task: int, not_before: float) -> None:
        """Take back a start that led to no request; the task goes first, from ``not_before`` on."""
        self.in_flight -= 1
        self.not_before = not_before
        self.again.appendleft(task)

    def hold(self, verdict: Verdict, now: float) -> None:
        """Make no request for as long as ``verdict`` asks."""
        wait_s = verdict.wait_s or 0.0
        self.not_before = max(self.not_before, now + wait_s)
        if wait_s > self.politeness.max_wait_s:
            self.given_up = verdict

    def slow_down(self, delay_s: float, now: float) -> None:
        """Keep requests at least ``delay_s`` apart, the one that was just started and the next one too."""
        delay_s = min(delay_s, self.politeness.max_wait_s)
        if delay_s > self.politeness.delay_s:
            self.politeness = replace(self.politeness, delay_s=delay_s)
            self.delay_s = max(self.delay_s, delay_s)
            self.not_before = max(self.not_before, now + delay_s)

    def note(self, verdict: Verdict, now: float, started: float, rng: random.Random) -> None:
        """Learn from the end of a request that began at ``started``."""
        self.in_flight -= 1
        if blames_host(verdict):
            self._note_failure(verdict, now, started, rng)
        else:
            self.failures = self.probes = 0
            self.opened_at = None
            self.window = min(self.limit, self.window + 1)
            self.delay_s = max(self.politeness.delay_s, self.delay_s * 0.9 if self.delay_s > 0.01 else 0.0)

    def _note_failure(self, verdict: Verdict, now: float, started: float, rng: random.Random) -> None:
        throttled, politeness = verdict.http_status in (429, 503), self.politeness
        self.failures += 1
        self.window = max(1, self.window // 2)
        wait_s = verdict.wait_s or 0.0
        if throttled:
            self.delay_s = min(politeness.max_delay_s, max(2 * self.delay_s, politeness.first_throttle_s))
            wait_s = max(wait_s, self.delay_s, backoff_s(self.failures, rng))
        if self.failures >= politeness.breaker_failures:
            if self.opened_at is None or started >= self.opened_at:  # it opens, or the request let through failed
                self.probes += self.opened_at is not None
                self.opened_at = now
            self.window = 1
            wait_s = max(wait_s, politeness.breaker_s * 2.0**self.probes)
        self.not_before = max(self.not_before, now + wait_s)
        most_probes = politeness.throttled_probes if throttled else politeness.breaker_probes
        if wait_s > politeness.max_wait_s or self.probes >= most_probes:
            self.given_up = verdict
