"""Collages and framed pictures are found by the hash of a part, few strangers with them."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from curator.matching import candidates
from curator.matching.candidates import find_candidates
from curator.matching.luma_signatures import pack_signatures
from curator.matching.parts import match_parts
from curator.matching.perceptual_hash import hash64, transform
from curator.matching.picture_matches import join_matches
from curator.matching.pictures import Pictures
from curator.observe.observation import observe_image
from tests.small_worlds import picture


def detailed(seed):
    """A picture with small things and large ones."""
    fine = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (15, 20, 3), dtype=np.uint8))
    return Image.blend(picture(seed, (320, 240)), fine.resize((320, 240), Image.Resampling.BICUBIC), 0.5)


def read(images, tmp_path):
    """As the catalog has them."""
    seen = []
    for number, image in enumerate(images):
        image.save(path := tmp_path / f"{number}.png")
        seen.append(observe_image(path.read_bytes(), max_pixels=1_000_000))
    return Pictures.unpack(*zip(*((one.phash_turns, one.phash256, one.thumbnail) for one in seen), strict=True))


def sheet(cells, columns):
    """Pictures of one size, side by side and below one another."""
    width, height = cells[0].size
    made = Image.new("RGB", (width * columns, height * (len(cells) // columns)))
    for k, cell in enumerate(cells):
        made.paste(cell, (k % columns * width, k // columns * height))
    return made


WITHIN = {
    "left half": lambda one, others: sheet([one, others[0]], 2),
    "lower half": lambda one, others: sheet([others[0], one], 1),
    "quarter": lambda one, others: sheet([others[0], others[1], one, others[2]], 2),
    "border": lambda one, others: ImageOps.expand(one, 24, "white"),
    "letterbox": lambda one, others: ImageOps.expand(one, (0, 40), "black"),
    "square": lambda one, others: ImageOps.pad(one, (320, 320), color="#dddddd"),
}


@pytest.mark.parametrize("kind", WITHIN)
def test_what_is_within_another_picture_is_found(kind, tmp_path):
    """By hashes alone, of ten pictures nearly all; and the other pictures in the collage are found in it, too."""
    wholes = [detailed(seed) for seed in range(10)]
    others = [detailed(seed) for seed in range(50, 53)]
    pictures = read([*wholes, *(WITHIN[kind](one, others) for one in wholes)], tmp_path)
    found = join_matches(match_parts(pictures, 10, lambda i, j: i != j))
    pairs = set(zip(found.i.tolist(), found.j.tolist(), strict=True))
    assert len(pairs & {(10 + k, k) for k in range(10)}) >= 9
    assert not {(i, j) for i, j in pairs if j < 10 and i != 10 + j}


def test_nothing_is_asked_that_is_not_wanted(tmp_path):
    """And pictures without a signature are in no pair."""
    images = [detailed(0), ImageOps.expand(detailed(0), 24, "white")]
    pictures = read(images, tmp_path)
    assert len(join_matches(match_parts(pictures, 10, lambda i, j: np.zeros(len(i), bool))).i) == 0
    unknown = Pictures(pictures.hashes, pictures.hashes256, pictures.signatures, np.full(2, -1))
    assert len(join_matches(match_parts(unknown, 10, lambda i, j: i != j)).i) == 0


def test_where_many_are_like_a_part_of_many_few_are_compared(monkeypatch):
    """Dots in a clear sky: a half of one is like a whole other one, the more often the more there are."""
    monkeypatch.setattr(candidates, "MOST", most := 2)
    monkeypatch.setattr(candidates, "_match_few_crops", lambda *_: join_matches([]))
    chance, sky = np.random.default_rng(0), np.linspace(40, 220, 128)[:, None]
    lumas = np.empty((600, 32, 32), np.uint8)
    for luma in lumas:
        scene = np.tile(sky, (1, 128))
        top, left = chance.integers(8, 116, 2)
        scene[top : top + 7, left : left + 7] = 0
        luma[:] = scene.reshape(32, 4, 32, 4).mean((1, 3))
    hashes = [int(one).to_bytes(8) * 8 for one in hash64(transform(lumas))]
    pictures = Pictures.unpack(hashes, [chance.bytes(32) for _ in hashes], pack_signatures(lumas))
    many = join_matches(match_parts(pictures, 10, lambda i, j: i != j))
    assert len(set(zip(many.i.tolist(), many.j.tolist(), strict=True))) > 2 * most * len(lumas)
    assert len(find_candidates(pictures, 10, rotations=False)[0]) <= 2 * most * len(lumas)
