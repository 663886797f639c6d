"""What a person may sort the images by: one entry in :data:`SORTS` each.

>>> [sort.name for sort in SORTS][:4]
['suspicion', 'like', 'large', 'small']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.manifests.project import Project
from curator.manifests.reviews import Review
from curator.review.alike import likenesses_to
from curator.review.images import Images
from curator.review.suspected import likelier_labels, suspicion_of

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

LIKE = "like"
"""The sort that needs an image to compare with."""

MOST_FACTS = 500
"""Rows of which the page is told why they come where they come."""


@dataclass(frozen=True)
class Known:
    """What an order can go by: the images, what was decided (row to review), the project, the image to compare with."""

    images: Images
    decided: Mapping[int, Review]
    project: Project
    like: str = ""


@dataclass(frozen=True)
class Sort:
    """One order.

    Attributes:
        name: what the page's address calls it.
        title: what the page calls it.
        values: given what is known, a number for each row, shape (rows,); the smallest comes first, and NaN, what
            is not known, last.
        tell: given what is known, the first rows in this order and all values: facts that the page shows, by record id.
    """

    name: str
    title: str
    values: Callable[[Known], Values]
    tell: Callable[[Known, Rows, Values], dict[str, dict[str, Any]]] = lambda known, rows, values: {}


def _numbers(images: Images, name: str) -> Values:
    column = images.table[name].cast(pa.float64())
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(), np.float64)


def _pixels(images: Images) -> Values:
    return _numbers(images, "width") * _numbers(images, "height")


def _elongation(images: Images) -> Values:
    width, height = _numbers(images, "width"), _numbers(images, "height")
    return np.asarray(np.maximum(width, height) / np.minimum(width, height))


def _when_decided(known: Known) -> Values:
    times = np.full(len(known.images), np.nan)
    for row, review in known.decided.items():
        times[row] = datetime.fromisoformat(review.when).timestamp()
    return times


def _tell_likeness(known: Known, rows: Rows, values: Values) -> dict[str, dict[str, Any]]:
    ids = known.images.table["record_id"].take(pa.array(rows)).to_pylist()
    told = zip(ids, (-values[rows]).tolist(), strict=True)
    return {record_id: {"likeness": round(value, 4)} for record_id, value in told if np.isfinite(value)}


SORTS = (
    Sort(
        "suspicion",
        "Most suspicious first",
        lambda known: -suspicion_of(known.images, known.project.paths),
        lambda known, rows, values: likelier_labels(known.images, rows, known.project.paths),
    ),
    Sort(
        LIKE,
        "Most like the chosen one",
        lambda known: -likenesses_to(known.project, known.images, known.like),
        _tell_likeness,
    ),
    Sort("large", "Largest first", lambda known: -_pixels(known.images)),
    Sort("small", "Smallest first", lambda known: _pixels(known.images)),
    Sort("bytes", "Fewest bytes a pixel", lambda known: _numbers(known.images, "n_bytes") / _pixels(known.images)),
    Sort("shape", "Oddest shape first", lambda known: -_elongation(known.images)),
    Sort("date", "Latest decision first", lambda known: -_when_decided(known)),
)
"""What the page offers beside the view's own order."""


def sort_rows(rows: Rows, name: str, known: Known) -> tuple[Rows, dict[str, dict[str, Any]]]:
    """Order rows by a sort, and tell of the first ones; those that are equal, or not known, stay in order.

    Raises:
        ValueError, CuratorError: the sort compares with an image that cannot be compared.
    """
    sort = next(one for one in SORTS if one.name == name)
    values = sort.values(known)
    ordered = rows[np.argsort(values[rows], kind="stable")]
    return ordered, sort.tell(known, ordered[:MOST_FACTS], values)
