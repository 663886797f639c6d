"""What this process may request of each host while others request the same: leased from a governor, batch by batch.

A thread asks for what is wanted and gives back what is idle; see :mod:`curator.fetch.politeness.governor`.

>>> governor = Governor(per_host=1)
>>> with Leases(lambda asked: governor.exchange("me", asked, now=0.0)) as leases:
...     while not leases.take("h.example"):
...         time.sleep(0.001)
...     leases.take("h.example")
False
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from curator.errors import CuratorError
from curator.fetch.policy import Verdict
from curator.fetch.politeness.governor import LEASE_S, Asked, Granted
from curator.fetch.politeness.governor import Governor as Governor

RETRY_S = 0.03
"""After how long a host that nothing could be taken of is looked at again."""

_SOONEST_S = 0.01
_IDLE_S = 1.0
_MARGIN_S = 2.0
"""The least time between the end of a lease here and where it was granted."""


class LostLeasesError(CuratorError):
    """Nothing was heard of the governor for so long that others may have what was granted here."""


class Leases:
    """Requests in flight by host, and how many there may be; all methods may be called from any thread.

    Args:
        exchange: hands over what is asked and returns what is granted; it may take its time, or fail.
        lease_s: how long what was granted holds after it was asked for.
    """

    def __init__(self, exchange: Callable[[Asked], Granted], lease_s: float = LEASE_S) -> None:
        self._exchange, self._lease_s = exchange, lease_s
        self._lock, self._wake, self._closing = threading.Lock(), threading.Event(), threading.Event()
        self._n: Counter[str] = Counter()
        self._most: dict[str, int] = {}
        self._share: dict[str, int] = {}
        self._used_at: dict[str, float] = {}
        self._wanted: set[str] = set()
        self._troubles: dict[str, Verdict] = {}
        self._delays: dict[str, float] = {}
        self._known_delays: dict[str, float] = {}
        self._news: dict[str, Verdict] = {}
        self._reserved: defaultdict[int, list[str]] = defaultdict(list)
        self._holds_until = time.monotonic() + lease_s - _MARGIN_S
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self.stopped = False
        """Whether the governor said to end now."""

    def __enter__(self) -> Leases:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join(self._lease_s)

    def take(self, host: str) -> bool:
        """Count one more request to a host as in flight, if there may be one; else ask for it, and return False."""
        with self._lock:
            if self._n[host] < self._most.get(host, 0) and host not in self._news:
                self._n[host] += 1
                return True
            self._wanted.add(host)
        self._wake.set()
        return False

    def give(self, host: str) -> None:
        """Count one less: a request has ended."""
        with self._lock:
            self._n[host] -= 1
            self._used_at[host] = time.monotonic()

    def reserve(self, task: int, host: str) -> bool:
        """Take one for a task that will be led to a host, unless it has one; :meth:`release` gives all of its back."""
        if host not in self._reserved.get(task, ()):
            if not self.take(host):
                return False
            self._reserved[task].append(host)
        return True

    def release(self, task: int) -> None:
        """Give back what was reserved for a task."""
        for host in self._reserved.pop(task, ()):
            self.give(host)

    def report(self, host: str, verdict: Verdict) -> None:
        """Tell the others to leave a host alone for ``wait_s``."""
        with self._lock:
            before = self._troubles.get(host)
            if before is None or (before.wait_s or 0.0) < (verdict.wait_s or 0.0):
                self._troubles[host] = verdict
        self._wake.set()

    def slow_down(self, host: str, delay_s: float) -> None:
        """Tell the others how far apart requests to a host must be; 0: its rules say nothing of it."""
        if self._known_delays.get(host, -1.0) < delay_s:
            with self._lock:
                self._known_delays[host] = self._delays[host] = delay_s
            self._wake.set()

    def take_news(self) -> dict[str, Verdict]:
        """Return what others learnt of hosts since the last call."""
        if not self._news:
            return {}
        with self._lock:
            news, self._news = self._news, {}
        return news

    def check(self) -> None:
        """Make sure that what was granted still holds.

        Raises:
            LostLeasesError: it may not; every request must be broken off.
        """
        if self._error is not None or time.monotonic() > self._holds_until:
            message = "This process lost touch with the others of its cluster, and stopped requesting anything."
            raise LostLeasesError(message, "What was finished is kept; run again.") from self._error

    def _run(self) -> None:
        period_s = _SOONEST_S
        try:
            while not self._closing.is_set():
                self._wake.wait(period_s)
                self._wake.clear()
                self._closing.wait(_SOONEST_S)  # what comes at once is asked for at once
                sent = time.monotonic()
                granted = self._exchange(self._ask(sent))
                self._note(granted, sent)
                period_s = granted.period_s
            self._exchange(Asked())  # all is given back
        except Exception as error:  # carried to the thread that calls check
            self._error = error

    def _ask(self, now: float) -> Asked:
        """Give back what is idle or due to others, and say what is wanted."""
        with self._lock:
            for host, most in list(self._most.items()):
                n = self._n[host]
                is_idle = not n and now - self._used_at.get(host, 0.0) > _IDLE_S
                self._most[host] = 0 if is_idle else max(n, min(most, self._share.get(host, most)))
                if not self._most[host]:
                    for forgotten in (self._most, self._n, self._used_at):
                        forgotten.pop(host, None)
            asked = Asked(dict(self._most), frozenset(self._wanted), self._troubles, self._delays)
            self._wanted, self._troubles, self._delays = set(), {}, {}
        return asked

    def _note(self, granted: Granted, sent: float) -> None:
        if granted.is_lost or time.monotonic() > self._holds_until:
            raise TimeoutError("the answer came when what was granted held no longer")
        with self._lock:
            for host, most in granted.most.items():
                if most > self._most.get(host, 0):
                    self._most[host] = most
                    self._used_at[host] = time.monotonic()
            self._share = dict(granted.share)
            self._news |= granted.troubles
            self._holds_until = sent + self._lease_s - _MARGIN_S
        self.stopped = self.stopped or granted.stop


class HostLeases:
    """The same for the numbered hosts of a plan."""

    def __init__(self, leases: Leases, names: Sequence[str]) -> None:
        self.leases, self._names = leases, [usual_name(name) for name in names]
        self._numbers: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            self._numbers[name].append(number)

    def name(self, number: int) -> str:
        """Name a host."""
        return self._names[number]

    def take(self, number: int) -> bool:
        """See :meth:`Leases.take`."""
        return self.leases.take(self._names[number])

    def give(self, number: int) -> None:
        """See :meth:`Leases.give`."""
        self.leases.give(self._names[number])

    def report(self, number: int, verdict: Verdict) -> None:
        """See :meth:`Leases.report`."""
        self.leases.report(self._names[number], verdict)

    def slow_down(self, number: int, delay_s: float) -> None:
        """See :meth:`Leases.slow_down`."""
        self.leases.slow_down(self._names[number], delay_s)

    def take_news(self) -> list[tuple[int, Verdict]]:
        """Return what others learnt of hosts of this plan."""
        return [
            (number, verdict) for name, verdict in self.leases.take_news().items() for number in self._numbers[name]
        ]


def usual_name(host: str) -> str:
    """Name a host without a port that is the usual one.

    >>> usual_name("h.example:80"), usual_name("h.example:8080")
    ('h.example', 'h.example:8080')
    """
    return host.removesuffix(":80").removesuffix(":443")


def host_of_url(url: str) -> str:
    """Name the host of a URL, in the same way; one that nobody can read has none.

    >>> host_of_url("https://ann:pw@H.example:443/1.jpg"), host_of_url("http://[/1.jpg")
    ('h.example', '')
    """
    try:
        return usual_name(urlsplit(url).netloc.rpartition("@")[2].lower())
    except ValueError:
        return ""
