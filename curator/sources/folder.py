"""The folder source: images that are on this machine already, in one sub-folder per label.

``layout = "openimages"`` reads what the ``openimages`` package (``<class name>/images/<id>.jpg``) or the OIDv4 toolkit
(``OID/Dataset/train/<Class name>/<id>.jpg``) downloaded, and recovers the image ids.

>>> class_of(("OID", "Dataset", "train", "Rugby_ball"), LabelFinder({"rugby": ("Rugby ball",)}).find)
'rugby'
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.labels import LabelFinder, label_problems
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, Source, known_labels, listed_rows, most_frequent
from curator.sources.reading.places import is_url, local_path, place_problem

_OPEN_IMAGES_FILE = re.compile(r"([0-9a-f]{16})\.jpg", re.IGNORECASE)


@dataclass(frozen=True)
class Folder(Source):
    """``kind = "folder"``: ``label/…`` sub-folders, or a download of Open Images."""

    kind: ClassVar[str] = "folder"

    path: str = setting(doc="the folder")
    layout: str = setting("labels", "how its sub-folders are named", choices=("labels", "openimages"))
    classes: Mapping[str, tuple[str, ...]] | None = setting(None, "label to names of its folders; else its own")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.classes is None or self.classes.get(label))

    def problems(self, labels: Sequence[str], base_dir: Path) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("classes", self.classes or {}, labels)
        found += [("classes", problem) for problem in label_problems(self.classes or {})]
        problem = "must be a local path" if is_url(self.path) else place_problem(self.path, base_dir, folder=True)
        return [*found, ("path", problem)] if problem else found

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List every file that is not hidden; whether it is an image is judged by its bytes, later.

        Raises:
            SourceError: there is no such folder, or none of its files belongs to a label.
        """
        root = local_path(self.path, context.base_dir).resolve()
        if not root.is_dir():
            raise SourceError(f"The folder {root} does not exist.")
        found = _Found()
        find_label = LabelFinder(self.classes).find if self.classes else context.find_label
        for path in _walk(root, found):
            parts = path.relative_to(root).parts
            if self.layout == "openimages":
                found.add_open_images(parts, path, find_label)
            elif len(parts) > 1 and (label := find_label(parts[0])):
                found.files.append((label, "/".join(parts), str(path)))
            else:
                found.others[parts[0]] += 1
        _note_left_out(root, found, context)
        if not found.files:
            seen = f"; it holds {most_frequent(found.others)}" if found.others else ""
            raise SourceError(f"The folder {root} has no file for {', '.join(context.labels)}{seen}.")
        files = [file for file in found.files if file[0] in labels]
        typed = {
            name: pd.array([file[i] for file in files], dtype="string[pyarrow]")
            for i, name in enumerate(("label", "source_id", "local_path"))
        }
        return listed_rows(self.kind, self.title, tier, {**typed, "key": self._keys(typed["source_id"], context)})

    def _keys(self, source_ids: Any, context: ListingContext) -> Any:
        """Tell equal names in several folder sources apart: by the source's name, and by its path if that is taken.

        The first one without a name has the plain ids: of most data sets it is the only one.
        """
        parts = [self.name, *([Path(self.path).as_posix()] if context.has_namesake else [])]
        return source_ids if parts == [""] else json.dumps(parts) + "\n" + source_ids


@dataclass
class _Found:
    """What a walk found: ``files`` as (label, id, path), and what was left out."""

    files: list[tuple[str, str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    n_links: int = 0
    n_unnameable: int = 0
    n_without_id: int = 0

    def add_open_images(self, parts: tuple[str, ...], path: Path, find_label: Callable[[str], str | None]) -> None:
        match, label = _OPEN_IMAGES_FILE.fullmatch(parts[-1]), class_of(parts[:-1], find_label)
        if label is None:
            named = [name for name in parts[:-1] if name not in ("images", "Label")]
            self.others[named[-1] if named else "files beside the class folders"] += 1
        elif match is None:
            self.n_without_id += 1
        else:
            self.files.append((label, match[1].lower(), str(path)))


def class_of(folders: Sequence[str], find_label: Callable[[str], str | None]) -> str | None:
    """Find the label of a file from the folders that it is in, innermost first; None if none is a class's."""
    return next((label for name in reversed(folders) if (label := find_label(name)) is not None), None)


def _walk(root: Path, found: _Found) -> Iterator[Path]:
    """Yield the files below ``root`` in a fixed order; hidden ones, and links that lead elsewhere, are left out."""
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
    return path.encode("utf-8", "ignore").decode() == path


def _note_left_out(root: Path, found: _Found, context: ListingContext) -> None:
    left_out = {
        "links that lead out of the folder, or to folders": found.n_links,
        "files whose names are not UTF-8": found.n_unnameable,
        "files without an image id for a name": found.n_without_id,
    }
    parts = [f"{n_files:,} {what}" for what, n_files in left_out.items() if n_files]
    parts += [f"what is no label's: {most_frequent(found.others)}"] if found.others else []
    if parts:
        context.emit(Noted(f"{root}: left out {'; '.join(parts)}"))
