"""Cut the rows of a wave into fragments: a family of hosts, and whatever requests one address, goes into one. Pure.

A family with more rows than a fragment may have is cut by its addresses. What requests one address, as its own or as
its fallback, stays together, and what shares an address with that, too, so that nothing is requested twice.

>>> table = catalog.conform(pd.DataFrame({"url": [f"http://{n % 3}.example/{n}" for n in range(9)]}))
>>> [fragment.tolist() for fragment in cut(table, parse_rows(table), most_rows=4)]
[[0, 3, 6], [1, 4, 7], [2, 5, 8]]
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator import catalog as catalog
from curator.addresses import host_family
from curator.fetch.row_addresses import RowAddresses
from curator.fetch.row_addresses import parse_rows as parse_rows
from curator.matching.components import label_components

Rows = npt.NDArray[np.intp]


def hash64(text: str) -> int:
    """Hash a text to 64 bits, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def cut(table: pd.DataFrame, rows: RowAddresses, most_rows: int) -> list[Rows]:
    """Divide rows that request something into fragments.

    Args:
        table: a catalog; the order of its rows within a fragment is that of ``record_id``.
        rows: its addresses.
        most_rows: rows of a fragment; more only if they share addresses.

    Returns:
        The numbers of the rows of each fragment; together each row once. Which rows are together depends on these rows
        alone, not on their order.
    """
    families = np.array([hash64(host_family(name)) for name in rows.host_names.to_pylist()], np.uint64)
    together = _together(table, rows)
    family = _least(families[rows.hosts], together)
    _, place, counts = np.unique(family, return_inverse=True, return_counts=True)
    unit = place.astype(np.int64)
    sizes = np.where(counts > most_rows, 0, counts).tolist()
    for number in np.flatnonzero(counts > most_rows):
        large = np.flatnonzero(place == number)
        pieces = _pieces(table, large, together, most_rows)
        unit[large] = len(sizes) + pieces
        sizes += [most_rows] * (int(pieces.max()) + 1)
    fragment = _pack(sizes, most_rows)[unit]
    ids = table["record_id"].to_numpy(dtype=object) if table["record_id"].notna().all() else np.arange(len(table))
    order = np.lexsort([ids.astype(str), fragment]) if len(table) else np.empty(0, np.intp)
    _, starts = np.unique(fragment[order], return_index=True)
    return [part for part in np.split(order, starts[1:]) if len(part)]


def _together(table: pd.DataFrame, rows: RowAddresses) -> Rows:
    """Number the rows so that those have one number that share an address, be it by way of other rows."""
    coded = catalog.as_arrow(pa.chunked_array(rows.addresses(table))).dictionary_encode()
    numbers = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    first, second = numbers[: len(table)], numbers[len(table) :]
    has_both = (first >= 0) & (second >= 0)
    label = label_components(len(coded.dictionary), first[has_both], second[has_both])
    together: Rows = label[first].astype(np.intp)
    return together


def _least(values: npt.NDArray[np.uint64], together: Rows) -> npt.NDArray[np.uint64]:
    """Return for each row the least value of the rows that are together with it, whatever their order."""
    least = np.full(together.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, together, values)
    return least[together]


def _pieces(table: pd.DataFrame, large: Rows, together: Rows, most_rows: int) -> Rows:
    """Cut the rows of one large family into pieces, about equal ones."""
    hashes = np.array([hash64(text) for text in table["url"].take(large)], np.uint64)
    least = _least(hashes, together[large])
    place = np.searchsorted(np.sort(least), least)
    n_pieces = -(-len(large) // most_rows)
    return (place * n_pieces // len(large)).astype(np.intp)


def _pack(sizes: list[int], most_rows: int) -> Rows:
    """Number the fragment of each of some groups of rows: as many in a row as fit."""
    numbers, number, n_rows = np.empty(len(sizes), np.intp), 0, 0
    for place, size in enumerate(sizes):
        if n_rows and n_rows + size > most_rows:
            number, n_rows = number + 1, 0
        numbers[place], n_rows = number, n_rows + size
    return numbers
