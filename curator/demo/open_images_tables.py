"""Write a world's Open Images tables, under the official file names and with the official columns.

>>> from curator.demo.listing import LabelNames
>>> lines = class_descriptions({"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")}).decode().splitlines()
>>> lines[0], "/m/06bqd,Rugby" in lines
('LabelName,DisplayName', True)
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence

from curator.demo.listing import LabelNames, Listing, Origins, World

LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
BOX_COLUMNS = (
    *LABEL_COLUMNS,
    *("XMin", "XMax", "YMin", "YMax", "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
)
IMAGE_COLUMNS = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title"),
    *("OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)
LICENSE = "https://creativecommons.org/licenses/by/2.0/"
OTHER_CLASSES = (("/m/01g317", "Person"), ("/m/08t9c_", "Grass"), ("/m/0bt9lr", "Dog"), ("/m/07j7r", "Tree"))
"""Classes that no recipe of this world asks for: they stand between the rows that it does."""

_SHORT = {"train": "train", "validation": "val", "test": "test"}
_BOX_FILES = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}


def write_tables(world: World, origins: Origins) -> dict[str, bytes]:
    """Give every table by its path under ``openimages/``."""
    rows = sorted((row for row in world.listings if row.source == "open-images"), key=lambda row: row.source_id)
    tables = {
        "v7/oidv7-class-descriptions.csv": class_descriptions(world.labels),
        "v5/class-descriptions-boxable.csv": class_descriptions(world.labels, header=False),
        "2018_04/image_ids_and_rotation.csv": _images(world, rows, origins),
    }
    boxable = [row for row in rows if row.subset == "train" and row.in_bucket]
    tables["2018_04/train/train-images-boxable-with-rotation.csv"] = _images(world, boxable, origins)
    for subset, short in _SHORT.items():
        here = [row for row in rows if row.subset == subset]
        human, machine = _label_rows(world, here, "verification"), _label_rows(world, here, "machine")
        tables[f"v7/oidv7-{short}-annotations-human-imagelabels.csv"] = _table(LABEL_COLUMNS, human)
        tables[f"v7/oidv7-{short}-annotations-machine-imagelabels.csv"] = _table(LABEL_COLUMNS, machine)
        tables[_BOX_FILES[subset]] = _table(BOX_COLUMNS, _box_rows(world, here))
        if subset != "train":
            tables[f"2018_04/{subset}/{subset}-images-with-rotation.csv"] = _images(world, here, origins)
    return tables


def class_descriptions(labels: Mapping[str, LabelNames], *, header: bool = True) -> bytes:
    """Write MID and display name of every class, with V7's header or without."""
    rows = [*((names.mid, names.display_name) for names in labels.values()), *OTHER_CLASSES]
    return _table(("LabelName", "DisplayName") if header else None, sorted(rows))


def _table(columns: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([columns] if columns else [])
    writer.writerows(rows)
    return stream.getvalue().encode()


def _label_rows(world: World, rows: Sequence[Listing], source: str) -> list[tuple[str, ...]]:
    """Give label rows; a person's are 1 or 0, a machine's shares; between them, those of other classes."""
    present, absent = ("0.9", "0.1") if source == "machine" else ("1", "0")
    found: list[tuple[str, ...]] = []
    for index, row in enumerate(rows):
        found.append((row.source_id, source, world.labels[row.label].mid, present if row.positive else absent))
        other = OTHER_CLASSES[index % len(OTHER_CLASSES)][0]
        found.append((row.source_id, source, other, absent if index % 3 else present))
    return found


def _box_rows(world: World, rows: Sequence[Listing]) -> list[tuple[str, ...]]:
    flags = ("0", "0", "0", "0", "0")
    return [
        (row.source_id, "xclick", world.labels[row.label].mid, "1", "0.25", "0.75", "0.3", "0.8", *flags)
        for row in rows
        if row.positive and row.in_bucket
    ]


def _images(world: World, rows: Sequence[Listing], origins: Origins) -> bytes:
    once = {row.source_id: row for row in rows}
    return _table(IMAGE_COLUMNS, (_image_row(world, row, origins) for row in once.values()))


def _image_row(world: World, row: Listing, origins: Origins) -> tuple[str, ...]:
    body = world.answers[row.address].content()
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    person = f"https://photos.example/people/{row.author}" if row.author else ""
    page = f"{person}/{row.source_id}" if person else ""
    where = (row.source_id, row.subset, row.address.url(origins), page)
    return (*where, LICENSE, person, row.author, f"Photo {row.source_id[:4]}", str(len(body)), md5, "", "0.0")
