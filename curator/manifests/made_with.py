"""``manifest.json``: what the manifest beside it was made with, and the side of each image that has left it.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "manifest.json"
>>> write_made_with(path, MadeWith("ab" * 32, settings={"split": {"seed": 0}}))
>>> read_made_with(path).settings, read_made_with(path.with_name("none.json")).settings
({'split': {'seed': 0}}, {})
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator import __version__
from curator.errors import StateError, why
from curator.reasons import SPLITS
from curator.store.json_lines import CHECK, checksum
from curator.store.plain_json import Faults, read_json, shown
from curator.store.whole_files import write_text_whole

DECISIVE = ("ratio", "val", "train", "test", "seed", "keep", "group_by", "group_pattern")
"""The settings of ``[split]`` that say on which side an image falls; ``folds`` divide a side."""

_SHA256 = re.compile("[0-9a-f]{64}")
_PLACE = re.compile(f"(?:{'|'.join(SPLITS)})(?: [1-9][0-9]{{0,2}})?")
_MEND = "Take it back from version control, or delete it: the next split then knows of no image that has left."


@dataclass(frozen=True)
class MadeWith:
    """What a manifest was made with; the keys of the file are the names of the fields."""

    manifest_sha256: str = ""
    """SHA-256 of the manifest that this is about: another one is there if a run was killed, or a person edited it."""
    recipe_sha256: str = ""
    """SHA-256 of the recipe's file, whose every key may matter to a reader; empty if there was no file."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Section to the settings in effect."""
    counts: Mapping[str, Any] = field(default_factory=dict)
    """``listed``, ``kept`` and ``dropped`` of the catalog."""
    left: Mapping[str, list[str]] = field(default_factory=dict)
    """Side, or side and fold (``train 2``), to the SHA-256s of images that had it, and are not in the manifest now."""
    curator: str = __version__
    """The version that wrote it."""


def write_made_with(path: Path, made_with: MadeWith) -> None:
    """Write the file whole: sorted keys, so that its lines compare well; what may be missing only if it is known."""
    may_be_missing = ("left", "recipe_sha256")
    facts = {
        name: value for name, value in dataclasses.asdict(made_with).items() if name not in may_be_missing or value
    }
    facts = json.loads(json.dumps(facts))  # as they are read back, of which the checksum is made
    text = json.dumps({**facts, CHECK: checksum(facts)}, indent=2, sort_keys=True, ensure_ascii=False)
    write_text_whole(path, text + "\n")


def read_made_with(path: Path) -> MadeWith:
    """Read the file; nothing is known if it is missing, as it may be beside a manifest from elsewhere.

    Raises:
        StateError: the file is damaged; all its faults are named.
    """
    try:
        facts, faults = read_json(path), Faults()
    except FileNotFoundError:
        return MadeWith()
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read: {why(error)}.", _MEND) from error
    if not isinstance(facts, dict):
        raise StateError(f"{path} holds no JSON object.", _MEND)
    version, hashes = faults.take(facts, "curator", str) or "", {}
    for name in ("manifest_sha256", "recipe_sha256"):
        hashes[name] = faults.take(facts, name, str) or ""
        if hashes[name] and not _SHA256.fullmatch(hashes[name]):
            faults.found.append(f"{name} is no SHA-256 (64 hex digits), but {shown(hashes[name])}")
    settings, counts, left = (faults.take(facts, name, dict) for name in ("settings", "counts", "left"))
    faults.take(settings, "split", dict)
    for side, contents in left.items():
        if not _PLACE.fullmatch(side):
            faults.found.append(f"left names {shown(side)}, which is no split")
        elif not isinstance(contents, list):
            faults.found.append(f"left of {side} is no list, but {shown(contents)}")
        else:
            wrong = (one for one in contents if not isinstance(one, str) or not _SHA256.fullmatch(one))
            faults.found += [f"left of {side} holds {shown(one)}, which is no SHA-256" for one in wrong]
    if faults.found:
        raise StateError(f"{path} is not as it was written: {faults.sentence()}.", _MEND)
    return MadeWith(**hashes, settings=settings, counts=counts, left=left, curator=version)


def decisive_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List what moves images between the sides: each key of ``[split]`` that differs, before and after.

    >>> decisive_changes({"ratio": 0.8, "seed": 0, "stable": True}, {"ratio": 0.8, "seed": 1, "stable": False})
    [('seed', 0, 1)]
    """
    if before and "group_pattern" not in before:  # a manifest of before there was one, and groups of sources counted
        grouped = [*before.get("group_by", ()), "group"] == after.get("group_by")
        before = {"group_pattern": "", **before, **({"group_by": after["group_by"]} if grouped else {})}
    before = {"val": None, **before} if before else before  # manifests of before there was one
    both = [key for key in DECISIVE if key in before and key in after]
    return [(key, before[key], after[key]) for key in both if before[key] != after[key]]
