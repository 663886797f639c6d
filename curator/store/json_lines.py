r"""Files of one JSON object a line, which are only added to: ``reviews.jsonl``, ``forgotten.jsonl``, ``sums.jsonl``.

A power failure may leave half of the last line. It was never confirmed to anybody, so it is cut off; a whole last line
that an editor left without its line end gets one. Each line that a program writes states a checksum of itself.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "reviews.jsonl"
>>> append_lines(path, [checked_line({"who": "ann"})])
>>> with path.open("a") as file:
...     _ = file.write('{"who": "bo')
>>> read_lines(path).torn, mend_lines(path), path.read_text()
('{"who": "bo', '{"who": "bo', '{"who": "ann", "check": "4a602751af758b24"}\n')
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.store.hand_written import decode_hand_written
from curator.store.plain_json import parse_json
from curator.store.syncing import sync_file

CHECK = "check"
"""The key of a line's checksum."""
_BLOCK_BYTES = 65_536


def checked_line(facts: Mapping[str, Any]) -> str:
    """Format an object as a line that states its own checksum."""
    return json.dumps({**facts, CHECK: checksum(facts)}, ensure_ascii=False) + "\n"


def checksum(facts: Mapping[str, Any]) -> str:
    """Hash an object without its checksum, whatever the order of its keys: 16 hex digits."""
    rest = {name: value for name, value in facts.items() if name != CHECK}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_changed(facts: Mapping[str, Any]) -> bool:
    """Say whether an object is another than the one that its checksum was made of; one without may be anybody's."""
    return CHECK in facts and facts[CHECK] != checksum(facts)


@dataclass(frozen=True)
class Lines:
    """The lines of a file from 1, without those that are blank; and half a line at its end, if there is one."""

    numbered: tuple[tuple[int, str], ...]
    torn: str = ""


def read_lines(path: Path) -> Lines:
    """Read the lines of a file; none if there is no file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no UTF-8; see :func:`curator.store.hand_written.read_hand_written`.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Lines(())
    torn = _torn(data)
    text = decode_hand_written(data[: len(data) - len(torn)])
    lines = enumerate(text.split("\n"), 1)  # not splitlines: a reason may hold U+2028
    return Lines(tuple((number, line) for number, line in lines if line.strip()), torn.decode("utf-8", "replace"))


def _torn(data: bytes) -> bytes:
    """Return the half line at the end: behind the last line end, and no JSON."""
    last = data[max(data.rfind(b"\n"), data.rfind(b"\r")) + 1 :]
    if not last.strip() or data.startswith((b"\xff\xfe", b"\xfe\xff")):  # the latter is UTF-16, which is refused whole
        return b""
    try:
        parse_json(last.decode("utf-8-sig"))
    except ValueError:
        return last
    return b""


def mend_lines(path: Path) -> str:
    """Cut off the half line at the end of a file, if there is one, and return it.

    Raises:
        OSError: the disk refused.
    """
    if not path.exists() or not read_lines(path).torn:
        return ""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        return _mend(descriptor)[1].decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _mend(descriptor: int) -> tuple[bool, bytes]:
    """Lock an open file and cut off its half line; return whether its last line has no line end, and what was cut."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    size, n_bytes, end = os.fstat(descriptor).st_size, _BLOCK_BYTES, b""
    while len(end) < size:
        end = os.pread(descriptor, n_bytes, max(0, size - n_bytes))
        if b"\n" in end:
            break
        n_bytes *= 2
    if torn := _torn(end):
        os.ftruncate(descriptor, size - len(torn))
        os.fsync(descriptor)
    rest = end[: len(end) - len(torn)]
    return bool(rest) and not rest.endswith(b"\n"), torn


def append_lines(path: Path, lines: Iterable[str], *, synced: bool = True) -> None:
    """Add lines; when this returns they are on the disk. Several processes may do so at once: none loses a line.

    Args:
        path: the file; it may be new.
        lines: each with its line end.
        synced: wait for the disk; else a power failure may lose them.

    Raises:
        OSError: the disk refused the write; every line before is still there, and nothing of these.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        lacks_end, _ = _mend(descriptor)
        size, data = os.fstat(descriptor).st_size, "".join(lines).encode("utf-8")
        try:
            _write_all(descriptor, b"\n" + data if lacks_end else data)
            if synced:
                os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if is_new and synced:
        sync_file(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
