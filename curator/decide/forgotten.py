"""Find and blank the images that were forgotten: nothing is left of them but their place in the count.

>>> import pandas as pd
>>> from curator.manifests.tombstones import digest
>>> rows = {"record_id": ["x-1", "x-2"], "author": ["Ann", "Bob"], "label": ["a"] * 2, "source": ["x"] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"kind": ["x"] * 2, "tier": [0] * 2}))
>>> after = drop_forgotten(table, {"author": frozenset([digest("ann")])})
>>> after["drop_reason"].tolist()[0], after["author"].tolist()
('forgotten', [<NA>, 'Bob'])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.addresses import parse_addresses
from curator.catalog import BoolArray, Drop, Stage, Table, as_arrow
from curator.manifests.tombstones import Tombstones, digest

if TYPE_CHECKING:
    import pandas as pd

ADDRESSES = ("url", "fallback_url", "final_url", "archive_url", "landing_url", "local_path")
_KEYS: tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...] = (
    ("content", ("sha256", "made_of"), str),
    ("address", ADDRESSES, digest),
    ("author", ("author", "author_url"), digest),
    ("host", ("url", "fallback_url", "final_url"), digest),
)
"""What a kind of tombstone is compared with: columns, and what makes a value of them a tombstone's text."""


def find_forgotten(table: pd.DataFrame | pa.Table, tombstones: Tombstones) -> BoolArray:
    """Find the rows that were forgotten, by content, address, author or host: bool array, shape (rows,).

    Args:
        table: a catalog or a manifest; columns that it does not have are unknown.
        tombstones: what was forgotten.
    """
    found = np.zeros(len(table), bool)
    for kind, names, key in _KEYS:
        digests = tombstones.get(kind, frozenset())
        for name in catalog.names_of(table) if digests else ():
            if name not in names:
                continue
            values = as_arrow(table[name], pa.string())
            values = parse_addresses(values).host_name if kind == "host" else values
            hits = [value for value in pc.unique(values).to_pylist() if value is not None and key(value) in digests]
            found |= pc.is_in(values, pa.array(hits, pa.string())).to_numpy(zero_copy_only=False)
    return found


def drop_forgotten(table: Table, tombstones: Tombstones) -> Table:
    """Drop the rows of a catalog that were forgotten, whatever dropped them before, and blank what is known of them."""
    rows = find_forgotten(table, tombstones)
    if not rows.any():
        return table
    mask = pa.array(rows)
    blank = {
        field.name: pc.if_else(mask, pa.scalar(None, field.type), catalog.column_of(table, field.name).cast(field.type))
        for field in catalog.SCHEMA
        if field.name not in ("record_id", "label", "source", "kind", "tier")
    }
    return catalog.drop(catalog.with_columns(table, blank), rows, Stage.LISTED, Drop.FORGOTTEN)
