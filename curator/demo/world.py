"""The rendered world: two classes of scene over two sources, with planted trouble, each with what must become of it.

>>> from curator.demo.drawing.scenes import draw_scene, encode_jpeg
>>> pictures = [encode_jpeg(draw_scene("rugby", (0,)), 80)] * LEAST_N_PER_LABEL
>>> world = plan_world(0, {"rugby": pictures, "soccer": pictures})
>>> sorted(world.labels), any(listing.plant.kind == "mirrored-copy" for listing in world.listings)
(['rugby', 'soccer'], True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from curator.demo import alterations
from curator.demo.drawing.scenes import Gallery, draw_gallery
from curator.demo.listing import CLEAN, KEPT, NOT_LISTED, Address, Answer, LabelNames, Planner, Plant, World
from curator.reasons import Drop

LABEL_NAMES = {
    "rugby": LabelNames("n00470966", "/m/06bqd", "Rugby"),
    "soccer": LabelNames("n00478262", "/m/02vx4", "Soccer"),
}
LEAST_N_PER_LABEL = 16
PLACEHOLDER_ADDRESS = Address("farm", "/photo_unavailable.png")


def build_world(seed: int = 0, n_per_label: int = 150) -> World:
    """Draw and plan a world; the same one for the same seed and size, byte for byte.

    Args:
        seed: another seed is another world.
        n_per_label: distinct scenes a label, at least 16; trouble is planted in proportion, each kind at least once.

    Raises:
        ValueError: ``n_per_label`` is under 16.
    """
    if n_per_label < LEAST_N_PER_LABEL:
        raise ValueError(f"n_per_label must be >= {LEAST_N_PER_LABEL}, not {n_per_label}")
    return plan_world(seed, draw_gallery(seed, n_per_label))


def plan_world(seed: int, gallery: Gallery) -> World:
    """List every picture of a gallery once, some in a troublesome way, then its copies and the faulty links."""
    planner = Planner(seed, LABEL_NAMES)
    for label, pictures in gallery.items():
        deck = _Deck(planner, label, pictures)
        other = next(name for name in gallery if name != label)
        _plant_copies(deck)
        _plant_conflicts(deck, other)
        _plant_oddities(deck)
        _plant_faults(deck)
        _plant_negatives(deck, other)
        while deck.left:
            deck.list_clean(*deck.deal())
    per_class = max(1, min(map(len, gallery.values())) * 2 // 3)
    return World("demo", LABEL_NAMES, planner.numbered_listings(), planner.answers, per_class)


class _Deck:
    """One label's pictures in random order; each is dealt once."""

    def __init__(self, planner: Planner, label: str, pictures: list[bytes]) -> None:
        self.planner, self.label, self.pictures = planner, label, pictures
        self.left = [int(index) for index in planner.rng.permutation(len(pictures))]

    def count(self, share: float) -> range:
        """Return a range as long as a kind of trouble is planted often: its share of the pictures, at least once."""
        return range(max(1, round(share * len(self.pictures))))

    def deal(self) -> tuple[str, bytes]:
        """Take the next picture: its name and its file."""
        index = self.left.pop()
        return f"{self.label}-{index}", self.pictures[index]

    def peek(self) -> bytes:
        """Look at some picture without taking it: for files that are dropped before anyone compares pictures."""
        return self.pictures[int(self.planner.rng.integers(len(self.pictures)))]

    def list_clean(self, picture: str, data: bytes, expected: tuple[str, ...] = (KEPT,)) -> None:
        """List a sound picture: nine in twenty in the synset, the rest in Open Images."""
        address = self.planner.put("farm", Answer(data))
        plant = Plant(CLEAN, picture, expected)
        if self.planner.rng.random() < 0.55:
            self.planner.open_images(self.label, address, plant)
        else:
            self.planner.imagenet(self.label, address, plant)


def _plant_copies(deck: _Deck) -> None:
    """List a picture, and a copy of it in the other kind of place: one of the two must be kept."""
    rng = deck.planner.rng
    kinds: tuple[tuple[str, float, Callable[[bytes], bytes]], ...] = (
        ("exact-copy", 0.04, bytes),
        ("resized-copy", 0.035, lambda data: alterations.resized(data, rng.uniform(0.55, 0.9))),
        ("reencoded-copy", 0.035, lambda data: alterations.reencoded(data, int(rng.integers(45, 80)))),
        ("mirrored-copy", 0.03, alterations.mirrored),
        ("rotated-copy", 0.02, lambda data: alterations.rotated(data, int(rng.integers(1, 4)))),
    )
    for kind, share, alter in kinds:
        reason = Drop.EXACT_DUPLICATE if kind == "exact-copy" else Drop.NEAR_DUPLICATE
        for _ in deck.count(share):
            picture, data = deck.deal()
            expected = (KEPT, str(reason))
            deck.list_clean(picture, data, expected)
            copy = deck.planner.put("farm", Answer(alter(data)))
            deck.planner.imagenet(deck.label, copy, Plant(kind, picture, expected))


def _plant_conflicts(deck: _Deck, other: str) -> None:
    """List one picture under both labels: the same image id, the same URL, and another encoding of it."""
    for index in deck.count(0.02):
        picture, data = deck.deal()
        plant = Plant("both-labels", picture, (str(Drop.LABEL_CONFLICT),))
        address = deck.planner.put("farm", Answer(data))
        if index % 3 == 0:
            again = deck.planner.put("farm", Answer(alterations.reencoded(data, 70)))
            deck.planner.imagenet(deck.label, address, plant)
            deck.planner.imagenet(other, again, plant)
        elif index % 3 == 1:
            deck.planner.relabel(deck.planner.open_images(deck.label, address, plant), other, plant)
        else:
            deck.planner.imagenet(deck.label, address, plant)
            deck.planner.imagenet(other, address, plant)


def _plant_oddities(deck: _Deck) -> None:
    """List sound pictures in ways that a careless program would lose."""
    put = deck.planner.put
    kinds: tuple[tuple[str, float, Callable[[bytes], Address]], ...] = (
        ("slow-host", 0.027, lambda data: put("slow", Answer(data, delay_s=0.5))),
        ("busy-host", 0.027, lambda data: put("busy", Answer(data))),
        ("exif-turned", 0.02, lambda data: put("farm", Answer(alterations.exif_turned(data)))),
        ("png", 0.02, lambda data: put("farm", Answer(alterations.as_png(data), content_type="image/png"), "png")),
        ("wrong-type", 0.01, lambda data: put("farm", Answer(data, content_type="text/plain"), "php")),
    )
    for kind, share, place in kinds:
        for _ in deck.count(share):
            picture, data = deck.deal()
            deck.planner.imagenet(deck.label, place(data), Plant(kind, picture))
    for index in deck.count(0.02):
        picture, data = deck.deal()
        subset, plant = ("train", "validation")[index % 2], Plant("bucket-gap", picture)
        deck.planner.open_images(deck.label, put("farm", Answer(data)), plant, (subset, True), copied=False)


def _plant_negatives(deck: _Deck, other: str) -> None:
    """List a picture under its label, and as verified not to show the other one."""
    for _ in deck.count(0.02):
        picture, data = deck.deal()
        row = deck.planner.open_images(deck.label, deck.planner.put("farm", Answer(data)), Plant(CLEAN, picture))
        deck.planner.relabel(row, other, Plant("verified-negative", picture, (NOT_LISTED,)), positive=False)


def _plant_faults(deck: _Deck) -> None:
    """List links that lead to no usable picture, each with the reason that must be found."""
    put, peek = deck.planner.put, deck.peek
    page, png = alterations.HTML_PAGE, "image/png"
    suspected = (Drop.PLACEHOLDER_SUSPECTED,)

    def farm(body: bytes = b"", **answer: Any) -> Address:
        return put("farm", Answer(body, **answer))

    def dead(status: int) -> Address:
        return put("dead", Answer(page, status, "text/html"))

    moved, no_ai = (("Location", PLACEHOLDER_ADDRESS.path),), (("X-Robots-Tag", "noai"),)
    deck.planner.answers[PLACEHOLDER_ADDRESS] = Answer(alterations.placeholder(), content_type=png)
    kinds: list[tuple[str, float, tuple[Drop, ...], Callable[[], Address]]] = [
        ("gone", 0.05, (Drop.GONE,), lambda: dead(404)),
        ("gone-for-good", 0.007, (Drop.GONE,), lambda: dead(410)),
        ("forbidden", 0.007, (Drop.FORBIDDEN,), lambda: dead(403)),
        ("refused-port", 0.013, (Drop.REFUSED,), lambda: Address("closed", put("dead", Answer(status=404)).path)),
        ("html-page", 0.03, (Drop.NOT_AN_IMAGE,), lambda: farm(page)),
        ("placeholder", 0.02, suspected, lambda: farm(alterations.placeholder(), content_type=png)),
        ("placeholder-redirect", 0.02, suspected, lambda: farm(status=302, headers=moved)),
        ("truncated", 0.02, (Drop.TRUNCATED,), lambda: farm(alterations.truncated(peek()))),
        ("cut-connection", 0.007, (Drop.INCOMPLETE, Drop.RESET), lambda: farm(peek(), cut_after=3000)),
        ("corrupt", 0.013, (Drop.CORRUPT,), lambda: farm(alterations.corrupted(peek()), content_type=png)),
        ("empty", 0.007, (Drop.EMPTY,), farm),
        ("tiny", 0.013, (Drop.TOO_SMALL,), lambda: farm(alterations.tiny(peek()))),
        ("banner", 0.007, (Drop.EXTREME_ASPECT,), lambda: farm(alterations.banner(peek()))),
        ("pixel-bomb", 0.007, (Drop.TOO_MANY_PIXELS,), lambda: farm(alterations.pixel_bomb())),
        ("opted-out", 0.007, (Drop.OPTED_OUT,), lambda: farm(peek(), headers=no_ai)),
    ]
    for kind, share, reasons, place in kinds:
        for index in deck.count(share):
            plant = Plant(kind, f"{deck.label}-{kind}-{index}", tuple(map(str, reasons)))
            deck.planner.imagenet(deck.label, place(), plant)
