"""Which files of Open Images V7 say what: the names under ``metadata``, by tier and by who gave the labels.

Tier 0 is validation and test, tier 1 the train images with boxes (all in the bucket), tier 2 the other train images.
The names are those of https://storage.googleapis.com/openimages/web/download_v7.html.

>>> label_files("boxes", 0, ("train", "validation", "test"))
{'validation': 'v5/validation-annotations-bbox.csv', 'test': 'v5/test-annotations-bbox.csv'}
>>> label_files("human", 2, ("train",))
{'train': 'v7/oidv7-train-annotations-human-imagelabels.csv'}
"""

from __future__ import annotations

from collections.abc import Sequence
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


def class_file(labels_from: str) -> str:
    """Name the file that maps MIDs to display names; only 600 classes have boxes.

    >>> class_file("boxes"), class_file("human")
    ('v5/class-descriptions-boxable.csv', 'v7/oidv7-class-descriptions.csv')
    """
    return "v5/class-descriptions-boxable.csv" if labels_from == "boxes" else "v7/oidv7-class-descriptions.csv"


def label_files(labels_from: str, tier: int, subsets: Sequence[str]) -> dict[str, str]:
    """Map the subsets that ``tier`` reads to the files that hold the labels of their images.

    Boxes leave nothing for the last tier: an image with one is boxable.
    """
    nothing_left = labels_from == "boxes" and tier == ALL_TRAIN_TIER
    read = ("validation", "test") if tier == 0 else () if nothing_left else ("train",)
    return {
        subset: _BOXES[subset]
        if labels_from == "boxes"
        else f"v7/oidv7-{_SHORT[subset]}-annotations-{labels_from}-imagelabels.csv"
        for subset in read
        if subset in subsets
    }


def image_file(tier: int, subset: str) -> str:
    """Name the file that holds the licence, author, title, pages and rotation of a tier's images.

    >>> image_file(0, "test"), image_file(2, "train")
    ('2018_04/test/test-images-with-rotation.csv', '2018_04/image_ids_and_rotation.csv')
    """
    if tier == 0:
        return f"2018_04/{subset}/{subset}-images-with-rotation.csv"
    return BOXABLE_TRAIN_IMAGES if tier == BOXABLE_TIER else "2018_04/image_ids_and_rotation.csv"


def place_of(metadata: str, path: str, base_dir: Path) -> str:
    """Return the address of a metadata file, or its local path: kept in folders as at the server, or all in one folder.

    >>> place_of("https://example.org/openimages/", "v7/a.csv", Path())
    'https://example.org/openimages/v7/a.csv'
    """
    if is_url(metadata):
        return f"{metadata.rstrip('/')}/{path}"
    folder = local_path(metadata, base_dir)
    candidates = [folder / name for name in (path, PurePosixPath(path).name)]
    candidates += [candidate.with_name(f"{candidate.name}.gz") for candidate in candidates]
    return str(next((candidate for candidate in candidates if candidate.is_file()), candidates[0]).absolute())
