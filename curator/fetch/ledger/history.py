"""What the ledger remembers: every request made for an address.

>>> import tempfile
>>> from pathlib import Path
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path("manifests"), "none")
>>> attempts_of(paths, ["http://example.org/a.jpg"])
[]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from curator.fetch.ledger.ledger import OK, VIA, Ledger
from curator.store.paths import DataPaths

_COLUMNS = ("started_at", "seconds", "outcome", "http_status", "detail", "final_url", "n_bytes")
_BY_ADDRESS = f"SELECT {', '.join(_COLUMNS)} FROM attempts WHERE address = ? AND asked = 1 ORDER BY id"


_THROUGH_PROXY = f"SELECT count(DISTINCT address) FROM attempts WHERE outcome = '{OK}' AND ip LIKE '{VIA}%'"


def count_through_proxy(paths: DataPaths) -> int:
    """Count the addresses that a proxy obtained: nobody verified which machines it asked.

    Raises:
        DiskError: the ledger may not be read here.
    """
    if not paths.attempts.exists():
        return 0
    with Ledger(paths.attempts, to_read=True) as ledger:
        return int(next(ledger.query(_THROUGH_PROXY))[0])


_COSTS = "SELECT address, sum(seconds), sum(n_bytes) FROM attempts WHERE asked = 1 AND host != '' GROUP BY address"


def read_costs(paths: DataPaths) -> pd.DataFrame:
    """Sum what each address cost, tries in vain included: ``seconds`` and ``n_bytes``, by address."""
    with Ledger(paths.attempts, to_read=True) as ledger:
        costs = pd.DataFrame(ledger.query(_COSTS), columns=["address", "seconds", "n_bytes"])
    return costs.set_index("address").astype("float64").fillna(0.0)


def attempts_of(paths: DataPaths, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """List the requests made for these addresses (as listed, or ``file:PATH``), oldest first for each.

    Returns:
        One dict a request: ``address``, ``started_at`` (text, UTC), ``seconds``, ``outcome`` (``ok`` or a drop
        reason), ``http_status``, ``detail``, ``final_url``, ``n_bytes``.

    Raises:
        DiskError: the ledger may not be read here.
    """
    if not paths.attempts.exists():
        return []
    with Ledger(paths.attempts, to_read=True) as ledger:
        return [attempt for address in addresses for attempt in _attempts(ledger, address)]


def _attempts(ledger: Ledger, address: str) -> Iterator[dict[str, Any]]:
    for row in ledger.query(_BY_ADDRESS, (address,)):
        attempt = dict(zip(_COLUMNS, row, strict=True))
        started = datetime.fromtimestamp(attempt["started_at"], UTC)
        yield {"address": address, **attempt, "started_at": f"{started:%Y-%m-%d %H:%M:%S} UTC"}
