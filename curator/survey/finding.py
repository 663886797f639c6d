"""What was found at a place: the sources that a recipe needs, the labels with their images, and what was left out.

>>> one = Finding(({"kind": "folder", "path": "cats"},), Counter(cat=3), "a folder of labels")
>>> two = Finding(({"kind": "folder", "path": "dogs"},), Counter(dog=2, cat=1), "a folder of labels")
>>> both = join_findings([one, two])
>>> dict(both.counts), len(both.sources)
({'cat': 4, 'dog': 2}, 2)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What is at one place, or at several.

    Attributes:
        sources: the ``[[sources]]`` tables of the recipe; each ``path`` as the person wrote it.
        counts: each label, as it is to be written, to its images.
        kind: what the place is, in a few words.
        label_names: the labels that are called otherwise there, with those names or patterns.
        notes: what was chosen and what was left out, and why: sentences for a person.
        sides: the images that are listed as train, val and test; empty if none is.
        files: the local images.
        unit: what is counted.
    """

    sources: tuple[Mapping[str, Any], ...]
    counts: Counter[str]
    kind: str
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sides: Counter[str] = field(default_factory=Counter)
    files: tuple[str, ...] = ()
    unit: str = "image"

    @property
    def has_addresses(self) -> bool:
        """Whether some of its images are elsewhere than in files."""
        return self.counts.total() > len(self.files)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Each label with what else means it there, as a recipe has them."""
        return {label: tuple(self.label_names.get(label, ())) for label in self.counts}


def once_each(parts: Mapping[str, Finding]) -> list[Finding]:
    """Leave out what is at a place whose files are all at another one, too, and say so.

    Args:
        parts: what is at each place.
    """
    files = {place: {_real(file) for file in found.files} for place, found in parts.items()} if len(parts) > 1 else {}
    kept, notes = dict(parts), list[str]()
    for inner, mine in files.items():
        outer = next((place for place in kept if place != inner and mine and mine <= files[place]), None)
        if outer is not None and not parts[inner].has_addresses:
            del kept[inner]
            notes.append(f"All pictures of {inner} are in {outer}, too: they are counted once, with its labels")
    found = list(kept.values())
    return [*found[:-1], replace(found[-1], notes=(*found[-1].notes, *notes))]


def _real(file: str) -> str:
    folder, _, name = file.rpartition("/")
    return f"{_real_folder(folder)}/{name}"


@cache
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def join_findings(findings: Sequence[Finding]) -> Finding:
    """Put together what was found at several places."""
    names: dict[str, tuple[str, ...]] = {}
    for found in findings:
        for label, others in found.label_names.items():
            names[label] = tuple(dict.fromkeys((*names.get(label, ()), *others)))
    return Finding(
        sources=tuple(source for found in findings for source in found.sources),
        counts=sum((found.counts for found in findings), Counter()),
        kind="; ".join(dict.fromkeys(found.kind for found in findings)),
        label_names=names,
        notes=tuple(note for found in findings for note in found.notes),
        sides=sum((found.sides for found in findings), Counter()),
        files=tuple(file for found in findings for file in found.files),
        unit=" or ".join(sorted({found.unit for found in findings})),
    )
