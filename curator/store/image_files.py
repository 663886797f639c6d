"""The store: each distinct file once, named by its content, read-only, and whole under its final name.

A file is written under a temporary name, many are then synced at once, the ledger records them, and only then do they
get their final names. A run killed in between leaves temporary files only: those that the ledger knows are named at the
next start, the others removed. So no file has a final name that the ledger does not know. What comes from the network
is an incoming file until then: written before anybody knows what it is, and read where it lies by who finds that out.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> temporary = write_temporary(paths, b"...", "ab" * 32, "png")
>>> sync_files(paths.images)
>>> name_files([Unnamed.of(temporary)])
>>> [path.suffix for path in paths.images.rglob("*.*")]
['.png']
>>> incoming = write_incoming(paths, [b"<ht", b"ml>"])
>>> incoming.n_bytes, Path(to_be_named(paths, incoming, "cd" * 32, "gif").final).parent.name
(6, 'cd')
"""

# Of what a file costs here, path objects would take a third: names are text.
# ruff: noqa: PTH103, PTH108, PTH110

from __future__ import annotations

import ctypes
import hashlib
import itertools
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from curator.store.paths import ENDINGS, IMAGES, DataPaths
from curator.store.syncing import sync_file
from curator.store.whole_files import TEMPORARY_PREFIX, disk_errors

_TOKEN_LENGTH = 13
_MOST_PIECES = 1024  # in one call (IOV_MAX, limits.h)
_CONTENT, _FORMAT, _TOKEN = map(re.compile, ("[0-9a-f]{64}", "[a-z0-9]{1,16}", "[0-9a-f]{12}"))
_PROCESS_TOKEN = secrets.token_hex(4)
_COUNTER = itertools.count()


def _be_another_process() -> None:
    global _PROCESS_TOKEN
    _PROCESS_TOKEN = secrets.token_hex(4)


os.register_at_fork(after_in_child=_be_another_process)


def write_temporary(paths: DataPaths, data: bytes, sha256: str, image_format: str) -> str | None:
    """Write a file under a temporary name in its final folder, and return its path; None if the store has it already.

    Raises:
        OSError: the disk refuses the write; nothing is left behind.
    """
    folder, name = paths.image_text(sha256, image_format)
    if os.path.exists(f"{folder}/{name}"):
        return None
    temporary = f"{folder}/{_temporary_name(name)}"
    _in_folder(folder, lambda: _write_new(temporary, [data]))
    return temporary


class Unnamed(NamedTuple):
    """A file that is to get its final name: where it is, and where it will be."""

    path: str
    final: str

    @classmethod
    def of(cls, temporary: str) -> Unnamed:
        """Return that of a file that :func:`write_temporary` wrote."""
        folder, _, name = temporary.rpartition("/")
        return cls(temporary, f"{folder}/{_final_name(name)}")


class Incoming(NamedTuple):
    """A file that came and was not looked at yet: its path, and its length in bytes."""

    path: str
    n_bytes: int


def write_incoming(paths: DataPaths, pieces: Sequence[bytes]) -> Incoming:
    """Write what came, in the pieces in which it came, under a temporary name in ``images`` itself; an absolute path.

    Raises:
        OSError: the disk refuses the write; nothing is left behind.
    """
    folder = paths.images_absolute
    path = f"{folder}/{_temporary_name('')}"
    _in_folder(folder, lambda: _write_new(path, pieces))
    return Incoming(path, sum(map(len, pieces)))


def to_be_named(paths: DataPaths, incoming: Incoming, sha256: str, image_format: str) -> Unnamed:
    """Say which final name an incoming file is to get.

    Raises:
        ValueError: the names come from who read a stranger's bytes, and are none.
    """
    if not (_CONTENT.fullmatch(sha256) and _FORMAT.fullmatch(image_format)):
        raise ValueError(sha256, image_format)
    _, name = paths.image_text(sha256, image_format)
    return Unnamed(incoming.path, f"{paths.images_absolute}/{sha256[:2]}/{name}")


def written_elsewhere(paths: DataPaths, temporary: str, sha256: str, image_format: str) -> Unnamed:
    """Say which final name a file is to get that :func:`write_temporary` wrote in another process, as that reports.

    Raises:
        ValueError: it wrote no such file.
    """
    file = to_be_named(paths, Incoming(temporary, 0), sha256, image_format)
    folder, _, name = file.final.rpartition("/")
    head, tail = f"{folder}/{TEMPORARY_PREFIX}", f"-{name}"
    token = temporary.removeprefix(head).removesuffix(tail)
    if not (_TOKEN.fullmatch(token) and temporary == head + token + tail):
        raise ValueError(temporary)
    return file


def _temporary_name(name: str) -> str:
    """No other writer uses the first part of it, and it costs no random number from the system for each file."""
    return f"{TEMPORARY_PREFIX}{_PROCESS_TOKEN}{next(_COUNTER) & 0xFFFF:04x}-{name}"


def _in_folder(folder: str, change: Callable[[], None]) -> None:
    """Change something in a folder, which is made if it is not there."""
    try:
        change()
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        change()


def _write_new(path: str, pieces: Sequence[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        n_left, rest = sum(map(len, pieces)), [*pieces]
        while n_left:
            n_written = os.writev(descriptor, rest[:_MOST_PIECES])
            n_left -= n_written
            while n_left and n_written >= len(rest[0]):
                n_written -= len(rest.pop(0))
            if n_left and n_written:
                rest[0] = rest[0][n_written:]
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def sync_files(folder: Path, files: Iterable[str] = ()) -> None:
    """Wait until the bytes of ``files`` are on the disk.

    Linux syncs the whole file system of ``folder`` in one call, which for 64 files costs less than half of the time
    (and of the CPU) of syncing each; elsewhere each is synced.

    Raises:
        DiskError: the disk failed.
    """
    with disk_errors(folder):
        if sys.platform != "linux":
            for path in files:
                sync_file(path)
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)


def name_files(files: Iterable[Unnamed]) -> None:
    """Give synced files their final names; a file that the store got meanwhile stays as it is.

    Raises:
        DiskError: the disk refuses; the files keep their temporary names and are named at the next start.
    """
    for path, final in files:
        with disk_errors(path):
            if os.path.exists(final):
                os.unlink(path)
            else:
                _in_folder(final.rpartition("/")[0], partial(os.rename, path, final))


def recover(paths: DataPaths, format_of: Callable[[bytes], str | None]) -> None:
    """Name the whole temporary files that the ledger knows as stored; remove the others.

    Whole is what has the hash that it is named after: a second writer of the same content may have been killed too. An
    incoming file is named after none, so that it is read to be known. A link or a pipe was not written here, and
    is removed unread.

    Args:
        format_of: given a SHA-256 (32 bytes), returns the format of the file that the store should hold, or None.
    """
    for entry in _entries(paths, and_incoming=True):
        if entry.name.startswith(TEMPORARY_PREFIX) and not entry.is_dir(follow_symlinks=False):
            named, sha256 = _final_name(entry.name), None
            if entry.is_file(follow_symlinks=False):
                sha256 = _sha256(named) if named else _digest_of(entry.path)
            image_format = None if sha256 is None else format_of(sha256)
            if sha256 and image_format and not named:
                name_files([to_be_named(paths, Incoming(entry.path, 0), sha256.hex(), image_format)])
            elif sha256 and image_format and _digest_of(entry.path) == sha256:
                name_files([Unnamed.of(entry.path)])
            else:
                os.unlink(entry.path)


def _digest_of(path: str) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def stored_hashes(paths: DataPaths) -> Iterator[bytes]:
    """List the SHA-256 (32 bytes) of every file in the store; a file of any other name is none of it."""
    for entry in _entries(paths):
        if not entry.name.startswith(TEMPORARY_PREFIX) and (sha256 := _sha256(entry.name)):
            yield sha256


def _entries(paths: DataPaths, and_incoming: bool = False) -> Iterator[os.DirEntry[str]]:
    if not paths.images.is_dir():
        return
    with os.scandir(paths.images) as found:
        inner = sorted(found, key=lambda entry: entry.name)
    for shard in inner:
        if shard.is_dir(follow_symlinks=False):
            with os.scandir(shard) as entries:
                yield from entries
        elif and_incoming:
            yield shard


def _final_name(temporary_name: str) -> str:
    return temporary_name[len(TEMPORARY_PREFIX) + _TOKEN_LENGTH :]


def _sha256(name: str) -> bytes | None:
    with suppress(ValueError):
        if len(sha256 := bytes.fromhex(name.split(".")[0])) == 32:
            return sha256
    return None


def stored_name(sha256: str, image_format: str) -> str:
    """Name the stored file with this content below its data folder.

    >>> stored_name("ab" * 32, "jpeg")[:10]
    'images/ab/'
    """
    return f"{IMAGES}/{sha256[:2]}/{sha256}.{ENDINGS.get(image_format, image_format)}"
