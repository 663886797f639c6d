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
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from curator.errors import DiskError, StateError, first_remedy, why
from curator.store.json_lines import append_lines, checked_line, read_lines
from curator.store.plain_json import parse_json, shown

KINDS = ("content", "address", "author", "host")
Tombstones = Mapping[str, frozenset[str]]
"""Digests (64 hex) of each of :data:`KINDS`."""

_SHA256 = re.compile("[0-9a-f]{64}")
_N_SHOWN = 20
_MEND = "Mend it, or take it back from version control."


def digest(text: str) -> str:
    """Hash a text, whatever its case and the white space around it: 64 hex digits."""
    return hashlib.sha256(text.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


def read_tombstones(path: Path) -> Tombstones:
    """Read all tombstones; none if there is no file. Half a line at the end, which nobody was told of, is none.

    Raises:
        StateError: lines that are no tombstones. They must be mended: to skip one would bring back what it forgot.
    """
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    try:
        lines = read_lines(path).numbered
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read: {why(error)}.", _MEND) from error
    wrong = []
    for number, line in lines:
        try:
            kind, value = _parse(line)
            found[kind].add(value)
        except ValueError as error:
            wrong.append(f"line {number:,}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _N_SHOWN:,} more" if len(wrong) > _N_SHOWN else ""
        raise StateError(f"{path} has lines that are no tombstones: {'; '.join(wrong[:_N_SHOWN])}{more}.", _MEND)
    return {kind: frozenset(digests) for kind, digests in found.items()}


def _parse(line: str) -> tuple[str, str]:
    """Read one line; a ValueError continues a sentence about it."""
    entry = parse_json(line)
    if not isinstance(entry, dict):
        raise ValueError("it is no JSON object")
    if entry.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {shown(entry.get('kind'))}")
    value = entry.get("sha256")
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError(f"sha256 must be 64 hex digits, not {shown(value)}")
    return entry["kind"], value


def append_tombstones(path: Path, digests: Mapping[str, Iterable[str]]) -> None:
    """Add tombstones that are not there yet, each a line with the day, and wait until they are on the disk.

    Raises:
        DiskError: the disk refuses.
    """
    there = read_tombstones(path)
    day = datetime.now(UTC).date().isoformat()
    new = [(kind, value) for kind in KINDS for value in sorted(set(digests.get(kind, ())) - there[kind])]
    try:
        append_lines(path, [checked_line({"kind": kind, "sha256": value, "when": day}) for kind, value in new])
    except OSError as error:
        hint = f"Nothing was forgotten. {first_remedy(error.errno)}, then run the same command again."
        raise DiskError(f"Cannot write {path}: {why(error)}.", hint) from error
