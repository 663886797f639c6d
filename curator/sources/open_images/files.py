"""Which files of Open Images V7 say what: the names under ``metadata``, by tier and by who gave the labels.

Tier 0 is validation and test, tier 1 the train images with boxes (all in the bucket), tier 2 the other train images.
The names are those of https://storage.googleapis.com/openimages/web/download_v7.html.

>>> [file.path for file in label_files("human", 0, ("train", "validation", "test"))]
['v7/oidv7-val-annotations-human-imagelabels.csv', 'v7/oidv7-test-annotations-human-imagelabels.csv']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curator.sources.reading.places import is_url, local_path

SUBSETS = ("train", "validation", "test")
LABELS_FROM = ("human", "machine", "boxes")
N_TIERS = 3
BOXABLE_TIER, ALL_TRAIN_TIER = 1, 2
BOXABLE_TRAIN_IMAGES = "2018_04/train/train-images-boxable-with-rotation.csv"

_SHORT = {"train": "train", "validation": "val", "test": "test"}
_BOXES = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}
_ALL_IMAGES = "2018_04/image_ids_and_rotation.csv"


@dataclass(frozen=True)
class TableFile:
    """A metadata file: its path under ``metadata``, and the subset that its images belong to."""

    path: str
    subset: str


def class_file(labels_from: str) -> str:
    """Name the file that maps MIDs to display names; only 600 classes have boxes.

    >>> class_file("boxes"), class_file("human")
    ('v5/class-descriptions-boxable.csv', 'v7/oidv7-class-descriptions.csv')
    """
    return "v5/class-descriptions-boxable.csv" if labels_from == "boxes" else "v7/oidv7-class-descriptions.csv"


def tier_subsets(labels_from: str, tier: int, subsets: Sequence[str]) -> tuple[str, ...]:
    """Name the subsets that ``tier`` reads; boxes leave nothing for the last: an image with one is boxable."""
    if tier == 0:
        return tuple(subset for subset in ("validation", "test") if subset in subsets)
    nothing_left = labels_from == "boxes" and tier == ALL_TRAIN_TIER
    return ("train",) if "train" in subsets and not nothing_left else ()


def label_files(labels_from: str, tier: int, subsets: Sequence[str]) -> list[TableFile]:
    """Name the files that hold the labels of a tier's images."""
    return [TableFile(_label_file(labels_from, subset), subset) for subset in tier_subsets(labels_from, tier, subsets)]


def _label_file(labels_from: str, subset: str) -> str:
    if labels_from == "boxes":
        return _BOXES[subset]
    return f"v7/oidv7-{_SHORT[subset]}-annotations-{labels_from}-imagelabels.csv"


def image_file(tier: int, subset: str) -> str:
    """Name the file that holds the licence, author, title, pages and rotation of a tier's images.

    >>> image_file(0, "test"), image_file(2, "train")
    ('2018_04/test/test-images-with-rotation.csv', '2018_04/image_ids_and_rotation.csv')
    """
    if tier == 0:
        return f"2018_04/{subset}/{subset}-images-with-rotation.csv"
    return BOXABLE_TRAIN_IMAGES if tier == BOXABLE_TIER else _ALL_IMAGES


def place_of(metadata: str, path: str, base_dir: Path) -> str:
    """Give the address of a metadata file, or its local path: kept in folders as at the server, or all in one folder.

    >>> place_of("https://example.org/openimages/", "v7/a.csv", Path())
    'https://example.org/openimages/v7/a.csv'
    """
    if is_url(metadata):
        return f"{metadata.rstrip('/')}/{path}"
    folder = local_path(metadata, base_dir)
    candidates = [folder / name for name in (path, PurePosixPath(path).name)]
    candidates += [candidate.with_name(f"{candidate.name}.gz") for candidate in candidates]
    return str(next((candidate for candidate in candidates if candidate.is_file()), candidates[0]).absolute())
