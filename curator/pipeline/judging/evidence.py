"""The evidence that a data set's decisions use besides hashes: made before dedupe, read by the stages after it.

>>> read_evidence(DataPaths(Path("nowhere"), Path("nowhere"), "balls")) is None
True
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as Path
from typing import Any

import numpy as np
import pandas as pd

from curator.catalog import IntArray, find_places, number_values
from curator.decide.judged import Judged
from curator.embed.models import find_weights
from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.tombstones import read_tombstones
from curator.pipeline.judging.compare_pictures import compare_pictures, made_by
from curator.pipeline.judging.contents import Contents
from curator.pipeline.judging.likely import open_network
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.sharing import MOST
from curator.store.catalog_files import file_digest
from curator.store.image_store import size_of
from curator.store.judged_file import SCHEMA, is_judged_by, read_judged, write_judged
from curator.store.paths import DataPaths
from curator.text import Text

BY_HASH_ONLY = (
    f"Among more than {MOST:,} different pictures, copies are looked for by hash alone: those whose hashes are far "
    "apart (cropped by a fifth and more, cut out, with a caption or large text, rotated by some degrees) are not found."
)


def gather_evidence(table: pd.DataFrame, project: Project) -> tuple[Judged | None, tuple[Text, ...]]:
    """Compare the kept images of a catalog whose files are stored; return what was seen, and notes for a person.

    Raises:
        DiskError: the disk refuses to keep what was seen.
    """
    recipe, paths = project.recipe, project.paths
    if recipe.dedupe.mode != "near":
        return None, ()
    contents = Contents.of_catalog(table, paths)
    if len(contents) < 2:
        write_judged(paths.judged, SCHEMA.empty_table(), made_by())
        return None, ()
    network, _ = open_network(recipe.embed, recipe.base_dir)
    notes = (BY_HASH_ONLY,) if len(contents) > MOST else ()
    origin = _number_origins(table, contents)  # boxes of one picture overlap, and are wanted as they are
    found = compare_pictures(
        contents, recipe.dedupe, Means.of(project, network), lambda i, j: (origin[i] < 0) | (origin[i] != origin[j])
    )
    return Judged.from_table(found), notes


def _number_origins(table: pd.DataFrame, contents: Contents) -> IntArray:
    """Number the pictures that contents were cut out of; -1: of none."""
    return np.append(number_values(table["made_of"]), -1)[find_places(pd.Series(contents.sha256), table["sha256"])]


def gather_elsewhere(table: pd.DataFrame, others: pd.DataFrame, project: Project) -> Judged | None:
    """Compare the kept images of a catalog with those of other data sets, whose ``file`` says where each is.

    Raises:
        DiskError: the disk refuses to keep what was seen.
    """
    recipe, paths = project.recipe, project.paths
    if recipe.dedupe.mode != "near":
        return None
    forgotten = others["sha256"].isin(read_tombstones(paths.forgotten)["content"]).to_numpy(dtype=bool)
    others = others[~forgotten]  # nothing that shows them is to come back
    ours, theirs = Contents.of_catalog(table, paths), Contents.of_rows(others, lambda rows: _existing(rows["file"]))
    contents = ours.join(theirs)
    here, there = contents.stand_for(ours), contents.stand_for(theirs)
    network, _ = open_network(recipe.embed, recipe.base_dir)
    means = replace(Means.of(project, network), judged=paths.judged_elsewhere)
    found = compare_pictures(contents, recipe.dedupe, means, lambda i, j: (here[i] & there[j]) | (there[i] & here[j]))
    return Judged.from_table(found)


def _existing(files: pd.Series[str]) -> list[str]:
    return [file if file and size_of(Path(file)) is not None else "" for file in files]


def has_evidence(paths: DataPaths) -> bool:
    """Return whether what was seen before the last dedupe can be read."""
    return is_judged_by(paths.judged, made_by())


def read_evidence(paths: DataPaths, verdict: int | None = None) -> Judged | None:
    """Read what was seen before the last dedupe, of pairs of one verdict or of all; None if nothing was."""
    table = read_judged(paths.judged, made_by(), verdict)
    return None if table is None else Judged.from_table(table)


def evidence_settings(recipe: Recipe, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what decides the evidence besides the pictures: versions, and the weights of the network that chooses.

    Args:
        recipe: its ``[embed]`` names the network.
        known: the same of the catalog that there is: a stage that was not requested is content with its network.
    """
    now = made_by()
    if known and {name: known.get(name) for name in now} == now:
        return dict(known)
    return {**now, "network": _weights(recipe)}


def _weights(recipe: Recipe) -> str:
    """Return the SHA-256 of the network's weights; empty: it cannot be run here."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime")):
        return ""
    try:
        return file_digest(find_weights(recipe.embed, recipe.base_dir))
    except (CuratorError, OSError):
        return ""
