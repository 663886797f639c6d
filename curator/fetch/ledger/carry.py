"""Carry what is known from one ledger to another: into that of a fragment, and back.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> whole, part = folder / "attempts.sqlite", folder / "part.sqlite"
>>> with Ledger(whole) as ledger:
...     ledger.record([Attempt("http://h.example/a.jpg", "h.example", 0.0, 0.1, "timeout")], [])
>>> copy_known(whole, ["http://h.example/a.jpg", "http://h.example/b.jpg"], part)
>>> with Ledger(part) as ledger:
...     ledger.record([Attempt("http://h.example/a.jpg", "h.example", 9.0, 0.1, "gone", 404)], [])
>>> absorb(part, whole), absorb(part, whole)  # the second time there is nothing new
(1, 0)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from curator.errors import StateError
from curator.fetch.ledger.file import connect, ledger_errors
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import ATTEMPT_COLUMNS, OBSERVED_COLUMNS, VERSION
from curator.fetch.ledger.schema import Attempt as Attempt

_COLUMNS, _OBSERVED = ", ".join(ATTEMPT_COLUMNS), ", ".join(OBSERVED_COLUMNS)
# Of two texts of a robots.txt the later one holds, of two waits the one that ends later, whichever is added last.
# An attempt is known by its address and its moment: what was copied there, or absorbed before, is here already.
_ABSORB = (
    f"""INSERT INTO main.attempts ({_COLUMNS}) SELECT {_COLUMNS} FROM other.attempts AS new
    WHERE NOT EXISTS (SELECT 1 FROM main.attempts AS old
        WHERE old.address = new.address AND old.started_at = new.started_at AND old.outcome = new.outcome)
    ORDER BY id""",
    f"INSERT OR REPLACE INTO main.observations ({_OBSERVED}) SELECT {_OBSERVED} FROM other.observations",
    """INSERT OR REPLACE INTO main.robots SELECT * FROM other.robots AS new
    WHERE NOT EXISTS (SELECT 1 FROM main.robots AS old WHERE old.url = new.url AND old.asked_at > new.asked_at)""",
    """INSERT OR REPLACE INTO main.waits SELECT * FROM other.waits AS new
    WHERE NOT EXISTS (SELECT 1 FROM main.waits AS old WHERE old.host = new.host AND old.not_before > new.not_before)""",
)
_COPY = (
    f"""INSERT INTO other.attempts ({_COLUMNS}) SELECT {_COLUMNS} FROM main.attempts
    WHERE address IN (SELECT value FROM json_each(:addresses)) ORDER BY id""",
    f"""INSERT INTO other.observations ({_OBSERVED}) SELECT {_OBSERVED} FROM main.observations
    WHERE sha256 IN (SELECT sha256 FROM other.attempts)""",
)


def copy_known(ledger: Path, addresses: Iterable[str], target: Path) -> None:
    """Make a new ledger that knows of these addresses what this one does.

    Raises:
        DiskError, StateError: see :class:`curator.fetch.ledger.ledger.Ledger`.
    """
    with Ledger(target):
        pass
    with _joined(ledger, target) as connection:
        for sql in _COPY:
            connection.execute(sql, {"addresses": json.dumps(list(addresses))})


def seal(ledger: Path) -> None:
    """Make one file of a ledger that nobody uses: no log lies beside it, whoever reads it."""
    with ledger_errors(ledger), closing(connect(ledger, to_read=False)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def absorb(part: Path, ledger: Path) -> int:
    """Add to a ledger what another one knows beside it; all or nothing, and never twice.

    Returns:
        The number of attempts that were new.

    Raises:
        StateError: ``part`` is damaged, or of another version.
        DiskError: the disk refuses the write.
    """
    with ledger_errors(part), closing(connect(part, to_read=True)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != VERSION:
        message = f"The ledger {part} is of another version of curator ({version}, ours is {VERSION})."
        raise StateError(message, "Install the same version on every machine of the cluster.")
    with Ledger(ledger):
        pass  # it exists, and is of this version
    with _joined(ledger, part) as connection:
        n_before = connection.total_changes
        n_new = 0
        for number, sql in enumerate(_ABSORB):
            connection.execute(sql)
            n_new = connection.total_changes - n_before if number == 0 else n_new
    return n_new


@contextmanager
def _joined(ledger: Path, other: Path) -> Iterator[sqlite3.Connection]:
    """Open two ledgers at once, in one transaction; only one of them is written, so that it is whole."""
    with ledger_errors(ledger), closing(connect(ledger, to_read=False)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("ATTACH ? AS other", (str(other),))
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.execute("COMMIT")
