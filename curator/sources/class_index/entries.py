"""The index of classes as it is read: what a class is called at Open Images and at ImageNet, and what is above it.

An entry is a class of Open Images, a synset of ImageNet, both where they are the same thing, or neither: a word of
WordNet that only leads to others. How the file is made: ``supply/class_index.py``.

>>> index = read_index()
>>> [rugby] = [index.entry(number) for number in index.find("rugby")]
>>> rugby.mid, rugby.synset, rugby.n_urls, [index.entry(number).name for number in rugby.parents]
('/m/06bqd', 'n00470966', 1732, ['football'])
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from curator.errors import StateError, why

FILE = Path(__file__).with_name("classes.txt.gz")
_HEADER = b"curator class index 1"
SURE = 9
"""How strongly a word means an entry that bears it as the name of its class."""


@dataclass(frozen=True)
class Entry:
    """One class, as the sources call it.

    Attributes:
        number: its place in the index.
        mid: its id at Open Images; empty: it is no class there.
        title: its name at Open Images, such as ``Crane (Bird)``.
        has_boxes: whether it is one of Open Images' 600 classes with boxes.
        synset: its synset, if ImageNet's lists have it.
        n_urls: how many addresses those lists held.
        n_flickr: how many of these were at Flickr.
        synonyms: its names in WordNet, the usual one first.
        parents: the entries right above it.
        children: the first listed entries right below it; none, if there are very many.
    """

    number: int
    mid: str
    title: str
    has_boxes: bool
    synset: str
    n_urls: int
    n_flickr: int
    synonyms: tuple[str, ...]
    parents: tuple[int, ...]
    children: tuple[int, ...]

    @property
    def name(self) -> str:
        """What it is called: by Open Images, else by WordNet."""
        return self.title or self.synonyms[0]

    @property
    def is_listed(self) -> bool:
        """Whether a source has images of it."""
        return bool(self.mid or self.n_urls)


class ClassIndex:
    """All entries, and the words that lead to them: bytes, of which a line is read when it is needed."""

    def __init__(self, text: bytes) -> None:
        entries, words, plurals = text.split(b"\n\n")
        header, *self._lines = entries.split(b"\n")
        if header != _HEADER:
            raise ValueError("it is of another version")
        self._words, self._plurals = b"\n" + words + b"\n", b"\n" + plurals
        self._known: dict[int, Entry] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def entry(self, number: int) -> Entry:
        """Return an entry by its place."""
        if number not in self._known:
            mid, title, boxes, synset, urls, flickr, names, *near = self._lines[number].decode().split("\t")
            synonyms = tuple(filter(None, names.split("|")))
            parents, children = (tuple(map(int, numbers.split())) for numbers in near)
            counts = int(urls or 0), int(flickr or 0)
            self._known[number] = Entry(number, mid, title, bool(boxes), synset, *counts, synonyms, parents, children)
        return self._known[number]

    def with_id(self, id_: str) -> Entry | None:
        """Return the entry of an id of Open Images or ImageNet; None: there is none of it."""
        mark = id_.encode()
        found = (n for n, line in enumerate(self._lines) if mark in line and mark in line.split(b"\t", 4)[0:4:3])
        return next(map(self.entry, found), None)

    def find(self, word: str) -> dict[int, int]:
        """Return the entries that a folded word means, each with how strongly it does: 0 to 9."""
        start = self._words.find(f"\n{word}\t".encode())
        return self._line(start + 1)[1] if start >= 0 else {}

    def singular(self, word: str) -> str:
        """Return the singular of an irregular plural, such as ``mice``; empty: it is none."""
        _, found, rest = self._plurals.partition(f"\n{word}\t".encode())
        return rest.partition(b"\n")[0].decode() if found else ""

    def beginning_with(self, start: str) -> Iterator[tuple[str, dict[int, int]]]:
        """Yield the words that begin so, in order, each with its entries."""
        mark = f"\n{start}".encode()
        place = self._words.find(mark)
        while place >= 0 and self._words.startswith(mark, place):
            yield self._line(place + 1)
            place = self._words.find(b"\n", place + 1)

    def holding(self, part: str) -> Iterator[tuple[str, dict[int, int]]]:
        """Yield the names of several words that hold this one, or these in a row."""
        mark = part.encode()
        found = self._words.find(mark)
        while found >= 0:
            end = found + len(mark)
            if self._words[found - 1] in b" \n" and self._words[end] in b" \t":
                word, strengths = self._line(self._words.rfind(b"\n", 0, found) + 1)
                if word != part:
                    yield word, strengths
            found = self._words.find(mark, end)

    def _line(self, start: int) -> tuple[str, dict[int, int]]:
        """Read the line of a word: the entries that it means, and how strongly where it is not the name itself."""
        word, _, numbers = self._words[start : self._words.index(b"\n", start)].decode().partition("\t")
        pairs = (one.partition(":") for one in numbers.split())
        return word, {int(number): int(strength or SURE) for number, _, strength in pairs}


@lru_cache(maxsize=1)
def read_index() -> ClassIndex:
    """Read the index that the package ships.

    Raises:
        StateError: it cannot be read.
    """
    try:
        return ClassIndex(gzip.decompress(FILE.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise StateError(
            f"The index of classes {FILE} cannot be read ({why(error)}).", "Install curator anew."
        ) from error
