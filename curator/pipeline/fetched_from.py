"""What the last fetch was made from, so that a stage knows whether to fetch again first: the lists, and local files.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> remember(project, facts_of(project), [])
>>> why_fetch_again(project), why_fetch_again(replace(project, recipe=Recipe("balls", ("a", "b"), ())))
('', 'the recipe lists other labels or sources than the last fetch')
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace
from pathlib import Path as Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.errors import SourceError
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.sources.named_files import state_of_files
from curator.store.catalog_files import fingerprint, plain
from curator.store.paths import DataPaths as DataPaths
from curator.store.whole_files import whole_file, write_text_whole
from curator.text import hide_in_settings

_SCHEMA = pa.schema([("path", pa.string())])


@dataclass(frozen=True)
class Watched:
    """Local files that a list of a source names, and what they were when it was listed; ``source`` is its index."""

    source: int
    paths: pa.Array
    state: str

    @classmethod
    def now(cls, source: int, paths: Sequence[str]) -> Watched:
        """Look at the files."""
        return cls(source, pa.array(paths, pa.string()), state_of_files(paths))


def facts_of(project: Project) -> dict[str, Any]:
    """Return what a fetch that begins now is made from, but for what its lists name."""
    recipe = project.recipe
    sources = [hide_in_settings({"kind": source.kind, **plain(source)}) for source in recipe.sources]
    names = {label: list(others) for label, others in recipe.label_names.items()}
    states = [source.local_state(recipe.base_dir) for source in recipe.sources]
    return {"lists": fingerprint(sorted(recipe.labels), names, sources), "states": states}


def remember(project: Project, facts: dict[str, Any], watched: Sequence[Watched]) -> None:
    """Note what a fetch that has just ended was made from, and the files that its lists named."""
    with whole_file(project.paths.fetched_files) as temporary, pq.ParquetWriter(temporary, _SCHEMA) as writer:
        for one in watched:
            rows = pa.table([one.paths], schema=_SCHEMA)
            writer.write_table(rows, row_group_size=len(rows))
    facts = {**facts, "watched": [[one.source, one.state] for one in watched]}
    write_text_whole(project.paths.fetched_from, json.dumps(facts, indent=1) + "\n")


def why_fetch_again(project: Project) -> str:
    """Say why a stage should fetch first; empty if nothing has changed, or nobody knows.

    Local files, a folder or a table that are not there now, such as on a disk that is not mounted, are no change.
    """
    try:
        before = json.loads(project.paths.fetched_from.read_text(encoding="utf-8"))
        lists, states, watched = before["lists"], before["states"], before["watched"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    now = facts_of(project)
    if lists != now["lists"]:
        return "the recipe lists other labels or sources than the last fetch"
    sources = project.recipe.sources
    pairs = zip(sources, states, now["states"], strict=True)
    changed = [source.title for source, then, state in pairs if state and state != then]
    changed += [sources[number].title for number in _changed_files(project, watched)]
    shown = ", ".join(dict.fromkeys(changed))
    return f"what is in {shown} has changed since the last fetch" if changed else ""


def _changed_files(project: Project, watched: Sequence[tuple[int, str]]) -> Iterator[int]:
    """Yield the number of each source whose lists name files that are others now."""
    try:
        with pq.ParquetFile(project.paths.fetched_files) as file:
            for group, (number, then) in enumerate(watched):
                state = state_of_files(file.read_row_group(group)["path"].to_pylist())
                if state and state != then:
                    yield number
    except (OSError, pa.ArrowException):
        return


def refuse_missing(project: Project) -> None:
    """Refuse to list while local places of the recipe are not there.

    Raises:
        SourceError: says which, and what works without them.
    """
    recipe = project.recipe
    missing = [
        f"{source.title}: {key} {problem}"
        for source in recipe.sources
        for key, problem in source.missing(recipe.base_dir)
    ]
    if missing:
        has_fetched = project.paths.fetched_from.exists()
        kept = "What was fetched is kept: all commands that need no new images go on with it. " if has_fetched else ""
        hint = f"{kept}Mount or move it back, or write in {recipe.path} where it is now."
        raise SourceError(f"Not all sources are there. {'; '.join(missing)}.", hint)
