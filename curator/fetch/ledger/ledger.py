"""The ledger: one row per request ever made and one per distinct file ever observed, in SQLite.

A run that was killed reads here what it already has; ``--retry`` and ``curator why`` read it too.

>>> import tempfile
>>> with Ledger(Path(tempfile.mkdtemp()) / "attempts.sqlite") as ledger:
...     ledger.record([Attempt("http://h.example/a.jpg", "h.example", 0.0, 0.1, "gone", 404)], [])
...     ledger.states(["http://h.example/a.jpg", "http://h.example/b.jpg"], "tries, a.outcome")
[(1, 'gone'), (0, None)]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from curator.errors import DiskError, StateError
from curator.fetch.ledger.file import connect, ledger_errors, may_write, use_write_ahead_log
from curator.fetch.politeness import host_notes
from curator.fetch.politeness.host_notes import Note, write_notes
from curator.matching.perceptual_hash import HASH_VERSION
from curator.observe.observation import Observation

VERSION = 3
"""The version of the tables below; a newer one is refused."""

OK = "ok"
"""The outcome of an attempt that brought bytes; what they are is the observation's affair."""

VIA = "via "
"""What the ledger's ``ip`` begins with where a proxy answered, so that nobody knows which machine it asked."""

_TABLES = (
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
    final_url TEXT,             -- where redirects led; none where there were none
    ip TEXT,                    -- of the machine that answered; after VIA where that was a proxy
    n_bytes INTEGER,
    sha256 BLOB,
    file_version TEXT,          -- size and time of a local file
    asked INTEGER NOT NULL,     -- 0 where the host was given up before this address had its turn
    superseded INTEGER NOT NULL DEFAULT 0  -- 1 where a later --retry asks again
)
""",
    "CREATE INDEX IF NOT EXISTS attempts_by_address ON attempts (address, superseded)",
    """
CREATE TABLE IF NOT EXISTS observations (
    sha256 BLOB PRIMARY KEY,
    n_bytes INTEGER NOT NULL, format TEXT, width INTEGER, height INTEGER, orientation INTEGER, mode TEXT,
    n_frames INTEGER, detail REAL,
    phash INTEGER,              -- as a signed number
    phash_turns BLOB, phash256 BLOB, thumbnail BLOB, hash_version INTEGER, flaw TEXT, flaw_detail TEXT,
    observer_version INTEGER NOT NULL,  -- the hash version in force, for files without a hash too
    max_pixels INTEGER NOT NULL,        -- the limit in force
    stored INTEGER NOT NULL             -- 1 where the file is in the store
)
""",
    *host_notes.TABLES,
)
"""What makes an empty file a ledger of this version."""

_STEPS = (("ALTER TABLE observations ADD COLUMN thumbnail BLOB",), host_notes.TABLES)
"""What makes the tables of version 1 those of version 2, and so on."""


@dataclass(frozen=True, slots=True)
class Attempt:
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

    def brought(self, n_bytes: int, sha256: bytes) -> Attempt:
        """Give this attempt with the length and the SHA-256 of what it brought, sooner than dataclasses.replace."""
        return Attempt(
            self.address, self.host, self.started_at, self.seconds, self.outcome, self.http_status, self.detail,
            self.final_url, self.ip, n_bytes, sha256, self.file_version, self.asked,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observed:
    """What was learnt about one file's bytes, under which limit, and whether the store holds it."""

    observation: Observation
    max_pixels: int
    stored: bool


_ATTEMPT_COLUMNS = tuple(field.name for field in fields(Attempt))
_OBSERVATION_COLUMNS = (*(field.name for field in fields(Observation)), "observer_version", "max_pixels", "stored")
_PHASH = _OBSERVATION_COLUMNS.index("phash")
# These make rows many times faster than dataclasses.astuple, which copies every value.
_attempt_row: Callable[[Attempt], tuple[Any, ...]] = attrgetter(*_ATTEMPT_COLUMNS)
_observation_facts: Callable[[Observation], tuple[Any, ...]] = attrgetter(*_OBSERVATION_COLUMNS[:-3])
_STATES = """
SELECT {columns} FROM (
    SELECT wanted.key AS number,
        (SELECT count(*) FROM attempts WHERE address = wanted.value AND superseded = 0) AS tries,
        (SELECT max(id) FROM attempts WHERE address = wanted.value) AS last_id
    FROM json_each(?) AS wanted
) LEFT JOIN attempts AS a ON a.id = last_id LEFT JOIN observations AS o ON o.sha256 = a.sha256
ORDER BY number
"""


class Ledger:
    """The ledger of one data set; made on first use. One thread writes at a time.

    Args:
        path: the file.
        to_read: it is only read, so that it need not be writable.

    Raises:
        StateError: the file is damaged or was written by a newer version.
        DiskError: the disk refuses it.
    """

    def __init__(self, path: Path, *, to_read: bool = False) -> None:
        self._path = path
        is_fixed = to_read and not may_write(path)
        with self._errors():
            self._connection = connect(path, is_fixed)
            self._prepare(is_fixed)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def record(self, attempts: Sequence[Attempt], observed: Sequence[Observed], notes: Sequence[Note] = ()) -> None:
        """Write attempts, observations and notes about hosts, all or none, so that they outlive a power cut."""
        with self.transaction():
            self._connection.executemany(_insert("attempts", _ATTEMPT_COLUMNS), map(_attempt_row, attempts))
            self._connection.executemany(_insert("observations", _OBSERVATION_COLUMNS), map(_observation_row, observed))
            write_notes(self._connection, notes)

    def supersede(self, addresses: Iterable[str]) -> None:
        """Make these addresses count as not tried, so that they are asked again, by a later run too."""
        with self.transaction():
            rows = ((address,) for address in addresses)
            self._connection.executemany("UPDATE attempts SET superseded = 1 WHERE address = ?", rows)

    def forget(self, addresses: Iterable[str], contents: Iterable[bytes]) -> None:
        """Remove for good what is known of these addresses and contents (SHA-256, 32 bytes)."""
        hashes = [(sha256,) for sha256 in contents]
        next(self.query("PRAGMA secure_delete = ON"), None)
        with self.transaction():
            rows = ((address,) for address in addresses)
            self._connection.executemany("DELETE FROM attempts WHERE address = ?", rows)
            self._connection.executemany("DELETE FROM attempts WHERE sha256 = ?", hashes)
            self._connection.executemany("DELETE FROM observations WHERE sha256 = ?", hashes)

    def states(self, addresses: Sequence[str | None], columns: str) -> list[tuple[Any, ...]]:
        """Look up the last attempt at each address, in order; a few ten thousand addresses at once.

        Args:
            columns: SQL over ``tries`` (not superseded), ``a`` (the last attempt) and ``o`` (what it brought).
        """
        with self._errors():
            return self._connection.execute(_STATES.format(columns=columns), (json.dumps(addresses),)).fetchall()

    def observed(self, contents: Collection[bytes], columns: Sequence[str]) -> dict[bytes, tuple[Any, ...]]:
        """Look up columns of what was observed of these contents (SHA-256, 32 bytes); at most some 32,000 of them."""
        places = ", ".join("?" * len(contents))
        sql = f"SELECT sha256, {', '.join(columns)} FROM observations WHERE sha256 IN ({places})"
        return {sha256: tuple(values) for sha256, *values in self.query(sql, tuple(contents))}

    def knows_file(self, sha256: bytes) -> bool:
        """Tell whether the store should hold the file with this content."""
        rows = self.query("SELECT 1 FROM observations WHERE sha256 = ? AND stored", (sha256,))
        return next(rows, None) is not None

    def query(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Read rows of any other question."""
        with self._errors():
            yield from self._connection.execute(sql, values)

    def _prepare(self, is_fixed: bool) -> None:
        version = self._version()
        if version > VERSION:
            message = f"The ledger {self._path} was written by a newer curator (its version {version}, ours {VERSION})."
            raise StateError(message, "Upgrade with `pip install -U imageset-curator`.")
        if is_fixed and version < VERSION:
            message = f"The ledger {self._path} is of an older curator and may not be brought up to date."
            raise DiskError(message, "Check the permissions, then run again.")
        if not is_fixed:
            use_write_ahead_log(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
            if version < VERSION:
                self._bring_up_to_date()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _bring_up_to_date(self) -> None:
        """Make what this version needs; whoever comes second finds it made."""
        with self.transaction():
            version = self._version()
            steps = _STEPS[version - 1 :] if version else (_TABLES,)
            for statement in (statement for step in steps for statement in step):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing of it."""
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.execute("COMMIT")

    def _errors(self) -> AbstractContextManager[None]:
        return ledger_errors(self._path)


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _observation_row(observed: Observed) -> tuple[Any, ...]:
    sha256, *facts = _observation_facts(observed.observation)
    phash = facts[_PHASH - 1]
    if phash is not None:
        facts[_PHASH - 1] = phash - ((phash >> 63) << 64)
    return (bytes.fromhex(sha256), *facts, HASH_VERSION, observed.max_pixels, observed.stored)
