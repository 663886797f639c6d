"""Write a file so that it is whole at every instant: a temporary name in the same folder, fsync, rename; or add lines.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> write_text_whole(folder / "a.txt", "all or nothing")
>>> (folder / "a.txt").read_text()
'all or nothing'
>>> [path.name for path in folder.iterdir()]
['a.txt']
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import DiskError

TEMPORARY_PREFIX = ".tmp-"
"""How a file that is still being written is named; what bears it after a crash is rubbish."""

_FIRST = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "Check the permissions"),
    errno.EBUSY: "Wait until nothing else uses it",
}


def first_remedy(code: int | None) -> str:
    """Say what to do first about an error of the disk, by its ``errno``.

    >>> first_remedy(errno.ENOSPC), first_remedy(errno.EROFS), first_remedy(None)
    ('Free some space', 'Check the permissions', 'Mend that')
    """
    return _FIRST.get(code or 0, "Mend that")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on leaving without an error it becomes ``path``, else it is removed.

    Raises:
        DiskError: the disk is full or refuses the write; a file that was at ``path`` before is kept.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}-{path.name}"[:200])
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            sync_file(temporary)
            temporary.replace(path)
            sync_file(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def disk_errors(path: Path | str) -> Iterator[None]:
    """Turn an OSError of a write into a :class:`DiskError` that names the file and the way out."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = f"{first_remedy(error.errno)}, or choose another place with --data, then run again."
        raise DiskError(f"Cannot write {path}: {reason}.", f"Nothing that was there before was lost. {hint}") from error


def write_text_whole(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with LF line ends, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def append_lines(path: Path, text: str) -> None:
    """Add lines; when this returns they are on the disk. Several processes may do so at once: none loses a line.

    Raises:
        OSError: the disk refused the write; every line before is still there, and nothing of these.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size, data = os.fstat(descriptor).st_size, text.encode("utf-8")
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # an editor left no line end, or the power failed
            data = b"\n" + data
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def sync_file(path: Path | str) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(path: Path) -> None:
    """Remove a folder and all that it holds, if it exists."""
    if path.exists():
        shutil.rmtree(path)
