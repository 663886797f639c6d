"""From features to the table of suspects: what each image is suspected of, with its evidence in words.

>>> compose_table.__annotations__["return"]
'Composed'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.catalog import read_integers
from curator.inspect.suspects.effect import measure_effect
from curator.inspect.suspects.folds import divide_anew
from curator.inspect.suspects.judge import find_wrong, judge, likeliest_other, suspicion
from curator.inspect.suspects.low_quality import find_flaws
from curator.inspect.suspects.neighbours import Neighbours, find_neighbours
from curator.inspect.suspects.principal import judged_by, likenesses
from curator.manifests.settings import SuspectsSettings
from curator.text import plural

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

FEW = 30
"""With fewer images of a label, what is suspected says little."""

OUTLIER_DEVIATIONS = 3.0
"""An outlier is so many deviations less alike its neighbours than half of the images are (1.4826 times the median
absolute deviation, which is the standard deviation of a normal distribution)."""
_LEAST_FOR_OUTLIERS = 20
_MOST_NAMED = 5


class Composed(NamedTuple):
    """The table, notes for a person, and what the suspects cost."""

    table: pd.DataFrame
    notes: tuple[str, ...]
    effect: dict[str, Any]


def compose_table(
    table: pd.DataFrame,
    features: FloatArray,
    looks: FloatArray,
    groups: IntArray,
    recipe_labels: Sequence[str],
    settings: SuspectsSettings,
) -> Composed:
    """Judge all images.

    Args:
        table: the kept rows of a catalog.
        features: float32 (images, channels).
        looks: see :data:`curator.inspect.suspects.look.FIELDS`.
        groups: a number from 0 a group of images that belong together.
        recipe_labels: the labels in the recipe's order.
        settings: of the recipe.
    """
    names = [label for label in recipe_labels if (table["label"] == label).any()]
    labels = np.asarray(pd.Categorical(table["label"], categories=names).codes, dtype=np.int64)
    points = likenesses(features)
    neighbours = find_neighbours(points, groups, labels, settings.neighbours)
    is_judged, notes = _judgeable(labels, groups, names, settings.folds)
    columns, effect = _nothing(len(table)), {}
    evidence: list[list[str]] = [[] for _ in range(len(table))]
    if is_judged.any():
        effect = _judge(columns, evidence, is_judged, features, labels, groups, neighbours, names, settings)
    strangeness = _strangeness(neighbours)
    is_outlier = _find_outliers(strangeness)
    for row in np.flatnonzero(is_outlier).tolist():
        evidence[row].append(_outlier_evidence(neighbours, strangeness, row, names[labels[row]]))
    flaws = find_flaws(looks, np.stack([read_integers(table[name], missing=0) for name in ("width", "height")], axis=1))
    for row, found in enumerate(flaws):
        evidence[row] += [flaw.evidence for flaw in found]
    ids = table["record_id"].tolist()
    columns |= {"record_id": ids, "sha256": table["sha256"].tolist(), "label": table["label"].tolist()}
    columns |= {"strangeness": strangeness, "is_outlier": is_outlier, "evidence": evidence}
    columns["low_quality"] = [[flaw.kind for flaw in found] for found in flaws]
    columns["neighbours"] = [[ids[one] for one in row if one >= 0] for row in neighbours.index.tolist()]
    return Composed(pd.DataFrame(columns), tuple(notes), effect)


def _judgeable(
    labels: IntArray, groups: IntArray, names: Sequence[str], n_folds: int
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Return which images have a label that can be judged, and what a person should know about it."""
    n_images = np.bincount(labels, minlength=len(names))
    n_groups = np.array([len(np.unique(groups[labels == label])) for label in range(len(names))])
    notes: list[str] = []
    small = np.flatnonzero(n_groups < n_folds).tolist()
    if len(names) - len(small) < 2:
        what = _listed(
            [
                f"{names[label]} has {plural(n_images[label], 'image')} in {plural(n_groups[label], 'group')}"
                for label in small
            ]
        )
        needed = f"a label is compared with others, and needs {n_folds} groups of images, one for each fold"
        notes.append(f"No label was judged: {needed}; {what or f'{names[0]} is the only one'}.")
        return np.zeros(len(labels), bool), notes
    if len(small):
        what = _listed([f"{names[label]} ({n_groups[label]:,})" for label in small])
        notes.append(f"Not judged, as they have fewer groups of images than the {n_folds} folds: {what}.")
    few = [label for label in np.flatnonzero(n_images < FEW).tolist() if label not in small]
    if few:
        what = _listed([f"{names[label]} has {n_images[label]:,}" for label in few])
        notes.append(f"With fewer than {FEW} images of a label, suspicion says little: {what}. Look at all of them.")
    return ~np.isin(labels, small), notes


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _MOST_NAMED:,} more" if len(parts) > _MOST_NAMED else ""
    return f"{', '.join(parts[:_MOST_NAMED])}{more}"


def _nothing(n: int) -> dict[str, Any]:
    unknown = {name: np.full(n, np.nan, np.float32) for name in ("suspicion", "own_probability", "other_probability")}
    return {**unknown, "suggested_label": [None] * n, "likeliest_other": [None] * n}


def _judge(
    columns: dict[str, Any],
    evidence: list[list[str]],
    is_judged: npt.NDArray[np.bool_],
    features: FloatArray,
    labels: IntArray,
    groups: IntArray,
    neighbours: Neighbours,
    names: Sequence[str],
    settings: SuspectsSettings,
) -> dict[str, Any]:
    """Fill in what is thought of the labels of the judged rows; return what the suspects cost."""
    rows = np.flatnonzero(is_judged)
    codes, own = np.unique(labels[rows], return_inverse=True)
    inside = np.unique(groups[rows], return_inverse=True)[1]
    place = np.full(len(labels) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    inputs = judged_by(features if is_judged.all() else features[rows])
    near = neighbours.only(rows, place)
    probabilities = judge(inputs, own, divide_anew(own, inside, settings.folds), near, len(codes))
    other, wrong = likeliest_other(probabilities, own), find_wrong(probabilities, own)
    columns["suspicion"][rows] = suspicion(probabilities, own)
    columns["own_probability"][rows] = probabilities[np.arange(len(rows)), own]
    columns["other_probability"][rows] = probabilities[np.arange(len(rows)), other]
    for place_in, row in enumerate(rows.tolist()):
        columns["likeliest_other"][row] = names[codes[other[place_in]]]
        if (code := wrong[place_in]) >= 0:
            suggested = columns["suggested_label"][row] = names[codes[code]]
            nearest = near.index[place_in]
            alike = own[nearest[nearest >= 0]]
            shares = probabilities[place_in, [code, own[place_in]]]
            text = f"looks like {suggested} ({shares[0]:.0%}), not {names[labels[row]]} ({shares[1]:.0%})"
            votes = (
                f"; {(alike == code).sum()} of its {len(alike)} nearest images are {suggested}" if len(alike) else ""
            )
            evidence[row].append(text + votes)
    return measure_effect(inputs, own, inside, near, len(codes), settings.folds)


def _strangeness(neighbours: Neighbours) -> FloatArray:
    known = np.isfinite(neighbours.similarity)
    sums = np.where(known, neighbours.similarity, 0).sum(axis=1)
    n = known.sum(axis=1)
    return np.where(n > 0, 1 - sums / np.maximum(n, 1), np.nan).astype(np.float32)


def _find_outliers(strangeness: FloatArray) -> npt.NDArray[np.bool_]:
    known = strangeness[np.isfinite(strangeness)]
    if len(known) < _LEAST_FOR_OUTLIERS:
        return np.zeros(len(strangeness), bool)
    middle = float(np.median(known))
    deviation = 1.4826 * float(np.median(np.abs(known - middle)))
    return np.asarray(np.nan_to_num(strangeness, nan=-1.0) > middle + OUTLIER_DEVIATIONS * max(deviation, 0.005))


def _outlier_evidence(neighbours: Neighbours, strangeness: FloatArray, row: int, label: str) -> str:
    nearest = [(f"the nearest {label}", neighbours.own[row]), ("the nearest of another label", neighbours.other[row])]
    told = ", ".join(f"{one:.2f} to {name}" for name, one in nearest if np.isfinite(one))
    usual = 1 - float(np.nanmedian(strangeness))
    mean = 1 - float(strangeness[row])
    return f"unlike the rest: its likeness to its neighbours is {mean:.2f}, where {usual:.2f} is usual ({told})"
