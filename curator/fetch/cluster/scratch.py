"""A folder of this machine's own for the ledger of a fragment; what killed workers left of such is removed.

Each folder is locked by its worker, and the system frees the lock of one that dies: so what can be locked is left over.

>>> with scratch_folder() as folder:
...     _ = (folder / "ledger.sqlite").write_bytes(b"")
>>> folder.exists()
False
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "curator-fragment-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that is there as long as it is in use.

    Raises:
        OSError: the disk refuses.
    """
    _remove_left()
    folder, descriptor = _make()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _make() -> tuple[Path, int]:
    """Make a folder and lock it; another worker may take it for left over before it is locked, and remove it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)


def _remove_left() -> None:
    """Remove the folders that nobody has locked; those of other users stay, as the system refuses."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)
