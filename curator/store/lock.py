"""One run at a time on a data set: a lock that the operating system frees when its holder dies.

>>> import tempfile
>>> with locked(Path(tempfile.mkdtemp()) / "lock", "fetch"):
...     pass
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curator.errors import LockedError, StateError
from curator.store.beneath import refuse_linked_folders, refuses_links
from curator.store.paths import LEDGER, STORE
from curator.store.sums import add_sum, begin_sums
from curator.store.thumbnails_file import remove_unused
from curator.store.whole_files import disk_errors, remove_leftovers

_TRIES = 5
_WRITTEN_WHOLE = ("catalog", "converted", "thumbnails", "cache", "sources", "benchmark", STORE)
"""The folders in which a killed run may leave a file that it was writing; in the store the ledger decides."""


@contextmanager
def locked(path: Path, command: str) -> Iterator[None]:
    """Hold the lock file ``path`` while ``command`` works.

    Raises:
        LockedError: another process holds it; the message says which.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with refuses_links(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StateError(f"{path} is no file.", "Move it away.")
        _lock(descriptor, path)
        started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        holder = {"command": command, "pid": os.getpid(), "host": socket.gethostname(), "since": started}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        before = _ledger_state(path.parent)
        with disk_errors(path):
            refuse_linked_folders(path.parent)
            remove_leftovers(path.parent, _WRITTEN_WHOLE)
            begin_sums(path.parent)
        try:
            yield
            with disk_errors(path):
                remove_unused(path.parent, _WRITTEN_WHOLE[0])
        finally:
            _note_ledger(path.parent, before)
            os.ftruncate(descriptor, 0)  # a holder that is killed leaves its name; see was_killed
    finally:
        os.close(descriptor)


def _ledger_state(folder: Path) -> tuple[int, int] | None:
    try:
        facts = (folder / LEDGER).stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def _note_ledger(folder: Path, before: tuple[int, int] | None) -> None:
    """Note the SHA-256 of the ledger if it was written to, which is not written whole.

    A ledger with a log beside it, as another process reads it just now, is not noted: it will still change.
    """
    with suppress(OSError):
        log = folder / f"{LEDGER}-wal"
        if _ledger_state(folder) != before and not (log.exists() and log.stat().st_size):
            add_sum(folder, LEDGER, folder / LEDGER)


def was_killed(path: Path) -> bool:
    """Say whether the last process that held a lock was killed, and so may have left half of its work.

    >>> was_killed(Path("nowhere"))
    False
    """
    try:
        return path.stat().st_size > 0 and find_holder(path) is None
    except OSError:
        return False


def _lock(descriptor: int, path: Path) -> None:
    for n_left in reversed(range(_TRIES)):  # who only looks whether it is held holds it for an instant
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if not n_left:
                raise _held_by(descriptor, path) from error
        time.sleep(0.02)


def find_holder(path: Path) -> dict[str, Any] | None:
    """Return the ``command``, ``pid``, ``host`` and start (``since``) of the process that holds a lock, if one does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _read_holder(descriptor: int) -> dict[str, Any]:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _held_by(descriptor: int, path: Path) -> LockedError:
    holder = _read_holder(descriptor)
    try:
        who = f"`curator {holder['command']}`, process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except KeyError:
        who = "another process"
    hint = "Wait for it to end, or stop it; its state is safe at any moment."
    return LockedError(f"The data set in {path.parent} is in use by {who}.", hint)
