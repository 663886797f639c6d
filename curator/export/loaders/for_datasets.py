"""The splits as a Hugging Face ``datasets.DatasetDict``."""

from __future__ import annotations

from typing import Any

import datasets

from curator.errors import CuratorError
from curator.export.loaders.split_pictures import hold_out, list_pictures
from curator.export.material import SPLIT_NAMES
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.reasons import splits_of
from curator.store.image_store import makes_folders
from curator.text import Command


def to_hf(project: Project, fold: int | None = None) -> Any:
    """Return the columns ``image`` (decoded when it is read) and ``label``, one entry a split.

    The split ``val`` is called ``validation``. The files of the folders are read: upright there, so that
    ``datasets``' own decoder shows them as they are.

    Raises:
        CuratorError: the images are in an object store, and the folders are not made.
    """
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=list(project.recipe.labels)))
    if not makes_folders(project.paths.folder):
        hint = ("Write `keep_local = true` below [store] and run ", Command("run"), ", or read an export in Parquet.")
        raise CuratorError("`datasets` reads files itself, and the images are in an object store.", hint)
    splits = {}
    rows = read_manifest(project.paths.manifest)
    for split in splits_of((rows if fold is None else hold_out(rows, fold))["split"].unique()):
        pictures = list_pictures(project, split, fold)
        columns = {"image": [str(file) for file, _ in pictures], "label": [label for _, label in pictures]}
        splits[SPLIT_NAMES.get(split, split)] = datasets.Dataset.from_dict(columns, features=features)
    return datasets.DatasetDict(splits)
