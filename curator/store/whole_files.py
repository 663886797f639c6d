"""Write a file so that it is whole at every instant: a temporary name in the same folder, fsync, rename.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> write_text_whole(folder / "a.txt", "all or nothing")
>>> (folder / "a.txt").read_text()
'all or nothing'
>>> [path.name for path in folder.iterdir()]
['a.txt']
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import DiskError, first_remedy, why
from curator.store import beneath
from curator.store.sums import note_sum
from curator.store.syncing import sync_file

TEMPORARY_PREFIX = ".tmp-"
"""How a file that is still being written is named; what bears it after a crash is rubbish."""

_WRITER = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}(?P<pid>[0-9]+)\.")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on leaving without an error it becomes ``path``, else it is removed.

    Raises:
        DiskError: the disk is full or refuses the write; a file that was at ``path`` before is kept.
    """
    temporary = temporary_beside(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            sync_file(temporary)
            note_sum(path, temporary)
            temporary.replace(path)
            sync_file(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """Name a file to be written and then renamed to ``path``; the name says which process writes it."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}.{secrets.token_hex(6)}-{path.name}"[:200])


def remove_leftovers(folder: Path, inner: Iterable[str] = (), *, of_living: bool = False) -> None:
    """Remove what killed processes were writing in a folder.

    Args:
        folder: the folder; no link in it is followed.
        inner: folders in it to look through, however deep.
        of_living: also what a process that is still there writes, such as a review page.
    """
    found = [*beneath.list_names(folder), *(name for one in inner for name, _ in beneath.walk(folder, one))]
    for name in found:
        last = name.rpartition("/")[2]
        if last.startswith(TEMPORARY_PREFIX) and (of_living or not _is_being_written(last)):
            beneath.remove(folder, name)


def _is_being_written(name: str) -> bool:
    writer = _WRITER.match(name)
    if writer is None or int(writer["pid"]) == os.getpid():
        return False
    try:
        os.kill(int(writer["pid"]), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextmanager
def disk_errors(path: Path | str) -> Iterator[None]:
    """Turn an OSError of a write into a :class:`DiskError` that names the file and the way out."""
    try:
        yield
    except OSError as error:
        place = "with --data (for an export, with --output; for a page, with --page)"
        hint = f"{first_remedy(error.errno)}, or choose another place {place}, then run again."
        raise DiskError(
            f"Cannot write {path}: {why(error)}.", f"Nothing that was there before was lost. {hint}"
        ) from error


def write_text_whole(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write ``text`` as UTF-8 with LF line ends, whole or not at all; a private one for its owner alone to read."""
    with whole_file(path) as temporary:
        if is_private:
            temporary.touch(0o600, exist_ok=False)
        temporary.write_bytes(text.encode("utf-8"))


def remove_folder(path: Path) -> None:
    """Remove a folder and all that it holds, if it exists."""
    if path.exists():
        shutil.rmtree(path)
