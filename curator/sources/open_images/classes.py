"""Find the MIDs of Open Images classes by display name; an ambiguous name is refused, not guessed.

>>> classes = ClassNames(("/m/01226z", "/m/0gl2ny2", "/m/06bqd"), ("Football", "Football player", "Rugby"))
>>> classes.find("rugby"), classes.find("/m/01226z")
('/m/06bqd', '/m/01226z')
>>> classes.find("Rugbi")
Traceback (most recent call last):
curator.sources.open_images.classes.UnknownClassError: 'Rugbi' is no class; near: Rugby (/m/06bqd)
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from curator.errors import SourceError

_MID = re.compile(r"/[mgt]/[0-9a-z_]+")
_N_NEAR = 3


class UnknownClassError(SourceError):
    """A class that does not exist, or whose name several classes bear."""


def is_mid(text: str) -> bool:
    """Tell whether ``text`` has the form of a machine-generated id, such as ``/m/06bqd``."""
    return bool(_MID.fullmatch(text))


@dataclass(frozen=True)
class ClassNames:
    """The classes of Open Images: ``names[i]`` is the display name of ``mids[i]``; names repeat, MIDs do not."""

    mids: tuple[str, ...]
    names: tuple[str, ...]

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, name in enumerate(self.names):
            found.setdefault(_folded(name), []).append(index)
        return found

    @cached_property
    def _all_mids(self) -> frozenset[str]:
        return frozenset(self.mids)

    def find(self, wanted: str) -> str:
        """Find one class by MID or display name (case does not matter unless it alone tells two classes apart).

        Raises:
            UnknownClassError: no such class (with the nearest names), or several (with their MIDs).
        """
        if is_mid(wanted):
            if wanted not in self._all_mids:
                raise UnknownClassError(f"{wanted!r} is no class here")
            return wanted
        indices = self._by_name.get(_folded(wanted), [])
        exact = [index for index in indices if self.names[index] == wanted.strip()]
        chosen = exact if len(exact) == 1 else indices
        if not chosen:
            raise UnknownClassError(f"{wanted!r} is no class{self._near(wanted)}")
        if len(chosen) > 1:
            listed = ", ".join(f"{self.mids[index]} ({self.names[index]})" for index in chosen)
            raise UnknownClassError(f"{wanted!r} names {len(chosen)} classes, give a MID instead: {listed}")
        return self.mids[chosen[0]]

    def _near(self, wanted: str) -> str:
        names = difflib.get_close_matches(_folded(wanted), list(self._by_name), _N_NEAR)
        indices = [index for name in names for index in self._by_name[name]]
        listed = ", ".join(f"{self.names[index]} ({self.mids[index]})" for index in indices)
        return f"; near: {listed}" if listed else ""

    def find_all(self, classes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Find the MIDs of every label's classes, in order, each once.

        Raises:
            SourceError: with every class that is unknown, ambiguous or named for two labels, not only the first.
        """
        found: dict[str, tuple[str, ...]] = {}
        problems: list[str] = []
        for label, wanted in classes.items():
            mids: dict[str, None] = {}
            for text in wanted:
                try:
                    mids[self.find(text)] = None
                except UnknownClassError as error:
                    problems.append(f"{label}: {error}")
            found[label] = tuple(mids)
        problems += _shared(found)
        if problems:
            raise SourceError("Open Images: " + "; ".join(problems) + ".")
        return found


def _shared(found: Mapping[str, Sequence[str]]) -> list[str]:
    labels_of: dict[str, list[str]] = {}
    for label, mids in found.items():
        for mid in mids:
            labels_of.setdefault(mid, []).append(label)
    return [f"{mid} is named for {' and '.join(labels)}" for mid, labels in labels_of.items() if len(labels) > 1]


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def read_class_names(stream: io.BufferedReader) -> ClassNames:
    r"""Read ``LabelName,DisplayName`` lines, with that header (V7) or without (earlier).

    >>> read_class_names(io.BufferedReader(io.BytesIO(b'LabelName,DisplayName\n/m/06bqd,Rugby\n'))).names
    ('Rugby',)

    Raises:
        SourceError: it is not UTF-8 text, or names no class.
    """
    try:
        rows = list(csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"The class descriptions cannot be read ({error}).") from error
    pairs = {row[0]: row[1] for row in rows if len(row) > 1 and is_mid(row[0])}
    if not pairs:
        raise SourceError("The class descriptions name no class (expected lines such as /m/06bqd,Rugby).")
    return ClassNames(tuple(pairs), tuple(pairs.values()))
