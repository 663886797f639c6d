"""Count what became of the rows of a file: none is lost without being counted, with a reason and where it is.

>>> tally = Tally(n_rows=1_000)
>>> for line in (7, 8, 20):
...     tally.refuse("with another number of fields than the header", line)
>>> tally.in_words()
'3 of 1,000 rows were refused: 3 with another number of fields than the header (lines 7, 8, 20)'
>>> tally.is_grave
False
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from curator.events import Listener, Noted, Warned
from curator.text import plural, was

N_SHOWN = 5
GRAVE_SHARE = 0.01
"""More rows refused than this share of all is a warning."""

FIELDS = "with another number of fields than the header"
NOT_UTF8 = "with bytes that are not UTF-8"
UNCLOSED = "with a quote that is not closed"
TOO_LONG = "of more than 16 MiB"


@dataclass
class Refused:
    """The rows refused for one reason: how many, and the first lines that they are in."""

    n_rows: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class Tally:
    """``n_rows`` rows are in the file, blank lines aside; those ``refused`` by reason, all others were read.

    ``unit`` is what their numbers count, from 1: lines, or rows or entries of files without lines. ``n_titles`` stand
    above the header, and are no rows.
    """

    n_rows: int = 0
    refused: dict[str, Refused] = field(default_factory=dict)
    unit: str = "line"
    n_titles: int = 0

    @property
    def n_refused(self) -> int:
        """How many rows were refused, for whatever reason."""
        return sum(refused.n_rows for refused in self.refused.values())

    @property
    def is_grave(self) -> bool:
        """Whether so many were refused that the file may be another than it seems."""
        return self.n_refused > GRAVE_SHARE * self.n_rows

    def refuse(self, reason: str, number: int) -> None:
        """Count one row that cannot be read."""
        refused = self.refused.setdefault(reason, Refused())
        refused.n_rows += 1
        if len(refused.lines) < N_SHOWN:
            refused.lines.append(number)

    def add_refused(self, reason: str, numbers: Sequence[int]) -> None:
        """Count rows that cannot be read and are not among ``n_rows`` yet."""
        self.n_rows += len(numbers)
        for number in numbers:
            self.refuse(reason, number)

    def in_words(self) -> str:
        """Say how many rows were refused, why and where; nothing if none was."""
        parts = [f"{one.n_rows:,} {reason} {self.place(one.lines, one.n_rows)}" for reason, one in self.refused.items()]
        rows = f"{self.n_refused:,} of {plural(self.n_rows, 'row was', 'rows were')}"
        return f"{rows} refused: {', '.join(parts)}" if parts else ""

    def place(self, numbers: Sequence[int], n_rows: int) -> str:
        """Say which lines ``n_rows`` rows are in, of which these are the first: ``(lines 3, 5 …)``."""
        unit = self.unit if n_rows == 1 else {"entry": "entries"}.get(self.unit, f"{self.unit}s")
        return f"({unit} {', '.join(map(str, numbers))}{' …' if n_rows > len(numbers) else ''})"

    def tell(self, emit: Listener, name: str, hint: str = "") -> None:
        """Say what was refused of the file ``name``, as a warning if it is more than 1%; nothing if none was."""
        if self.n_titles:
            what = f"{self.n_titles} of its {self.unit}s, above the header, {was(self.n_titles)} left out as titles"
            emit(Noted(f"{name}: {what}"))
        if words := self.in_words():
            emit((Warned if self.is_grave else Noted)(f"{name}: {words}.{' ' * bool(hint)}{hint}"))

    def as_facts(self) -> dict[str, Any]:
        """Return it as JSON values, to be kept with what was read."""
        refused = {reason: [one.n_rows, one.lines] for reason, one in self.refused.items()}
        return {"n_rows": self.n_rows, "refused": refused, "unit": self.unit, "n_titles": self.n_titles}

    @classmethod
    def from_facts(cls, facts: Any) -> Tally:
        """Read what :meth:`as_facts` returned."""
        refused = {reason: Refused(n_rows, lines) for reason, (n_rows, lines) in facts["refused"].items()}
        return cls(facts["n_rows"], refused, facts["unit"], facts["n_titles"])
