"""Pictures whose hashes agree in so many bits that a search is slow are reported, and nothing else is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curator import catalog
from curator.decide.crowds import describe_crowd
from curator.text import spell

N = 60_000


def table_of(hashes: np.ndarray) -> pd.DataFrame:
    """A catalog of pictures with these upright hashes, and the same in all other orientations."""
    ids = [f"x-{n:06d}" for n in range(len(hashes))]
    turns = [int(value).to_bytes(8, "big") * 8 for value in hashes]
    rows = {"record_id": ids, "label": "a", "source": "x", "kind": "x", "tier": 0, "detail": 40.0}
    return catalog.conform(pd.DataFrame(rows | {"phash_turns": turns, "phash256": [bytes(32)] * len(ids)}))


def spread_evenly(n: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 2**64, n, dtype=np.uint64)


@pytest.mark.parametrize("shift", [0, 16, 32, 48])
def test_a_crowd_is_counted_and_named(shift: int) -> None:
    """Whichever sixteen bits it agrees in; the text says what it may be, and what to type."""
    hashes = spread_evenly(N)
    hashes[5_000:] &= ~np.uint64(0xFFFF << shift)
    text = spell(describe_crowd(table_of(hashes), 10) or "")
    assert text.startswith(
        "55,000 of 60,000 pictures agree in the same 16 of the 64 bits of their hashes, so that each"
    )
    assert "nearly plain or made from one template: `curator why x-005000` tells of one of them" in text
    assert text.endswith(", and `curator dedupe --max-distance 4` compares fewer and finds fewer copies.")
    assert "--max-distance" not in spell(describe_crowd(table_of(hashes), 4) or "")


def test_copies_in_a_crowd_are_counted_as_pictures() -> None:
    """Those of equal hashes, too, though they are compared once."""
    hashes = spread_evenly(N)
    hashes[5_000:] &= ~np.uint64(0xFFFF)
    hashes = np.append(hashes, hashes[5_000:6_000])
    assert spell(describe_crowd(table_of(hashes), 10) or "").startswith("56,000 of 61,000 pictures agree")


def test_no_crowd_is_seen_in_ordinary_hashes() -> None:
    """Nor in copies of one picture, whose hashes are equal and compared once; nor in a crowd that costs no time."""
    hashes = spread_evenly(N)
    assert describe_crowd(table_of(hashes), 10) is None
    few = hashes.copy()
    few[:40_000] &= ~np.uint64(0xFFFF)
    assert describe_crowd(table_of(few), 10) is None
    hashes[:] = np.uint64(12345)
    assert describe_crowd(table_of(hashes), 10) is None


def test_flat_and_dropped_pictures_are_in_no_crowd() -> None:
    """They are not compared."""
    hashes = spread_evenly(N) & ~np.uint64(0xFFFF)
    table = table_of(hashes)
    assert describe_crowd(table, 10)
    dropped = np.where(np.arange(N) < 20_000, "too-small", None).astype(object)
    assert describe_crowd(catalog.with_columns(table, {"drop_reason": dropped}), 10) is None
    flat = catalog.with_columns(table, {"detail": np.where(np.arange(N) < 20_000, 1.0, 40.0)})
    assert describe_crowd(flat, 10) is None
