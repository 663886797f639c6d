"""Print results: remarks and tables for a person, or one JSON document for a program.

>>> plural(1, "image"), plural(2450, "image"), size_text(48_200_000), rough_duration(400)
('1 image', '2,450 images', '48.2 MB', '7 min')
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from curator.text import Command, Text, spell

MOST_NOTES = 5
"""Remarks of a stage that are printed; the rest are counted."""

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Terminal:
    """Standard output; ``option`` is what a proposed command needs to mean the data set at hand."""

    option: str = ""

    def spell(self, text: Text) -> str:
        """Write a text with the commands that it proposes as they are typed."""
        return spell(text, self.option)

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Print a text as it is, at once."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def note(self, text: Text, style: str = "") -> None:
        """Print a remark: one line, however long."""
        self._console().print(Styled(self.spell(text), style), soft_wrap=True)

    def next(self, command: Command, remark: str = "") -> None:
        """Print the command to run next: nothing else is on its line, so that it can be pasted; why is below it."""
        self.note(f"next: {command.spelled(self.option)}")
        if remark:
            self.note(f"      {remark}")

    def notes(self, notes: Sequence[Text]) -> None:
        """Print the first remarks of a stage, and how many more there are."""
        for note in notes[:MOST_NOTES]:
            self.note(f"note: {self.spell(note)}")
        if len(notes) > MOST_NOTES:
            self.note(f"note: and {len(notes) - MOST_NOTES:,} more (--json has them all)")

    def paragraph(self, text: str) -> None:
        """Print a dim text, wrapped to the terminal's width."""
        self._console().print(Styled(text, "dim"))

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        styles: Sequence[str] = (),
        n_texts: int = 1,
    ) -> None:
        """Print a table: its title in bold, text on the left, figures on the right.

        Args:
            rows: one cell a column, each.
            styles: one a row, such as ``"bold green"`` or ``""``; none: plain.
            n_texts: how many columns, the first ones, hold text.
        """
        if title:
            self.note(title, "bold")
        table = Table(box=None, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(Styled(column), justify="left" if index < n_texts else "right", overflow="fold")
        for row, style in zip(rows, styles or [""] * len(rows), strict=True):
            table.add_row(*map(Styled, row), style=style)
        self._console().print(table)

    def _console(self) -> Console:
        return Console(highlight=False)


def print_error(message: str) -> None:
    """Print one paragraph on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Styled.assemble(("error:", "bold red"), f" {message}"))


def plural(n: int, noun: str) -> str:
    """Count a noun: ``2,450 images``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def count(n: int) -> str:
    """Write a count in a table, none as a dot."""
    return f"{n:,}" if n else "·"


def rough_duration(seconds: float) -> str:
    """Write a time as a person reads it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3600:.1f} h"


def size_text(n_bytes: float | None) -> str:
    """Write a number of bytes in at most nine characters; a dot if it is none or not known.

    >>> size_text(999), size_text(None)
    ('999 B', '·')
    """
    if n_bytes is None or n_bytes != n_bytes or not n_bytes:
        return "·"
    unit = next(((size, name) for size, name in _UNITS if n_bytes >= size), None)
    return f"{n_bytes / unit[0]:,.1f} {unit[1]}" if unit else f"{n_bytes:,.0f} B"
