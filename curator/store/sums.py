"""``sums.jsonl`` in a data folder: the SHA-256 of every file that was written whole there, so that damage is noticed.

A line is added before a file gets its final name. So a run killed in between leaves a line too many, never one too few,
and a file is right if it is any of those that were written under its name.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> begin_sums(folder)
>>> (folder / "new.json").touch()
>>> note_sum(folder / "catalog" / "facts.json", folder / "new.json")
>>> list(read_sums(folder).of)
['catalog/facts.json']
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from curator.errors import StateError, why
from curator.reasons import SPLITS
from curator.store import beneath
from curator.store.json_lines import append_lines, checked_line, is_changed, read_lines
from curator.store.paths import EXPORTS, IMAGES, LOCK, SUMS
from curator.store.plain_json import parse_json

_DEEPEST = 4
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Sums:
    """What was written under each name below a data folder: SHA-256s; and the lines of the file that are damaged."""

    of: dict[str, set[str]] = field(default_factory=dict)
    damaged: list[int] = field(default_factory=list)


def note_sum(path: Path, written: Path) -> None:
    """Note what a file is about to become, if it is below a data folder; see the module.

    Args:
        path: its final name.
        written: where it is now.
    """
    if folder := _data_folder(path):
        add_sum(folder, path.relative_to(folder).as_posix(), written)


def _data_folder(path: Path) -> Path | None:
    above = list(path.parents)[:_DEEPEST]
    return next((one for one in above if (one / SUMS).is_file()), None)


def add_sum(folder: Path, name: str, written: Path) -> None:
    """Note the SHA-256 of the file ``written`` as that of ``name`` below a data folder."""
    with written.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    append_lines(folder / SUMS, [checked_line({"file": name, "sha256": sha256})], synced=False)


def begin_sums(folder: Path) -> None:
    """Note what is in a data folder of which nothing is noted yet, such as one of an earlier version.

    What is named by its content, and what the manifest or an export states the SHA-256 of, is left out, as is the lock.
    """
    if (folder / SUMS).exists():
        return
    (folder / SUMS).touch()
    named = {IMAGES, EXPORTS, LOCK, SUMS, *SPLITS}
    top = [name for name in beneath.list_names(folder) if name not in named and not name.startswith("folders.")]
    files = [name for name in top if (folder / name).is_file()]
    files += [name for one in top if (folder / one).is_dir() for name, _ in beneath.walk(folder, one)]
    for name in files:
        add_sum(folder, name, folder / name)


def read_sums(folder: Path) -> Sums:
    """Read what was noted.

    Raises:
        StateError: the file is no text.
    """
    sums = Sums()
    try:
        lines = read_lines(folder / SUMS).numbered
    except (OSError, ValueError) as error:
        raise StateError(
            f"{folder / SUMS} cannot be read ({why(error)}).", "Delete it: the next commands begin it anew."
        ) from error
    for number, line in lines:
        try:
            facts = parse_json(line)
            name, sha256 = facts["file"], facts["sha256"]
            is_good = isinstance(name, str) and bool(_SHA256.fullmatch(sha256)) and not is_changed(facts)
        except (ValueError, TypeError, KeyError):
            is_good = False
        if is_good:
            sums.of.setdefault(name, set()).add(sha256)
        else:
            sums.damaged.append(number)
    return sums


def lines_without(sums: Sums, contents: Collection[str]) -> str:
    """Format sums anew without the files that are named after these contents."""
    gone = set(contents)
    pairs = ((name, one) for name, known in sums.of.items() for one in sorted(known))
    kept = ((name, one) for name, one in pairs if one not in gone and gone.isdisjoint(_SHA256.findall(name)))
    return "".join(checked_line({"file": name, "sha256": one}) for name, one in kept)
