"""Share the requests that each host may have in flight among many processes: leases, which expire. Pure.

A process may have in flight what it was granted, until it gives it back or is not heard of for :data:`LEASE_S` seconds.
What it was granted is lowered by itself only, and noted here when it says so: an answer that is lost costs nothing but
time. So no host ever has more in flight than its limit, whoever dies. All times are this process's own, and those of
the others count from what they sent: clocks that differ do no harm. Who was taken for dead and is heard of again is
told that all is lost, and ends.

>>> governor = Governor(per_host=8)
>>> governor.exchange("one", Asked(wanted={"h.example"}), now=0.0).most
{'h.example': 8}
>>> governor.exchange("two", Asked(wanted={"h.example"}), now=0.1).most
{'h.example': 0}
>>> governor.exchange("one", Asked(held={"h.example": 8}), now=0.2).share  # the other one asks: give back what is idle
{'h.example': 4}
>>> governor.exchange("one", Asked(held={"h.example": 5}), now=0.3).most
{'h.example': 5}
>>> governor.exchange("two", Asked(wanted={"h.example"}), now=0.4).most
{'h.example': 3}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from curator.fetch.policy import Verdict

LEASE_S = 10.0
"""How long a process that is not heard of keeps what it was granted."""

_PERIOD_S = 0.1
_MOST_EXCHANGES = 1000.0
"""Exchanges a second that the governor is made for; more processes exchange less often."""


@dataclass(frozen=True)
class Asked:
    """What a process says of itself.

    Attributes:
        held: the most requests that it has in flight from now on, by host; none to a host that is not named.
        wanted: hosts that it would request more of.
        troubles: hosts that asked to be left alone, or failed: ``wait_s`` says for how long; infinity: for this fetch.
        delays: the least seconds between two requests that a robots.txt asks for; 0 if it asks for none.
    """

    held: Mapping[str, int] = field(default_factory=dict)
    wanted: Set[str] = frozenset()
    troubles: Mapping[str, Verdict] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Granted:
    """What it is answered.

    Attributes:
        most: the most requests that it may have in flight, by host, for all hosts that it holds or wants.
        share: what it is to come down to, as its requests end, because others wait.
        troubles: what others learnt of these hosts.
        period_s: after how long it is to ask again.
        stop: whether it is to end now.
        is_lost: whether others may have what it holds: it was not heard of for too long, by the clock here.
    """

    most: Mapping[str, int]
    share: Mapping[str, int]
    troubles: Mapping[str, Verdict]
    period_s: float = _PERIOD_S
    stop: bool = False
    is_lost: bool = False


class Governor:
    """The leases of one fetch.

    Args:
        per_host: requests in flight a host.
        limits: the same for hosts that have a limit of their own.
        delay_s: least seconds between two requests to a host.
        rules_first: whether a host is one process's alone until its robots.txt is read.
        opens_at: when it grants the first request.
    """

    def __init__(
        self,
        per_host: int,
        limits: Mapping[str, int] | None = None,
        delay_s: float = 0.0,
        rules_first: bool = False,
        lease_s: float = LEASE_S,
        opens_at: float = 0.0,
    ) -> None:
        self._opens_at = opens_at
        self._per_host, self._limits, self._lease_s = per_host, dict(limits or {}), lease_s
        self._delay_s, self._rules_first = delay_s, rules_first
        self._delays: dict[str, float] = {}
        self._held: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._of: defaultdict[str, set[str]] = defaultdict(set)
        self._wanted: dict[str, Set[str]] = {}
        self._waiting: defaultdict[str, set[str]] = defaultdict(set)
        self._expires: dict[str, float] = {}
        self._free_at: dict[str, float] = {}
        self._troubles: dict[str, tuple[float, Verdict, str]] = {}
        self._told: set[tuple[str, str, float]] = set()
        self._dropped: set[str] = set()
        self.stop = False

    def exchange(self, process: str, asked: Asked, now: float) -> Granted:
        """Take what a process says, and answer; ``now`` is in seconds on a clock that never jumps."""
        for late in [name for name, until in self._expires.items() if until <= now]:
            self.leave(late, now)
            self._dropped.add(late)
        if process in self._dropped:  # its machine slept, and its clock with it: it would go on beside the others
            return Granted({}, {}, {}, stop=self.stop, is_lost=True)
        self._expires[process] = now + self._lease_s
        for host, verdict in asked.troubles.items():
            until = now + (verdict.wait_s or 0.0)
            if (
                until > self._troubles.get(host, (now,))[0]
            ):  # a shorter wait, as of who was not told yet, ends no longer one
                self._troubles[host] = until, verdict, process
        for host, delay_s in asked.delays.items():
            self._delays[host] = max(delay_s, self._delays.get(host, 0.0))
        for host in list(self._of[process]):
            self._lower(process, host, asked.held.get(host, 0), now)
        self._want(process, asked.wanted)
        for host in asked.wanted if now >= self._opens_at else ():
            self._raise(process, host, now)
        known = self._of[process] | asked.wanted
        return Granted(
            {host: self._held.get(host, {}).get(process, 0) for host in sorted(known)},
            {host: share for host in sorted(self._of[process]) if (share := self._share(process, host)) is not None},
            dict(self._news(process, known, now)),
            max(_PERIOD_S, len(self._expires) / _MOST_EXCHANGES),
            self.stop,
        )

    def leave(self, process: str, now: float) -> None:
        """Take back all that a process holds: it has ended."""
        for host in list(self._of[process]):
            self._lower(process, host, 0, now)
        self._want(process, frozenset())
        self._expires.pop(process, None)
        self._of.pop(process, None)

    def _want(self, process: str, wanted: Set[str]) -> None:
        for host in self._wanted.pop(process, frozenset()):
            self._waiting[host].discard(process)
            if not self._waiting[host]:
                del self._waiting[host]
        if wanted:
            self._wanted[process] = wanted
        for host in wanted:
            self._waiting[host].add(process)

    def _lower(self, process: str, host: str, most: int, now: float) -> None:
        held = self._held[host]
        held[process] = min(held[process], most)
        if not held[process]:
            del held[process]
            self._of[process].discard(host)
            self._free_at[host] = now + self._delay_of(host)
        if not held:
            del self._held[host]
            if self._free_at[host] <= now:
                del self._free_at[host]

    def _raise(self, process: str, host: str, now: float) -> None:
        """Grant what is free; what others wait for is shared equally."""
        held = self._held.get(host, {})
        own, others = held.get(process, 0), sum(n for name, n in held.items() if name != process)
        if self._is_one_process_alone(host):
            if others or now < self._free_at.get(host, 0.0):
                return
            most = self._limit(host)
        else:
            rivals = self._waiting.get(host, set()) - {process}
            most = min(self._limit(host) - others, self._equal_share(host) if rivals else self._limit(host))
        if most > own:
            self._held[host][process] = most
            self._of[process].add(host)

    def _share(self, process: str, host: str) -> int | None:
        held = self._held[host]
        if self._is_one_process_alone(host):
            return None if next(iter(held)) == process else 0
        return self._equal_share(host) if self._waiting.get(host, set()) - {process} else None

    def _equal_share(self, host: str) -> int:
        return max(1, self._limit(host) // len(self._held.get(host, {}).keys() | self._waiting.get(host, set())))

    def _is_one_process_alone(self, host: str) -> bool:
        """Return whether requests must be some time apart, which only one process by itself can keep to."""
        return self._delay_of(host) > 0 or (self._rules_first and host not in self._delays)

    def _delay_of(self, host: str) -> float:
        return max(self._delay_s, self._delays.get(host, 0.0))

    def _limit(self, host: str) -> int:
        return self._limits.get(host, self._per_host)

    def _news(self, process: str, hosts: Set[str], now: float) -> dict[str, Verdict]:
        news = {}
        for host in hosts & self._troubles.keys():
            until, verdict, reporter = self._troubles[host]
            if until > now and reporter != process and (process, host, until) not in self._told:
                self._told.add((process, host, until))
                news[host] = replace(verdict, wait_s=until - now)
        return news
