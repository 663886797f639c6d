"""The folder source: images that are on this machine already, in folders that say their labels.

``layout = "openimages"`` reads what the ``openimages`` package (``<class name>/images/<id>.jpg``) or the OIDv4 toolkit
(``OID/Dataset/train/<Class name>/<id>.jpg``) downloaded, and recovers the image ids.

>>> Folder(path="photos", layout="nested").covers(("rugby", "soccer"))
('rugby', 'soccer')
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.labels import LabelFinder, label_problems
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, Source, known_labels, listed_table, most_frequent, unknown_label
from curator.sources.budget import budget
from curator.sources.folder.layouts import LAYOUTS, Placed
from curator.sources.folder.walk import count_left_out, list_files
from curator.sources.large_columns import changed
from curator.sources.named_files import state_of_files
from curator.sources.reading.places import is_url, local_path, missing_place, scheme_problem
from curator.store.spilled import ROWS_A_PART

_OPEN_IMAGES_FILE = re.compile(r"([0-9a-f]{16})\.jpg", re.IGNORECASE)
_WITHOUT_ID = "files without an image id for a name"
_COLUMNS = ("label", "source_id", "local_path", "listed_split")


@dataclass(frozen=True)
class Folder(Source):
    """``kind = "folder"``: ``label/…`` sub-folders, labels deeper down or in files' names, or Open Images."""

    kind: ClassVar[str] = "folder"

    path: str = setting(doc="the folder")
    layout: str = setting("labels", "where the label is: see above", choices=tuple(LAYOUTS))
    label: str = setting("", "the label of all its files, wherever they are")
    links: bool = setting(False, "follow links that lead out of the folder, and links to folders")
    classes: Mapping[str, tuple[str, ...]] | None = setting(None, "label to names of its folders; else its own")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        if self.label:
            return tuple(label for label in labels if label == self.label)
        return tuple(label for label in labels if self.classes is None or self.classes.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("classes", self.classes or {}, labels)
        found += [("classes", problem) for problem in label_problems(self.classes or {})]
        found += unknown_label(self.label, labels)
        problem = "must be a local path" if is_url(self.path) else scheme_problem(self.path)
        return [*found, ("path", problem)] if problem else found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        problem = missing_place(self.path, base_dir, folder=True)
        return [("path", problem)] if problem else []

    def local_state(self, base_dir: Path) -> str:
        """Hash the names, sizes and times of its files; empty if it has none, as where a disk is not mounted."""
        root = Path(os.path.realpath(local_path(self.path, base_dir)))
        if not root.is_dir():
            return ""
        names = list_files(root, Counter(), follow_links=self.links)
        return state_of_files((f"{root}/{name}" for name in names), f"{root}/")

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List every file that is not hidden; whether it is an image is judged by its bytes, later.

        Raises:
            SourceError: there is no such folder, or none of its files belongs to a label.
        """
        root = Path(os.path.realpath(local_path(self.path, context.base_dir)))  # of a link to itself, that
        if not root.is_dir():
            raise SourceError(f"The folder {root} does not exist.")
        left_out, others = Counter[str](), Counter[str]()
        files, rows = self._place(root, context, left_out, others), budget().spilled()
        while some := list(islice(files, ROWS_A_PART)):
            wanted = [file for file in some if file[0] in labels]
            columns = [pa.array([file[i] for file in wanted], pa.string()) for i in range(len(_COLUMNS))]
            rows.add(pa.table(columns, _COLUMNS))
        whole = rows.whole()
        if not whole.column_names:
            seen = f"; it holds {most_frequent(others)}" if others else ""
            raise SourceError(f"The folder {root} has no file for {', '.join(context.labels)}{seen}.")
        _note_left_out(root, left_out, others, context)
        found = {name: whole[name] for name in _COLUMNS}
        return listed_table(self.kind, self.title, tier, {**found, "key": self._keys(found["source_id"], context)})

    def _place(
        self, root: Path, context: ListingContext, left_out: Counter[str], others: Counter[str]
    ) -> Iterator[tuple[str, str, str, str | None]]:
        """Yield each file of a label: label, id, path and side; count the files of no label by their folders."""
        find_label = LabelFinder(self.classes).find if self.classes else context.find_label
        place = (lambda parts, find_label: Placed(self.label)) if self.label else LAYOUTS[self.layout]
        for name in list_files(root, left_out, follow_links=self.links):
            parts = tuple(name.split("/"))
            label, side = place(parts, find_label)
            image_id: str | None = name
            if self.layout == "openimages":
                match = _OPEN_IMAGES_FILE.fullmatch(parts[-1])
                image_id = match[1].lower() if match else None
            if label is None:
                others[self._shown(parts)] += 1
            elif image_id is None:
                left_out[_WITHOUT_ID] += 1
            else:
                yield label, image_id, f"{root}/{name}", side

    def _shown(self, parts: tuple[str, ...]) -> str:
        """Name what a file of no label is counted under."""
        if self.layout == "labels":
            return parts[0]
        named = [name for name in parts[:-1] if name not in ("images", "Label")]
        return named[-1] if named else "files beside the class folders"

    def _keys(self, source_ids: pa.ChunkedArray, context: ListingContext) -> pa.ChunkedArray:
        """Tell equal names in several folder sources apart: by the source's name, and by its path if that is taken.

        The first one without a name has the plain ids: of most data sets it is the only one.
        """
        parts = [self.name, *([Path(self.path).as_posix()] if context.has_namesake else [])]
        if parts == [""]:
            return source_ids
        return changed(source_ids, lambda ids: pc.binary_join_element_wise(json.dumps(parts), ids, "\n"))


def _note_left_out(root: Path, left_out: Counter[str], others: Counter[str], context: ListingContext) -> None:
    parts = count_left_out(left_out)
    parts += [f"what is no label's: {most_frequent(others)}"] if others else []
    if parts:
        context.emit(Noted(f"{root}: left out {'; '.join(parts)}"))
