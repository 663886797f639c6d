"""Number the copies of one picture that dedupe kept, so that no split puts them on two sides.

Dedupe looks further than the split does by itself (crops, and hashes that only a thumbnail confirms). What it finds it
drops, unless ``across_labels`` is ``"ignore"`` or a person wants both images.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "b"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> rows |= {"detail": 50.0, "phash_turns": [bytes(64), bytes([255, 3]) + bytes(62)], "phash256": [bytes(32)] * 2}
>>> table = catalog.conform(pd.DataFrame(rows))
>>> number_kept_copies(table, DedupeSettings(across_labels="ignore"), {}).tolist()
[0, 0]
>>> number_kept_copies(table, DedupeSettings(), {}).tolist()
[-1, -1]
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from curator import catalog
from curator.catalog import IntArray
from curator.decide.reviews import find_wanted
from curator.manifests.recipe import DedupeSettings
from curator.manifests.reviews import Key, Review
from curator.matching.components import label_components
from curator.matching.confirm import PictureEvidence
from curator.matching.copies import find_copies
from curator.matching.picture_matches import find_comparable, read_orientation_hashes


def number_kept_copies(table: pd.DataFrame, settings: DedupeSettings, standing: Mapping[Key, Review]) -> IntArray:
    """Number the kept images by the picture that they show, as far as dedupe may have kept two of one picture.

    Args:
        table: a catalog after dedupe.
        settings: those that dedupe ran with.
        standing: see :func:`curator.manifests.reviews.standing_reviews`.

    Returns:
        int64, shape (rows,): copies, directly or by others, have one number; -1: no copy of it can be there.
    """
    kept = catalog.is_kept(table)
    if settings.across_labels != "ignore":
        kept = kept & find_wanted(table, standing)
    rows = np.flatnonzero(kept & find_comparable(table) & table["phash256"].notna().to_numpy(dtype=bool))
    numbers = np.full(len(table), -1, np.int64)
    if len(rows) > 1:
        images = table.iloc[rows]
        turns, evidence = read_orientation_hashes(images["phash_turns"]), PictureEvidence.read(images)
        found = find_copies(turns, evidence, settings.max_distance, settings.rotations)
        numbers[rows] = label_components(len(rows), found.i, found.j)
    return numbers
