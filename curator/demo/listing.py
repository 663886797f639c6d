"""What a world holds: who lists which image where, what was planted there, and what the server answers.

>>> Address("farm", "/1/2.jpg").url({"farm": "http://127.0.0.1:8432"})
'http://127.0.0.1:8432/1/2.jpg'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOSTS = ("main", "farm", "dead", "slow", "busy")
"""The hosts that are served, each on a port of its own; ``main`` holds the lists, the metadata and the bucket."""
BUSY_REFUSALS = 2
"""How many requests the host ``busy`` answers 429 before it is fine: few enough for one image's tries to outlast."""
CLOSED_ORIGIN = "http://127.0.0.1:1"
"""Where nobody listens."""
CLEAN = "clean"
"""The kind of a picture that nothing is wrong with."""
KEPT, NOT_LISTED = "kept", "not-listed"
"""What may become of an image other than a drop reason."""

Origins = Mapping[str, str]
"""Host to scheme, address and port."""


@dataclass(frozen=True)
class Address:
    """A host of the world, and a path there (with its query)."""

    host: str
    path: str

    def url(self, origins: Origins) -> str:
        """Spell the URL."""
        return f"{CLOSED_ORIGIN if self.host == 'closed' else origins[self.host]}{self.path}"


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
