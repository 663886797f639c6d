"""What a ledger keeps about hosts from one run to the next: their robots.txt, and how long they want to be left alone.

>>> wait = HostWait("h.example", noted_at=1000.0, not_before=4600.0, http_status=429)
>>> wait.remaining_s(now=1600.0), wait.remaining_s(now=9000.0)
(3000.0, 0.0)
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from curator.fetch.policy import Verdict, verdict_of_status
from curator.fetch.politeness.robots import FRESH_S
from curator.fetch.politeness.schedule import Schedule

MAX_WAIT_S = 7 * 24 * 3600.0
"""A host that asks for a longer wait is asked again after a week."""

MOST_TEXT_BYTES = 1 << 25
"""Texts of robots.txt held in memory, packed; a host whose text had to go is asked for it again."""

TABLES = (
    """
CREATE TABLE IF NOT EXISTS robots (
    url TEXT PRIMARY KEY,       -- of the robots.txt
    asked_at REAL NOT NULL,     -- seconds since 1970, UTC
    text BLOB NOT NULL          -- zlib; of nothing where the host has none
)
""",
    """
CREATE TABLE IF NOT EXISTS waits (
    host TEXT PRIMARY KEY,
    noted_at REAL NOT NULL,     -- seconds since 1970, UTC
    not_before REAL NOT NULL,   -- when the host may be asked again, as its Retry-After said
    http_status INTEGER NOT NULL
)
""",
)


@dataclass(frozen=True, slots=True)
class RobotsText:
    """A robots.txt as it was at ``asked_at``, seconds since 1970; zlib, of nothing where the host has none."""

    url: str
    asked_at: float
    packed: bytes


@dataclass(frozen=True, slots=True)
class HostWait:
    """A host that asked at ``noted_at`` not to be asked before ``not_before``; both seconds since 1970."""

    host: str
    noted_at: float
    not_before: float
    http_status: int

    @classmethod
    def asked_for(cls, host: str, now: float, verdict: Verdict) -> HostWait:
        """Note what ``verdict``, an answer of this moment, asks for."""
        return cls(host, now, now + min(verdict.wait_s or 0.0, MAX_WAIT_S), verdict.http_status or 0)

    def remaining_s(self, now: float) -> float:
        """Say how long it must still be left alone: never longer than it asked for, whatever became of the clock."""
        return max(0.0, min(self.not_before - now, self.not_before - self.noted_at, MAX_WAIT_S))

    def counted_from(self, now: float) -> HostWait:
        """Count from ``now`` where the clock was set back since, so that the wait ends."""
        return replace(self, noted_at=now, not_before=now + self.remaining_s(now)) if now < self.noted_at else self

    def verdict(self, now: float) -> Verdict:
        """Give the answer that asked for the wait, with what is left of it."""
        return replace(verdict_of_status(self.http_status), wait_s=self.remaining_s(now))


Note = RobotsText | HostWait


@dataclass(frozen=True)
class Remembered:
    """What earlier runs learnt and still holds: each robots.txt (zlib) by its address, and the waits."""

    robots: dict[str, bytes] = field(default_factory=dict)
    waits: tuple[HostWait, ...] = ()


def read_notes(query: Callable[[str], Iterator[tuple[Any, ...]]], now: float) -> Remembered:
    """Read what still holds at ``now``, seconds since 1970; a robots.txt from the future does not.

    Of more texts than :data:`MOST_TEXT_BYTES` the latest are read.
    """
    waits = (HostWait(*row) for row in query("SELECT * FROM waits"))
    holding = tuple(wait.counted_from(now) for wait in waits if wait.remaining_s(now))
    fresh = f"FROM robots WHERE asked_at > {now - FRESH_S!r} AND asked_at <= {now!r}"
    sums = f"SELECT url, text, sum(length(text)) OVER (ORDER BY asked_at DESC, url) AS n_bytes {fresh}"
    robots = query(f"SELECT url, text FROM ({sums}) WHERE n_bytes <= {MOST_TEXT_BYTES} ORDER BY n_bytes DESC")
    return Remembered(dict(robots), holding)


def hold_hosts(waits: Iterable[HostWait], names: Sequence[str | None], schedule: Schedule) -> None:
    """Leave those hosts alone that asked for it in an earlier run; ``names`` are the schedule's, by number."""
    waiting = {wait.host: wait for wait in waits}
    for number, name in enumerate(names if waiting else ()):
        if name in waiting:
            schedule.hold(number, waiting[name].verdict(time.time()), time.monotonic())


def write_notes(connection: sqlite3.Connection, notes: Iterable[Note]) -> None:
    """Write notes; a later one of the same host takes the place of the earlier."""
    for note in notes:
        if isinstance(note, HostWait):
            values = (note.host, note.noted_at, note.not_before, note.http_status)
            connection.execute("INSERT OR REPLACE INTO waits VALUES (?, ?, ?, ?)", values)
        else:
            row = (note.url, note.asked_at, note.packed)
            connection.execute("INSERT OR REPLACE INTO robots VALUES (?, ?, ?)", row)
