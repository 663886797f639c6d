"""Print results: remarks and tables for a person, or one JSON document for a program.

>>> size_text(48_200_000), rough_duration(400)
('48.2 MB', '7 min')
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from curator.cli.colour import is_coloured
from curator.cli.wrapping import wrap
from curator.text import FOR_NO_TERMINAL, Command, Text, as_parts, printable, spell

MOST_NOTES = 5
"""Remarks of a stage that are printed; the rest are counted."""

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Terminal:
    """Standard output; ``option`` is what a proposed command needs to mean the data set at hand.

    ``told`` holds the warnings that were printed already: a note that says the same is left out.
    """

    option: str = ""
    told: Sequence[str] = ()

    def spell(self, text: Text) -> str:
        """Write a text with the commands that it proposes as they are typed."""
        return spell(text, self.option)

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        sys.stdout.write(FOR_NO_TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Print a text, at once."""
        sys.stdout.write(printable(text))
        sys.stdout.flush()

    def note(self, text: Text, style: str = "") -> None:
        """Print a remark: wrapped at words in a terminal, else in one line."""
        self._print(fitted(self.spell(text), sys.stdout), style)

    def command(self, heading: str, command: Command, remark: Text = "") -> None:
        """Print a command behind its heading: nothing else is on its line, so that it can be pasted; why is below."""
        self._print(f"{heading}: {command.spelled(self.option)}")
        if remark:
            self.note(("      ", *as_parts(remark)))

    def next(self, command: Command, remark: Text = "") -> None:
        """Print the command to run next, and why."""
        self.command("next", command, remark)

    def notes(self, notes: Sequence[Text]) -> None:
        """Print the first remarks of a stage, and how many more there are."""
        notes = [note for note in notes if not any(self.spell(note) in warning for warning in self.told)]
        for note in notes[:MOST_NOTES]:
            self.note(("note: ", *as_parts(note)))
        if len(notes) > MOST_NOTES:
            self.note(f"note: and {len(notes) - MOST_NOTES:,} more (--json has them all)")

    def paragraph(self, text: str) -> None:
        """Print a dim text, wrapped in 80 columns where there is no terminal."""
        self._console().print(Styled(printable(text), "dim"))

    def _print(self, text: str, style: str = "") -> None:
        self._console().print(Styled(printable(text), style), soft_wrap=True)

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
            table.add_column(Styled(printable(column)), justify="left" if index < n_texts else "right", overflow="fold")
        for row, style in zip(rows, styles or [""] * len(rows), strict=True):
            table.add_row(*(Styled(printable(cell)) for cell in row), style=style)
        self._console().print(table)

    def _console(self) -> Console:
        return console_of(sys.stdout)


def console_of(stream: TextIO) -> Console:
    """Return what prints styled texts on a stream, without any style where it is not to be coloured."""
    colour = is_coloured(stream)
    return Console(file=stream, highlight=False, force_terminal=colour, color_system="auto" if colour else None)


def fitted(text: str, stream: TextIO) -> str:
    """Wrap a text at words for a terminal; what goes into a file or a pipe stays as it is."""
    return wrap(text, _width(stream)) if stream.isatty() else text


def _width(stream: TextIO) -> int:
    """Return the columns of a terminal: what ``$COLUMNS`` says, or what it is, else 80."""
    if (said := os.environ.get("COLUMNS", "")).isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def print_error(message: str) -> None:
    """Print one paragraph on standard error."""
    heading, text = "error:", fitted(printable(f"error: {message}"), sys.stderr)
    styled = Styled.assemble((heading, "bold red"), text.removeprefix(heading))
    console_of(sys.stderr).print(styled, soft_wrap=True)


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
