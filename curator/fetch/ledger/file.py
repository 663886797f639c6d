"""Open the ledger's file: to write if that is allowed, else to read it as it is; and report what went wrong.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "attempts.sqlite"
>>> connect(path, to_read=False).close()
>>> uri_to_read(path).rpartition("?")[2]
'mode=ro&immutable=1'
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import DiskError, StateError, first_remedy

_PATIENCE_S = 60
"""How long another process is waited for that writes to the same ledger."""


def may_write(path: Path) -> bool:
    """Return whether a ledger may be written, or is still to be made: SQLite makes files beside it."""
    return not path.exists() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def connect(path: Path, to_read: bool) -> sqlite3.Connection:
    """Open a ledger's file, made if it does not exist unless it is only to be read.

    Raises:
        sqlite3.Error: see :func:`ledger_errors`.
    """
    if not to_read:
        path.parent.mkdir(parents=True, exist_ok=True)
    uri = uri_to_read(path) if to_read else path.absolute().as_uri()
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_PATIENCE_S)


def uri_to_read(path: Path) -> str:
    """Return how SQLite is to open a ledger that it may not write (https://sqlite.org/wal.html#readonly).

    One in use, or whose writer was killed, has a write-ahead log, which is read too. One that was closed has none, and
    SQLite would fail to make one; taken for immutable it is read without.
    """
    log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    is_closed = not log.exists() or not (log.stat().st_size or index.exists())
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_closed else ''}"


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Try again while others open the same new file: this one statement does not wait for them by itself."""
    limit = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
        time.sleep(0.01)


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a :class:`DiskError` or a :class:`StateError` with the way out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        hint = f"Nothing recorded before was lost. {first_remedy(_errno_of(error, path))}, then run again."
        raise DiskError(f"Cannot use the ledger {path}: {error}.", hint) from error
    except sqlite3.DatabaseError as error:
        hint = "Move it away to start a new one; the images that are stored stay."
        raise StateError(f"The ledger {path} is damaged ({error}).", hint) from error


def _errno_of(error: sqlite3.OperationalError, path: Path) -> int | None:
    """Find what the system most likely answered, of which SQLite tells only that it could not read or write."""
    code = error.sqlite_errorcode & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return errno.EBUSY
    if code == sqlite3.SQLITE_FULL:
        return errno.ENOSPC
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return refusal_at(path)
    return errno.EIO if code == sqlite3.SQLITE_IOERR else None


def refusal_at(path: Path) -> int:
    """Find why a file may not be written: the ``errno`` that the system answers for it."""
    try:
        return errno.EROFS if os.statvfs(path.parent).f_flag & os.ST_RDONLY else errno.EACCES
    except OSError as error:
        return error.errno or errno.EACCES
