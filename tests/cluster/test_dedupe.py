"""What three nodes find alike is what one process finds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from curator.errors import StateError
from curator.fetch.cluster import spread as spread_module
from curator.fetch.cluster.spread import Spread
from curator.manifests.settings import EngineSettings
from curator.matching.hamming import collapse, find_pairs
from curator.matching.picture_matches import match_pictures
from curator.pipeline.judging.spread_search import spread_search

N_HASHES = int(os.environ.get("CURATOR_CLUSTER_HASHES", "1000000"))


def hashes_with_neighbours(n: int, seed: int) -> np.ndarray:
    """Random hashes, and of each tenth one that differs in up to 12 bits."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    near = hashes[: n // 10].copy()
    for _ in range(12):
        near ^= np.where(
            rng.random(len(near)) < 0.6, np.uint64(1) << rng.integers(0, 64, len(near), dtype=np.uint64), 0
        )
    hashes[-len(near) :] = near
    return hashes


def test_pairs_within_8_bits_are_those_of_one_process(nodes, tmp_path: Path) -> None:
    """Every pair and its distance."""
    values = collapse(hashes_with_neighbours(N_HASHES, 1)).values
    alone = find_pairs(values, 8)
    parts = list(spread_search(Spread(EngineSettings("ray", nodes.address), tmp_path))(None, values, 8))
    assert len(parts) > 3
    i, j, bits = (np.concatenate([getattr(part, name) for part in parts]) for name in ("i", "j", "distance"))
    order = np.lexsort((j, i))
    assert len(alone) > N_HASHES // 50
    assert np.array_equal(alone.i, i[order]) and np.array_equal(alone.j, j[order])
    assert np.array_equal(alone.distance, bits[order])


def test_orientations_are_searched_there_too(nodes, tmp_path: Path) -> None:
    """Queries that are not the hashes: each picture turned, against all as they are."""
    hashes = hashes_with_neighbours(8 * 120_000, 2).reshape(-1, 8)
    hashes[-12_000:, 3] = hashes[:12_000, 0]
    search = spread_search(Spread(EngineSettings("ray", nodes.address), tmp_path))
    alone, there = (match_pictures(hashes, 6, True, search=one) for one in (None, search))
    assert set(alone.rows()) == set(there.rows()) and len(alone.i) >= 12_000


def test_a_machine_with_another_version_is_refused(nodes, tmp_path: Path, monkeypatch) -> None:
    """By whoever it is asked to call something."""
    ours = spread_module.made_by()
    monkeypatch.setattr(spread_module, "made_by", lambda: ours | {"pillow": "0.1"})
    with pytest.raises(StateError, match=r"The machine .* of the cluster has pillow .* instead of 0\.1\. Install"):
        list(Spread(EngineSettings("ray", nodes.address), tmp_path).map(len, (), [()]))


def test_the_same_cluster_by_another_form_of_its_address_is_the_same(nodes, tmp_path: Path) -> None:
    """However often one command connects."""
    ray = pytest.importorskip("ray")
    ray.shutdown()
    address = f"localhost:{nodes.address.rpartition(':')[2]}"
    for _ in range(2):
        assert Spread(EngineSettings("ray", address), tmp_path).n_cores >= 1
    ray.shutdown()
