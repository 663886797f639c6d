"""Search near hashes on a cluster: every machine gets all of them once, and searches slices of queries in blocks.

Which pairs are found does not depend on how the search is cut: each query meets each hash in one part.
"""

from __future__ import annotations

from collections.abc import Iterator

from curator.fetch.cluster.spread import Spread
from curator.matching.buckets import UInt64s
from curator.matching.hamming import Search, cut_search, search_part
from curator.matching.multi_index import Pairs

_PARTS_A_CORE = 4


def spread_search(spread: Spread) -> Search:
    """Return what searches on a cluster."""

    def search(queries: UInt64s | None, hashes: UInt64s, radius: int) -> Iterator[Pairs]:
        n_queries = None if queries is None else len(queries)
        parts = cut_search(n_queries, len(hashes), _PARTS_A_CORE * spread.n_cores)
        return spread.map(search_part, (queries, hashes, radius), parts)

    return search
