"""What a push changes in a data set on the hub: pure, from the files of the export and what the hub says it has.

>>> before = OnHub("c0ffee", True, {"README.md": Known("1", ""), "data/old.parquet": Known("2", "ab")})
>>> changes = find_changes({"README.md": "3"}, {"README.md", "data/old.parquet"}, before, lambda name, known: False)
>>> changes.added, changes.removed
(['README.md'], ['data/old.parquet'])
>>> find_strangers({"README.md"}, set(), before), find_strangers({"README.md"}, {"README.md"}, before)
(['README.md', 'data/old.parquet'], [])
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MADE_BY_HUB = frozenset((".gitattributes",))
"""What a data set that was only created holds."""


class Known(NamedTuple):
    """What the hub knows of a file: git's name of its content, and the SHA-256 of one in large file storage."""

    blob: str
    sha256: str


@dataclass(frozen=True)
class OnHub:
    """A data set as it is on the hub: its latest commit, whether it is private, and its files by name."""

    commit: str
    is_private: bool
    files: Mapping[str, Known | None]


@dataclass(frozen=True)
class Changes:
    """The files to add or replace, and those that an earlier push left and this one does not have."""

    added: list[str]
    removed: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def find_changes(
    wanted: Collection[str], earlier: Collection[str], now: OnHub, is_same: Callable[[str, Known], bool]
) -> Changes:
    """Compare the files of an export with a data set.

    Args:
        wanted: the names of the export's files.
        earlier: those of the push before.
        is_same: says whether a file of the export is what the hub has under its name.
    """
    added = [name for name in sorted(wanted) if (known := now.files.get(name)) is None or not is_same(name, known)]
    return Changes(added, sorted(set(earlier) & set(now.files) - set(wanted)))


def find_strangers(wanted: Collection[str], earlier: Collection[str], now: OnHub) -> list[str]:
    """Name the files of others that a push would replace; without a push before, every file is of others."""
    of_others = set(now.files) - set(earlier) - MADE_BY_HUB
    return sorted(of_others & set(wanted) if earlier else of_others)


@dataclass(frozen=True)
class Commit:
    """One change of a data set: whole, or not at all.

    ``small`` holds the content of files that go into the commit itself, ``large`` the SHA-256 and size of those that
    are uploaded already.
    """

    summary: str
    parent: str
    small: Mapping[str, bytes] = field(default_factory=dict)
    large: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    removed: Collection[str] = ()

    def lines(self) -> bytes:
        """Write it as the hub takes it: an object of JSON a line."""
        value: dict[str, Any] = {"summary": self.summary, "description": "", "parentCommit": self.parent}
        lines: list[tuple[str, dict[str, Any]]] = [("header", value)]
        for name, content in self.small.items():
            text = base64.b64encode(content).decode("ascii")
            lines.append(("file", {"content": text, "path": name, "encoding": "base64"}))
        for name, (sha256, n_bytes) in self.large.items():
            lines.append(("lfsFile", {"path": name, "algo": "sha256", "oid": sha256, "size": n_bytes}))
        lines += [("deletedFile", {"path": name}) for name in self.removed]
        return b"".join(json.dumps({"key": key, "value": value}).encode("ascii") + b"\n" for key, value in lines)
