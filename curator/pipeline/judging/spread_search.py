"""Search near hashes on a cluster: every machine gets all of them once, and of the queries the slices that it looks up.

Which pairs are found does not depend on how the search is cut: each query meets each hash in one part.

>>> spread_search(None) is None
True
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from curator.fetch.cluster.spread import Spread
from curator.manifests.project import Project
from curator.matching.buckets import UInt64s
from curator.matching.hamming import Part, Search, cut_search, search_part
from curator.matching.multi_index import Pairs

_PARTS_A_CORE = 4


def open_spread(project: Project) -> Spread | None:
    """Connect to the cluster that the recipe names; None if this machine does all.

    Raises:
        CuratorError: see :class:`Spread`.
    """
    engine = project.recipe.engine
    return Spread(engine, project.paths.folder, project.emit) if engine.kind == "ray" else None


def spread_search(spread: Spread | None) -> Search | None:
    """Return what searches on a cluster, if there is one."""
    if spread is None:
        return None

    def search(queries: UInt64s | None, hashes: UInt64s, radius: int) -> Iterator[Pairs]:
        n_queries = None if queries is None else len(queries)
        cut = cut_search(n_queries, len(hashes), _PARTS_A_CORE * spread.n_cores)
        cut = [part for part in cut if part[0] < part[1] and part[2] < part[3]]
        parts = ((part,) for part in cut) if queries is None else _with_queries(spread, cut, queries)
        return spread.map(search_part, (hashes, radius), parts)

    return search


def _with_queries(spread: Spread, cut: list[Part], queries: UInt64s) -> Iterator[tuple[Part, Any]]:
    """Put each slice of the queries onto the cluster once, when the first part of it is due."""
    held, kept = None, None
    for part in cut:  # those of one slice are together
        if held != part[:2]:
            held, kept = part[:2], spread.put(np.ascontiguousarray(queries[slice(*part[:2])]))
        yield part, kept
