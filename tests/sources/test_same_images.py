"""What tells rows of millions apart a part at a time says the same as what looks at all of them at once."""

from __future__ import annotations

import hashlib
import random

import pyarrow as pa
import pytest

from curator.sources import same_images
from curator.sources.open_images import sorted_ids
from curator.sources.same_images import is_first_of_same, number_of, numbered_by_side, numbers_of_images


def rows_of(n: int, seed: int) -> pa.Table:
    draw = random.Random(seed)
    rows = [
        {"label": draw.choice("ab"), "key": f"http://e.org/{draw.randrange(n // 3)}", "listed_split": side}
        for side in draw.choices(["train", "test", None], k=n)
    ]
    table = pa.Table.from_pylist(rows)
    return pa.concat_tables([table.slice(0, n // 4), table.slice(n // 4)])


@pytest.mark.parametrize("at_once", [1, 7, 1 << 17])
def test_the_first_row_of_each_image_is_found_part_by_part(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a set of all that was seen would find it; on two sides, an image is two."""
    monkeypatch.setattr(same_images, "_COMPARED_AT_ONCE", at_once)
    for seed in range(20):
        table = rows_of(60, seed)
        numbers = numbers_of_images(table)
        pairs = list(zip(table["label"].to_pylist(), table["key"].to_pylist(), strict=True))
        assert numbers.to_pylist() == [number_of(*pair) for pair in pairs]
        assert is_first_of_same(numbers).tolist() == [pair not in pairs[:row] for row, pair in enumerate(pairs)]
        sides = [side or "" for side in table["listed_split"].to_pylist()]
        first = {pair: sides[row] for row, pair in reversed([*enumerate(pairs)])}
        apart = [
            number_of(*pair) if side == first[pair] else number_of(pair[0], f"{pair[1]}\n{side}")
            for pair, side in zip(pairs, sides, strict=True)
        ]
        assert numbered_by_side(table, numbers).to_pylist() == apart


def test_ids_of_open_images_are_found_and_divided_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest is that of the ids as they are written; parts hold each row once, in the order of their ids."""
    draw = random.Random(0)
    ids = sorted({f"{draw.getrandbits(64):016x}" for _ in range(500)})
    monkeypatch.setattr(sorted_ids, "ROWS_A_PART", 3)
    known = sorted_ids.ids_of(pa.chunked_array([sorted(ids + ids[::3])]))
    assert len(known) == len(ids)
    assert known.digest() == hashlib.sha256("\n".join(ids).encode()).hexdigest()
    others = [*ids[::7], "", "g" * 16, ids[0].upper(), ids[1] + "0", None, "0" * 16, "f" * 16]
    assert known.are_in(pa.chunked_array([others])).to_pylist() == [one in ids for one in others]
    assert known.are_in(pa.chunked_array([[one and one.encode() for one in others]])).to_pylist() == [
        one in ids for one in others
    ]
    assert len(known.beside(pa.chunked_array([ids[::2]]))) == len(ids[1::2])
    together = [f"0123456789abcd{number:02x}" for number in range(99)]  # numbered as they came
    more = sorted({f"{draw.getrandbits(64):016x}" for _ in range(400)})
    every = [*ids, *more, *together, *[ids[0]] * 9]
    shuffled = draw.sample(every, len(every))
    others = draw.sample(ids, 50)
    parts = [*sorted_ids.parts_by_id(*(pa.table({"ImageID": some}) for some in (shuffled, others)))]
    for held, column in ((sorted(every), 0), (sorted(others), 1)):
        assert [one for part in parts for one in sorted(part[column]["ImageID"].to_pylist())] == held
    many = [part for part, _ in parts if part.num_rows > 3]
    assert len(many) == 1 and set(many[0]["ImageID"].to_pylist()) == {ids[0]}  # one image's rows stay together
