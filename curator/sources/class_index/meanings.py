"""What a word may mean among the classes, the likeliest first, and what is near such a class.

What is called by the word itself, in singular or plural, comes first: by how usual that meaning is, and by what the
sources have of it. Then what is above a class that Open Images lacks, and names of several words that hold it.

>>> from curator.sources.class_index.entries import read_index
>>> meanings = Meanings(read_index())
>>> [(entry.name, match) for entry, match, _ in meanings.ranked("football")[:3]]
[('Football', 'name'), ('football', 'name'), ('American football', 'phrase')]
>>> meanings.nearest("rugbi")[0]
'rugby'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from curator.sources.class_index.entries import SURE, ClassIndex, Entry
from curator.sources.class_index.spelling import fold, number_forms, slips

MOST_NEAR = 6
"""Words and classes that are named beside another: nearest in spelling, narrower, easily confused."""
_MOST_ALIKE = 2
"""Classes that are called like a kind of another and are none, as a hot dog."""

_OTHER_FORM = 0.4
"""What ``glasses`` counts where ``glass`` is searched for."""
_KIND = 0.5
"""How much more ``American football`` counts than ``Football helmet`` where ``football`` is searched for."""
_SHORT_ID, _LONG_ID = 0.6, len("/m/0574rl2")
"""How much more a class of Open Images counts for each sign that its id is shorter than the longest."""


class Counted(Protocol):
    """What an entry is weighed by."""

    @property
    def mid(self) -> str:
        """Its id at Open Images."""

    @property
    def has_boxes(self) -> bool:
        """Whether Open Images has boxes of it."""

    @property
    def n_urls(self) -> int | None:
        """How many addresses ImageNet's lists held."""


class Meanings:
    """The meanings of words in an index."""

    def __init__(self, index: ClassIndex) -> None:
        self.index = index

    def ranked(self, word: str) -> list[tuple[Entry, str, int]]:
        """Return the listed entries that a folded word may mean, how each matches, and how strongly; the best first."""
        meant = self._meant(word)
        exact = sorted((entry for entry in meant if entry.is_listed), key=lambda one: -worth(one, meant[one]))
        found = {entry: ("name" if fold(entry.name) == word else "synonym", meant[entry]) for entry in exact}
        if not any(entry.mid for entry in exact):
            for entry in self._above(entry for entry in meant if meant[entry] >= SURE // 2):
                found.setdefault(entry, ("broader", 0))
        held: dict[Entry, float] = {}
        for entry, bonus in self._holding(word):
            held[entry] = max(held.get(entry, 0), bonus)
        for entry in sorted((one for one in held if one.is_listed), key=lambda one: -worth(one, held[one])):
            found.setdefault(entry, ("phrase", 0))
        return [(entry, match, strength) for entry, (match, strength) in found.items()]

    def _meant(self, word: str) -> dict[Entry, int]:
        """Return what a word means; a form that is not as written counts less where the one that is means something.

        A part of the body is called so too where Open Images has boxes of it: ``Human ear``.
        """
        meant: dict[Entry, int] = {}
        for form in dict.fromkeys(filter(None, (*number_forms(word), self.index.singular(word)))):
            share = _OTHER_FORM if meant and form != word else 1
            for number, strength in self.index.find(form).items():
                entry = self.index.entry(number)
                meant[entry] = max(meant.get(entry, 0), int(share * strength))
            of_body = map(self.index.entry, self.index.find(f"human {form}"))
            meant |= {entry: SURE for entry in of_body if entry.has_boxes}
        return meant

    def _above(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the classes of Open Images right above each, else those above these; what is higher is too general."""
        for entry in entries:
            row = [*map(self.index.entry, entry.parents)]
            if not any(one.mid for one in row):
                row = [self.index.entry(number) for one in row for number in one.parents]
            yield from (one for one in row if one.mid)

    def _holding(self, word: str) -> Iterator[tuple[Entry, float]]:
        """Yield what is called by several words that hold this one; what ends with it is a kind of it: a bit more."""
        for form in number_forms(word)[:2]:
            for name, numbers in self.index.holding(form):
                bonus = _KIND if name.endswith(f" {form}") else 0
                yield from ((self.index.entry(number), bonus) for number in numbers)

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return the words that are spelled most like one, of those with its first letter, or its second in that place.

        If none is, those that begin with the same three letters or more.
        """
        letters, most = set(word), min(2, (len(word) - 1) // 2)
        near: dict[str, tuple[int, float]] = {}
        for other, numbers in (found for letter in sorted({*word[:2]}) for found in self.index.beginning_with(letter)):
            if abs(len(other) - len(word)) <= most and len(letters.symmetric_difference(other)) <= 2 * most:
                entries = {self.index.entry(number): strength for number, strength in numbers.items()}
                worths = [worth(entry, strength) for entry, strength in entries.items() if entry.is_listed]
                if worths and (n_slips := slips(word, other, most)) <= most:
                    near[other] = (n_slips, -max(worths))
        starts = (word[:end] for end in range(len(word) - 1, 2, -1))
        alike = next((found for start in starts if (found := [*self.index.beginning_with(start)])), [])
        return tuple((sorted(near, key=lambda other: near[other]) or [other for other, _ in alike])[:MOST_NEAR])

    def below(self, entry: Entry) -> list[Entry]:
        """Return the listed entries right below one, those first of which there is most; none if they are very many."""
        return [*map(self.index.entry, entry.children)]

    def beside(self, entry: Entry) -> Iterator[Entry]:
        """Yield what is called like a kind of an entry and is none, then what shares a parent, the narrowest first.

        Of what nothing is known to be above, it is not known whether it is a kind.
        """
        called = fold(entry.title.partition(" (")[0] if entry.title.endswith(")") else entry.name)
        alike = {one for one, bonus in self._holding(called) if bonus and one.is_listed and one != entry}
        strange = [one for one in alike if one.parents and entry not in self.lineage(one)]
        yield from sorted(strange, key=lambda one: (-worth(one, 0), one.number))[:_MOST_ALIKE]
        parents = map(self.index.entry, entry.parents)
        for parent in sorted(parents, key=lambda one: -len(self.lineage(one))):
            yield from (one for one in self.below(parent) if one != entry and one.number not in entry.parents)

    def lineage(self, entry: Entry) -> set[Entry]:
        """Return an entry and all that is above it."""
        seen: set[Entry] = set()
        todo = [entry]
        while todo:
            if (one := todo.pop()) not in seen:
                seen.add(one)
                todo += map(self.index.entry, one.parents)
        return seen


def worth(entry: Counted, strength: float) -> float:
    """Weigh how usual a meaning is, 0 to 9, against what the sources have of it.

    A short id is that of a prominent class: Freebase, where ids are from, counted its topics up as they came.
    """
    prominent = _SHORT_ID * max(0, _LONG_ID - len(entry.mid)) if entry.mid else 0
    return strength + 3 * bool(entry.mid) + prominent + entry.has_boxes + min(2.0, (entry.n_urls or 0) / 600)
