r"""What the commands that share a data set do: export it, rebuild it, compare two manifests, forget images.

>>> opening(Path("data/balls/exports/keras"), "import keras")
'To open it, in data/balls/exports/keras:\n\n    import keras\n'
"""

from __future__ import annotations

import dataclasses
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curator.cli import tables
from curator.cli.progress import Bars
from curator.cli.session import Session
from curator.errors import CuratorError
from curator.export.export import export_dataset, find_format
from curator.inspect.diff import KINDS, Change, changed_settings, compare_manifests, with_causes
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project, complete_commands, open_project
from curator.manifests.recipe import FetchSettings, QualitySettings
from curator.manifests.reviews import read_reviews, standing_reviews
from curator.pipeline.forget import Forgotten
from curator.pipeline.forget import forget as forget_images
from curator.pipeline.link_rot import HOSTS, count_hosts
from curator.pipeline.made_from import latest_stage
from curator.pipeline.replay import Replay, replay_manifest
from curator.sources.registry import source_kinds
from curator.store.catalog_files import read_catalog

MOST_CHANGES = 20
"""Changes of a kind that are named; the rest are counted."""


def export(session: Session, name: str) -> None:
    """Write one format and say how to open it."""
    form = find_format(name)
    folder, n_images = export_dataset(session.project, form)
    if session.as_json:
        tables.print_json({"format": form.name, "path": str(folder), "images": n_images})
        return
    tables.print_note(f"{tables.plural(n_images, 'image')}: {folder}")
    tables.print_text(opening(folder, form.snippet))


def opening(folder: Path, snippet: str) -> str:
    """Say how an export is opened."""
    return f"To open it, in {folder}:\n\n{textwrap.indent(snippet, '    ')}\n"


def replay(manifest: Path, recipe: str | None, data: Path, accept_similar: bool, quiet: bool, as_json: bool) -> bool:
    """Rebuild a data set from a manifest; tell whether something of it could not be had.

    The recipe's settings for the fetch are taken where one is named, else the defaults.
    """
    bars = Bars(quiet)
    fetch, quality = FetchSettings(), QualitySettings()
    if recipe is not None:
        named = open_project(recipe, data, os.environ, source_kinds()).recipe
        fetch, quality = named.fetch, named.quality
    try:
        done = replay_manifest(manifest, data, fetch, accept_similar, quality, bars)
    finally:
        bars.close()
    _show_replay(done, as_json)
    return not done.is_whole


def _show_replay(done: Replay, as_json: bool) -> None:
    folder = done.paths.folder
    facts = {"images": len(done.images), "kept": done.n_kept, **done.counts()}
    if as_json:
        hosts = count_hosts(done.images).to_dict("records")
        tables.print_json({**facts, "hosts": hosts, "manifest": str(done.paths.manifest), "path": str(folder)})
        return
    told = ", ".join(f"{fate} {n:,}" for fate, n in done.counts().items() if n)
    tables.print_note(f"{tables.plural(len(done.images), 'image')}: {told}")
    tables.print_note(f"manifest: {done.paths.manifest} ({done.n_kept:,} images)")
    tables.print_note(f"by host:  {folder / HOSTS}")
    if done.counts()["similar"] and done.n_kept == done.counts()["same"]:
        tables.print_note("`--accept-similar` keeps those whose bytes have changed but not the picture.")


def diff(old: Path, new: Path, recipe: str | None, data: Path, as_json: bool) -> None:
    """Compare two manifests and show the differences, with causes where the data set's catalog knows them."""
    changes = compare_manifests(read_manifest(old), read_manifest(new))
    project = _project_of(recipe, data)
    table, reviews = _what_is_known(project) if project else (None, [])
    changes = with_causes(changes, table, reviews, changed_settings(old, new))
    if as_json:
        tables.print_json([dataclasses.asdict(change) for change in changes])
    else:
        _show_changes(changes)


def _project_of(recipe: str | None, data: Path) -> Project | None:
    """Open the project whose catalog may know causes; a comparison goes without one, unless it was named."""
    try:
        return open_project(recipe, data, os.environ, source_kinds())
    except CuratorError:
        if recipe is not None:
            raise
        return None


def _what_is_known(project: Project) -> tuple[Any, list[Any]]:
    stage = latest_stage(project)
    table = read_catalog(project.paths.catalog(stage)) if stage else None
    return table, list(standing_reviews(read_reviews(project.paths.reviews)).values())


def _show_changes(changes: Sequence[Change]) -> None:
    if not changes:
        tables.print_note("The two manifests hold the same images, labels and sides.")
    for kind in KINDS:
        found = [change for change in changes if change.kind == kind]
        if found:
            tables.print_note(f"{kind}: {len(found):,}")
        for change in found[:MOST_CHANGES]:
            tables.print_note(f"  {describe(change)}")
        if len(found) > MOST_CHANGES:
            tables.print_note(f"  and {len(found) - MOST_CHANGES:,} more (--json has them all)")


def describe(change: Change) -> str:
    """Tell one change in a line.

    >>> describe(Change("moved", "x-1", "ab", "train", "test", "seed was 0, is 1"))
    'x-1  train -> test  (seed was 0, is 1)'
    """
    shorten = change.kind == "replaced"
    parts = [part[:16] if shorten else part for part in (change.before, change.after) if part]
    return f"{change.record_id}  {' -> '.join(parts)}{f'  ({change.cause})' if change.cause else ''}"


def forget(session: Session, target: str) -> None:
    """Forget images and say what still holds them."""
    done = forget_images(session.project, target)
    if session.as_json:
        tables.print_json(dataclasses.asdict(done))
    else:
        for line in told(done, session.project):
            tables.print_note(line)


def told(done: Forgotten, project: Project) -> list[str]:
    """Say what was forgotten and what must be made again."""
    listed, images = tables.plural(done.n_listed, "listed image"), tables.plural(done.n_manifest, "image")
    lines = [f"Forgotten: {listed}, {tables.plural(done.n_files, 'file')}; {images} of the manifest."]
    lines += [f"still holds it: {path} (`curator export {path.name}{project.option}`)" for path in done.exports]
    remedies = [(holder.path, complete_commands(holder.remedy, project.option)) for holder in done.others]
    lines += [f"may still show it: {path} ({remedy})" for path, remedy in remedies]
    lines += [f"commit {project.paths.forgotten} and {project.paths.manifest}; git's history still has the old ones"]
    return lines + ([f"next: curator split{project.option} (fills the gap)"] if done.n_manifest else [])
