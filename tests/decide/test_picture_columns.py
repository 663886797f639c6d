"""Pictures are numbered by all their hashes, in the order of the rows."""

import numpy as np
import pandas as pd
import pytest

from curator.decide import picture_columns
from curator.decide.picture_columns import number_pictures


def table_of(shorts, longs, details):
    return pd.DataFrame({"phash_turns": shorts, "phash256": longs, "detail": details})


@pytest.mark.parametrize("mixed", [picture_columns.mix, lambda values, *_: values * np.uint64(0)], ids=["well", "to 0"])
def test_equal_pictures_have_one_number_and_numbers_follow_the_rows(monkeypatch, mixed):
    """Two pictures whose words are hashed alike stay two, whatever it takes."""
    monkeypatch.setattr(picture_columns, "mix", mixed)
    chance = np.random.default_rng(3)
    shorts = [chance.bytes(64) for _ in range(20)]
    longs = [chance.bytes(32) for _ in range(3)]
    rows = [
        (shorts[chance.integers(20)], longs[chance.integers(3)], 50.0 if chance.random() < 0.9 else 0.5)
        for _ in range(400)
    ]
    rows += [(None, longs[0], 50.0), (shorts[0], None, 50.0), (shorts[0], longs[0], None)]
    expected, numbers = [], {}
    for short, long, detail in rows:
        known = short is not None and long is not None and detail == 50.0
        expected.append(numbers.setdefault((short, long), len(numbers)) if known else -1)
    table = table_of(*zip(*rows, strict=True))
    assert number_pictures(table).tolist() == expected
    assert number_pictures(table.iloc[:0]).tolist() == []


def test_two_hashes_that_differ_in_one_word_only_are_two():
    """The last word of the long hash counts as the first of the short one does."""
    one, other = bytes(63) + b"\1", bytes(31) + b"\1"
    table = table_of([bytes(64), one, bytes(64), one], [bytes(32), bytes(32), other, other], [50.0] * 4)
    assert number_pictures(table).tolist() == [0, 1, 2, 3]
