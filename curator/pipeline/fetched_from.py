"""What the last fetch was made from, so that a stage knows whether to fetch again first: the lists, and local files.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> remember(project, facts_of(project), [])
>>> why_fetch_again(project), why_fetch_again(replace(project, recipe=Recipe("balls", ("a", "b"), ())))
('', 'the recipe lists other labels, sources or licences than the last fetch')
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as replace
from pathlib import Path as Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from curator.errors import CuratorError, SourceError
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.sources.base import Source
from curator.sources.named_files import state_of_files
from curator.store.catalog_files import fingerprint, plain
from curator.store.paths import DataPaths as DataPaths
from curator.store.plain_json import Faults, read_json
from curator.store.spilled import ROWS_A_PART
from curator.store.whole_files import whole_file, write_text_whole
from curator.text import hide_in_settings

_SCHEMA = pa.schema([("path", pa.string())])


@dataclass(frozen=True)
class Watched:
    """Local files that a list of a source names, and what they were when it was listed; ``source`` is its index."""

    source: int
    paths: pa.ChunkedArray
    state: str

    @classmethod
    def now(cls, source: int, paths: pa.ChunkedArray) -> Watched:
        """Look at the files."""
        return cls(source, paths, state_of_files(_texts(paths.chunks)))


def _texts(parts: Iterable[pa.Array]) -> Iterator[str]:
    for part in parts:
        yield from part.to_pylist()


def facts_of(project: Project) -> dict[str, Any]:
    """Return what a fetch that begins now is made from, but for what its lists name."""
    recipe = project.recipe
    sources = [hide_in_settings({"kind": source.kind, **plain(source)}) for source in recipe.sources]
    names = {label: list(others) for label, others in recipe.label_names.items()}
    states = [_state_of(source, recipe.base_dir) for source in recipe.sources]
    policy = [plain(recipe.licence)] if recipe.licence.allow else []
    return {"lists": fingerprint(sorted(recipe.labels), names, sources, *policy), "states": states}


def _state_of(source: Source, base_dir: Path) -> str:
    """Return what a source says of its local files; nothing if it cannot look: its listing tells why."""
    with suppress(CuratorError, OSError, RuntimeError, ValueError):
        return source.local_state(base_dir)
    return ""


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
    now = facts_of(project)
    try:
        before = _facts_then(project, len(now["states"]))
    except ValueError:
        return f"{project.paths.fetched_from} is damaged"
    if before and before.lists != now["lists"]:
        return "the recipe lists other labels, sources or licences than the last fetch"
    titles = dict.fromkeys(source.title for source in changed_sources(project))
    return f"what is in {', '.join(titles)} has changed since the last fetch" if titles else ""


def changed_sources(project: Project) -> list[Source]:
    """Return the sources whose local files have changed since the last fetch; none if other ones were listed then."""
    now, sources = facts_of(project), project.recipe.sources
    try:
        before = _facts_then(project, len(sources))
    except ValueError:
        return []
    if before is None or before.lists != now["lists"]:
        return []
    states = zip(before.states, now["states"], strict=True)
    changed = {number for number, (then, state) in enumerate(states) if state and state != then}
    changed |= set(_changed_files(project, before.watched))
    return [sources[number] for number in sorted(changed)]


class _Facts(NamedTuple):
    lists: str
    states: list[str]
    watched: list[tuple[int, str]]


def _facts_then(project: Project, n_sources: int) -> _Facts | None:
    """Return what the last fetch was made from; None if nobody knows.

    Raises:
        ValueError: the file that says so is damaged.
    """
    try:
        before = read_json(project.paths.fetched_from)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError("it cannot be read") from error
    if not isinstance(before, dict):
        raise ValueError("it is no table")
    faults = Faults()
    lists, states = faults.take(before, "lists", str), faults.take(before, "states", list)
    watched = faults.take(before, "watched", list)
    is_watched = all(isinstance(one, list) and [*map(type, one)] == [int, str] for one in watched)
    if faults.found or lists is None or not is_watched or not all(isinstance(one, str) for one in states):
        raise ValueError("it is not what a fetch writes")
    is_same = len(states) == n_sources and all(0 <= number < n_sources for number, _ in watched)
    return _Facts(lists, states, [(number, state) for number, state in watched]) if is_same else _Facts("", [], [])


def _changed_files(project: Project, watched: Sequence[tuple[int, str]]) -> Iterator[int]:
    """Yield the number of each source whose lists name files that are others now."""
    try:
        with pq.ParquetFile(project.paths.fetched_files) as file:
            for group, (number, then) in enumerate(watched):
                batches = file.iter_batches(ROWS_A_PART, row_groups=[group], columns=["path"])
                state = state_of_files(_texts(batch["path"] for batch in batches))
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
