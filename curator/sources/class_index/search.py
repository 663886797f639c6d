"""From a word to the classes of Open Images and ImageNet that it may mean, offline.

>>> found = search_classes("rugby")
>>> [(one.name, one.mid, one.synset, one.n_urls) for one in found.proposals[:2]]
[('Rugby', '/m/06bqd', 'n00470966', 1732), ('Rugby ball', '/m/0wdt60w', 'n04118538', 1508)]
>>> [near.name for near in found.proposals[0].confusers if near.mid == "/m/0jm_"]
['American football']
>>> search_classes("rugbi").searched, search_classes("qzxwv").proposals
('rugby', ())
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from curator.errors import CuratorError
from curator.sources.class_index.entries import Entry, read_index
from curator.sources.class_index.meanings import MOST_NEAR, Meanings
from curator.sources.class_index.spelling import fold, slips
from curator.text import Command

_ID = re.compile(r"/[mg]/[0-9a-z_]+|n[0-9]{8}")
_NAMED = ("name", "synonym")
"""How a class matches that is called by the very word."""
_WEAKEST = 2
"""What a word means less strongly is not counted among its meanings."""
_VAGUE = frozenset(("entity", "physical entity", "object", "whole", "abstraction", "psychological feature", "matter"))
"""What is so far above everything that it says nothing."""


@dataclass(frozen=True)
class Near:
    """A class that is named beside a proposal: its name, and its ids at the sources, empty where it has none."""

    name: str
    mid: str
    synset: str


@dataclass(frozen=True)
class Proposal:
    """A class that a word may mean.

    Attributes:
        name: what it is called.
        what: what is above it, the nearer first: ``football, field game``.
        match: ``name``, ``synonym``, ``broader`` (it is above what the word means), or ``phrase`` (its name holds it).
        mid: its id at Open Images; empty: it is no class there.
        has_boxes: whether Open Images has boxes of it.
        synset: its synset at ImageNet; empty: ImageNet's lists lack it.
        n_urls: how many addresses ImageNet's lists held, before links began to rot.
        n_flickr: how many of these were at Flickr.
        synonyms: its other names.
        narrower: classes right below it, those that have most first.
        confusers: classes of which pictures are easily found among its own.
        above: the ids of all that is above it: a picture of it is one of each of those too.
    """

    name: str
    what: str
    match: str
    mid: str
    has_boxes: bool
    synset: str
    n_urls: int
    n_flickr: int
    synonyms: tuple[str, ...]
    narrower: tuple[Near, ...]
    confusers: tuple[Near, ...]
    above: tuple[str, ...]

    @property
    def is_named(self) -> bool:
        """Whether it is called by the very word, in singular or plural."""
        return self.match in _NAMED


@dataclass(frozen=True)
class ClassSearch:
    """What was found for a word.

    Attributes:
        word: as it was written.
        searched: what was searched for instead, if nothing is called so: the nearest word, or the end of a phrase.
        proposals: the likeliest class first.
        n_meanings: how many of the proposals are different meanings of the very word.
        nearest: words that are spelled nearly so, if nothing is called so.
    """

    word: str
    searched: str
    proposals: tuple[Proposal, ...]
    n_meanings: int
    nearest: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a JSON value."""
        return asdict(self)


def search_classes(word: str, most: int = 6) -> ClassSearch:
    """Search the classes of Open Images and of ImageNet's lists for a word or a phrase, without the network.

    Args:
        word: in English, in singular or plural, with or without capitals; or an id, ``/m/06bqd`` or ``n00470966``.
        most: how many proposals to return, at most.

    Raises:
        CuratorError: there is no letter or digit in it.
        StateError: the index that the package ships cannot be read.
    """
    if _ID.fullmatch(word.strip()):
        meanings = Meanings(read_index())
        entry = meanings.index.with_id(word.strip())
        return ClassSearch(word, "", (_proposal(entry, "name", meanings),) if entry else (), int(bool(entry)), ())
    wanted = fold(word)
    if not wanted:
        raise CuratorError(f"There is no word in {word!r} to search for.", ("Try ", Command("search heron"), "."))
    meanings = Meanings(read_index())
    ranked, searched = meanings.ranked(wanted), ""
    nearest = () if ranked else meanings.nearest(wanted)
    if not ranked:
        ranked, searched = _first_of([*_instead(wanted, nearest)], meanings)
    chosen = ranked[:most]
    proposals = tuple(_proposal(entry, match, meanings) for entry, match, _ in chosen)
    strong = (strength >= _WEAKEST for _, _, strength in chosen)
    n_meanings = sum(one.is_named and usual for one, usual in zip(proposals, strong, strict=True))
    return ClassSearch(word, searched, proposals, n_meanings, nearest)


def _first_of(words: Sequence[str], meanings: Meanings) -> tuple[list[tuple[Entry, str, int]], str]:
    """Return what the first of some words means by which something is called, else the first that names hold."""
    found = [(ranked, word) for word in words if (ranked := meanings.ranked(word))]
    called = (one for one in found if one[0][0][1] in _NAMED)
    return next(called, found[0] if found else ([], ""))


def _instead(word: str, nearest: Iterable[str]) -> Iterator[str]:
    """Yield what to search for instead of a word that nothing bears: a slip corrected, then parts of a phrase.

    Its end comes first, which in English says what it is; then its beginning, and each word by itself.

    Two slips are forgiven in a long word, one in a short one or a phrase, none in the first letter.
    """
    forgiven = 2 if len(word) > 6 and " " not in word else 1
    yield from (other for other in nearest if other[0] == word[0] and slips(word, other, 2) <= forgiven)
    words = word.split()
    yield from (" ".join(words[start:]) for start in range(1, len(words)))
    yield from (" ".join(words[:end]) for end in range(len(words) - 1, 0, -1))
    yield from words[1:-1]


def _proposal(entry: Entry, match: str, meanings: Meanings) -> Proposal:
    """Say of an entry what a person needs to choose."""
    return Proposal(
        name=entry.name,
        what=", ".join(_what(entry, meanings)),
        match=match,
        mid=entry.mid,
        has_boxes=entry.has_boxes,
        synset=entry.synset,
        n_urls=entry.n_urls,
        n_flickr=entry.n_flickr,
        synonyms=tuple(name for name in entry.synonyms if fold(name) != fold(entry.name)),
        narrower=_near(meanings.below(entry)),
        confusers=_near(meanings.beside(entry)),
        above=tuple(sorted(id_ for one in meanings.lineage(entry) - {entry} for id_ in (one.mid, one.synset) if id_)),
    )


def _what(entry: Entry, meanings: Meanings) -> Iterator[str]:
    """Yield the names of the two nearest entries above one."""
    for _ in range(2):
        if entry.parents:
            entry = meanings.index.entry(entry.parents[0])
            if entry.name.casefold() in _VAGUE:
                break
            yield entry.name[:1].lower() + entry.name[1:]


def _near(entries: Iterable[Entry]) -> tuple[Near, ...]:
    near = {entry.name: Near(entry.name, entry.mid, entry.synset) for entry in entries}
    return tuple(near.values())[:MOST_NEAR]
