"""What every export is made from: the manifest's rows, the files of the folders, and the settings of the run.

>>> rows = pd.DataFrame({"record_id": ["x-1", "x-2"], "label": ["b", "a"], "split": ["test", "train"],
...     "sha256": ["1" * 64, "2" * 64]})
>>> material = Material("balls", rows, Path("data/balls"), MadeWith())
>>> material.labels, material.of_split("train")["record_id"].tolist()
(('a', 'b'), ['x-2'])

Formats whose images are files: hard links to the files of the folders, so that an export costs no space.

>>> split_file_name("train/rugby/folder-01.jpg")
'rugby/folder-01.jpg'

What a format is: a name, how it is written, and how a reader opens it.

>>> Format("none", "nothing at all", lambda material, folder: None, "").name
'none'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator.decide.keyed_hash import choose_order
from curator.errors import StateError
from curator.events import Listener, WorkAdvanced, ignore
from curator.manifests.made_with import MadeWith, read_made_with
from curator.manifests.manifest import read_manifest
from curator.reasons import SPLITS
from curator.store.image_files import link_file
from curator.store.paths import DataPaths

WORK = "exporting"


@dataclass(frozen=True)
class Material:
    """A finished data set.

    Attributes:
        name: the data set's name.
        rows: the manifest, sorted by record id.
        folder: what the column ``file`` is relative to. Those files are what an export holds: as the sources served
            them where every reader shows them right, and upright RGB PNGs of the others.
        made_with: ``manifest.json``: settings and counts.
        emit: told of each image written.
    """

    name: str
    rows: pd.DataFrame
    folder: Path
    made_with: MadeWith
    emit: Listener = ignore

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels in alphabetical order, as Keras and Hugging Face number the folders that they find."""
        return tuple(sorted(self.rows["label"].unique()))

    def of_split(self, split: str) -> pd.DataFrame:
        """Give the rows of one split, sorted by record id."""
        return self.rows[(self.rows["split"] == split).to_numpy(dtype=bool)]

    def shuffled(self, split: str) -> pd.DataFrame:
        """Give the rows of one split in an order that mixes labels and sources, the same each time.

        Readers of shards read in order and shuffle within a small buffer: sorted shards would train on one source
        after the other.
        """
        rows = self.of_split(split)
        return rows.iloc[np.argsort(choose_order(rows["sha256"], "export", seed=0), kind="stable")]

    def label_index(self, label: str) -> int:
        """Number a label by its place in :attr:`labels`."""
        return self.labels.index(label)

    def path(self, file: str) -> Path:
        """Give the file of the column ``file``."""
        return self.folder / file

    def advance(self) -> None:
        """Tell that one more image is written."""
        self.emit(WorkAdvanced(WORK))


def gather(paths: DataPaths, name: str, emit: Listener = ignore) -> Material:
    """Read what an export is made from.

    Raises:
        StateError: there is no manifest, or a file that it names is not in the folders.
    """
    rows = read_manifest(paths.manifest).sort_values("record_id", ignore_index=True)
    missing = [file for file in rows["file"] if not (paths.folder / file).is_file()]
    if missing:
        message = (
            f"{len(missing)} of the manifest's {len(rows)} files are not there, first {paths.folder / missing[0]}."
        )
        raise StateError(message, "`curator split --force` links them again; `curator verify` lists all.")
    return Material(name, rows, paths.folder, read_made_with(paths.made_with), emit)


def known(value: Any) -> Any:
    """Give a manifest's value as plain Python, None where it is unknown."""
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def plain_records(rows: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Give rows as dicts of plain Python values, None where unknown."""
    present = [name for name in columns if name in rows.columns]
    values = zip(*(rows[name].to_numpy(dtype=object) for name in present), strict=True)
    return [dict(zip(present, map(known, row), strict=True)) for row in values]


def link_images(material: Material, folder: Path) -> None:
    """Link every image below ``folder`` as ``<split>/<label>/<record_id>.<ext>``."""
    for split in SPLITS:
        for label in material.labels:
            (folder / split / label).mkdir(parents=True)
    for file in material.rows["file"]:
        link_file(material.path(file), folder / file)
        material.advance()


def split_file_name(file: str) -> str:
    """Name a file below the folder of its split."""
    return file.split("/", 1)[1]


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
    "author",
    "author_url",
    "title",
)
"""What travels with each image in every format that has room for it. ``sha256`` is of the bytes as first served."""


@dataclass(frozen=True)
class Format:
    """One export format; add one with one file here and one entry in :data:`curator.export.FORMATS`.

    Attributes:
        name: what ``curator export`` calls it.
        summary: what it is, in a few words.
        write: writes all images of a data set into an empty folder; the same data set gives the same bytes.
        snippet: Python that opens it from within its folder.
        yaml: what the data card's YAML header tells Hugging Face about it.
    """

    name: str
    summary: str
    write: Callable[[Material, Path], None]
    snippet: str
    yaml: str = ""
