"""Ranks by several keys, and of texts by their bytes, are those of a plain sort."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curator.decide.ranks import rank_by, rank_by_text

ALPHABETS = ["ab", "a\0", "aé\U0001f3c9", "0123456789abcdef"]


def ranks_of(values, key):
    order = sorted(range(len(values)), key=lambda place: (key(values[place]), place))
    return np.argsort(order).tolist()


def by_bytes(text):
    return (text is None, b"" if text is None else text.encode())


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("longest", [0, 1, 3, 8, 9, 30])
@pytest.mark.parametrize("before", ["", "open-images-", "x"])
def test_texts_are_ranked_by_their_bytes(alphabet, longest, before):
    chance = random.Random(f"{alphabet} {longest} {before}")
    for n in (0, 1, 2, 300):
        texts = [before + "".join(chance.choices(alphabet, k=chance.randint(0, longest))) for _ in range(n)]
        assert rank_by_text(pa.array(texts, pa.string())).tolist() == ranks_of(texts, by_bytes)
        some = [None if chance.random() < 0.2 else text for text in texts]
        assert rank_by_text(pa.array(some, pa.large_string())).tolist() == ranks_of(some, by_bytes)
        part = pa.array(["ahead", *some], pa.string()).slice(1)
        assert rank_by_text(part).tolist() == ranks_of(some, by_bytes)


def test_texts_that_end_with_zeros_come_after_those_that_do_not():
    texts = ["a" * 8 + "\0" * 9, "a" * 8, "a" * 8 + "\0", "a" * 8 + "\0" * 8 + "b", "a" * 7]
    assert rank_by_text(pa.array(texts)).tolist() == [3, 1, 2, 4, 0]


def test_missing_texts_keep_their_order_whatever_bytes_lie_under_them():
    texts = pc.if_else(
        pa.array([True, False, True, False]), pa.scalar(None, pa.string()), pa.array(["z", "b", "a", "c"])
    )
    assert rank_by_text(texts).tolist() == [2, 0, 3, 1]


def test_texts_that_are_alike_for_megabytes_are_ranked_at_once():
    alike = "a" * 5_000_000
    assert rank_by_text(pa.array([f"{alike}b", "b", f"{alike}a", alike, f"{alike}a"])).tolist() == [3, 4, 1, 0, 2]


@pytest.mark.parametrize("n", [0, 1, 500])
@pytest.mark.parametrize("n_values", [1, 2, 30])
def test_rows_are_ranked_by_the_first_key_then_by_the_next(n, n_values):
    chance = np.random.default_rng([n, n_values])
    keys = chance.integers(0, 2, n) > 0, chance.integers(-n_values, n_values, n), chance.random(n).round(1)
    rows = list(zip(*(key.tolist() for key in keys), strict=True))
    assert rank_by(*keys).tolist() == ranks_of(rows, lambda row: row)
