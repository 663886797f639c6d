"""What a data set's ledger remembers, if there is one: every request made for an address, and what it cost.

>>> import tempfile
>>> from pathlib import Path
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path("manifests"), "none")
>>> attempts_of(paths, ["http://example.org/a.jpg"])
[]
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from curator.fetch.ledger.ledger import Ledger
from curator.store.paths import DataPaths

COLUMNS = ("started_at", "seconds", "outcome", "http_status", "detail", "final_url", "n_bytes", "referer")
"""What the ledger says of one request."""


def count_through_proxy(paths: DataPaths) -> int:
    """Count the addresses that a proxy obtained: nobody verified which machines it contacted.

    Raises:
        DiskError: the ledger may not be read here.
    """
    if not paths.attempts.exists():
        return 0
    with Ledger(paths.attempts, to_read=True) as ledger:
        return ledger.count_through_proxy()


def read_costs(paths: DataPaths) -> pd.DataFrame:
    """Sum what each address cost, tries in vain included: ``seconds`` and ``n_bytes``, by address."""
    with Ledger(paths.attempts, to_read=True) as ledger:
        costs = pd.DataFrame(ledger.costs(), columns=["address", "seconds", "n_bytes"])
    return costs.set_index("address").astype("float64").fillna(0.0)


def attempts_of(paths: DataPaths, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """List the requests made for these addresses (as listed, or ``file:PATH``), oldest first for each.

    Returns:
        One dict a request: ``address`` and :data:`COLUMNS`, with ``started_at`` as text (UTC) and ``outcome`` ``ok`` or
        a drop reason.

    Raises:
        DiskError: the ledger may not be read here.
    """
    if not paths.attempts.exists():
        return []
    attempts = []
    with Ledger(paths.attempts, to_read=True) as ledger:
        for address in addresses:
            for started_at, *values in ledger.requests(address):
                started = f"{datetime.fromtimestamp(started_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
                attempts.append({"address": address, **dict(zip(COLUMNS, (started, *values), strict=True))})
    return attempts
