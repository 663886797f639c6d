"""Which rows still request something, by what a ledger knows of their addresses.

>>> import tempfile
>>> table = catalog.conform(pd.DataFrame({"url": ["http://h.example/1", "http://h.example/2"]}))
>>> with Ledger(Path(tempfile.mkdtemp()) / "attempts.sqlite") as ledger:
...     ledger.record([Attempt("http://h.example/1", "h.example", 0.0, 0.1, "gone", 404)], [])
...     unsettled_rows(table, parse_rows(table), ledger, retries=2)
array([1])
"""

from __future__ import annotations

from pathlib import Path as Path

import numpy as np
import pandas as pd

from curator import catalog as catalog
from curator.fetch.fragments.cut import Rows
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt as Attempt
from curator.fetch.row_addresses import RowAddresses
from curator.fetch.row_addresses import parse_rows as parse_rows


def unsettled_rows(table: pd.DataFrame, rows: RowAddresses, ledger: Ledger, retries: int) -> Rows:
    """Return the numbers of the rows of which an address is still to be requested; a few ten thousand rows at once."""
    first, second = (column.to_pylist() for column in rows.addresses(table))
    states = [ledger.states(column, retries, max_pixels=0) for column in (first, second)]
    return np.flatnonzero(
        [
            not one.settled or bool(one.falls_back and fallback is not None and not other.settled)
            for one, other, fallback in zip(*states, second, strict=True)
        ]
    )
