"""The manifest that stands: what the next split holds on to, and which changes would move its images.

>>> changed_settings({"ratio": 0.8, "seed": 0}, SplitSettings(seed=1))
['seed from 0 to 1']
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from curator.errors import CuratorError
from curator.manifests.manifest import read_manifest
from curator.manifests.recipe import SplitSettings
from curator.store.catalog_files import file_digest, plain
from curator.store.paths import DataPaths

DECISIVE = ("ratio", "train", "test", "seed", "group_by")
"""The settings that say on which side an image falls."""


def held_manifest(paths: DataPaths, split: SplitSettings, resplit: bool) -> str:
    """Give the SHA-256 of the manifest whose images keep their side; nothing where none do."""
    return file_digest(paths.manifest) if split.stable and not resplit and paths.manifest.exists() else ""


def read_sides(paths: DataPaths) -> pd.DataFrame:
    """Read which side each image has: those of the manifest, and those that left it while its sides were held.

    Returns:
        ``sha256``, ``split`` and ``has_left``. Who comes back comes back to the same side.

    Raises:
        StateError: the manifest cannot be read.
    """
    members = read_manifest(paths.manifest)[["sha256", "split"]].assign(has_left=False)
    gone = [(sha256, split, True) for split, contents in _recorded(paths, "left").items() for sha256 in contents]
    left = pd.DataFrame(gone, columns=["sha256", "split", "has_left"])
    left = left[~left["sha256"].isin(members["sha256"])]
    return pd.concat([members, left], ignore_index=True) if len(left) else members


def _recorded(paths: DataPaths, key: str) -> dict[str, Any]:
    """Read a part of ``manifest.json``; empty where it cannot be had."""
    try:
        return dict(json.loads(paths.manifest_settings.read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def require_same_split(paths: DataPaths, split: SplitSettings) -> None:
    """Refuse settings other than those that the manifest was split with.

    Raises:
        CuratorError: they differ.
    """
    recorded = _recorded(paths, "settings").get("split", {})
    if changed := changed_settings(recorded, split):
        message = f"[split] changes {' and '.join(changed)}: images would move between train and test."
        hint = f"`--resplit` makes a new split all the same; without it {paths.manifest} keeps its sides."
        raise CuratorError(message, hint)


def changed_settings(recorded: dict[str, Any], split: SplitSettings) -> list[str]:
    """Say which decisive settings differ from those recorded."""
    now = plain(split)
    return [
        f"{key} from {recorded[key]} to {now[key]}" for key in DECISIVE if key in recorded and recorded[key] != now[key]
    ]
