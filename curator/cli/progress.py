"""Progress in the terminal: bars, and remarks and warnings as lines on stderr.

>>> TerminalProgress(quiet=True).remark("imagenet listed: rugby 12")
"""

from __future__ import annotations

import sys

from tqdm import tqdm

from curator.progress import Bars
from curator.text import Text, spell


class TerminalProgress(Bars):
    """Bars if stderr is a terminal, and plain lines; ``quiet`` leaves only warnings."""

    def __init__(self, quiet: bool = False, option: str = "") -> None:
        super().__init__(quiet)
        self.option = option

    def warn(self, text: Text) -> None:
        """Print a warning, yellow in a terminal."""
        line = f"warning: {spell(text, self.option)}"
        tqdm.write(f"\x1b[33m{line}\x1b[0m" if sys.stderr.isatty() else line, file=sys.stderr)

    def remark(self, text: Text) -> None:
        """Print a remark."""
        if not self.quiet:
            tqdm.write(spell(text, self.option), file=sys.stderr)
