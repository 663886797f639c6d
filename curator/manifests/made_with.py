"""``manifest.json``: what the manifest beside it was made with, and the side of each image that has left it.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "manifest.json"
>>> write_made_with(path, MadeWith("ab" * 32, {"split": {"seed": 0}}, {"listed": 1}))
>>> read_made_with(path).settings, read_made_with(path.with_name("none.json")).settings
({'split': {'seed': 0}}, {})
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator import __version__
from curator.store.whole_files import write_text_whole

DECISIVE = ("ratio", "train", "test", "seed", "keep", "group_by")
"""The settings of ``[split]`` that say on which side an image falls."""


@dataclass(frozen=True)
class MadeWith:
    """What a manifest was made with; the keys of the file are the names of the fields."""

    manifest_sha256: str = ""
    """SHA-256 of the manifest that this is about: another one is there if a run was killed, or a person edited it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Section to the settings in effect."""
    counts: Mapping[str, Any] = field(default_factory=dict)
    """``listed``, ``kept`` and ``dropped`` of the catalog."""
    left: Mapping[str, list[str]] = field(default_factory=dict)
    """Side to the SHA-256s of images that had it, and are not in the manifest now."""
    curator: str = __version__
    """The version that wrote it."""


def write_made_with(path: Path, made_with: MadeWith) -> None:
    """Write the file whole: sorted keys, so that its lines compare well; ``left`` only if anything has left."""
    facts = {name: value for name, value in dataclasses.asdict(made_with).items() if name != "left" or value}
    write_text_whole(path, json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_made_with(path: Path) -> MadeWith:
    """Read the file; nothing is known if it is missing or damaged, as it may be beside a manifest from elsewhere."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = None
    if not isinstance(facts, dict):
        return MadeWith()
    tables = {name: facts[name] for name in ("settings", "counts", "left") if isinstance(facts.get(name), dict)}
    return MadeWith(str(facts.get("manifest_sha256", "")), **tables, curator=str(facts.get("curator", "")))


def decisive_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List what moves images between train and test: each key of ``[split]`` that differs, before and after.

    >>> decisive_changes({"ratio": 0.8, "seed": 0, "stable": True}, {"ratio": 0.8, "seed": 1, "stable": False})
    [('seed', 0, 1)]
    """
    both = [key for key in DECISIVE if key in before and key in after]
    return [(key, before[key], after[key]) for key in both if before[key] != after[key]]
