"""Whoever searches near hashes, and in whatever order pairs come: the same is decided, down to what is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from curator import catalog
from curator.decide.dedupe import find_duplicates
from curator.decide.elsewhere import describe_elsewhere, find_elsewhere, other_images
from curator.manifests.settings import DedupeSettings
from curator.matching import hamming, picture_matches
from curator.matching.hamming import find_indexed, find_indexed_pairs, index_hashes
from curator.matching.luma_signatures import pack_signatures
from curator.matching.multi_index import Pairs
from curator.matching.perceptual_hash import hash256, orientation_bytes, transform
from tests.decide.rows import shuffled
from tests.matching.test_crops import drawings, shrink


class Elsewhere:
    """A search that is done elsewhere: it mixes the pairs."""

    def __init__(self, seed: int) -> None:
        self.chance, self.n_calls, self.n_found = np.random.default_rng(seed), 0, 0

    def __call__(self, queries: np.ndarray | None, hashes: np.ndarray, radius: int) -> Iterator[Pairs]:
        self.n_calls += 1
        index = index_hashes(hashes, radius)
        for found in find_indexed_pairs(index) if queries is None else find_indexed(index, queries):
            self.n_found += len(found)
            order = self.chance.permutation(len(found))
            yield Pairs(found.i[order], found.j[order], found.distance[order])


@pytest.fixture
def no_search_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process searches nothing but what it is called for."""

    def refuse(*given: object) -> None:
        raise AssertionError("searched here")

    for module in (hamming, picture_matches):
        monkeypatch.setattr(module, "index_hashes", refuse)


def columns() -> tuple[int, dict[str, list[object]]]:
    """What is known of pictures, crops of them, copies turned, and the same once more, to differ by their bytes."""
    whole = drawings(12)
    crops, turned = whole[:, :576, :576], whole[:, :, ::-1]
    grey = np.full((1, 640, 640), 90.0)
    both = np.concatenate([shrink(one) for one in (whole, crops, turned, np.concatenate([grey, whole[:3] * 0.9]))])
    spectra = transform(both)
    turns = [row.tobytes() for row in orientation_bytes(spectra)]
    facts = {
        "sha256": [f"{n:064x}" for n in range(len(both))],
        "phash": [int.from_bytes(turn[:8]) for turn in turns],
        "phash_turns": turns,
        "phash256": [row.tobytes() for row in hash256(spectra)],
        "thumbnail": list(pack_signatures(both)),
    }
    return len(both), facts


def table_of(n: int, facts: dict[str, list[object]]) -> pd.DataFrame:
    ids = [f"x-{number:03d}" for number in range(n)]
    rows = {"record_id": ids, "label": "a", "source": "x", "kind": "x", "tier": 0, "detail": 40.0}
    return catalog.conform(pd.DataFrame(rows | facts))


@pytest.mark.parametrize("seed", range(3))
def test_dedupe_decides_the_same(no_search_here, monkeypatch, seed: int) -> None:
    """Copies as they are, turned and cropped, each found by the search that it is given."""
    table, search = shuffled(table_of(*columns()), seed), Elsewhere(seed)
    there = find_duplicates(table, DedupeSettings(), ("a",), search=search)
    assert search.n_calls >= 2 and search.n_found
    monkeypatch.undo()
    pd.testing.assert_frame_equal(there, find_duplicates(table, DedupeSettings(), ("a",)))
    assert there["drop_reason"].notna().sum() > 12  # those turned, and crops


@pytest.mark.parametrize("is_bare", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_same_is_found_elsewhere(no_search_here, monkeypatch, seed: int, is_bare: bool) -> None:
    """Of several that are equally near, one is named, whichever pair comes first."""
    n, facts = columns()
    table, search = table_of(n, facts), Elsewhere(seed)
    others = {"phash": facts["phash"] * 2} if is_bare else {name: column * 2 for name, column in facts.items()}
    if not is_bare:
        others["sha256"] = [f"{n:064x}" for n in range(1_000, 1_000 + 2 * n)]
        others["detail"] = [40.0] * 2 * n
    there = other_images([f"{k}.jpg" for k in range(2 * n)], **others)
    found = find_elsewhere(table, there, DedupeSettings(), search=search).matches
    assert search.n_calls >= 2 and search.n_found
    monkeypatch.undo()
    alone = find_elsewhere(table, there, DedupeSettings()).matches
    assert describe_elsewhere(table, found, there) == describe_elsewhere(table, alone, there)
    assert len(alone.i) >= 36
