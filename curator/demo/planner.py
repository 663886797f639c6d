"""Places pictures in a world: gives each an address, an answer, and a row in one of the two sources.

>>> planner = Planner(seed=0, labels={"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")})
>>> planner.imagenet("rugby", planner.put("farm", Answer(b"...")), Plant("clean", "rugby-0"))
>>> [listing.source_id for listing in planner.numbered_listings()]
['n00470966_1']
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

import numpy as np

from curator.demo.listing import Address, Answer, LabelNames, Listing, Plant

OPEN_IMAGES_PLACES = (("validation", True), ("test", True), ("train", True), ("train", False))
"""Subset, and whether the bucket holds it: the boxable part of train, and the rest that only its first host has."""

_NAMES = ("ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ines", "jo", "kofi", "lin", "mara", "nils", "oya")
_PLACES = ("brook", "dale", "field", "ford", "hill", "lake", "marsh", "moor", "shaw", "stone", "vale", "wood")


class Planner:
    """Collects the listings and answers of a world under construction."""

    def __init__(self, seed: int, labels: Mapping[str, LabelNames]) -> None:
        self.rng = np.random.default_rng([seed, 71])
        self.labels = labels
        self.listings: list[Listing] = []
        self.answers: dict[Address, Answer] = {}
        self._n_places = Counter[str]()

    def put(self, host: str, answer: Answer, ending: str = "jpg") -> Address:
        """Put an answer at an address of its own."""
        number, secret = self.rng.integers(10**9, 10**10), self.rng.bytes(5).hex()
        address = Address(host, f"/{self.rng.integers(1000, 9000)}/{number}_{secret}.{ending}")
        self.answers[address] = answer
        return address

    def imagenet(self, label: str, address: Address, plant: Plant) -> None:
        """List an address in the label's synset; its number there is drawn at the end."""
        self.listings.append(Listing(label, "imagenet", "", address, plant))

    def open_images(
        self, label: str, address: Address, plant: Plant, place: tuple[str, bool] | None = None, *, copied: bool = True
    ) -> Listing:
        """List an address in Open Images, its subsets taking turns; ``copied`` puts the bytes in the bucket too."""
        subset, in_bucket = place or OPEN_IMAGES_PLACES[self._n_places[label] % len(OPEN_IMAGES_PLACES)]
        self._n_places[label] += place is None
        image_id = self.rng.bytes(8).hex()
        row = Listing(label, "open-images", image_id, address, plant, subset, in_bucket, author=self._author())
        if in_bucket and copied:
            self.answers[row.bucket_address] = self.answers[address]
        self.listings.append(row)
        return row

    def relabel(self, row: Listing, label: str, plant: Plant, *, positive: bool = True) -> None:
        """List the image of ``row`` under another label too; not ``positive`` is a verified absence."""
        self.listings.append(dataclasses.replace(row, label=label, plant=plant, positive=positive))

    def numbered_listings(self) -> tuple[Listing, ...]:
        """Return all listings, each synset's in random order and numbered from 1."""
        shuffled = [self.listings[index] for index in self.rng.permutation(len(self.listings))]
        seen = Counter[str]()
        numbered = []
        for row in shuffled:
            if row.source == "imagenet":
                wnid = self.labels[row.label].wnid
                seen[wnid] += 1
                row = dataclasses.replace(row, source_id=f"{wnid}_{seen[wnid]}")
            numbered.append(row)
        return tuple(numbered)

    def _author(self) -> str:
        """Name an author; one in seven took an earlier picture too."""
        earlier = [row.author for row in self.listings if row.author]
        if earlier and self.rng.random() < 1 / 7:
            return earlier[int(self.rng.integers(len(earlier)))]
        name, place = _NAMES[self.rng.integers(len(_NAMES))], _PLACES[self.rng.integers(len(_PLACES))]
        return f"{name}.{place}{self.rng.integers(10, 1000)}"
