"""How a copy lies on the image that is kept: what the gallery draws over it, and the words for what differs.

>>> group = [{"record_id": "x-1", "sha256": "b"}, {"record_id": "x-2", "sha256": "a"}]
>>> pair = {"sha256": "a", "other_sha256": "b", "verdict": 1, "differs": "50% of one in the other"}
>>> lay_over(pa.Table.from_pylist([pair | {"transform": [2.0, 0, 0, 0, 2.0, -1.0]}]), [group])
{'x-2': ['50% of one in the other', [0.5, 0.0, 0.0, 0.0, 0.5, 0.5]]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LEAST_AREA = 1e-4


def lay_over(judged: pa.Table | None, groups: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[Any]]:
    """Find how each copy lies on the first image of its group.

    Args:
        judged: of :data:`curator.store.judged_file.SCHEMA`; None: nothing was compared.
        groups: rows with ``record_id`` and ``sha256``, what is kept first.

    Returns:
        Record id to what differs, in words, and six numbers, row by row: places on the copy to places on the first
        image, in shares of the sides. A copy that was not compared with that image itself is left out.
    """
    wanted: dict[frozenset[str], list[tuple[str, str]]] = {}
    for group in groups:
        for row in group[1:]:
            pair = frozenset((group[0]["sha256"], row["sha256"]))
            wanted.setdefault(pair, []).append((row["record_id"], group[0]["sha256"]))
    if judged is None or not wanted:
        return {}
    names = pa.array(sorted({name for pair in wanted for name in pair if name}), pa.string())
    both = pc.and_(pc.is_in(judged["sha256"], names), pc.is_in(judged["other_sha256"], names))
    found = {}
    for one in judged.filter(both).to_pylist():
        for record_id, first in wanted.get(frozenset((one["sha256"], one["other_sha256"])), ()):
            if (onto := place_on(one, first)) is not None:
                found[record_id] = [one["differs"], onto]
    return found


def place_on(pair: Mapping[str, Any], first: str) -> list[float] | None:
    """Return the six numbers that take places on the other one of a pair to places on ``first``; None: not known.

    >>> place_on({"sha256": "a", "transform": [0.5, 0, 0, 0, 0.5, 0.25]}, "b")
    [2.0, 0.0, 0.0, 0.0, 2.0, -0.5]
    """
    if pair["transform"] is None:
        return None
    matrix = np.array([*pair["transform"], 0, 0, 1]).reshape(3, 3)
    if abs(np.linalg.det(matrix)) <= _LEAST_AREA:
        return None
    onto = matrix if pair["sha256"] == first else np.linalg.inv(matrix)
    numbers: list[float] = (onto[:2].round(4) + 0.0).ravel().tolist()
    return numbers
