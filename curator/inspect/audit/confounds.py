"""What gives a label away without a look at the picture: a size, format, camera, compression, source or host.

One fact at a time guesses the label of each image: that which is most frequent, labels counting alike, among the other
folds' images of which the fact is the same. What is right by chance is 1 / labels.

>>> rows = {"width": [400] * 30 + [300] * 30, "height": [300] * 60, "format": "jpeg", "n_bytes": 9000, "source": "x"}
>>> labels = np.repeat([0, 1], 30)
>>> [size, *_] = find_confounds(pd.DataFrame(rows), labels, ["heron", "stork"], np.arange(60))
>>> size.fact, size.accuracy, size.is_telling, size.example
('image size', 1.0, True, '300 x 300 pixels: 30 of 30 are stork')
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.addresses import host_names
from curator.catalog import IntArray
from curator.inspect.suspects.folds import choose_folds

FloatArray = npt.NDArray[np.float64]

N_FOLDS = 5
N_BINS = 20
"""Of a number that has more values: parts of as many images each."""

ORIGINS = frozenset(
    ("camera", "collection", "dataset", "device", "hospital", "institution", "location", "origin", "photographer",
     "provider", "scanner", "site", "source", "station", "uploader")
)  # fmt: skip
"""Columns of a table that say where an image is from, in lower case; what other columns say may be the label itself."""

_MOST_VALUES = 1000
"""Values of a fact that are told apart; the rarer ones are one."""


@dataclass(frozen=True)
class Confound:
    """How well one fact predicts the label: ``accuracy`` is balanced, the mean of the labels' shares guessed right."""

    fact: str
    accuracy: float
    chance: float
    example: str

    @property
    def is_telling(self) -> bool:
        """Whether it says more of the label than it should: as far over chance as 0.65 is for two labels."""
        return self.accuracy > self.chance + 0.3 * (1 - self.chance)


def find_confounds(table: pd.DataFrame, labels: IntArray, names: Sequence[str], groups: IntArray) -> list[Confound]:
    """Say of each fact that differs between images how well it predicts the label, the most telling first.

    Args:
        table: usable images: a catalog's columns, and ``camera_model`` and ``jpeg_quality`` if they are known.
        labels: label indices (images,).
        names: of the labels.
        groups: a number a group of images that belong together (images,): of one fold.
    """
    inside = np.unique(groups, return_inverse=True)[1]
    n_folds = min(N_FOLDS, int(inside.max(initial=0)) + 1)
    if n_folds < 2 or len(names) < 2:
        return []
    folds, found = choose_folds(labels, inside, n_folds), []
    for fact, texts in _facts(table):
        values, codes = _numbered(texts)
        if len(values) > 1:
            accuracy = _predict(codes, labels, folds, len(names))
            found.append(Confound(fact, round(accuracy, 4), 1 / len(names), _example(values, codes, labels, names)))
    return sorted(found, key=lambda one: -one.accuracy)


def _numbered(texts: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the values, in order, and which of them each image has; of very many, the rarer ones are one."""
    codes, found = pd.factorize(np.array(texts, object), sort=True)
    values, number = found.tolist(), np.asarray(codes, np.int64)
    if len(values) > _MOST_VALUES:
        kept = np.sort(np.argsort(-np.bincount(number), kind="stable")[: _MOST_VALUES - 1])
        place = np.full(len(values), len(kept))
        place[kept] = np.arange(len(kept))
        values, number = [*(values[one] for one in kept), "a rarer one"], place[number]
    return values, number


def _facts(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    sizes = table[["width", "height", "n_bytes"]].to_numpy(dtype=np.float64, na_value=np.nan)
    width, height, n_bytes = sizes.T
    texts = [f"{w:.0f} x {h:.0f} pixels" for w, h in sizes[:, :2]]
    yield "image size", _frequent(texts, width * height, "pixels")
    yield "aspect ratio", _binned(width / height, "wide for 1 high")
    yield "bytes a pixel", _binned(n_bytes / (width * height), "bytes a pixel")
    yield "file format", table["format"].fillna("unknown").astype(str).tolist()
    if "jpeg_quality" in table:
        qualities = table["jpeg_quality"].tolist()
        yield "compression", ["no JPEG" if pd.isna(one) else f"JPEG quality {one:.0f}" for one in qualities]
        yield "camera", table["camera_model"].fillna("no camera stated").astype(str).tolist()
    yield "source", table["source"].astype(str).tolist()
    yield from _origins(table)
    if "url" in table:
        yield "host", host_names(table["url"], "no address")


def _origins(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield the further columns of a list that are of :data:`ORIGINS`."""
    if "extra" not in table or table["extra"].isna().all():
        return
    rows = [json.loads(text) if isinstance(text, str) else {} for text in table["extra"].tolist()]
    for name in sorted({name for row in rows for name in row if name.casefold() in ORIGINS}):
        yield f"column {name}", [str(row.get(name, "not stated")) for row in rows]


def _frequent(texts: list[str], number: FloatArray, unit: str) -> list[str]:
    """Keep the texts that are those of many images; the others are told apart by a number only."""
    counts = pd.Series(texts).value_counts()
    kept = set(counts.index[counts >= max(3, len(texts) // _MOST_VALUES)][:_MOST_VALUES])
    others = _binned(number, unit)
    return [text if text in kept else other for text, other in zip(texts, others, strict=True)]


def _binned(values: FloatArray, unit: str) -> list[str]:
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, N_BINS + 1)))
    place = np.clip(np.searchsorted(edges, values, "right") - 1, 0, max(0, len(edges) - 2))
    names = [f"{low:,.3g} to {high:,.3g} {unit}" for low, high in pairwise(edges)]
    return [names[at] if names else "one value" for at in place]


def _predict(codes: IntArray, labels: IntArray, folds: IntArray, n_labels: int) -> float:
    """Guess fold by fold by the other folds' images; return the balanced accuracy. An unknown value is a guess."""
    shares = 1 / np.maximum(np.bincount(labels, minlength=n_labels), 1)
    n_codes = int(codes.max()) + 1
    right = np.zeros(len(labels))
    for fold in range(int(folds.max()) + 1):
        known, asked = folds != fold, folds == fold
        cells = codes[known] * n_labels + labels[known]
        weights = np.bincount(cells, weights=shares[labels[known]], minlength=n_codes * n_labels).reshape(n_codes, -1)
        best = weights.max(axis=1)
        n_best = (weights == best[:, None]).sum(axis=1)  # several as likely: one of them is guessed
        right[asked] = (weights[codes[asked], labels[asked]] == best[codes[asked]]) / n_best[codes[asked]]
    return float((right * shares[labels]).sum() / (np.bincount(labels, minlength=n_labels) > 0).sum())


def _example(values: Sequence[str], codes: IntArray, labels: IntArray, names: Sequence[str]) -> str:
    """Name the value that says most: of whose images the most are of one label beyond that label's share."""
    cells = np.bincount(codes * len(names) + labels, minlength=len(values) * len(names)).reshape(len(values), -1)
    n_images = cells.sum(axis=1)
    expected = n_images[:, None] * np.bincount(labels, minlength=len(names)) / len(labels)
    value, label = divmod(int(np.argmax(cells - expected)), len(names))
    return f"{values[value]}: {cells[value, label]:,} of {n_images[value]:,} are {names[label]}"
