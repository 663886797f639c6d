"""The rows that ``curator suspects`` suspects, for the views of the page; it reads what was found, and finds nothing.

>>> choose_suspected("wrong label")(None, np.ones(0, bool), DataPaths(Path("nowhere"), Path("nowhere"), "balls"))
(array([], dtype=int64), {})
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path as Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.review.images import BoolArray, Images, as_mask
from curator.store.paths import DataPaths
from curator.store.suspects_file import HEADINGS, Suspects, read_suspects

Rows = npt.NDArray[np.int64]
Chosen = tuple[Rows, dict[str, dict[str, Any]]]

LEAST_LIKELY = 0.1
"""A label of which a model is less sure than this is not offered."""


class _Latest:
    """What was found last, read again when the file is another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[Any, ...] = ()
        self._found: Suspects | None = None

    def read(self, path: Path) -> Suspects | None:
        try:
            facts = path.stat()
        except OSError:
            return None
        with self._lock:
            seen = path, facts.st_mtime_ns, facts.st_size, facts.st_ino
            if seen != self._seen:
                self._seen, self._found = seen, read_suspects(path)
            return self._found


_latest = _Latest()


def choose_suspected(heading: str) -> Callable[[Images, BoolArray, DataPaths], Chosen]:
    """Return what chooses the rows under one of :data:`curator.store.suspects_file.HEADINGS`, and facts about them.

    An image that has another label now than was judged is left out.
    """

    def choose(images: Images, passing: BoolArray, paths: DataPaths) -> Chosen:
        found = _latest.read(paths.suspects)
        if found is None:
            return np.zeros(0, np.int64), {}
        chosen = HEADINGS[heading](found.table)
        rows = np.array([images.row_of(record_id) for record_id in chosen["record_id"]], np.int64)
        is_there = rows >= 0
        labels = images.table["label"].take(rows[is_there]).to_pylist()
        is_there[is_there] = np.array(labels, object) == chosen["label"].to_numpy(object)[is_there]
        chosen, rows = chosen[is_there], rows[is_there]
        facts = {row["record_id"]: _facts(row, heading) for row in chosen.to_dict("records")}
        return rows[passing[rows]], facts

    return choose


def _facts(row: Mapping[Any, Any], heading: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"evidence": "; ".join(row["evidence"])}
    if heading == "wrong label":
        facts |= {"suggested": row["suggested_label"], "confidence": float(row["other_probability"])}
    return facts


def suspicion_of(images: Images, paths: DataPaths) -> npt.NDArray[np.float64]:
    """Return the suspicion of each row's label: float64 (rows,), NaN where it was not judged."""
    found, rows = _judged(images, paths)
    values = np.full(len(images), np.nan)
    if found is not None:
        values[rows] = found["suspicion"].to_numpy(np.float64, na_value=np.nan)
    return values


def is_suspected(images: Images, paths: DataPaths) -> BoolArray:
    """Return of which rows the label is probably wrong: bool (rows,)."""
    found, rows = _judged(images, paths)
    values = np.zeros(len(images), bool)
    if found is not None:
        values[rows] = found["suggested_label"].notna().to_numpy(dtype=bool)
    return values


def likelier_labels(images: Images, rows: Rows, paths: DataPaths) -> dict[str, dict[str, Any]]:
    """Return, by record id, the label that is the likeliest beside a row's own, where it is not out of the question."""
    found, places = _judged(images, paths)
    if found is None:
        return {}
    likely = found[np.isin(places, rows) & (found["other_probability"] >= LEAST_LIKELY).fillna(False).to_numpy(bool)]
    return {
        row["record_id"]: {
            "evidence": "; ".join(row["evidence"]),
            "suggested": row["likeliest_other"],
            "confidence": float(row["other_probability"]),
        }
        for row in likely.to_dict("records")
    }


def _judged(images: Images, paths: DataPaths) -> tuple[pd.DataFrame | None, Rows]:
    """Return what was found of the rows that have the label that was judged, and their places."""
    if (found := _latest.read(paths.suspects)) is None:
        return None, np.zeros(0, np.int64)
    ids = pa.array(found.table["record_id"].tolist(), pa.string())
    rows = pc.fill_null(pc.index_in(ids, images.table["record_id"]), -1).to_numpy(zero_copy_only=False)
    labels = pc.equal(
        images.table["label"].take(pa.array(np.maximum(rows, 0))), pa.array(found.table["label"].tolist())
    )
    is_there = (rows >= 0) & as_mask(labels)
    return found.table[is_there], rows[is_there].astype(np.int64)
