"""Join what the sources list, in one order, and say what of it was left out, so that the rows add up.

>>> same = {"label": "x", "source": "b", "kind": "b", "tier": 0, "url": "http://h.example/1"}
>>> rows = catalog.conform(pa.table({"record_id": ["b-1", "a-1"], **{name: [one] * 2 for name, one in same.items()}}))
>>> merge(catalog.SCHEMA.empty_table(), rows, by_licence=False)["record_id"].to_pylist()
['b-1']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import BoolArray, Drop, IntArray, as_arrow
from curator.events import Noted, Warned
from curator.manifests.licences import licence_keys, licence_name, licences
from curator.manifests.project import Project
from curator.manifests.spdx import spdx_id
from curator.sources.base import most_frequent
from curator.store.spilled import ROWS_A_PART, Spilled
from curator.text import plural


def merge(table: pa.Table, rows: pa.Table, by_licence: bool, folder: Path | None = None) -> pa.Table:
    """Add newly listed rows: one URL is listed once for a label, by the source that the recipe names first.

    Args:
        by_licence: a row whose licence is unknown gives way to one that states it.
        folder: where there is room for rows that are too many to be kept in memory; None: they are kept there.

    Returns:
        The listing, sorted by record_id.
    """
    joined = pa.concat_tables([table, catalog.to_arrow(rows)]) if len(table) else rows
    if by_licence:
        unknown = np.array([spdx_id(key) is None for key in licence_keys(joined).to_pylist()], bool)
        joined = joined.take(pa.array(np.argsort(unknown, kind="stable")))
    is_same_url = catalog.is_known(joined, "url") & repeats(joined, ["label", "url", "crop"])
    is_repeated = repeats(joined, ["record_id"]) | is_same_url
    return in_order(catalog.where(joined, ~is_repeated) if is_repeated.any() else joined, folder)


def repeats(table: pa.Table, columns: list[str]) -> BoolArray:
    """Return which rows are as an earlier one in some columns; they are compared where their hashes are equal.

    >>> repeats(pa.table({"a": ["x", None, "x", None], "b": ["y", "y", "z", "y"]}), ["a", "b"])
    array([False, False, False,  True])
    """
    some, found = table.select(columns), np.zeros(len(table), bool)
    hashes = np.fromiter(map(hash, _tuples(some)), np.int64, len(table))
    order = np.argsort(hashes, kind="stable")  # of one hash, the earlier row first
    is_as_next = np.zeros(len(order), bool)
    is_as_next[:-1] = hashes[order[1:]] == hashes[order[:-1]]
    alike = order[is_as_next | np.roll(is_as_next, 1)]
    last, seen = None, set[tuple[Any, ...]]()
    for row, values in zip(alike.tolist(), _tuples(some.take(pa.array(alike))), strict=True):
        seen = seen if hashes[row] == last else set()
        last, found[row] = hashes[row], values in seen
        seen.add(values)
    return found


def _tuples(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for part in table.to_batches(ROWS_A_PART):
        yield from zip(*(column.to_pylist() for column in part.columns), strict=True)


def in_order(listed: pa.Table, folder: Path | None = None) -> pa.Table:
    """Sort a catalog by record_id; one that is in order is not copied. For the folder see :func:`merge`."""
    names = as_arrow(listed["record_id"], pa.string())
    if pc.all(pc.less(names[:-1], names[1:])).as_py():
        return catalog.conform(listed)
    order = pc.sort_indices(names)
    columns = [_in_order(listed[name], order, folder) for name in listed.column_names]
    return pa.Table.from_arrays(columns, schema=catalog.SCHEMA)


def _in_order(column: pa.ChunkedArray, order: pa.Array, folder: Path | None) -> pa.ChunkedArray:
    if column.null_count == len(column):
        return column
    whole, rows = as_arrow(column), Spilled(folder)
    for start in range(0, len(order), ROWS_A_PART):
        rows.add(pa.table({"column": whole.take(order.slice(start, ROWS_A_PART))}))
    return rows.whole()["column"]


def concat_in_order(tables: Sequence[pa.Table], order: IntArray) -> pa.Table:
    """Join catalogs and put their rows, numbered one after the other, into an order; columns may be of any size."""
    both, rows = pa.concat_tables(tables), pa.array(order)
    return pa.table({name: as_arrow(both[name]).take(rows) for name in both.column_names})


def warn_of_passwords(project: Project, name: str, n: int) -> None:
    """Say what becomes of the names and passwords in a source's addresses."""
    if n:
        rest = "They are used to sign in, and stay in the list: catalogs, manifest, exports and pages have the"
        text = f"{plural(n, 'address holds', 'addresses hold')} a name or a password. {rest} addresses without them."
        project.emit(Warned(f"{name}: {text}"))


def note_unlicensed(project: Project, name: str, rows: pa.Table) -> None:
    """Say how many rows of a source the licence policy leaves out, and which licences these have."""
    reasons = pa.array([Drop.LICENCE_NOT_ALLOWED, Drop.LICENCE_UNKNOWN], pa.string())
    out = rows.filter(pc.is_in(rows["drop_reason"], reasons))
    if n := len(out):
        counted = {licence_name(key): n for key, n in licences(out).items()}
        text = f"of {plural(len(rows), 'image')}, [licence] leaves out {n:,}: {most_frequent(counted)}"
        project.emit(Noted(f"{name}: {text}"))


def note_same(project: Project, name: str, n_here: int, n_earlier: int) -> None:
    """Say how many rows of a source name an image that is listed already, so that the rows add up."""
    counts = {"in it": n_here, "before it": n_earlier}
    parts = [f"{n:,} {where}" for where, n in counts.items() if n]
    if parts:
        total = n_here + n_earlier
        names = plural(total, "row names", "rows name")
        text = f"{name}: {names} an image that is listed under the same label already ({', '.join(parts)})"
        project.emit(Noted(f"{text}; each is listed once"))
