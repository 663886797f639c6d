"""Shards: tar files of images, each member ``<sha256>.<ending>``, as WebDataset and every tar read them.

Times, owners and rights are fixed and the order is that of the SHA-256s, so the same images are the same bytes; a shard
is named by the SHA-256 of its own. No two writers can give one name to different bytes.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> sha256 = hashlib.sha256(b"abc").hexdigest()
>>> _ = (folder / "a").write_bytes(b"abc")
>>> shard = write_shard(folder / "s.tar", [(f"{sha256}.jpg", folder / "a"), ("0.jpg", folder / "a")])
>>> shard.members == (Member(sha256, "jpg", 512, 3),), shard.refused, shard.n_bytes
(True, ['0.jpg'], 2048)
>>> pieces = [(folder / "s.tar").read_bytes()[:700], (folder / "s.tar").read_bytes()[700:]]
>>> list(read_members(pieces)) == [(shard.members[0], b"abc")]
True
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHARD_BYTES = 256_000_000
"""The most bytes of a shard of several images."""
MEMBER_BYTES = 1 << 31
"""The most bytes of an image that is read from a shard."""
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


@dataclass(frozen=True)
class Member:
    """An image in a shard: its SHA-256 (64 hex digits), its ending, and where its bytes begin and how many they are."""

    sha256: str
    ending: str
    offset: int
    n_bytes: int


@dataclass(frozen=True)
class Shard:
    """A shard that was written: its SHA-256, its length in bytes, what is in it, and the names that were refused.

    A name is refused that is no image's, or whose file is gone or has another SHA-256.
    """

    sha256: str
    n_bytes: int
    members: tuple[Member, ...]
    refused: list[str] = field(default_factory=list)


def write_shard(path: Path, files: Iterable[tuple[str, Path | bytes]]) -> Shard:
    """Write a shard.

    Args:
        path: the file to write, which is not synced.
        files: the members' names, ``<sha256>.<ending>``, in order, each with the file that has the bytes, or these.

    Raises:
        OSError: the disk refused.
    """
    digest, at = hashlib.sha256(), 0
    members, refused = [], []
    with path.open("wb", buffering=1 << 20) as out:

        def write(data: bytes) -> None:
            digest.update(data)
            out.write(data)

        for name, file in files:
            sha256, _, ending = name.partition(".")
            data = _read(file)
            if data is None or not is_image_name(name) or hashlib.sha256(data).hexdigest() != sha256:
                refused.append(name)
                continue
            write(_header(name, len(data)))
            write(data)
            write(bytes(-len(data) % _BLOCK))
            members.append(Member(sha256, ending, at + _BLOCK, len(data)))
            at += tar_bytes(len(data))
        write(_END)
    return Shard(digest.hexdigest(), at + len(_END), tuple(members), refused)


def _read(file: Path | bytes) -> bytes | None:
    if isinstance(file, bytes):
        return file
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _header(name: str, n_bytes: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = n_bytes
    return info.tobuf(tarfile.USTAR_FORMAT)


def is_ending(text: object) -> bool:
    """Say whether a text may be the ending of an image's name.

    >>> is_ending("jpg"), is_ending("jpg/../x"), is_ending(None)
    (True, False, False)
    """
    return isinstance(text, str) and re.fullmatch("[a-z0-9_-]{1,16}", text) is not None


def is_image_name(name: str) -> bool:
    """Say whether a file's name is that of a stored image: its SHA-256 and an ending."""
    sha256, _, ending = name.partition(".")
    return re.fullmatch("[0-9a-f]{64}", sha256) is not None and is_ending(ending)


def tar_bytes(n_bytes: int) -> int:
    """Say how many bytes a file of so many takes in a tar: with its header, and filled up to whole blocks."""
    return _BLOCK + n_bytes + -n_bytes % _BLOCK


def read_members(pieces: Iterable[bytes]) -> Iterator[tuple[Member, bytes]]:
    """Yield each whole member of a shard that comes piece by piece, and its bytes; a half one at the end is left out.

    Raises:
        ValueError: it is no tar, or states a file of more than :data:`MEMBER_BYTES`.
    """
    coming, held, at = iter(pieces), bytearray(), 0

    def take(n_bytes: int) -> bytes:
        nonlocal at
        while len(held) < n_bytes and (piece := next(coming, b"")):
            held.extend(piece)
        taken = bytes(held[:n_bytes])
        del held[:n_bytes]
        at += len(taken)
        return taken

    while len(header := take(_BLOCK)) == _BLOCK and header != bytes(_BLOCK):
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise ValueError(f"it is no tar at byte {at - _BLOCK:,}") from error
        if not 0 <= info.size <= MEMBER_BYTES:
            raise ValueError(f"at byte {at - _BLOCK:,}, it states a file of {info.size:,} bytes")
        start, data = at, take(info.size)
        if len(data) < info.size:
            return
        take(-info.size % _BLOCK)
        sha256, _, ending = info.name.partition(".")
        yield Member(sha256, ending, start, info.size), data
