"""What the last fetch was made from, so that a stage knows whether to fetch again first: the lists, and local files.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> remember(project)
>>> why_fetch_again(project), why_fetch_again(replace(project, recipe=Recipe("balls", ("a", "b"), ())))
('', 'the recipe lists other labels or sources than the last fetch')
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import replace as replace
from pathlib import Path as Path
from typing import Any

import pyarrow.parquet as pq

from curator.fetch.local_files import version_of_file
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.reasons import Stage
from curator.sources.base import Source
from curator.sources.folder.folder_source import Folder
from curator.store.catalog_files import fingerprint, plain
from curator.store.paths import DataPaths as DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import hide_in_settings


def remember(project: Project) -> None:
    """Note what a fetch that has just ended was made from."""
    write_text_whole(project.paths.fetched_from, json.dumps(_facts(project), indent=1) + "\n")


def why_fetch_again(project: Project) -> str:
    """Say why a stage should fetch first; empty if nothing has changed, or nobody knows.

    A local folder or table that is not there now, such as one on a disk that is not mounted, is no change.
    """
    before, now = _facts_then(project), _facts(project)
    if before and before["lists"] != now["lists"]:
        return "the recipe lists other labels or sources than the last fetch"
    changed = _changed(project, before, now)
    titles = dict.fromkeys(source.title for source in changed)
    return f"what is in {', '.join(titles)} has changed since the last fetch" if changed else ""


def changed_sources(project: Project) -> list[Source]:
    """Return the sources whose local files have changed since the last fetch; none if other ones were listed then."""
    return _changed(project, _facts_then(project), _facts(project))


def _facts_then(project: Project) -> dict[str, Any]:
    """Return what the last fetch was made from; empty if nobody knows."""
    try:
        before = json.loads(project.paths.fetched_from.read_text(encoding="utf-8"))
        return {"lists": before["lists"], "states": before["states"], "pictures": before.get("pictures")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _changed(project: Project, before: dict[str, Any], now: dict[str, Any]) -> list[Source]:
    if not before or before["lists"] != now["lists"]:
        return []
    known = before["pictures"] or now["pictures"]  # an earlier version did not look at them
    rows = zip(project.recipe.sources, before["states"], now["states"], known, now["pictures"], strict=True)
    return [source for source, *states in rows if _differs(*states[:2]) or _differs(*states[2:])]


def _differs(then: str, now: str) -> bool:
    return bool(now) and now != then


def _facts(project: Project) -> dict[str, Any]:
    recipe = project.recipe
    sources = [hide_in_settings({"kind": source.kind, **plain(source)}) for source in recipe.sources]
    names = {label: list(others) for label, others in recipe.label_names.items()}
    states = [source.local_state(recipe.base_dir) for source in recipe.sources]
    lists = fingerprint(sorted(recipe.labels), names, sources)
    return {"lists": lists, "states": states, "pictures": _pictures(project)}


def _pictures(project: Project) -> list[str]:
    """Hash the sizes and times of the local files that each table named in the last fetch; empty: none is there.

    A folder's own state has its files.
    """
    path, sums = project.paths.catalog(Stage.FETCHED), defaultdict[tuple[str, str], Any](hashlib.sha256)
    is_there: set[tuple[str, str]] = set()
    if path.exists() and (local := pq.read_table(path, columns=["local_path"])["local_path"]).null_count < len(local):
        table = pq.read_table(path, columns=["kind", "source", "local_path"]).filter(local.is_valid())
        for kind, name, file in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if kind != Folder.kind:
                version = version_of_file(Path(file))
                sums[kind, name].update(f"{file}\0{version}\n".encode())
                is_there |= {(kind, name)} if version else set()
    keys = ((source.kind, source.title) for source in project.recipe.sources)
    return [sums[key].hexdigest() if key in is_there else "" for key in keys]
