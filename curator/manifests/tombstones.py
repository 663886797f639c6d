"""What was forgotten for good: digests in ``forgotten.jsonl``, so that the list reveals nothing of them.

A content is its SHA-256 already; of an address, an author or a host the line holds the SHA-256 of its text.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "forgotten.jsonl"
>>> append_tombstones(path, {"host": [digest("photos.example")]})
>>> digest("photos.example") in read_tombstones(path)["host"]
True
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from curator.errors import DiskError, StateError
from curator.store.hand_written import read_hand_written
from curator.store.whole_files import append_lines

KINDS = ("content", "address", "author", "host")
Tombstones = Mapping[str, frozenset[str]]
"""Digests (64 hex) of each of :data:`KINDS`."""


def digest(text: str) -> str:
    """Hash a text, whatever its case and the white space around it: 64 hex digits."""
    return hashlib.sha256(text.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


def read_tombstones(path: Path) -> Tombstones:
    """Read all tombstones; none if there is no file.

    Raises:
        StateError: a line is not a tombstone. It must be mended: to skip it would bring back what it forgot.
    """
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    try:
        lines = read_hand_written(path).splitlines() if path.exists() else []
    except ValueError as error:
        raise StateError(f"{path} {error}.", "Mend it or take it back from git.") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            found[entry["kind"]].add(str(entry["sha256"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(
                f"Line {number} of {path} is no tombstone.", "Mend it or take it back from git."
            ) from error
    return {kind: frozenset(digests) for kind, digests in found.items()}


def append_tombstones(path: Path, digests: Mapping[str, Iterable[str]]) -> None:
    """Add tombstones that are not there yet, each a line with the day, and wait until they are on the disk.

    Raises:
        DiskError: the disk refuses.
    """
    there = read_tombstones(path)
    day = datetime.now(UTC).date().isoformat()
    new = [(kind, value) for kind in KINDS for value in sorted(set(digests.get(kind, ())) - there[kind])]
    lines = [json.dumps({"kind": kind, "sha256": value, "when": day}) + "\n" for kind, value in new]
    try:
        append_lines(path, "".join(lines))
    except OSError as error:
        raise DiskError(f"Cannot write {path}: {error.strerror or error}.", "Nothing was forgotten.") from error
