"""Cut the rows of a wave into fragments: a family of hosts, and whatever requests one address, goes into one. Pure.

A family with more rows than a fragment may have is cut by its addresses. What requests one address, as its own or as
its fallback, stays together, so that nothing is requested twice.

>>> table = catalog.conform(pd.DataFrame({"url": [f"http://{n % 3}.example/{n}" for n in range(9)]}))
>>> [fragment.tolist() for fragment in cut(table, parse_rows(table), most_rows=4)]
[[1, 4, 7], [0, 3, 6], [2, 5, 8]]
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.addresses import host_family
from curator.fetch.row_addresses import RowAddresses
from curator.fetch.row_addresses import parse_rows as parse_rows

Rows = npt.NDArray[np.intp]


def hash64(text: str) -> int:
    """Hash a text to 64 bits, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def cut(table: pd.DataFrame, rows: RowAddresses, most_rows: int) -> list[Rows]:
    """Divide rows that request something into fragments.

    Args:
        table: a catalog; the order of its rows within a fragment is that of ``record_id``.
        rows: its addresses.
        most_rows: rows of a fragment, about.

    Returns:
        The numbers of the rows of each fragment; together each row once. Which rows are together depends on these rows
        alone, not on their order.
    """
    n_fragments = -(-len(table) // most_rows)
    families = np.array([hash64(host_family(name)) for name in rows.host_names.to_pylist()], np.uint64)
    addresses, hosts = _keys(table, rows)
    family = families[hosts]
    fragment = (family % np.uint64(max(1, n_fragments))).astype(np.int64)
    for name, count in zip(*np.unique(family, return_counts=True), strict=True):
        if count > most_rows:
            large = np.flatnonzero(family == name)
            hashes = [hash64(text) for text in addresses.take(pa.array(large)).to_pylist()]
            distinct, place = np.unique(np.array(hashes, np.uint64), return_inverse=True)
            n_pieces = -(-count // most_rows)
            fragment[large] = n_fragments + place * n_pieces // len(distinct)
            n_fragments += n_pieces
    ids = table["record_id"].to_numpy(dtype=object) if table["record_id"].notna().all() else np.arange(len(table))
    order = np.lexsort([ids.astype(str), fragment]) if len(table) else np.empty(0, np.intp)
    _, starts = np.unique(fragment[order], return_index=True)
    return [part for part in np.split(order, starts[1:]) if len(part)]


def _keys(table: pd.DataFrame, rows: RowAddresses) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Return the address that decides where each row goes, and its host.

    It is the row's own, or its fallback if another row requests that too.
    """
    first, second = (pa.chunked_array([column]).combine_chunks() for column in rows.addresses(table))
    both = pa.concat_arrays([first, second]).drop_null()
    counted = pc.value_counts(both)
    often = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    shared = pc.and_(pc.is_valid(second), pc.is_in(second, value_set=often))
    by_second = shared.to_numpy(zero_copy_only=False)
    return pc.if_else(shared, second, first), np.where(by_second, rows.fallback_hosts, rows.hosts)
