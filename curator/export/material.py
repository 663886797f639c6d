"""What every export is made from, and what a format is.

A format is one file of this folder and one entry in :data:`curator.export.export.FORMATS`: a name, a function that
writes a :class:`Material` into an empty folder, and the lines that open what it wrote.

>>> rows = pd.DataFrame({"record_id": ["x-1", "x-2"], "label": ["b", "a"], "split": ["test", "train"],
...     "sha256": ["1" * 64, "2" * 64]})
>>> material = Material("balls", rows, Path("data/balls"), MadeWith())
>>> material.labels, material.of_split("train")["record_id"].tolist()
(('a', 'b'), ['x-2'])
>>> Format("none", "nothing at all", lambda material, folder: None, snippet="").name
'none'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator.decide.keyed_hash import choose_order
from curator.errors import StateError
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.export.image_files import files_without_folders
from curator.export.resizing import Resizing
from curator.manifests.labels import folder_name
from curator.manifests.licences import licence_keys, may_be_passed_on, spdx_ids
from curator.manifests.made_with import MadeWith, read_made_with
from curator.manifests.manifest import FOLD, read_manifest
from curator.manifests.project import Project
from curator.reasons import splits_of
from curator.store import beneath
from curator.store.image_store import in_turn, is_away, size_of, where_is
from curator.store.packed import check_files
from curator.store.sums import read_sums
from curator.text import Command, plural

WORK, _CHECKING = "exporting", "reading the images"
SPLIT_NAMES = {"val": "validation"}
"""What Hugging Face calls a split that has another name here."""
SHARD_BYTES = 100_000_000
"""What readers over a network like best."""


@dataclass(frozen=True)
class Material:
    """A finished data set.

    Attributes:
        name: the data set's name.
        rows: the manifest, sorted by record id.
        folder: what the column ``file`` is relative to. Those files are what an export holds: as the sources served
            them if every reader shows them right, and upright RGB PNGs of the others.
        made_with: ``manifest.json``: settings and counts.
        emit: receives an event for each image written.
        names: the name below ``folder`` of each of those files that is called otherwise there; its images may be in
            an object store alone: :meth:`paths` reads them from there.
        resizing: how the files were brought to one size; None: they were not.
        n_withheld: images of the manifest that are not here, as their licence does not let them be passed on.
    """

    name: str
    rows: pd.DataFrame
    folder: Path
    made_with: MadeWith
    emit: Listener = ignore
    names: Mapping[str, str] = field(default_factory=dict)
    resizing: Resizing | None = None
    n_withheld: int = 0

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of their folders' names, in which Keras and PyTorch number the folders they find."""
        return tuple(sorted(self.rows["label"].unique(), key=folder_name))

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The splits that there are, in order."""
        return splits_of(self.rows["split"].unique())

    def of_split(self, split: str) -> pd.DataFrame:
        """Return the rows of one split, sorted by record id."""
        return self.rows[(self.rows["split"] == split).to_numpy(dtype=bool)]

    def shards(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Cut each split into shards of at most :data:`SHARD_BYTES`, named ``train-00000-of-00002`` and so on.

        A shard holds at least one image; a split without images is one empty shard. The order mixes labels and sources,
        the same each time: readers read in order and shuffle within a small buffer, so sorted shards would train on one
        source after the other.
        """
        for split in self.splits:
            rows = self.of_split(split)
            rows = rows.iloc[np.argsort(choose_order(rows["sha256"], "export", seed=0), kind="stable")]
            starts = self._shard_starts(rows)
            for number, (start, end) in enumerate(pairwise([*starts, len(rows)])):
                yield f"{split}-{number:05d}-of-{len(starts):05d}", rows.iloc[start:end]

    def _shard_starts(self, rows: pd.DataFrame) -> list[int]:
        starts, total = [0], 0
        for place, file in enumerate(rows["file"]):
            n_bytes = size_of(self.path(file)) or 0
            if total and total + n_bytes > SHARD_BYTES:
                starts.append(place)
                total = 0
            total += n_bytes
        return starts

    def path(self, file: str) -> Path:
        """Return where a file is once :func:`curator.store.image_store.here` has seen to it."""
        return self.folder / self.names.get(file, file)

    def paths(self, rows: pd.DataFrame) -> Iterator[Path]:
        """Yield each image's file, which is here when it comes.

        Raises:
            StateError: the shard that has it is damaged.
        """
        for path in in_turn(map(self.path, rows["file"])):
            if self.names and not path.exists():
                raise StateError(f"{where_is(path)} is not the image {path.stem}.", (Command("verify"), " says more."))
            yield path

    def records(self, rows: pd.DataFrame) -> Iterator[tuple[str, Path, dict[str, Any]]]:
        """Yield each image's name, its file and what is known of it; going on reports that it is written."""
        records = plain_records(rows, tuple(self.facts))
        for file, path, record in zip(rows["file"], self.paths(rows), records, strict=True):
            yield file.rpartition("/")[2], path, record
            self.advance()

    def label_index(self, label: str) -> int:
        """Number a label by its place in :attr:`labels`."""
        return self.labels.index(label)

    @cached_property
    def facts(self) -> dict[str, str]:
        """The columns that travel with each image, with their Arrow types, the label as its words; ``fold`` if any."""
        names = PER_IMAGE if FOLD not in self.rows else (*PER_IMAGE, FOLD)
        return {name: "int32" if name in INTEGERS else "string" for name in names}

    def advance(self) -> None:
        """Report that one more image is written."""
        self.emit(WorkAdvanced(WORK))


def gather(project: Project) -> Material:
    """Read what an export is made from.

    Raises:
        StateError: there is no manifest, or a file that it names is not in the folders, or has other bytes.
    """
    paths = project.paths
    rows = read_manifest(paths.manifest).sort_values("record_id", ignore_index=True)
    rows = rows.assign(license_spdx=spdx_ids(rows))
    names = files_without_folders(paths, rows)
    _refuse_damaged(project, rows, names)
    return Material(project.recipe.name, rows, paths.folder, read_made_with(paths.made_with), project.emit, names)


def shareable(material: Material, *, is_changed: bool) -> Material:
    """Leave out the images whose licence is not known to let them be passed on; ``is_changed``: they are resized."""
    keys = licence_keys(material.rows).dictionary_encode()
    places = keys.indices.to_numpy(zero_copy_only=False)
    changed, as_served = (
        np.array([may_be_passed_on(str(key), is_changed=change) for key in keys.dictionary.to_pylist()], bool)[places]
        for change in (True, is_changed)
    )
    is_made = material.rows["made_of"].notna().to_numpy(dtype=bool) if "made_of" in material.rows else False
    rows = material.rows[np.where(is_made, changed, as_served)].reset_index(drop=True)
    return replace(material, rows=rows, n_withheld=len(material.rows) - len(rows))


def _refuse_damaged(project: Project, rows: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Make sure that every file is what the manifest or, of a PNG form, the record of its making says.

    What comes from a shard is compared as it comes.
    """
    paths = project.paths
    sums = read_sums(paths.folder).of
    files = []
    for name, sha256 in zip(rows["file"], rows["sha256"], strict=True):
        made = sums.get(paths.converted_image(sha256).relative_to(paths.folder).as_posix(), ())
        here = names.get(name, name)
        if not is_away(paths.folder / here):
            files.append((here, {sha256, *made} if name.endswith(".png") else {sha256}))
    project.emit(WorkStarted(_CHECKING, len(files)))
    problems = check_files(paths.folder, files, lambda: project.emit(WorkAdvanced(_CHECKING)))
    project.emit(WorkFinished(_CHECKING))
    wrong = [(name, problem) for (name, _), problem in zip(files, problems, strict=True) if problem]
    if wrong:
        name, problem = wrong[0]
        count = (
            f"{len(wrong):,} of the manifest's {plural(len(rows), 'file')} {'is' if len(wrong) == 1 else 'are'} wrong"
        )
        hint = (Command("split --force"), " makes the folders anew; ", Command("verify"), " lists all.")
        raise StateError(f"{count}, first {paths.folder / name}: {problem}.", hint)


def known(value: Any) -> Any:
    """Return a manifest's value as plain Python, None if it is unknown."""
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def plain_records(rows: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return rows as dicts of plain Python values, None if unknown."""
    present = [name for name in columns if name in rows.columns]
    values = zip(*(rows[name].to_numpy(dtype=object) for name in present), strict=True)
    return [dict(zip(present, map(known, row), strict=True)) for row in values]


def link_images(material: Material, folder: Path, names: Iterable[str] | None = None) -> None:
    """Link every image below ``folder`` as ``<split>/<folder of the label>/<name>``; ``names``: other files' names."""
    for split in material.splits:
        for label in material.labels:
            (folder / split / folder_name(label)).mkdir(parents=True)
    files = material.rows["file"]
    for path, name in zip(material.paths(material.rows), files if names is None else names, strict=True):
        beneath.link(material.folder, path.relative_to(material.folder).as_posix(), folder, name)
        material.advance()


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a list as readers of labels take it: a text a line, UTF-8."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))


def splits_yaml(pattern: str, splits: Iterable[str]) -> str:
    """Say in a data card's header which files hold which split; ``pattern`` has the split as ``{}``.

    Hugging Face calls the split ``val`` by its long name. No pattern: nothing is said.
    """
    if not pattern:
        return ""
    names = {split: SPLIT_NAMES.get(split, split) for split in splits}
    paths = "".join(f"  - split: {name}\n    path: {pattern.format(split)}\n" for split, name in names.items())
    return f"configs:\n- config_name: default\n  data_files:\n{paths}"


SPDX = "license_spdx"
"""The column of the licence's SPDX identifier; empty if its source states none that is known."""
PER_IMAGE = (
    "record_id",
    "label",
    "sha256",
    "width",
    "height",
    "source",
    "url",
    "landing_url",
    "license",
    SPDX,
    "author",
    "author_url",
    "title",
)
"""What travels with each image in every format that has room for it. ``sha256`` is of the bytes as first served."""

INTEGERS = ("width", "height", FOLD)
Columns = Mapping[str, str | tuple[str, ...] | Mapping[str, str]]


def image_columns(material: Material) -> Columns:
    """Name the columns of a table of images, the label as a class."""
    return {"image": "image", **material.facts, "label": material.labels}


@dataclass(frozen=True)
class Format:
    """One export format.

    Attributes:
        name: what ``curator export`` calls it.
        summary: what it is, in a few words.
        write: writes all images of a data set into an empty folder; the same data set produces the same bytes.
        snippet: Python that opens it from within its folder.
        columns: the columns that Hugging Face finds, by name: an Arrow type or ``image``; of a class the names, in the
            order of their numbers; of a struct its fields. None: the data card says nothing of them.
        files: a pattern of the files that hold a split, with the split as ``{}``, for Hugging Face; empty: it reads
            none of them.
        also: what else people call it, in lower case with hyphens.
    """

    name: str
    summary: str
    write: Callable[[Material, Path], None]
    snippet: str
    files: str = ""
    columns: Callable[[Material], Columns] | None = None
    also: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Format({self.name!r})"
