"""Join what the sources list, in one order, and say what of it was left out, so that the rows add up.

>>> same = {"label": "x", "source": "b", "kind": "b", "tier": 0, "url": "http://h.example/1"}
>>> rows = catalog.conform(pd.DataFrame({"record_id": ["b-1", "a-1"], **same}))
>>> merge(catalog.empty(), rows, by_licence=False)["record_id"].tolist()
['b-1']
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Drop, as_arrow
from curator.events import Noted, Warned
from curator.manifests.licences import licence_name, licences, spdx_ids
from curator.manifests.project import Project
from curator.sources.base import most_frequent
from curator.text import plural


def merge(table: pd.DataFrame, rows: pd.DataFrame, by_licence: bool) -> pd.DataFrame:
    """Add newly listed rows: one URL is listed once for a label, by the source that the recipe names first.

    Args:
        by_licence: a row whose licence is unknown gives way to one that states it.

    Returns:
        The listing, sorted by record_id.
    """
    joined = pd.concat([table, rows], ignore_index=True) if len(table) else rows
    if by_licence:
        unknown = spdx_ids(joined).isna().to_numpy(dtype=bool)
        joined = joined.iloc[np.argsort(unknown, kind="stable")].reset_index(drop=True)
    same_url = joined["url"].notna() & joined.duplicated(["label", "url", "crop"])
    repeated = (joined.duplicated("record_id") | same_url).to_numpy(dtype=bool)
    return in_order(joined[~repeated] if repeated.any() else joined)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort a catalog by record_id; one that is in order is not copied."""
    names = as_arrow(table["record_id"], pa.string())
    if pc.all(pc.less(names[:-1], names[1:])).as_py():
        return catalog.conform(table.reset_index(drop=True))
    return catalog.from_arrow(catalog.to_arrow(table).take(pc.sort_indices(names)))


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
