"""Join what the sources list, in one order, and say what of it was left out, so that the rows add up.

>>> same = {"label": "x", "source": "b", "kind": "b", "tier": 0, "url": "http://h.example/1"}
>>> rows = catalog.conform(pd.DataFrame({"record_id": ["b-1", "a-1"], **same}))
>>> merge(catalog.empty(), rows, by_licence=False)["record_id"].tolist()
['b-1']
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import BoolArray, Drop, as_arrow
from curator.events import Noted, Warned
from curator.manifests.licences import licence_name, licences, spdx_ids
from curator.manifests.project import Project
from curator.sources.base import most_frequent
from curator.store.spilled import ROWS_A_PART, Spilled
from curator.text import plural


def merge(table: pd.DataFrame, rows: pd.DataFrame, by_licence: bool, folder: Path | None = None) -> pd.DataFrame:
    """Add newly listed rows: one URL is listed once for a label, by the source that the recipe names first.

    Args:
        by_licence: a row whose licence is unknown gives way to one that states it.
        folder: where there is room for rows that are too many to be kept in memory; None: they are kept there.

    Returns:
        The listing, sorted by record_id.
    """
    joined = pd.concat([table, rows], ignore_index=True) if len(table) else rows
    if by_licence:
        unknown = spdx_ids(joined).isna().to_numpy(dtype=bool)
        joined = joined.iloc[np.argsort(unknown, kind="stable")].reset_index(drop=True)
    is_same_url = joined["url"].notna().to_numpy(dtype=bool) & repeats(joined, ["label", "url", "crop"])
    is_repeated = repeats(joined, ["record_id"]) | is_same_url
    return in_order(joined[~is_repeated] if is_repeated.any() else joined, folder)


def repeats(table: pd.DataFrame, columns: list[str]) -> BoolArray:
    """Return which rows are as an earlier one in some columns; they are compared where their hashes are equal.

    >>> repeats(pd.DataFrame({"a": ["x", None, "x", None], "b": ["y", "y", "z", "y"]}), ["a", "b"])
    array([False, False, False,  True])
    """
    hashes = np.empty(len(table), np.uint64)
    for start in range(0, len(table), ROWS_A_PART):
        some = table[columns].iloc[start : start + ROWS_A_PART].astype(object)
        hashes[start : start + len(some)] = pd.util.hash_pandas_object(some, index=False, categorize=False)
    is_alike = pd.Series(hashes).duplicated(keep=False).to_numpy(dtype=bool)
    found = np.zeros(len(table), bool)
    if is_alike.any():
        found[is_alike] = table.loc[is_alike, columns].duplicated().to_numpy(dtype=bool)
    return found


def in_order(table: pd.DataFrame, folder: Path | None = None) -> pd.DataFrame:
    """Sort a catalog by record_id; one that is in order is not copied. For the folder see :func:`merge`."""
    names = as_arrow(table["record_id"], pa.string())
    if pc.all(pc.less(names[:-1], names[1:])).as_py():
        return catalog.conform(table.reset_index(drop=True))
    listed, order = catalog.to_arrow(table), pc.sort_indices(names)
    columns = [_in_order(listed[name], order, folder) for name in listed.column_names]
    return catalog.from_arrow(pa.Table.from_arrays(columns, schema=listed.schema))


def _in_order(column: pa.ChunkedArray, order: pa.Array, folder: Path | None) -> pa.ChunkedArray:
    if column.null_count == len(column):
        return column
    whole, rows = as_arrow(column), Spilled(folder)
    for start in range(0, len(order), ROWS_A_PART):
        rows.add(pa.table({"column": whole.take(order.slice(start, ROWS_A_PART))}))
    return rows.whole()["column"]


def warn_of_passwords(project: Project, name: str, n: int) -> None:
    """Say what becomes of the names and passwords in a source's addresses."""
    if n:
        rest = "They are used to sign in, and stay in the list: catalogs, manifest, exports and pages have the"
        text = f"{plural(n, 'address holds', 'addresses hold')} a name or a password. {rest} addresses without them."
        project.emit(Warned(f"{name}: {text}"))


def note_unlicensed(project: Project, name: str, rows: pd.DataFrame) -> None:
    """Say how many rows of a source the licence policy leaves out, and which licences these have."""
    is_out = rows["drop_reason"].isin([Drop.LICENCE_NOT_ALLOWED, Drop.LICENCE_UNKNOWN]).to_numpy(dtype=bool)
    if is_out.any():
        n, counted = int(is_out.sum()), {licence_name(key): n for key, n in licences(rows[is_out]).items()}
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
