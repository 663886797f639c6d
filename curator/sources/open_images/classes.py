"""Find the MIDs of Open Images classes by display name; an ambiguous name is refused, not guessed.

>>> classes = ClassNames({"/m/01226z": "Football", "/m/0gl2ny2": "Football player", "/m/06bqd": "Rugby"})
>>> classes.find("rugby"), classes.find("/m/01226z")
('/m/06bqd', '/m/01226z')
>>> classes.find("Rugbi")
Traceback (most recent call last):
curator.sources.open_images.classes.UnknownClassError: 'Rugbi' is no class; near: Rugby (/m/06bqd)
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from curator.errors import SourceError
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import read_delimited
from curator.sources.reading.tally import Tally

_MID = r"/[mgt]/[0-9a-z_]+"


class UnknownClassError(SourceError):
    """A class that does not exist, or whose name several classes bear."""


def is_mid(text: str) -> bool:
    """Return whether ``text`` has the form of a machine-generated id, such as ``/m/06bqd``."""
    return bool(re.fullmatch(_MID, text))


@dataclass(frozen=True)
class ClassNames:
    """The classes of Open Images: MID to display name; names repeat. ``tally`` counts the rows they come from."""

    names: Mapping[str, str]
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for mid, name in self.names.items():
            found.setdefault(_folded(name), []).append(mid)
        return found

    def find(self, wanted: str) -> str:
        """Find one class by MID or display name (case does not matter unless it alone distinguishes two classes).

        Raises:
            UnknownClassError: no such class (with the nearest names), or several (with their MIDs).
        """
        if is_mid(wanted):
            if wanted not in self.names:
                raise UnknownClassError(f"{wanted!r} is no class here")
            return wanted
        mids = self._by_name.get(_folded(wanted), [])
        exact = [mid for mid in mids if self.names[mid] == wanted.strip()]
        chosen = exact if len(exact) == 1 else mids
        if len(chosen) > 1:
            listed = ", ".join(f"{mid} ({self.names[mid]})" for mid in chosen)
            raise UnknownClassError(f"{wanted!r} names {len(chosen)} classes, write a MID instead: {listed}")
        if not chosen:
            near = difflib.get_close_matches(_folded(wanted), list(self._by_name))
            listed = ", ".join(f"{self.names[mid]} ({mid})" for name in near for mid in self._by_name[name])
            raise UnknownClassError(f"{wanted!r} is no class{'; near: ' if near else ''}{listed}")
        return chosen[0]

    def find_all(self, classes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Find the MIDs of every label's classes, in order, each once.

        Raises:
            SourceError: with every class that is unknown, ambiguous or named for two labels, not only the first.
        """
        labels_of: dict[str, dict[str, None]] = {}
        problems: list[str] = []
        for label, wanted in classes.items():
            for text in wanted:
                try:
                    labels_of.setdefault(self.find(text), {})[label] = None
                except UnknownClassError as error:
                    problems.append(f"{label}: {error}")
        problems += [f"{mid} is named for {' and '.join(names)}" for mid, names in labels_of.items() if len(names) > 1]
        if problems:
            raise SourceError("Open Images: " + "; ".join(problems) + ".")
        return {label: tuple(mid for mid, names in labels_of.items() if label in names) for label in classes}


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def read_class_names(stream: io.BufferedReader) -> ClassNames:
    r"""Read ``LabelName,DisplayName`` lines, with that header (V7) or without (earlier).

    >>> read_class_names(io.BufferedReader(io.BytesIO(b'LabelName,DisplayName\n/m/06bqd,Rugby\n'))).names
    {'/m/06bqd': 'Rugby'}

    Raises:
        SourceError: it names no class.
    """
    lines = LineBlocks(stream)
    if not is_mid(lines.head().partition(b",")[0].strip(b'" ').decode("utf-8", "replace")):
        lines.take_line()
    names = ["LabelName", "DisplayName"]
    found = read_delimited(lines, names, names, witness=("LabelName", _MID))
    pairs = {}
    for line, mid, name in zip(found.lines.to_pylist(), *(found.rows[name].to_pylist() for name in names), strict=True):
        if is_mid(mid):
            pairs[mid] = name
        else:
            found.tally.refuse("with no MID", line)
    if not pairs:
        raise SourceError("The class descriptions name no class (expected lines such as /m/06bqd,Rugby).")
    return ClassNames(pairs, found.tally)
