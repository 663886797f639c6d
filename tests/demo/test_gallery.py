"""The gallery: no two scenes near enough to be taken for copies."""

from __future__ import annotations

import io
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image

from curator.demo.drawing import scenes
from curator.demo.drawing.scenes import draw_gallery, draw_scene

N = 12


def turned_hashes(data: bytes) -> list[Any]:
    picture = Image.open(io.BytesIO(data))
    return [imagehash.phash(picture), *(imagehash.phash(picture.transpose(turn)) for turn in Image.Transpose)]


def test_no_two_scenes_are_within_ten_bits_in_any_turn() -> None:
    """By imagehash itself, on the JPEG files, in all eight turns: every pair is more than 10 bits apart."""
    drawn = draw_gallery(seed=4, n_per_label=N)
    hashes = [turned_hashes(data) for pictures in drawn.values() for data in pictures]
    assert len(hashes) == 2 * N
    for index, turns in enumerate(hashes):
        for earlier in hashes[:index]:
            assert min(turns[0] - other for other in earlier) > 10


def test_a_scene_like_an_earlier_one_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene that comes out as the mirror image of another is rejected, and the next attempt taken."""
    attempts = []

    def draw(label: str, seed: tuple[int, ...]) -> Any:
        attempts.append((label, *seed))
        image = draw_scene("rugby", (0,)) if seed[-1] == 0 else draw_scene(label, seed)
        return image[:, ::-1].copy() if label == "soccer" else image

    monkeypatch.setattr(scenes, "draw_scene", draw)
    drawn = draw_gallery(seed=9, n_per_label=1)
    assert ("soccer", 9, 0, 1) in attempts
    assert ("rugby", 9, 0, 1) not in attempts
    assert drawn["rugby"] != drawn["soccer"]


def test_a_seed_gives_the_same_files() -> None:
    """The same seed gives the same JPEG bytes, whatever thread drew them; a larger gallery begins with them."""
    small, large = draw_gallery(seed=6, n_per_label=2), draw_gallery(seed=6, n_per_label=3)
    assert {label: files[:2] for label, files in large.items()} == small
    assert len({data for files in large.values() for data in files}) == 6
    assert np.frombuffer(small["rugby"][0][:2], np.uint8).tolist() == [0xFF, 0xD8]
