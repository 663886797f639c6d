"""The evidence that a data set's decisions use besides hashes, made before dedupe; ``seen.py`` reads it after that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from curator.catalog import IntArray, number_values
from curator.decide.judged import Judged
from curator.decide.row_places import find_places
from curator.fetch.cluster.spread import Spread
from curator.manifests.project import Project
from curator.manifests.tombstones import read_tombstones
from curator.pipeline.judging.compare_pictures import compare_pictures
from curator.pipeline.judging.contents import Contents
from curator.pipeline.judging.likely import open_network
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.seen import made_by
from curator.store.image_store import size_of
from curator.store.judged_file import SCHEMA, write_judged


def gather_evidence(table: pd.DataFrame, project: Project, spread: Spread | None = None) -> Judged | None:
    """Compare the kept images of a catalog whose files are stored, on a cluster if there is one; return what was seen.

    Raises:
        DiskError: the disk refuses to keep what was seen.
    """
    recipe, paths = project.recipe, project.paths
    if recipe.dedupe.mode != "near":
        return None
    contents = Contents.of_catalog(table, paths)
    if len(contents) < 2:
        write_judged(paths.judged, SCHEMA.empty_table(), made_by())
        return None
    network = open_network(recipe.embed, recipe.base_dir)
    origin = _number_origins(table, contents)  # boxes of one picture overlap, and are wanted as they are
    means = Means.of(project, network, spread)
    found = compare_pictures(contents, recipe.dedupe, means, lambda i, j: (origin[i] < 0) | (origin[i] != origin[j]))
    return Judged.from_table(found)


def _number_origins(table: pd.DataFrame, contents: Contents) -> IntArray:
    """Number the pictures that contents were cut out of; -1: of none."""
    return np.append(number_values(table["made_of"]), -1)[find_places(pd.Series(contents.sha256), table["sha256"])]


def gather_elsewhere(
    table: pd.DataFrame, others: pd.DataFrame, project: Project, spread: Spread | None = None
) -> Judged | None:
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
    network = open_network(recipe.embed, recipe.base_dir)
    means = replace(Means.of(project, network, spread), judged=paths.judged_elsewhere)
    found = compare_pictures(contents, recipe.dedupe, means, lambda i, j: (here[i] & there[j]) | (there[i] & here[j]))
    return Judged.from_table(found)


def _existing(files: pd.Series[str]) -> list[str]:
    return [file if file and size_of(Path(file)) is not None else "" for file in files]
