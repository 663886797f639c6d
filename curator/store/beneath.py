"""Files below a folder, reached by descriptors from folder to folder: no link on the way leads out of it.

What is read back may come from a stranger, and so may the folder itself. A name here is a relative path that the code
derived; a part of it that is a link, or leads upwards, is refused, so nothing outside can be removed or published.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> (root / "train").mkdir()
>>> _ = (root / "train" / "1.jpg").write_bytes(b"...")
>>> list_names(root, "train"), remove(root, "train/1.jpg"), remove(root, "train/1.jpg"), list_names(root, "train")
(['1.jpg'], True, False, [])
>>> (root / "test").symlink_to("/")
>>> remove(root, "test/etc/hosts")
Traceback (most recent call last):
curator.errors.StateError: ...test is a link, ... Put what it points to in its place, or remove the link.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from curator.errors import StateError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP)
"""What a file system answers that has no hard links, or no more."""


@contextmanager
def opened_folder(root: Path, name: str = "") -> Iterator[int]:
    """Yield a descriptor of the folder ``name`` below ``root``, which itself may be a link.

    Raises:
        FileNotFoundError: it is not there.
        StateError: a part of the name is a link or no folder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        here = root
        for part in _parts(name):
            here /= part
            with refuses_links(here):
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if PurePosixPath(name).is_absolute() or ".." in parts or "\0" in name:
        raise StateError(f"{name!r} is no name below a folder.", "Nothing was read or removed.")
    return parts


@contextmanager
def refuses_links(path: Path) -> Iterator[None]:
    """Turn the system's word for a link, or for a file where a folder should be, into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise
        what = "is a link, through which nothing is read or removed" if path.is_symlink() else "is no folder"
        hint = "Put what it points to in its place, or remove the link." if path.is_symlink() else "Move it away."
        raise StateError(f"{path} {what}.", hint) from error


def refuse_linked_folders(root: Path) -> None:
    """Make sure that no folder in a folder, or in one of its folders, is a link: what is written there would leave it.

    Raises:
        StateError: one is.
    """
    inner: list[str] = []
    with os.scandir(root) as entries:
        for entry in entries:
            _refuse_link(entry, root)
            inner += [entry.path] if entry.is_dir(follow_symlinks=False) else []
    for folder in inner:
        with os.scandir(folder) as entries:
            for entry in entries:
                _refuse_link(entry, root)


def _refuse_link(entry: os.DirEntry[str], root: Path) -> None:
    if entry.is_symlink() and entry.is_dir():
        message = f"{entry.path} is a link, through which nothing is written, read or removed."
        raise StateError(message, f"Put what it points to in its place; {root} itself may be a link.")


@contextmanager
def _parent(root: Path, name: str) -> Iterator[tuple[int, str]]:
    parts = _parts(name)
    with opened_folder(root, "/".join(parts[:-1])) as folder:
        yield folder, parts[-1]


def remove(root: Path, name: str) -> bool:
    """Remove a file below ``root`` (of a link: the link); return whether it was there.

    Raises:
        StateError: a part of the name before the last is a link.
        OSError: the disk refused.
    """
    try:
        with _parent(root, name) as (folder, last):
            os.unlink(last, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def list_names(root: Path, name: str = "") -> list[str]:
    """List what is in a folder below ``root``, sorted; nothing if it is not there."""
    try:
        with opened_folder(root, name) as folder:
            return sorted(os.listdir(folder))  # noqa: PTH208 (a descriptor)
    except FileNotFoundError:
        return []


def walk(root: Path, name: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Yield each file below a folder below ``root``, by its name below ``root``, and its status; links are files."""
    waiting = [name]
    while waiting:
        here = waiting.pop()
        try:
            with opened_folder(root, here) as folder, os.scandir(folder) as entries:
                found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
        except FileNotFoundError:
            continue
        for one, status in found:
            path = f"{here}/{one}" if here else one
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            else:
                yield path, status


@contextmanager
def opened_file(root: Path, name: str) -> Iterator[int]:
    """Yield a descriptor of a regular file below ``root``, to read.

    Raises:
        FileNotFoundError: it is not there.
        StateError: it, or a folder on the way, is a link, or it is no file.
    """
    with _parent(root, name) as (folder, last):
        with refuses_links(root / name):
            descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StateError(f"{root / name} is no file.", "Move it away.")
            yield descriptor
        finally:
            os.close(descriptor)


def link(root: Path, name: str, to_root: Path, to_name: str) -> None:
    """Give the file ``name`` below ``root`` a second name below ``to_root``; a read-only copy if there are no links.

    Raises:
        FileExistsError: there is a file of that name already.
        StateError: the file, or a folder on either way, is a link.
    """
    with (
        opened_file(root, name) as source,
        _parent(root, name) as (from_folder, last),
        _parent(to_root, to_name) as (folder, new),
    ):
        try:
            os.link(last, new, src_dir_fd=from_folder, dst_dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            copy = os.open(new, flags, 0o444, dir_fd=folder)
            with os.fdopen(copy, "wb") as out, os.fdopen(os.dup(source), "rb") as file:
                shutil.copyfileobj(file, out)
