"""The folder source: images that are on this machine already, in one sub-folder per label.

``layout = "openimages"`` reads what the ``openimages`` package (``<class name>/images/<id>.jpg``) or the OIDv4 toolkit
(``OID/Dataset/train/<Class name>/<id>.jpg``) downloaded, and recovers the image ids.

>>> class_of(("OID", "Dataset", "train", "Rugby_ball"), {"rugby ball": "rugby"})
'rugby'
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, known_labels, listed_rows
from curator.sources.reading.places import is_url, local_path, place_problem

LAYOUTS = ("labels", "openimages")
_OPEN_IMAGES_FILE = re.compile(r"([0-9a-f]{16})\.jpg", re.IGNORECASE)
_N_SHOWN = 5


@dataclass(frozen=True)
class FolderSettings:
    """``kind = "folder"``: ``label/…`` sub-folders, or a download of Open Images."""

    kind: ClassVar[str] = "folder"

    path: str = setting(doc="the folder")
    layout: str = setting("labels", "how its sub-folders are named", choices=LAYOUTS)
    classes: Mapping[str, tuple[str, ...]] | None = setting(None, "openimages: label to names of class folders")
    name: str = setting("", "the source's name in tables; its kind where not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Name the labels that this source can list."""
        return tuple(label for label in labels if self.classes is None or self.classes.get(label))

    def problems(self, labels: Sequence[str], base_dir: Path) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("classes", self.classes or {}, labels)
        if self.classes and self.layout == "labels":
            found.append(("classes", 'goes with layout = "openimages" only'))
        problem = "must be a local path" if is_url(self.path) else place_problem(self.path, base_dir, folder=True)
        return [*found, ("path", problem)] if problem else found


@dataclass
class _Found:
    """What a walk found: ``files`` as (label, id, file), and what was left out."""

    files: list[tuple[str, str, Path]] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    n_links: int = 0
    n_unnameable: int = 0
    n_without_id: int = 0


class Folder:
    """Lists the files of a folder; one tier."""

    kind: ClassVar[str] = FolderSettings.kind
    Settings: ClassVar[type[Any]] = FolderSettings

    def n_tiers(self, settings: FolderSettings) -> int:
        """Count the tiers: a folder is read at once."""
        return 1

    def plan(self, settings: FolderSettings, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Say that no metadata is read."""
        return []

    def list_images(
        self, settings: FolderSettings, tier: int, labels: Sequence[str], context: ListingContext
    ) -> pd.DataFrame:
        """List every file that is not hidden; whether it is an image is judged by its bytes, later.

        Raises:
            SourceError: there is no such folder, or none of its files belongs to a label.
        """
        root = local_path(settings.path, context.base_dir).resolve()
        if not root.is_dir():
            raise SourceError(f"The folder {root} is not there.")
        find = _find_labelled if settings.layout == "labels" else _find_open_images
        found = find(root, settings, context.labels)
        _tell_left_out(root, found, context)
        if not found.files:
            seen = f"; it holds {_shown(found.others)}" if found.others else ""
            raise SourceError(f"The folder {root} has no file for {', '.join(context.labels)}{seen}.")
        files = [(label, key, file) for label, key, file in found.files if label in labels]
        columns: dict[str, Any] = {name: [str(file[i]) for file in files] for i, name in enumerate(_COLUMNS)}
        typed = {name: pd.array(values, dtype="string[pyarrow]") for name, values in columns.items()}
        return listed_rows(self.kind, settings.name or self.kind, tier, {**typed, "key": typed["source_id"]})


_COLUMNS = ("label", "source_id", "local_path")


def _find_labelled(root: Path, settings: FolderSettings, labels: Sequence[str]) -> _Found:
    found = _Found()
    for path in _walk(root, found):
        parts = path.relative_to(root).parts
        if len(parts) > 1 and parts[0] in labels:
            found.files.append((parts[0], "/".join(parts), path))
        else:
            found.others.add(parts[0])
    return found


def _find_open_images(root: Path, settings: FolderSettings, labels: Sequence[str]) -> _Found:
    classes = settings.classes or {label: (label,) for label in labels}
    label_of = {_folded(name): label for label, names in classes.items() for name in names}
    found = _Found()
    for path in _walk(root, found):
        parts = path.relative_to(root).parts
        match, label = _OPEN_IMAGES_FILE.fullmatch(parts[-1]), class_of(parts[:-1], label_of)
        if label is None:
            found.others.add(_class_folder(parts[:-1]))
        elif match is None:
            found.n_without_id += 1
        else:
            found.files.append((label, match[1].lower(), path))
    return found


def class_of(folders: Sequence[str], label_of: Mapping[str, str]) -> str | None:
    """Find the label of a file from the folders that it is in, innermost first; None where none is a class's.

    Args:
        label_of: class folder name, in lower case and with spaces, to label.
    """
    return next((label for name in reversed(folders) if (label := label_of.get(_folded(name))) is not None), None)


def _class_folder(folders: Sequence[str]) -> str:
    named = [name for name in folders if name not in ("images", "Label")]
    return named[-1] if named else "files beside the class folders"


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def _walk(root: Path, found: _Found) -> Iterator[Path]:
    """Give the files below ``root`` in a fixed order; hidden ones, and links that lead elsewhere, are left out."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        found.n_links += sum((here / name).is_symlink() for name in folders)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (here / name).is_symlink())
        for name in sorted(names):
            path = here / name
            if name.startswith("."):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                found.n_links += 1
            elif not _is_text(str(path)):
                found.n_unnameable += 1
            elif path.is_file():
                yield path


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _tell_left_out(root: Path, found: _Found, context: ListingContext) -> None:
    told = {
        "links that lead out of the folder, or to folders": found.n_links,
        "files whose names are not UTF-8": found.n_unnameable,
        "files without an image id for a name": found.n_without_id,
    }
    parts = [f"{n_files:,} {what}" for what, n_files in told.items() if n_files]
    parts += [f"what is no label's: {_shown(found.others)}"] if found.others else []
    if parts:
        context.emit(Noted(f"{root}: left out {'; '.join(parts)}"))


def _shown(names: set[str]) -> str:
    listed = [repr(name) if not _is_text(name) else name for name in sorted(names)]
    more = f" and {len(listed) - _N_SHOWN} more" if len(listed) > _N_SHOWN else ""
    return ", ".join(listed[:_N_SHOWN]) + more
