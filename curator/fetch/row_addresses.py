"""The addresses that the rows of a catalog request, in Arrow columns; their hosts are parsed once a fetch.

>>> table = catalog.conform(pa.table({"url": ["http://h.example/1", "ftp://x"], "local_path": [None, "/b.jpg"]}))
>>> rows = parse_rows(table)
>>> [column.to_pylist() for column in rows.addresses(table)], rows.host_names.to_pylist(), rows.hosts.tolist()
([['http://h.example/1', 'file:/b.jpg'], [None, None]], ['h.example'], [0, -1])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.addresses import parse_addresses
from curator.fetch.ledger.schema import FILE_SCHEME

if TYPE_CHECKING:
    import pandas as pd

IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True)
class RowAddresses:
    """What the rows of one catalog request.

    Attributes:
        host_names: each host once, lower case, with its port; Arrow strings.
        hosts: the host of each row's ``url``, -1 for a local file and if no request can be made; int32 (rows,).
        fallback_hosts: the same of ``fallback_url``.
    """

    host_names: pa.Array
    hosts: IntArray
    fallback_hosts: IntArray

    def addresses(self, table: pd.DataFrame | pa.Table) -> tuple[pa.Array, pa.Array]:
        """Return each row's address (``file:PATH`` for a local file) and its fallback; null if it has none.

        Both are of one kind, the wide one if any of the columns is: see :data:`curator.catalog.WIDE`.
        """
        columns = [catalog.as_arrow(table[name], pa.string()) for name in _COLUMNS]
        kind = pa.string() if all(one.type == pa.string() for one in columns) else pa.large_string()
        url, second, path = (one.cast(kind) for one in columns)
        file = pc.binary_join_element_wise(pa.scalar(FILE_SCHEME, kind), path, pa.scalar("", kind))
        web = pc.if_else(pa.array(self.hosts >= 0), url, file)
        return web, pc.if_else(pa.array(self.fallback_hosts >= 0), second, None)

    def host_of_rows(self) -> pa.Array:
        """Return the host of each row's ``url``; null for a local file and if no request can be made."""
        return self.host_names.take(pa.array(self.hosts, mask=self.hosts < 0))

    def is_requestable(self, table: pd.DataFrame | pa.Table) -> pa.Array:
        """Return whether each row has an address that can be requested or read."""
        path = catalog.as_arrow(table["local_path"], pa.string())
        return pc.or_(pa.array(self.hosts >= 0), pc.is_valid(path))


_COLUMNS = ("url", "fallback_url", "local_path")


def parse_rows(table: pd.DataFrame | pa.Table) -> RowAddresses:
    """Parse the hosts of a catalog's addresses; a local file needs no host."""
    url, second, path = (catalog.as_arrow(table[name], pa.string()) for name in _COLUMNS)
    hosts_of_both = pa.chunked_array([parse_addresses(urls).host for urls in (url, second)], pa.string())
    coded = hosts_of_both.combine_chunks().dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    hosts, fallback_hosts = codes[: len(table)], codes[len(table) :]
    hosts[path.is_valid().to_numpy(zero_copy_only=False)] = -1
    return RowAddresses(coded.dictionary, hosts, fallback_hosts)
