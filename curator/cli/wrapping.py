"""Wrap what is printed at words, never inside a command, a quoted name or a path, so that each can be copied whole.

>>> print(wrap("Nothing was fetched yet. Run `curator fetch --recipe 'a b'` first.", 34))
Nothing was fetched yet. Run
`curator fetch --recipe 'a b'`
first.
>>> print(wrap("  request  2026-01-01: HTTP 404, gone", 24))
  request  2026-01-01:
           HTTP 404,
           gone
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len

_WHOLE = re.compile(r"(?:`[^`\n]*`|(?<!\w)'[^'\n]+'(?!\w)|\S)+")
"""A word, or several that stay together: between backticks or single quotes."""
_HANGING = re.compile(r" *(?:\S+(?: \S+)?  +)?")
"""The heading of a line: one word or two, and the spaces behind it."""
_MOST_WORDS_IN_PATH = 12


def wrap(text: str, width: int) -> str:
    """Break each line that is wider than ``width`` cells; what follows is under its text, behind its heading.

    A word that is wider than that stays whole.
    """
    return "\n".join(_wrap_line(line, width) for line in text.split("\n"))


def _wrap_line(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    start = _HANGING.match(line)
    heading = start[0] if start else ""
    indent = " " * (len(heading) if len(heading) <= width // 2 else 0)
    lines, room = [heading], True
    for word in _words(line[len(heading) :]):
        if not room and cell_len(f"{lines[-1]} {word}") > width:
            lines, room = [*lines, indent], True
        lines[-1] += word if room else f" {word}"
        room = False
    return "\n".join(lines)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a line; those that are one path together are one."""
    words = [found[0] for found in _WHOLE.finditer(text)]
    while words:
        n = next((n for n in range(min(len(words), _MOST_WORDS_IN_PATH), 1, -1) if _is_path(words[:n])), 1)
        yield " ".join(words[:n])
        del words[:n]


def _is_path(words: list[str]) -> bool:
    """Say whether words are one path with spaces in it: it exists, or the folder that it names does."""
    if "/" not in words[0]:
        return False
    path = " ".join(words).strip("(\"'").rstrip(".,:;)\"'")
    folder, slash, _ = path.rpartition("/")
    try:
        return Path(path).exists() or (bool(slash) and slash in words[-1] and Path(folder).is_dir())
    except (OSError, ValueError):
        return False
