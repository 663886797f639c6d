"""One image's story, as a terminal, a program, a notebook and a page have it.

>>> Story(("x-1  (rugby, kept so far)", "  bytes    9,812"), {})
Story('x-1  (rugby, kept so far)')
>>> print(_)
x-1  (rugby, kept so far)
  bytes    9,812
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from curator.errors import CuratorError, raises_curator_errors
from curator.events import ignore
from curator.inspect.story_page import story_page
from curator.manifests.project import Project
from curator.report.notebook import text_html
from curator.store.whole_files import write_text_whole
from curator.text import Text, spell

_FRAME = '<iframe srcdoc="{}" title="The pictures" style="width:100%;height:40rem;border:0"></iframe>'


@dataclass(frozen=True)
class Story:
    """One row's story: a text a line; for a program the row, its attempts (None: not known) and its copies.

    ``option`` is what the commands in the texts need to mean the data set, wherever they are typed.
    """

    texts: tuple[Text, ...]
    facts: dict[str, Any]
    option: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines for a person."""
        return tuple(spell(text, self.option) for text in self.texts)

    @property
    def compared(self) -> list[dict[str, Any]]:
        """What the image was compared with, pixel by pixel: its copies first, last what was told apart from it."""
        return [*self.facts.get("compared", ()), *self.facts.get("told_apart", ())]

    def __repr__(self) -> str:
        return f"Story({self.lines[0]!r})"

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return text_html(str(self))


class Stories(list[Story]):
    """The stories of one name, as a notebook shows them and ``print`` prints them: all their lines."""

    def __init__(self, stories: Iterable[Story], project: Project) -> None:
        super().__init__(stories)
        self._project = project
        self._html: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out who listens to events, which is of this process."""
        return Stories, (list(self), replace(self._project, emit=ignore).absolute())

    @raises_curator_errors
    def write_page(self, path: str | Path) -> None:
        """Write a page of the stories and of the pictures that were compared, laid over each other: one HTML file.

        Raises:
            CuratorError: the file would not be a page by its name.
        """
        if Path(path).suffix not in (".html", ".htm"):
            raise CuratorError(
                f"A page cannot be called {str(path)!r}.", "Its name ends in .html: why.html, for instance."
            )
        write_text_whole(Path(path), story_page(self, self._project))

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        if self._html is None:
            frame = _FRAME.format(escape(story_page(self, self._project))) if any(one.compared for one in self) else ""
            self._html = text_html(str(self)) + frame
        return self._html
