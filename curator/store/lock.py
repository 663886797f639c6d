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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curator.errors import LockedError
from curator.store.whole_files import disk_errors

_TRIES = 5


@contextmanager
def locked(path: Path, command: str) -> Iterator[None]:
    """Hold the lock file ``path`` while ``command`` works.

    Raises:
        LockedError: another process holds it; the message says which.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, path)
        started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        holder = {"command": command, "pid": os.getpid(), "host": socket.gethostname(), "since": started}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


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
