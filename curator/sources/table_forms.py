"""A list of images as an Arrow table, and as a DataFrame, and how many rows name an image of another row in either.

>>> table = catalog.SCHEMA.empty_table().replace_schema_metadata({N_SAME: "3"})
>>> n_same(table), as_frame(table).attrs[N_SAME], n_same(as_table(as_frame(table)))
(3, 3, 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from curator import catalog

if TYPE_CHECKING:
    import pandas as pd

N_SAME = "n_same"
"""The attribute of a listing that counts the rows which name an image that another row of it names."""


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Turn what :func:`curator.sources.base.listed_table` returns into what ``listed_rows`` there does."""
    frame = catalog.from_arrow(table)
    frame.attrs[N_SAME] = n_same(table)
    return frame


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Undo :func:`as_frame`."""
    if lacking := set(catalog.SCHEMA.names) - set(frame.columns):
        raise TypeError(f"what list_images returns lacks {', '.join(sorted(lacking))}: make it with listed_rows")
    return catalog.to_arrow(frame).replace_schema_metadata({N_SAME: str(frame.attrs.get(N_SAME, 0))})


def n_same(table: pa.Table) -> int:
    """Return how many rows of a list name an image that another row of it names."""
    return int((table.schema.metadata or {}).get(N_SAME.encode(), 0))
