"""The nearest neighbours are those that comparing all with all finds, whatever the order, few pictures or many."""

import numpy as np
import pytest

from curator.matching import neighbours
from curator.matching.neighbours import Neighbours, find_neighbours


def by_definition(features, most, least):
    """Every pair of which one is among the other's ``most`` nearest."""
    whole = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosine = whole @ whole.T
    np.fill_diagonal(cosine, -2)
    pairs = set()
    for i, row in enumerate(cosine):
        for j in np.argsort(-row, kind="stable")[:most]:
            if row[j] >= least:
                pairs.add((min(i, int(j)), max(i, int(j))))
    return pairs


@pytest.mark.parametrize("n", [0, 1, 2, 70, 900])
def test_they_are_those_of_the_definition(n):
    """Also where the search keeps a bar from groups of 64."""
    features = np.abs(np.random.default_rng(n).normal(size=(n, 24))).astype(np.float32)
    found = find_neighbours(features, 3, 0.6)
    assert set(zip(found.i.tolist(), found.j.tolist(), strict=True)) == by_definition(features, 3, 0.6)
    assert (found.i < found.j).all()


def test_principal_components_lose_none(monkeypatch):
    """Of many pictures a few numbers name twice as many as are wanted, and all numbers decide."""
    monkeypatch.setattr(neighbours, "_AT_ONCE", 32)
    monkeypatch.setattr(neighbours, "_FEW", 64)
    monkeypatch.setattr(neighbours, "COMPONENTS", 64)
    chance = np.random.default_rng(0)
    base = np.abs(chance.normal(size=(40, 200)))
    features = (base[np.arange(200) % 40] + 0.3 * np.abs(chance.normal(size=(200, 200)))).astype(np.float32)
    found = find_neighbours(features, 4, 0.5)
    assert set(zip(found.i.tolist(), found.j.tolist(), strict=True)) == by_definition(features, 4, 0.5)


def test_what_is_not_wanted_takes_no_place_among_the_nearest():
    """Number 0 is theirs, 59 are look-alikes of ours and nearer to one another: each is named with it, and no other."""
    chance = np.random.default_rng(0)
    features = chance.normal(size=64) + 0.3 * chance.normal(size=(60, 64))
    found = find_neighbours(features.astype(np.float32), 16, 0.45, lambda i, j: (i == 0) != (j == 0))
    assert list(zip(found.i.tolist(), found.j.tolist(), strict=True)) == [(0, other) for other in range(1, 60)]


def test_the_nearest_of_some_are_named_by_other_numbers():
    """Each pair once, whichever of the two asks; of others nothing is named."""
    near = Neighbours(np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3]), np.array([0.5, 0.9, 0.7, 0.8], np.float32))
    for pictures, most, pairs in (([0], 1, [(0, 2)]), ([0], 2, [(0, 1), (0, 2)]), ([0, 2], 1, [(0, 2)]), ([], 3, [])):
        chosen = near.nearest_of(np.array(pictures, np.intp), most)
        assert list(zip(chosen.i.tolist(), chosen.j.tolist(), strict=True)) == pairs
    other = near.renumber(np.array([3, 5, 7, 11]))
    assert list(zip(other.i.tolist(), other.j.tolist(), strict=True)) == [(3, 5), (3, 7), (5, 11), (7, 11)]
    assert other.cosine is near.cosine
