"""The ledger: one row per request ever made and one per distinct file ever observed, in SQLite.

A run that was killed reads here what it already has; ``--retry`` and ``curator why`` read it too. Whoever needs a new
answer adds a method: no SQL is written elsewhere.

>>> import tempfile
>>> with Ledger(Path(tempfile.mkdtemp()) / "attempts.sqlite") as ledger:
...     ledger.record([Attempt("http://h.example/a.jpg", "h.example", 0.0, 0.1, "gone", 404)], [])
...     states = ledger.states(["http://h.example/a.jpg", "http://h.example/b.jpg"], retries=2, max_pixels=1)
>>> [(state.tries, state.outcome) for state in states]
[(1, 'gone'), (0, None)]
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from curator.errors import DiskError, StateError, first_remedy
from curator.fetch.ledger.file import connect, ledger_errors, may_write, refusal_at, use_write_ahead_log
from curator.fetch.ledger.queries import (
    CAPTURED,
    FAMILY_COSTS,
    FAMILY_OUTCOMES,
    FORGET_ADDRESSES,
    OUTCOME_COUNTS,
    ROBOTS,
    STATES,
)
from curator.fetch.ledger.schema import (
    FILE_SCHEME,
    INSERT_ATTEMPT,
    INSERT_NOTE,
    INSERT_OBSERVED,
    LET_IN_PRIVATE,
    MOST_TEXT_BYTES,
    OK,
    STEPS,
    TABLES,
    VERSION,
    VIA,
    Attempt,
    HostWait,
    Note,
    Observed,
    Remembered,
    State,
)
from curator.fetch.policy import FALLBACK_STATUSES
from curator.fetch.politeness.robots import FRESH_S
from curator.manifests.settings import FetchSettings
from curator.observe.observation import OBSERVER_VERSION
from curator.reasons import RETRIED, Drop

PICTURE_COLUMNS = ("phash_turns", "phash256", "thumbnail")
"""Columns of the catalog, 600 bytes a row, that only later stages read."""

_PASSING = ", ".join(f"'{reason}'" for reason in sorted(RETRIED))
_SETTLED = f"tries > 0 AND (NOT a.asked OR a.outcome NOT IN ({_PASSING}) OR tries > :retries)"
_FALLS_BACK = f"a.http_status IN ({', '.join(map(str, FALLBACK_STATUSES))})"
# An observation holds for another limit too, unless the image lies between the two.
_PIXELS = "coalesce(o.width * o.height, 0)"
_STALE = f"""o.stored AND (o.observer_version != {OBSERVER_VERSION}
    OR ({_PIXELS} > :max_pixels) != ({_PIXELS} > o.max_pixels))"""

# What came under other settings is judged by those of now, as if it were requested under them.
_IS_OPTED_OUT = ":honour_noai AND a.opt_out IS NOT NULL"
_IS_PRIVATE = f"NOT :allow_private_hosts AND a.settings = '{LET_IN_PRIVATE}'"
_IS_LARGE = "o.n_bytes > :max_bytes"

_OUTCOMES = {
    "http_status": "a.http_status",
    "final_url": f"""CASE WHEN a.http_status IS NULL OR a.address LIKE '{FILE_SCHEME}%' THEN NULL
        ELSE coalesce(a.final_url, a.address) END""",
    "sha256": "nullif(lower(hex(a.sha256)), '')",
    "sha1": "nullif(lower(hex(o.sha1)), '')",
    **{
        name: f"o.{name}"
        for name in (
            "n_bytes", "format", "width", "height", "orientation", "mode", "n_frames", "taken", "camera", "well_formed",
            "detail", "phash", "hash_version",
        )
    },
    "reason": f"""CASE WHEN a.outcome != '{OK}' THEN a.outcome WHEN {_IS_OPTED_OUT} THEN '{Drop.OPTED_OUT}'
        WHEN {_IS_PRIVATE} THEN '{Drop.PRIVATE_ADDRESS}' WHEN {_IS_LARGE} THEN '{Drop.TOO_MANY_BYTES}'
        ELSE o.flaw END""",
    "evidence": f"""CASE WHEN a.outcome != '{OK}' THEN a.detail WHEN {_IS_OPTED_OUT} THEN 'X-Robots-Tag: ' || a.opt_out
        WHEN {_IS_PRIVATE} THEN a.ip WHEN {_IS_LARGE} THEN o.n_bytes || ' bytes' ELSE o.flaw_detail END""",
}  # fmt: skip
OUTCOME_COLUMNS = tuple(_OUTCOMES)
"""What :meth:`Ledger.outcomes` says of an address, after whether it is settled and whether its fallback is tried."""


_STATE = f"""tries, a.outcome, {_SETTLED}, {_FALLS_BACK}, o.flaw, a.file_version, o.sha256, o.stored,
    o.format, {_STALE}, a.settings"""


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
        with ledger_errors(path):
            self._connection = connect(path, is_fixed)
            self._prepare(is_fixed)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def record(self, attempts: Sequence[Attempt], observed: Sequence[Observed], notes: Sequence[Note] = ()) -> None:
        """Write attempts, observations and notes, all or none, so that they outlive a power cut.

        A later note about the same host, or the same address of an archive, replaces the one before it.
        """
        with self._transaction():
            self._connection.executemany(INSERT_ATTEMPT, attempts)
            self._connection.executemany(INSERT_OBSERVED, (one.values() for one in observed))
            for note in notes:
                self._connection.execute(INSERT_NOTE[type(note)], note)

    def supersede(self, addresses: Iterable[str]) -> None:
        """Make these addresses count as not tried, so that they are requested again, by a later run too."""
        sql = "UPDATE attempts SET superseded = 1 WHERE address = ?"
        with self._transaction():
            self._connection.executemany(sql, ((one,) for one in addresses))

    def forget(self, addresses: Iterable[str], contents: Collection[bytes]) -> None:
        """Remove for good what is known of these addresses and contents (SHA-256, 32 bytes)."""
        with self._transaction():
            known = json.dumps(list(addresses))
            for sql in FORGET_ADDRESSES:
                self._connection.execute(sql, (known,))
            for table in ("attempts", "observations"):
                self._connection.executemany(f"DELETE FROM {table} WHERE sha256 = ?", ((one,) for one in contents))
        next(self._rows("VACUUM"), None)  # what rows that were replaced left in unused pages goes, too

    def states(self, addresses: Sequence[str | None], retries: int, max_pixels: int) -> list[State]:
        """Return what is known of each address, in order; a few ten thousand addresses at once.

        Args:
            addresses: as listed, or ``file:PATH``.
            retries: further tries after which a failure that may pass is final.
            max_pixels: the limit under which images are decoded now.
        """
        limits = {"retries": retries, "max_pixels": max_pixels}
        return list(map(State._make, self._look_up(addresses, _STATE, limits)))

    def outcomes(self, addresses: Sequence[str | None], fetch: FetchSettings) -> list[tuple[Any, ...]]:
        """Return one tuple an address, in order: settled, falls back (as :class:`State`), :data:`OUTCOME_COLUMNS`.

        What came under other settings is judged by these.
        """
        columns = ", ".join((_SETTLED, _FALLS_BACK, *_OUTCOMES.values()))
        names = ("retries", "honour_noai", "allow_private_hosts", "max_bytes")
        return self._look_up(addresses, columns, {name: int(getattr(fetch, name)) for name in names})

    def pictures(self, contents: Collection[bytes]) -> dict[bytes, tuple[Any, ...]]:
        """Return the :data:`PICTURE_COLUMNS` of these contents (SHA-256, 32 bytes); at most some 32,000 of them."""
        places = ", ".join("?" * len(contents))
        sql = f"SELECT sha256, {', '.join(PICTURE_COLUMNS)} FROM observations WHERE sha256 IN ({places})"
        return {sha256: tuple(values) for sha256, *values in self._rows(sql, tuple(contents))}

    def stored_format(self, sha256: bytes) -> str | None:
        """Return the format of the file with this content, if the store should hold it."""
        rows = self._rows("SELECT format FROM observations WHERE sha256 = ? AND stored", (sha256,))
        return next((str(image_format) for (image_format,) in rows), None)

    def requests(self, address: str) -> Iterator[tuple[Any, ...]]:
        """Yield each request for an address, oldest first, as :data:`curator.fetch.ledger.history.COLUMNS`."""
        columns = "started_at, seconds, outcome, http_status, detail, final_url, n_bytes, referer"
        yield from self._rows(f"SELECT {columns} FROM attempts WHERE address = ? AND asked = 1 ORDER BY id", (address,))

    def costs(self) -> Iterator[tuple[str, float, int | None]]:
        """Yield each web address with the seconds and bytes that all its requests took."""
        sums = "address, sum(seconds), sum(n_bytes)"
        yield from self._rows(f"SELECT {sums} FROM attempts WHERE asked = 1 AND host != '' GROUP BY address")

    def count_through_proxy(self) -> int:
        """Count the addresses that a proxy obtained."""
        condition = f"outcome = '{OK}' AND ip LIKE '{VIA}%'"
        [[n]] = self._rows(f"SELECT count(DISTINCT address) FROM attempts WHERE {condition}")
        return int(n)

    def hosts(self) -> list[str]:
        """Return each host that an attempt was made at."""
        return [host for (host,) in self._rows("SELECT DISTINCT host FROM attempts WHERE host != ''")]

    def family_outcomes(self, families: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
        """Yield family of hosts, outcome (``ok`` or a drop reason) and number of addresses; ``families`` by host."""
        yield from self._rows(FAMILY_OUTCOMES, (json.dumps(families),))

    def family_costs(self, families: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
        """Yield family, hosts, requests, bytes and the median seconds a request; ``families`` by host."""
        yield from self._rows(FAMILY_COSTS, (json.dumps(families),))

    def notes(self, now: float) -> Remembered:
        """Return what still holds at ``now``, seconds since 1970; a robots.txt from the future does not.

        Of more texts than :data:`MOST_TEXT_BYTES` the latest are read.
        """
        waits = (HostWait(*row) for row in self._rows("SELECT * FROM waits"))
        holding = tuple(wait.counted_from(now) for wait in waits if wait.remaining_s(now))
        robots = dict(self._rows(ROBOTS, (now - FRESH_S, now, MOST_TEXT_BYTES)))
        served = self._rows(f"SELECT DISTINCT host FROM attempts WHERE referer IS NOT NULL AND outcome = '{OK}'")
        return Remembered(robots, holding, frozenset(host for (host,) in served))

    def lookups(self, archive: str, addresses: Sequence[str]) -> dict[str, str]:
        """Return what the index ``archive`` said of each of these addresses that it was asked for: captures as JSON."""
        sql = "SELECT address, captures FROM lookups WHERE archive = ? AND address IN (SELECT value FROM json_each(?))"
        return dict(self._rows(sql, (archive, json.dumps(addresses))))

    def captured(self, archive: str, contents: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield each address with those of ``contents`` (SHA-1, 40 hex) that the index ``archive`` has of it."""
        yield from self._rows(CAPTURED, (archive, json.dumps(list(contents))))

    def begin_run(self, now: float) -> None:
        """Note that a fetch begins at ``now``, seconds since 1970."""
        with self._transaction():
            self._connection.execute("INSERT INTO runs (started_at) VALUES (?)", (now,))

    def finish_runs(self, now: float) -> None:
        """Note that the fetch is finished, and with it whatever earlier ones left undone."""
        with self._transaction():
            self._connection.execute("UPDATE runs SET finished_at = ? WHERE finished_at IS NULL", (now,))

    def unfinished_since(self) -> float | None:
        """Return when the fetch began that is not finished, seconds since 1970; None if the last one is."""
        [[started_at]] = self._rows("SELECT max(started_at) FROM runs WHERE finished_at IS NULL")
        return None if started_at is None else float(started_at)

    def count_outcomes(self) -> dict[str, int]:
        """Count the addresses by what came of them in the end: ``ok`` or a drop reason."""
        return dict(self._rows(OUTCOME_COUNTS))

    def damage(self) -> str:
        """Read all of the file; return what SQLite has against it, empty if nothing."""
        return str(next(self._rows("PRAGMA integrity_check(1)"))[0]).removeprefix("ok")

    def _look_up(self, addresses: Sequence[str | None], columns: str, limits: dict[str, int]) -> list[tuple[Any, ...]]:
        with ledger_errors(self._path):
            values = {"addresses": json.dumps(addresses), **limits}
            return self._connection.execute(STATES.format(columns=columns), values).fetchall()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        with ledger_errors(self._path):
            yield from self._connection.execute(sql, values)

    def _prepare(self, is_fixed: bool) -> None:
        version = self._version()
        if version > VERSION:
            message = f"The ledger {self._path} was written by a newer curator (its version {version}, ours {VERSION})."
            raise StateError(message, "Upgrade with `pip install -U imageset-curator`.")
        if is_fixed and version < VERSION:
            message = f"The ledger {self._path} is of an older curator and may not be brought up to date."
            raise DiskError(message, f"{first_remedy(refusal_at(self._path))}, then run again.")
        if not is_fixed:
            use_write_ahead_log(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
        if version < VERSION:
            with self._transaction():
                version = self._version()  # again: whoever comes second finds it made
                steps = STEPS[version - 1 :] if version else (TABLES,)
                for statement in chain.from_iterable(steps):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do all of the block or nothing of it."""
        with ledger_errors(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.execute("COMMIT")
