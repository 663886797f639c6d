"""Files of this machine as the ledger sees them: an address, a version, and whether they can be read. No contents.

>>> attempt_file("file:/no/such/picture.jpg", max_bytes=1000).outcome.value
'file-missing'
"""

from __future__ import annotations

import time
from pathlib import Path

from curator.fetch.ledger.schema import FILE_SCHEME, OK, Attempt
from curator.reasons import Drop


def path_of_file(address: str) -> Path:
    """Return the path that an address of a local file names."""
    return Path(address.removeprefix(FILE_SCHEME))


def attempt_file(address: str, max_bytes: int) -> Attempt:
    """Check whether a local file can be read: an attempt that is ``ok`` if it exists and is not too large."""
    version = version_of_file(path_of_file(address))
    attempt = Attempt(address, "", time.time(), 0.0, OK, file_version=version)
    if version is None:
        return attempt._replace(outcome=Drop.FILE_MISSING, detail="there is no such file")
    n_bytes = int(version.split("-")[0])
    if n_bytes > max_bytes:
        return attempt._replace(outcome=Drop.TOO_MANY_BYTES, detail=f"{n_bytes} bytes", n_bytes=n_bytes)
    return attempt


def version_of_file(path: Path) -> str | None:
    """Return a local file's version by its size and time of change; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return f"{status.st_size}-{status.st_mtime_ns}"
