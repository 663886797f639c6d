"""What a person may sort the images by: one entry in :data:`SORTS` each.

>>> [sort.name for sort in SORTS][:3]
['large', 'small', 'bytes']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.manifests.reviews import Review
from curator.review.images import Images

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sort:
    """One order.

    Attributes:
        name: what the page's address calls it.
        title: what the page calls it.
        values: given the images and what was decided (row to review), a number for each row, shape (rows,); the
            smallest comes first, and NaN, what is not known, last.
    """

    name: str
    title: str
    values: Callable[[Images, Mapping[int, Review]], Values]


def _numbers(images: Images, name: str) -> Values:
    column = images.table[name].cast(pa.float64())
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(), np.float64)


def _pixels(images: Images) -> Values:
    return _numbers(images, "width") * _numbers(images, "height")


def _elongation(images: Images) -> Values:
    width, height = _numbers(images, "width"), _numbers(images, "height")
    return np.asarray(np.maximum(width, height) / np.minimum(width, height))


def _when_decided(images: Images, decided: Mapping[int, Review]) -> Values:
    times = np.full(len(images), np.nan)
    for row, review in decided.items():
        times[row] = datetime.fromisoformat(review.when).timestamp()
    return times


SORTS = (
    Sort("large", "Largest first", lambda images, decided: -_pixels(images)),
    Sort("small", "Smallest first", lambda images, decided: _pixels(images)),
    Sort("bytes", "Fewest bytes a pixel", lambda images, decided: _numbers(images, "n_bytes") / _pixels(images)),
    Sort("shape", "Oddest shape first", lambda images, decided: -_elongation(images)),
    Sort("date", "Latest decision first", lambda images, decided: -_when_decided(images, decided)),
)
"""What the page offers beside the view's own order."""


def sort_rows(
    rows: npt.NDArray[np.int64], name: str, images: Images, decided: Mapping[int, Review]
) -> npt.NDArray[np.int64]:
    """Order rows by a sort; those that are equal, or not known, stay in order."""
    sort = next(one for one in SORTS if one.name == name)
    return rows[np.argsort(sort.values(images, decided)[rows], kind="stable")]
