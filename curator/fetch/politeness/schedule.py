"""Which address to request next: a queue per host, so that a slow or dead host never holds up the others.

Work per step is constant however many addresses wait: they lie in one array sorted by host, and hosts that must wait
lie in a heap of wake times. The clock is an argument, so that every rule can be tested without waiting.

>>> schedule = Schedule(np.array([0, 1, 2]), np.array([0, 0, 1]), Politeness(per_host=1), random.Random(0))
>>> [schedule.next_task(now=0.0) for _ in range(3)]  # one a host, and then both are busy
[0, 2, None]
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from curator.fetch.policy import Verdict, blames_host
from curator.fetch.politeness.hosts import Host, Politeness
from curator.fetch.politeness.leases import RETRY_S, HostLeases

IntArray = npt.NDArray[np.int32]

_MOST_ASKED = 256
"""Hosts that wait for a lease at once: others are not begun yet."""


class Schedule:
    """Tasks (indices of addresses) queued by host, handed out as politeness and failures allow.

    Args:
        tasks: what is to be requested, in the wished order; int array, shape (tasks,).
        host_of: the host's number of every address, requested or not; int array, shape (addresses,).
        limits: requests in flight for those hosts (by number) that have a limit of their own.
        leases: without it this process alone requests anything of these hosts.
    """

    def __init__(
        self,
        tasks: npt.NDArray[np.integer],
        host_of: npt.NDArray[np.integer],
        politeness: Politeness,
        rng: random.Random,
        limits: Mapping[int, int] | None = None,
        leases: HostLeases | None = None,
    ) -> None:
        self._host_of, self._leases = host_of, leases
        self._without: set[int] = set()
        self._politeness, self._rng, self._limits = politeness, rng, dict(limits or {})
        numbers = host_of[tasks]
        self._order = tasks[np.argsort(numbers, kind="stable")].astype(np.int32)
        present, counts = np.unique(numbers, return_counts=True)
        ends = np.cumsum(counts)
        self._slices = {int(n): (int(e - c), int(e)) for n, c, e in zip(present, counts, ends, strict=True)}
        self._fresh = present[np.argsort(-counts, kind="stable")]
        self._n_begun = 0
        self._hosts: dict[int, Host] = {}
        self._ready: deque[Host] = deque()
        self._waiting: list[tuple[float, int, Host | int]] = []
        self._n_waited = 0
        self._abandoned: deque[Host] = deque()
        self._turn = 0
        self.n_queued = len(tasks)
        """Tasks that wait in a queue, for a wake time too; those in flight do not count."""

    def next_task(self, now: float) -> int | None:
        """Return a task that may be started at ``now`` (seconds on a clock that never jumps), or None."""
        while self._waiting and self._waiting[0][0] <= now:
            what = heapq.heappop(self._waiting)[2]
            if isinstance(what, int):
                host = self._host(int(self._host_of[what]))
                host.again.append(what)
            else:
                host = what
                host.parked = False
            self._place(host, now)
        while begun := self._next_host():
            if begun.may_start(now) and not self._may_request(begun, now):
                continue
            task = begun.start(now) if begun.may_start(now) else None
            self._place(begun, now)
            if task is not None:
                self.n_queued -= 1
                return task
        return None

    def wake_time(self) -> float | None:
        """Return when the next waiting host or task is due; None if none waits. What was given up is due at once."""
        if self._abandoned:
            return 0.0
        return self._waiting[0][0] if self._waiting else None

    def finished(self, task: int, verdict: Verdict, now: float, started: float) -> None:
        """Note how a request ended; the host's window, delay and breaker follow."""
        host = self._hosts[int(self._host_of[task])]
        host.note(verdict, now, started, self._rng)
        if self._leases:
            self._leases.give(host.number)
            if host.failures and blames_host(verdict):  # whoever else requests something of this host is to know
                wait_s = math.inf if host.given_up else max(0.0, host.not_before - now)
                self._leases.report(host.number, replace(verdict, wait_s=wait_s))
        self._place(host, now)

    def put_back(self, task: int, now: float, wait_s: float, verdict: Verdict | None = None) -> None:
        """Queue a task again that was started in vain: its host gets no request for ``wait_s`` seconds.

        Args:
            verdict: the host's answer, if that is why; whoever else requests something of it is to know.
        """
        host = self._hosts[int(self._host_of[task])]
        host.undo_start(task, max(host.not_before, now + wait_s))
        if self._leases:
            self._leases.give(host.number)
            if verdict:
                self._leases.report(host.number, replace(verdict, wait_s=wait_s))
        self.n_queued += 1
        self._place(host, now)

    def withdraw(self, task: int, now: float) -> None:
        """Forget a task that was just started and is not to be requested: as if its host had never been bothered."""
        host = self._hosts[int(self._host_of[task])]
        host.undo_start(task, now)
        if self._leases:
            self._leases.give(host.number)
        host.pop()
        if host.has_tasks() and not host.ready:  # though its start may have parked it, which then ends by itself
            host.ready = True
            self._ready.append(host)

    def slow_down(self, task: int, delay_s: float, now: float) -> None:
        """Keep the requests to the host of a task that was started at least ``delay_s`` apart, up to ``max_wait_s``."""
        host = self._hosts[int(self._host_of[task])]
        host.slow_down(delay_s, now)
        if self._leases:
            self._leases.slow_down(host.number, min(delay_s, self._politeness.max_wait_s))

    def hold(self, number: int, verdict: Verdict, now: float) -> None:
        """Leave a host, by its number, alone as long as ``verdict`` asks; too long a wait gives it up for this run."""
        host = self._host(number)
        host.hold(verdict, now)
        self._place(host, now)

    def heed_others(self, now: float) -> None:
        """Leave hosts alone that others were asked to leave alone, if others request something of the same ones.

        Raises:
            LostLeasesError: what was granted here may be others' by now.
        """
        if self._leases:
            self._leases.leases.check()
            for number, verdict in self._leases.take_news():
                self.hold(number, verdict, now)

    def give_up(self, task: int, verdict: Verdict, now: float) -> None:
        """Give the host of a task up for this run: all its tasks come out of :meth:`abandoned`."""
        host = self._host(int(self._host_of[task]))
        host.given_up = verdict
        if self._leases:
            self._leases.report(host.number, replace(verdict, wait_s=math.inf))
        self._place(host, now)

    def retry(self, task: int, when: float) -> None:
        """Queue a task again, to be requested at ``when`` or later."""
        self.n_queued += 1
        self._wait(when, task)

    def abandoned(self, limit: int) -> list[tuple[int, Verdict]]:
        """Take up to ``limit`` tasks whose host was given up for this run, each with the host's last failure."""
        taken: list[tuple[int, Verdict]] = []
        while self._abandoned and len(taken) < limit:
            host = self._abandoned[0]
            if not host.has_tasks():
                self._abandoned.popleft()
            elif host.given_up is not None:
                taken.append((host.pop(), host.given_up))
        self.n_queued -= len(taken)
        return taken

    def _wait(self, when: float, what: Host | int) -> None:
        """Let a host or a task wait; the number puts those of one moment in the order in which they came."""
        heapq.heappush(self._waiting, (when, self._n_waited, what))
        self._n_waited += 1

    def _host(self, number: int) -> Host:
        if number not in self._hosts:
            limit = self._limits.get(number, self._politeness.per_host)
            start, end = self._slices.get(number, (0, 0))
            self._hosts[number] = Host(self._politeness, limit, self._order, start, end, number)
        return self._hosts[number]

    def _may_request(self, host: Host, now: float) -> bool:
        """Take a lease for a request to a host; without one it waits a moment."""
        if self._leases is None or self._leases.take(host.number):
            self._without.discard(host.number)
            return True
        self._without.add(host.number)
        host.parked = True
        self._wait(now + RETRY_S, host)
        return False

    def _next_host(self) -> Host | None:
        """Take a host that was begun and one that was not by turns: small hosts neither starve nor delay large ones."""
        self._turn ^= 1
        while (self._turn or not self._ready) and self._n_begun < len(self._fresh) and len(self._without) < _MOST_ASKED:
            number = int(self._fresh[self._n_begun])
            self._n_begun += 1
            if number not in self._hosts:
                return self._host(number)
        if not self._ready:
            return None
        host = self._ready.popleft()
        host.ready = False
        return host

    def _place(self, host: Host, now: float) -> None:
        """Put a host where it belongs: among the ready, among the waiting, with the given up, or nowhere."""
        if not host.has_tasks():
            return
        if host.given_up is not None:
            self._abandoned.append(host)
        elif host.ready or host.parked or host.in_flight >= host.window:
            return
        elif host.not_before > now:
            host.parked = True
            self._wait(host.not_before, host)
        else:
            host.ready = True
            self._ready.append(host)
