"""What a ledger keeps about hosts from one run to the next: their robots.txt, and how long they want to be left alone.

>>> wait = HostWait("h.example", noted_at=1000.0, not_before=4600.0, http_status=429)
>>> wait.remaining_s(now=1600.0), wait.remaining_s(now=9000.0)
(3000.0, 0.0)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from curator.fetch.policy import Verdict, verdict_of_status

MAX_WAIT_S = 7 * 24 * 3600.0
"""A host that asks for a longer wait is requested again after a week."""

MOST_TEXT_BYTES = 1 << 25
"""Texts of robots.txt held in memory, packed; a text that had to go is requested again."""


@dataclass(frozen=True, slots=True)
class RobotsText:
    """A robots.txt as it was at ``asked_at``, seconds since 1970; zlib, of nothing if the host has none."""

    url: str
    asked_at: float
    packed: bytes


@dataclass(frozen=True, slots=True)
class HostWait:
    """A host that asked at ``noted_at`` for no request before ``not_before``; both seconds since 1970."""

    host: str
    noted_at: float
    not_before: float
    http_status: int

    @classmethod
    def requested_by(cls, host: str, now: float, verdict: Verdict) -> HostWait:
        """Return the wait that ``verdict``, an answer of this moment, asks for."""
        return cls(host, now, now + min(verdict.wait_s or 0.0, MAX_WAIT_S), verdict.http_status or 0)

    def remaining_s(self, now: float) -> float:
        """Return how long it must still be left alone: never longer than it asked for, whatever became of the clock."""
        return max(0.0, min(self.not_before - now, self.not_before - self.noted_at, MAX_WAIT_S))

    def counted_from(self, now: float) -> HostWait:
        """Count from ``now`` if the clock was set back since, so that the wait ends."""
        return replace(self, noted_at=now, not_before=now + self.remaining_s(now)) if now < self.noted_at else self

    def verdict(self, now: float) -> Verdict:
        """Return the answer that asked for the wait, with what is left of it."""
        return replace(verdict_of_status(self.http_status), wait_s=self.remaining_s(now))


Note = RobotsText | HostWait


@dataclass(frozen=True)
class Remembered:
    """What previous runs learnt and still holds: each robots.txt (zlib) by its address, and the waits."""

    robots: dict[str, bytes] = field(default_factory=dict)
    waits: tuple[HostWait, ...] = ()


NOTHING_REMEMBERED = Remembered()
