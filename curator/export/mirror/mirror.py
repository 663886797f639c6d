"""Keep the images of a manifest somewhere else, by their content, so that the set outlives its addresses.

>>> [kind.name for kind in KINDS]
['folder', 'git-annex', 'dvc']
>>> Mirrored(KINDS[0], Path("backup"), ["written", "there already", "not in the store"], "")
Mirrored('folder', 3 images: written 1, there already 1, not in the store 1: backup)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from curator.errors import CuratorError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.export.mirror import dvc, git_annex, to_folder, to_objects
from curator.export.mirror.kind import OUTCOMES, Kind
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.toml_settings import suggest
from curator.store.lock import locked
from curator.store.shards.object_store import URL
from curator.text import plural

_WORK = "mirroring"

KINDS: tuple[Kind, ...] = (to_folder.KIND, git_annex.KIND, dvc.KIND)


@dataclass(frozen=True)
class Mirrored:
    """What a mirror ended with.

    Attributes:
        kind, path: what it is, and where: a folder, or the address of an object store.
        outcomes: a text for each row of the manifest.
        snippet: the lines that use it, from within its folder.
    """

    kind: Kind
    path: Path | str
    outcomes: Sequence[str] = field(repr=False)
    snippet: str

    @property
    def counts(self) -> dict[str, int]:
        """How many images were written, are there already, or are refused by which reason; their sum is all."""
        counted = Counter(self.outcomes)
        return {one: counted[one] for one in (*OUTCOMES, *sorted({*counted} - {*OUTCOMES})) if counted[one]}

    @property
    def refused(self) -> dict[str, int]:
        """How many images are not in the mirror, by reason."""
        return {reason: n for reason, n in self.counts.items() if reason not in OUTCOMES}

    def __repr__(self) -> str:
        counted = ", ".join(f"{outcome} {n:,}" for outcome, n in self.counts.items())
        return f"Mirrored({self.kind.name!r}, {plural(len(self.outcomes), 'image')}: {counted}: {self.path})"


def find_kind(name: str) -> Kind:
    """Return the kind of mirror that has this name.

    Raises:
        CuratorError: there is none.
    """
    names = {kind.name: kind for kind in KINDS}
    if name not in names:
        message = f"There is no mirror of the kind {name!r}{suggest(name, names) or '.'}"
        raise CuratorError(message, f"There are {', '.join(names)}.")
    return names[name]


def mirror_dataset(project: Project, kind: Kind, target: str | Path) -> Mirrored:
    """Write every image of the manifest, or what is said of it, below ``target``; nothing of others is changed.

    ``target`` is a folder or, of files, the address of an object store.

    What is there already is verified and left. A mirror that was killed is finished by the next one: a file that has
    its final name is whole.

    Raises:
        StateError: there is no manifest.
        CuratorError: the target cannot be written to.
        DiskError, StoreError: the disk, or the object store, refused.
        LockedError: another command is at work on the data set.
    """
    place: Path | str = str(target)
    if "://" in str(target):
        kind = _objects_of(project, kind, str(target))
    else:
        place = _folder_of(project, target)
    with locked(project.paths.lock, "mirror"):
        rows = read_manifest(project.paths.manifest).sort_values("record_id", ignore_index=True)
        if isinstance(place, Path):
            place.mkdir(parents=True, exist_ok=True)
        project.emit(WorkStarted(_WORK, len(rows)))
        advance: Callable[[], None] = partial(project.emit, WorkAdvanced(_WORK))
        outcomes = kind.write(rows, project.paths, place, advance)
        project.emit(WorkFinished(_WORK))
    return Mirrored(kind, place, outcomes, kind.snippet(project.paths.name))


def _objects_of(project: Project, kind: Kind, url: str) -> Kind:
    if kind is not to_folder.KIND:
        raise CuratorError(f"{url} is no folder, and {kind.name} writes lists into one.", "Name a folder.")
    if not URL.fullmatch(url):
        raise CuratorError(f"{url} is no address of an object store.", "Write it as s3://bucket/folder, for instance.")
    if url.startswith("file:"):
        _folder_of(project, unquote(url.removeprefix("file://")))
    return to_objects.kind_of(url)


def _folder_of(project: Project, target: str | Path) -> Path:
    if not str(target).strip():
        raise CuratorError("The place of the mirror is empty.", "Name a folder; the one that you are in is `.`.")
    folder = Path(target).expanduser().resolve()
    data = project.paths.folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise CuratorError(f"{folder} is a file.", "Choose a folder.")
    if folder == data or data in folder.parents:
        raise CuratorError(f"{folder} is in the data set's own folder {data}.", "Choose one elsewhere.")
    return folder
