"""The altered files: each is what it is said to be, as the real observer sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from curator.catalog import Drop
from curator.demo import alterations
from curator.demo.drawing.scenes import draw_scene, encode_jpeg
from curator.matching.perceptual_hash import distance64, unpack_orientations
from curator.observe.observation import observe_image

PICTURE = encode_jpeg(draw_scene("rugby", (77,)), 90)
MAX_PIXELS = 100_000_000


def distance(copy: bytes) -> int:
    """Give the least distance between the copy and the picture in any turn."""
    first, second = (observe_image(data, max_pixels=MAX_PIXELS) for data in (PICTURE, copy))
    assert first.phash_turns is not None
    assert second.phash is not None
    return int(distance64(unpack_orientations([first.phash_turns]), second.phash).min())


@pytest.mark.parametrize(
    "copy",
    [
        alterations.resized(PICTURE, 0.6),
        alterations.reencoded(PICTURE, 50),
        alterations.mirrored(PICTURE),
        alterations.rotated(PICTURE, 1),
        alterations.exif_turned(PICTURE),
        alterations.as_png(PICTURE),
    ],
    ids=["resized", "reencoded", "mirrored", "rotated", "exif-turned", "png"],
)
def test_copies_are_other_bytes_but_near_in_hash(copy: bytes) -> None:
    """Each copy differs in its bytes and is within 4 bits of the picture in some turn."""
    assert copy != PICTURE
    assert distance(copy) <= 4


def test_an_exif_turned_picture_stands_upright_again() -> None:
    """Orientation 6 is honoured: the observed size and hash are the upright picture's."""
    upright = observe_image(PICTURE, max_pixels=MAX_PIXELS)
    turned = observe_image(alterations.exif_turned(PICTURE), max_pixels=MAX_PIXELS)
    assert (turned.width, turned.height, turned.orientation) == (upright.width, upright.height, 6)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (alterations.HTML_PAGE, Drop.NOT_AN_IMAGE),
        (b"", Drop.EMPTY),
        (alterations.truncated(PICTURE), Drop.TRUNCATED),
        (alterations.corrupted(PICTURE), Drop.CORRUPT),
        (alterations.pixel_bomb(), Drop.TOO_MANY_PIXELS),
    ],
    ids=["html", "empty", "truncated", "corrupt", "bomb"],
)
def test_broken_files_have_the_flaw_that_was_planted(data: bytes, reason: Drop) -> None:
    """The observer gives exactly the planted reason."""
    assert observe_image(data, max_pixels=MAX_PIXELS).flaw == reason


@pytest.mark.parametrize(
    ("make", "sides"), [(alterations.tiny, (48, 36)), (alterations.banner, (560, 80))], ids=["tiny", "banner"]
)
def test_sound_but_unusable_pictures_have_the_planted_size(
    make: Callable[[bytes], bytes], sides: tuple[int, int]
) -> None:
    """A thumbnail and a strip are sound files: only their size is wrong."""
    seen = observe_image(make(PICTURE), max_pixels=MAX_PIXELS)
    assert (seen.width, seen.height, seen.flaw) == (*sides, None)


def test_the_placeholder_is_the_same_bytes_each_time_and_on_no_list() -> None:
    """It can be found only as bytes that many URLs share."""
    assert alterations.placeholder() == alterations.placeholder()
    assert observe_image(alterations.placeholder(), max_pixels=MAX_PIXELS).flaw is None
