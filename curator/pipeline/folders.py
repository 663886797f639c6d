"""The train and test folders: built aside from checked files, and swapped in; what is somebody's own is left alone.

A file that every reader shows as it is becomes a read-only hard link into the store; any other becomes an RGB PNG,
upright, made once and kept in ``converted/``.

>>> swap_folders.__name__
'swap_folders'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_to
from curator.reasons import SPLITS, splits_of
from curator.store import beneath
from curator.store.image_files import stored_name
from curator.store.image_store import is_away, makes_folders
from curator.store.packed import check_files, digest_beneath
from curator.store.paths import LEFT_BY_SYSTEMS, DataPaths
from curator.store.sums import read_sums
from curator.store.whole_files import disk_errors, remove_folder, whole_file
from curator.text import Command, Text

if TYPE_CHECKING:
    import pandas as pd

_WHAT, _CHECKING = "linking the folders", "reading the images"
AGAIN: Text = (
    "Delete what is damaged in images/; ", Command("fetch"), " gets it again, and ", Command("verify"), " names all.",
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The rows of a manifest, with the columns of ``folder_rows``: how many, and in parts, anew each time."""

    n: int
    read: Callable[[], Iterable[pd.DataFrame]]


def build_folders(rows: Parts, project: Project) -> None:
    """Build new train and test folders beside the old ones; where the images are in an object store, only PNG forms.

    Raises:
        StateError: a stored image is gone, is not what its name says, or no longer decodes; or a file that is
            somebody's own is in the folders.
    """
    paths = project.paths
    refuse_own_files(paths)
    _check_stored(rows, project)
    new, sums, are_made = paths.new_folders, None, makes_folders(paths.folder)
    project.emit(WorkStarted(_WHAT, rows.n))
    with disk_errors(new):
        remove_folder(new)
        _make_folders(new, map(str, splits_of(())) if are_made else ())
        for part in rows.read():
            _make_folders(new, {name.rpartition("/")[0] for name in part["file"]} if are_made else ())
            if sums is None and not part["linked"].all():
                sums = read_sums(paths.folder).of
            columns = (part[name] for name in ("file", "linked", "sha256"))
            for name, linked, sha256, stored in zip(*columns, _stored_names(part), strict=True):
                source = stored if linked else _converted(project, sha256, stored, sums or {})
                if are_made:
                    beneath.link(paths.folder, source, new, name)
                project.emit(WorkAdvanced(_WHAT))
    project.emit(WorkFinished(_WHAT))


def _make_folders(new: Path, folders: Iterable[str]) -> None:
    for folder in sorted(folders):
        (new / folder).mkdir(parents=True, exist_ok=True)


def _stored_names(rows: pd.DataFrame) -> list[str]:
    return [stored_name(*facts) for facts in zip(rows["sha256"], rows["format"], strict=True)]


def _check_stored(rows: Parts, project: Project) -> None:
    """Make sure that the stored files are what their names say; what is in a shard was compared as it went there."""
    folder = project.paths.folder
    project.emit(WorkStarted(_CHECKING, rows.n))
    wrong: list[tuple[str, str]] = []
    for part in rows.read():
        files = [(name, {sha256}) for name, sha256 in zip(_stored_names(part), part["sha256"], strict=True)]
        if not makes_folders(folder):
            files = [one for one in files if not is_away(folder / one[0])]
        problems = check_files(folder, files, lambda: project.emit(WorkAdvanced(_CHECKING)))
        wrong += [(name, problem) for (name, _), problem in zip(files, problems, strict=True) if problem]
    project.emit(WorkFinished(_CHECKING))
    if wrong:
        name, problem = wrong[0]
        first = f"The stored image {project.paths.folder / name} is wrong: {problem}"
        raise StateError(f"{first}{f' (and {len(wrong) - 1:,} more)' if len(wrong) > 1 else ''}.", AGAIN)


def _converted(project: Project, sha256: str, stored: str, sums: dict[str, set[str]]) -> str:
    """Return the name of the PNG form of a stored image; it is made if there is none as it was recorded."""
    paths = project.paths
    path = paths.converted_image(sha256)
    name = path.relative_to(paths.folder).as_posix()
    if name in sums and path.exists() and digest_beneath(paths.folder, name) in sums[name]:
        return name
    try:
        with whole_file(path) as temporary:
            with temporary.open("wb") as file:
                render_to(file, paths.folder / stored, Rendering("PNG"), project.recipe.quality.max_pixels, sha256)
            temporary.chmod(0o444)
    except UndecodableError as error:
        message = f"The stored image {paths.folder / stored} cannot be decoded ({error})."
        hint = (Command("fetch"), " looks at it again, and takes another in its place; ", Command("verify"))
        raise StateError(message, (*hint, " lists all that are damaged.")) from error
    return name


def swap_folders(paths: DataPaths) -> None:
    """Put the new folders in the place of the old ones."""
    new, old = paths.new_folders, paths.old_folders
    with disk_errors(new):
        remove_folder(old)
        old.mkdir(parents=True)
        for split in SPLITS:
            if paths.split_folder(split).exists():
                paths.split_folder(split).rename(old / split)
            if (new / split).exists():
                (new / split).rename(paths.split_folder(split))
        remove_folder(old)
        remove_folder(new)


def refuse_own_files(paths: DataPaths) -> None:
    """Make sure that nothing in the folders is lost when they are replaced.

    Ours is what the manifest names, and what has the content of a stored image or of its PNG form, as the folders of a
    run that was killed do.

    Raises:
        StateError: there are other files; the first are named.
    """
    try:
        named = set(read_manifest(paths.manifest)["file"]) if paths.manifest.exists() else set()
    except StateError:
        named = set()
    files = (name for split in SPLITS for name, _ in beneath.walk(paths.folder, split))
    unknown = [name for name in files if name not in named and name.rpartition("/")[2] not in LEFT_BY_SYSTEMS]
    if not unknown:
        return
    made = {sha256 for known in read_sums(paths.folder).of.values() for sha256 in known}
    own = [name for name in unknown if not _is_ours(paths, name, made)]
    if own:
        more = f" and {len(own) - 3:,} more" if len(own) > 3 else ""
        first = ", ".join(str(paths.folder / name) for name in own[:3])
        message = f"{first}{more} would be lost: {', '.join(f'{split}/' for split in SPLITS)} are made anew."
        raise StateError(message, "Move what is yours out of them, then run again.")


def _is_ours(paths: DataPaths, name: str, made: set[str]) -> bool:
    try:
        sha256 = digest_beneath(paths.folder, name)
    except (OSError, StateError):
        return False
    return sha256 in made or bool(paths.files_of({sha256}))
