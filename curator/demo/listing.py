"""What a world holds: who lists which image where, what was planted there, what the server answers; and its planner.

>>> Address("farm", "/1/2.jpg").url({"farm": "http://127.0.0.1:8432"})
'http://127.0.0.1:8432/1/2.jpg'
>>> planner = Planner(seed=0, labels={"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")})
>>> planner.imagenet("rugby", planner.put("farm", Answer(b"...")), Plant("clean", "rugby-0"))
>>> [listing.source_id for listing in planner.numbered_listings()]
['n00470966_1']
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HOSTS = ("main", "farm", "dead", "slow", "busy")
"""The hosts that are served, each on a port of its own; ``main`` holds the lists, the metadata and the bucket."""
BUSY_REFUSALS = 2
"""How many requests the host ``busy`` answers 429 before it is fine: few enough for one image's tries to outlast."""
CLEAN = "clean"
"""The kind of a picture that nothing is wrong with."""
KEPT, NOT_LISTED = "kept", "not-listed"
"""What may become of an image other than a drop reason."""
OPEN_IMAGES_PLACES = (("validation", True), ("test", True), ("train", True), ("train", False))
"""Subset, and whether the bucket holds it: the boxable part of train, and the rest that only its first host has."""

_NAMES = ("ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ines", "jo", "kofi", "lin", "mara", "nils", "oya")
_PLACES = ("brook", "dale", "field", "ford", "hill", "lake", "marsh", "moor", "shaw", "stone", "vale", "wood")

Origins = Mapping[str, str]
"""Host to scheme, address and port."""


@dataclass(frozen=True)
class Address:
    """A host of the world, and a path there (with its query)."""

    host: str
    path: str

    def url(self, origins: Origins) -> str:
        """Spell the URL; at the host ``closed`` nobody listens."""
        return f"{'http://127.0.0.1:1' if self.host == 'closed' else origins[self.host]}{self.path}"


@dataclass(frozen=True)
class Answer:
    """What the server answers to one address, always the same.

    After ``cut_after`` bytes the connection is cut. If ``file`` is given, its bytes are the body, read on demand.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "image/jpeg"
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    cut_after: int | None = None
    file: Path | None = None

    def content(self) -> bytes:
        """Return the body."""
        return self.file.read_bytes() if self.file else self.body


@dataclass(frozen=True)
class Plant:
    """What was planted: its kind, the picture it shows (rows of one picture share it), what may become of it.

    ``expected`` is empty if that is unknown.
    """

    kind: str
    picture: str
    expected: tuple[str, ...] = (KEPT,)


@dataclass(frozen=True)
class Listing:
    """One image as one source lists it under one label."""

    label: str
    source: str
    source_id: str
    address: Address
    plant: Plant
    subset: str = ""
    in_bucket: bool = False
    positive: bool = True
    author: str = ""

    def url(self, origins: Origins) -> str:
        """Spell where the source says that the image is."""
        return (self.bucket_address if self.in_bucket else self.address).url(origins)

    @property
    def bucket_address(self) -> Address:
        """Where Open Images keeps its copy."""
        return Address("main", f"/bucket/{self.subset}/{self.source_id}.jpg")


@dataclass(frozen=True)
class LabelNames:
    """How the two sources name a label: a synset, and an Open Images class with its MID."""

    wnid: str
    mid: str
    display_name: str


@dataclass(frozen=True)
class World:
    """Everything there is to serve, but for the addresses it is served at."""

    name: str
    labels: Mapping[str, LabelNames]
    listings: tuple[Listing, ...]
    answers: Mapping[Address, Answer] = field(repr=False)
    per_class: int | str = "max"


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
