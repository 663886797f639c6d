"""Progress in the terminal: bars, and remarks and warnings as lines on stderr; without a terminal, lines now and then.

>>> TerminalProgress(quiet=True).remark("imagenet listed: rugby 12")
>>> line = ProgressLine("fetch", 4000, "image", 200, clock=iter([0.0, 30.0]).__next__)
>>> line.update(1000)
>>> line.text(30.0)
'fetch: 1,200 of 4,000 images, 33/s, 84 s left'
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from curator.cli.colour import YELLOW, coloured
from curator.cli.terminal import fitted, rough_duration, size_text
from curator.progress import Bars, write_line
from curator.text import Text, plural, printable, spell

SHORTEST_S, LONGEST_S = 5.0, 30.0
"""Seconds between two lines of one piece of work: few at first, more as it goes on."""


class TerminalProgress(Bars):
    """Bars if stderr is a terminal, else lines; remarks and warnings. ``quiet`` leaves only warnings."""

    def __init__(self, quiet: bool = False, option: str = "") -> None:
        super().__init__(quiet)
        self.option = option
        self.told: list[str] = []

    def bar(self, what: str, total: int | None, unit: str, initial: int) -> Any:
        """Return a bar, or what writes lines into a file or a pipe."""
        if self.quiet or sys.stderr.isatty():
            return super().bar(what, total, unit, initial)
        return ProgressLine(what, total, unit, initial)

    def warn(self, text: Text) -> None:
        """Print a warning, yellow in a terminal, and remember it."""
        self.told.append(spell(text, self.option))
        line = fitted(printable(f"warning: {self.told[-1]}"), sys.stderr)
        write_line(coloured(line, YELLOW, sys.stderr))

    def remark(self, text: Text) -> None:
        """Print a remark."""
        if not self.quiet:
            write_line(fitted(printable(spell(text, self.option)), sys.stderr))


class ProgressLine:
    """One piece of work, told as a line every few seconds; it has the methods of tqdm that :class:`Bars` calls."""

    def __init__(
        self, what: str, total: int | None, unit: str, initial: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what, self.total, self.unit, self.n, self.initial = what, total, unit, initial, initial
        self.clock, self.postfix = clock, ""
        self.began = clock()
        self.due = self.began + SHORTEST_S

    def update(self, n: int) -> None:
        """Count ``n`` more items; write a line if it is time."""
        self.n += n
        if (now := self.clock()) >= self.due:
            self.due = now + min(max(SHORTEST_S, (now - self.began) / 20), LONGEST_S)
            print(printable(self.text(now)), file=sys.stderr, flush=True)

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        """Remember what to say at the end of the next line."""
        self.postfix = f" ({text})"

    def close(self) -> None:
        """End without a further line: what came of the work is reported elsewhere."""

    def text(self, now: float) -> str:
        """Say how far the work is, how fast it goes and how long it will take."""
        rate = (self.n - self.initial) / max(now - self.began, 1e-9)
        if self.unit == "B":
            done, pace = size_text(self.n), f"{size_text(rate)}/s"
            of = f" of {size_text(self.total)}" if self.total else ""
        else:
            done = f"{self.n:,}"
            pace = f"{rate:,.{0 if rate >= 10 else 1}f}/s" if rate >= 1 or not rate else f"{1 / rate:,.1f} s each"
            of = f" of {plural(self.total, self.unit)}" if self.total else f" {self.unit}s"
        left = f", {rough_duration((self.total - self.n) / rate)} left" if self.total and rate else ""
        return f"{self.what}: {done}{of}, {pace}{left}{self.postfix}"
