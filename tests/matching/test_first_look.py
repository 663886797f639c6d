"""Copies pass the first look, however they were cropped or framed, and few strangers; who is beside decides nothing."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from curator.matching import first_look
from curator.matching.first_look import look_again, may_be_one
from curator.matching.luma_signatures import pack_signatures
from curator.matching.neighbours import Neighbours
from curator.matching.pictures import Pictures
from tests.small_worlds import picture


def signature(image):
    """As the catalog has it, but for how it is made small."""
    return pack_signatures(np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), np.uint8)[None])[0]


def detailed(seed):
    """A picture with small things and large ones."""
    fine = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (15, 20, 3), dtype=np.uint8))
    return Image.blend(picture(seed, (320, 240)), fine.resize((320, 240), Image.Resampling.BICUBIC), 0.5)


def look(images, lead=0.0, cosine=0.6):
    """Compare the first image with each of the others."""
    pictures = Pictures.unpack([bytes(64)] * len(images), [bytes(32)] * len(images), [signature(one) for one in images])
    n = len(images) - 1
    values = np.full(n, cosine, np.float32), np.full(n, lead, np.float32)
    return may_be_one(pictures, Neighbours(np.zeros(n, np.intp), np.arange(1, n + 1), *values))


def in_collage(image, other):
    """Both, side by side."""
    sheet = Image.new("RGB", (640, 240))
    sheet.paste(other, (0, 0))
    sheet.paste(image, (320, 0))
    return sheet


def on_white(image):
    """The middle of it, cut out."""
    mask = Image.new("L", image.size)
    mask.paste(255, (60, 45, 260, 195))
    return Image.composite(image, Image.new("RGB", image.size, "white"), mask)


COPIES = {
    "half of each side": lambda image: image.crop((90, 70, 250, 190)),
    "mirrored crop": lambda image: ImageOps.mirror(image.crop((30, 20, 290, 230))),
    "border": lambda image: ImageOps.expand(image, 30, "black"),
    "letterbox": lambda image: ImageOps.expand(image, (0, 40), "black"),
    "collage": lambda image: in_collage(image, picture(99, (320, 240))),
    "rotated": lambda image: image.rotate(4, Image.Resampling.BICUBIC).crop((16, 12, 304, 228)),
    "cut-out": on_white,
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_pass_though_they_hardly_lead(kind):
    """In a set full of look-alikes the copy leads by a twentieth: its signature says the rest."""
    for seed in range(8):
        whole = detailed(seed)
        assert look([whole, COPIES[kind](whole)], lead=0.05).all(), seed


def test_most_strangers_do_not_pass():
    """Pictures of coarse noise, which lead by nothing."""
    assert look([detailed(seed) for seed in range(60)]).sum() <= 3


def test_what_leads_far_or_has_no_signature_passes():
    """A thing that was turned has another signature; an unknown one says nothing."""
    strangers = [detailed(seed) for seed in range(4)]
    assert look(strangers, lead=0.11, cosine=0.82).all()
    unknown = Pictures.unpack([bytes(64)] * 2, [bytes(32)] * 2, [signature(strangers[0]), None])
    nothing = np.zeros(1, np.float32)
    assert may_be_one(unknown, Neighbours(np.array([0]), np.array([1]), nothing, nothing)).all()


def test_it_does_not_matter_who_is_beside(monkeypatch):
    """Whole numbers are summed, so blocks and order change no bit of a correlation."""
    images = [detailed(seed) for seed in range(12)]
    images += [image.crop((20 * k, 10, 300, 200)) for k, image in enumerate(images)]
    greys = np.concatenate(
        [Pictures.unpack([bytes(64)], [bytes(32)], [signature(one)]).read_signatures(np.array([0])) for one in images]
    )
    cells = first_look.halve(greys)
    i, j = (side.ravel() for side in np.triu_indices(len(images), 1))
    together = first_look.find_within(cells, i, j)
    monkeypatch.setattr(first_look, "_BLOCK", 3)
    order = np.random.default_rng(0).permutation(len(i))
    apart = first_look.find_within(cells, i[order], j[order])
    for name in ("correlation", "size", "top", "left", "is_mirrored"):
        assert np.array_equal(getattr(together, name)[order], getattr(apart, name))


def test_what_has_a_copy_is_looked_at_again_with_other_pictures():
    """Pictures 0 and 1 are one, and linked already; 3 and 2 have no copy; 4 does not lead."""
    i, j = np.array([0, 0, 1, 2, 1]), np.array([1, 2, 2, 3, 4])
    near = Neighbours(i, j, np.full(5, 0.9, np.float32), np.array([0.5, 0.1, 0.2, 0.3, 0.0], np.float32))
    has_copy = np.array([True, True, False, False, False])
    assert look_again(near, np.array([0, 0, 2, 3, 4]), has_copy).tolist() == [False, True, True, False, False]
