"""What the last fetch was made from, so that a stage knows whether to fetch again first: the lists, and local files.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> remember(project)
>>> why_fetch_again(project), why_fetch_again(replace(project, recipe=Recipe("balls", ("a", "b"), ())))
('', 'the recipe lists other labels or sources than the last fetch')
"""

from __future__ import annotations

import json
from dataclasses import replace as replace
from pathlib import Path as Path
from typing import Any

from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.store.catalog_files import fingerprint, plain
from curator.store.paths import DataPaths as DataPaths
from curator.store.plain_json import Faults, read_json
from curator.store.whole_files import write_text_whole
from curator.text import hide_in_settings


def remember(project: Project) -> None:
    """Note what a fetch that has just ended was made from."""
    write_text_whole(project.paths.fetched_from, json.dumps(_facts(project), indent=1) + "\n")


def why_fetch_again(project: Project) -> str:
    """Say why a stage should fetch first; empty if nothing has changed, or nobody knows.

    A local folder or table that is not there now, such as one on a disk that is not mounted, is no change.
    """
    try:
        before = read_json(project.paths.fetched_from)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        before = None
    damaged = f"{project.paths.fetched_from} is damaged"
    if not isinstance(before, dict):
        return damaged
    faults, now = Faults(), _facts(project)
    lists, states = faults.take(before, "lists", str), faults.take(before, "states", list)
    if faults.found or lists is None or not all(isinstance(one, str) for one in states):
        return damaged
    if lists != now["lists"]:
        return "the recipe lists other labels or sources than the last fetch"
    if len(states) != len(now["states"]):
        return damaged
    pairs = zip(project.recipe.sources, states, now["states"], strict=True)
    changed = [source.title for source, then, state in pairs if state and state != then]
    return f"what is in {', '.join(changed)} has changed since the last fetch" if changed else ""


def _facts(project: Project) -> dict[str, Any]:
    recipe = project.recipe
    sources = [hide_in_settings({"kind": source.kind, **plain(source)}) for source in recipe.sources]
    names = {label: list(others) for label, others in recipe.label_names.items()}
    states = [source.local_state(recipe.base_dir) for source in recipe.sources]
    return {"lists": fingerprint(sorted(recipe.labels), names, sources), "states": states}
