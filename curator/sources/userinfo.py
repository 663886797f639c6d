"""Take names and passwords out of listed addresses: requests sign in with them, no table, file or page shows them.

>>> import pandas as pd
>>> url = ["http://ann:s3cret@h.example/1.jpg", "http://h.example/2.jpg"]
>>> listed = {"record_id": ["x-1", "x-2"], "label": "a", "source": "x", "kind": "x", "tier": 0, "url": url}
>>> table, userinfo = take_userinfo(catalog.conform(pd.DataFrame(listed)))
>>> table["url"].tolist(), userinfo
(['http://h.example/1.jpg', 'http://h.example/2.jpg'], {'http://h.example/1.jpg': 'ann:s3cret'})
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Table
from curator.sources.escaped import number_rows
from curator.text import USERINFO

_REQUESTED = ("url", "fallback_url")
_SHOWN = ("landing_url", "author_url")


def take_userinfo(table: Table) -> tuple[Table, dict[str, str]]:
    """Split what signs in (``user:password``) from the addresses of a catalog.

    Returns:
        The catalog with addresses that hold none, and what was taken out by the address that it is for: the first, if
        one address is listed with several.
    """
    found: dict[str, str] = {}
    for name in (*_REQUESTED, *_SHOWN):
        listed = catalog.column_of(table, name).cast(pa.string())
        rows = _holding(listed)
        if not len(rows):
            continue
        clean = drop_userinfo(listed)
        if name in _REQUESTED:
            who = pc.struct_field(pc.extract_regex(listed.take(rows), USERINFO), "userinfo").to_pylist()
            found = dict(zip(reversed(clean.take(rows).to_pylist()), reversed(who), strict=True)) | found
        table = catalog.with_columns(table, {name: clean})
    return table, found


def drop_userinfo(addresses: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Take names and passwords out of addresses; what is no address stays as it is."""
    return pc.replace_substring_regex(addresses, USERINFO, r"\1") if len(_holding(addresses)) else addresses


def _holding(addresses: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Number the rows whose address holds any: few addresses have the sign, fewer before their host."""
    signed = number_rows(pc.match_substring(addresses, "@"))
    return signed.take(number_rows(pc.match_substring_regex(addresses.take(signed), USERINFO)))
