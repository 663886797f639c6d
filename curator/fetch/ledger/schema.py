"""The tables of the ledger, and their rows: attempts, observations, and what each host asked for.

>>> Attempt("http://h.example/a.jpg", "h.example", 0.0, 0.1, "gone", 404)[4:6]
('gone', 404)
>>> wait = HostWait("h.example", noted_at=1000.0, not_before=4600.0, http_status=429)
>>> wait.remaining_s(now=1600.0), wait.remaining_s(now=9000.0)
(3000.0, 0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from curator.fetch.policy import Verdict, verdict_of_status
from curator.observe.observation import OBSERVER_VERSION, Observation

VERSION = 7
"""The version of the tables below; a newer one is refused."""

OK = "ok"
"""The outcome of an attempt that brought bytes; what they are is the observation's affair."""

VIA = "via "
"""What ``ip`` begins with if a proxy answered, so that nobody knows which machine it contacted."""

LET_IN_PRIVATE = '{"allow_private_hosts": true}'
"""The ``settings`` of an image that came from a private address: without that one it would be out."""

FILE_SCHEME = "file:"
"""What the address of a local file begins with; its path follows."""

MAX_WAIT_S = 7 * 24 * 3600.0
"""A host that asks for a longer wait is requested again after a week."""

MOST_TEXT_BYTES = 1 << 25
"""Texts of robots.txt held in memory, packed; a text that had to go is requested again."""

_NOTES = (
    """
CREATE TABLE IF NOT EXISTS robots (
    url TEXT PRIMARY KEY,       -- of the robots.txt
    asked_at REAL NOT NULL,     -- seconds since 1970, UTC
    text BLOB NOT NULL          -- zlib; of nothing if the host has none
)
""",
    """
CREATE TABLE IF NOT EXISTS waits (
    host TEXT PRIMARY KEY,
    noted_at REAL NOT NULL,     -- seconds since 1970, UTC
    not_before REAL NOT NULL,   -- when the host may be requested again, as its Retry-After said
    http_status INTEGER NOT NULL
)
""",
)

_RUNS = (
    "CREATE INDEX IF NOT EXISTS attempts_with_referer ON attempts (host, outcome) WHERE referer IS NOT NULL",
    """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,   -- seconds since 1970, UTC
    finished_at REAL            -- none if it is still at work, or was interrupted
)
""",
)

_LOOKUPS = """
CREATE TABLE IF NOT EXISTS lookups (
    archive TEXT NOT NULL,      -- the index of a web archive that was asked
    address TEXT NOT NULL,      -- as listed
    asked_at REAL NOT NULL,     -- seconds since 1970, UTC
    captures TEXT NOT NULL,     -- those that may be a picture: JSON, each its time, its address and its SHA-1
    PRIMARY KEY (archive, address)
)
"""

TABLES = (
    """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL,      -- the address as listed, or file:PATH
    host TEXT NOT NULL,
    started_at REAL NOT NULL,   -- seconds since 1970, UTC
    seconds REAL NOT NULL,
    outcome TEXT NOT NULL,      -- ok, or a drop reason
    http_status INTEGER,
    detail TEXT,
    final_url TEXT,             -- where redirects led; none if there were none
    ip TEXT,                    -- of the machine that answered; after VIA if that was a proxy
    n_bytes INTEGER,
    sha256 BLOB,
    file_version TEXT,          -- size and time of a local file
    settings TEXT,              -- the settings that its outcome depends on, as they were; JSON
    opt_out TEXT,               -- what X-Robots-Tag said against use for AI, if that was not honoured
    referer TEXT,               -- the page that the request named, if any
    asked INTEGER NOT NULL,     -- 0 if the host was given up before this address had its turn
    superseded INTEGER NOT NULL DEFAULT 0  -- 1 if it was requested again, or is to be, whatever came of this attempt
)
""",
    "CREATE INDEX IF NOT EXISTS attempts_by_address ON attempts (address, superseded)",
    *_RUNS,
    """
CREATE TABLE IF NOT EXISTS observations (
    sha256 BLOB PRIMARY KEY,
    n_bytes INTEGER NOT NULL, format TEXT, width INTEGER, height INTEGER, orientation INTEGER, mode TEXT,
    n_frames INTEGER, taken TEXT, camera TEXT, well_formed INTEGER, detail REAL,
    phash INTEGER,              -- as a signed number
    phash_turns BLOB, phash256 BLOB, thumbnail BLOB, hash_version INTEGER, flaw TEXT, flaw_detail TEXT, sha1 BLOB,
    observer_version INTEGER NOT NULL,  -- the version in force of what is observed
    max_pixels INTEGER NOT NULL,        -- the limit in force
    stored INTEGER NOT NULL             -- 1 if the file is in the store
)
""",
    *_NOTES,
    _LOOKUPS,
)
"""What makes an empty file a ledger of this version."""

STEPS = (
    ("ALTER TABLE observations ADD COLUMN thumbnail BLOB",),
    _NOTES,
    ("ALTER TABLE observations ADD COLUMN well_formed INTEGER",),
    (*(f"ALTER TABLE attempts ADD COLUMN {name} TEXT" for name in ("settings", "opt_out", "referer")), *_RUNS),
    tuple(f"ALTER TABLE observations ADD COLUMN {name} TEXT" for name in ("taken", "camera")),
    ("ALTER TABLE observations ADD COLUMN sha1 BLOB", _LOOKUPS),
)
"""What makes the tables of version 1 those of version 2, and so on."""


class State(NamedTuple):
    """What the ledger knows of an address: its last attempt, and the observation of what that brought."""

    tries: int
    """Attempts that count; 0 if there is none, and then all else is None."""
    outcome: str | None
    settled: int
    """Whether the outcome is final."""
    falls_back: int | None
    """Whether the fallback address is tried after it."""
    flaw: str | None
    """What is wrong with the file that came."""
    file_version: str | None
    sha256: bytes | None
    stored: int | None
    image_format: str | None
    stale: int | None
    """Whether what is stored must be observed again, by this version or under this limit."""
    settings: str | None
    """What the outcome was decided under, as JSON."""


class Attempt(NamedTuple):
    """One request and how it ended; the fields are the columns of ``attempts``, documented there."""

    address: str
    host: str
    started_at: float
    seconds: float
    outcome: str
    http_status: int | None = None
    detail: str | None = None
    final_url: str | None = None
    ip: str | None = None
    n_bytes: int | None = None
    sha256: bytes | None = None
    file_version: str | None = None
    asked: bool = True
    superseded: bool = False
    settings: str | None = None
    opt_out: str | None = None
    referer: str | None = None

    def brought(self, n_bytes: int, sha256: bytes) -> Attempt:
        """Return this attempt with the length and SHA-256 of what it brought."""
        return self._replace(n_bytes=n_bytes, sha256=sha256)


class Observed(NamedTuple):
    """What was learnt about one file's bytes, under which limit, and whether the store holds it."""

    observation: Observation
    max_pixels: int
    stored: bool

    def values(self) -> tuple[Any, ...]:
        """Return the values of its row."""
        seen = self.observation
        sha1 = None if seen.sha1 is None else bytes.fromhex(seen.sha1)
        phash = None if seen.phash is None else seen.phash - ((seen.phash >> 63) << 64)
        facts = (*seen[1:_SHA1], sha1, *seen[_SHA1 + 1 : _PHASH], phash, *seen[_PHASH + 1 :])
        return (bytes.fromhex(seen.sha256), *facts, OBSERVER_VERSION, self.max_pixels, self.stored)


ATTEMPT_COLUMNS = Attempt._fields
"""The columns of ``attempts`` that an :class:`Attempt` fills."""
OBSERVED_COLUMNS = (*Observation._fields, "observer_version", "max_pixels", "stored")
"""Those of ``observations``, as :meth:`Observed.values` gives them: a ledger may have them in another order."""
_SHA1, _PHASH = map(Observation._fields.index, ("sha1", "phash"))


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


INSERT_ATTEMPT = _insert("attempts", ATTEMPT_COLUMNS)
INSERT_OBSERVED = _insert("observations", OBSERVED_COLUMNS)


class RobotsText(NamedTuple):
    """A robots.txt as it was at ``asked_at``, seconds since 1970; zlib, of nothing if the host has none."""

    url: str
    asked_at: float
    packed: bytes


class HostWait(NamedTuple):
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
        return self._replace(noted_at=now, not_before=now + self.remaining_s(now)) if now < self.noted_at else self

    def verdict(self, now: float) -> Verdict:
        """Return the answer that asked for the wait, with what is left of it."""
        return replace(verdict_of_status(self.http_status), wait_s=self.remaining_s(now))


class Lookup(NamedTuple):
    """What the index of a web archive says of an address; ``captures`` is JSON."""

    archive: str
    address: str
    asked_at: float
    captures: str


Note = RobotsText | HostWait | Lookup
INSERT_NOTE = {
    note: f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(note._fields))})"
    for note, table in ((RobotsText, "robots"), (HostWait, "waits"), (Lookup, "lookups"))
}


class Remembered(NamedTuple):
    """What previous runs learnt and still holds.

    Attributes:
        robots: each robots.txt (zlib) by its address.
        waits: the hosts that asked to be left alone.
        referer_hosts: the hosts that served a picture to a request with a ``Referer``.
    """

    robots: dict[str, bytes]
    waits: tuple[HostWait, ...]
    referer_hosts: frozenset[str] = frozenset()
