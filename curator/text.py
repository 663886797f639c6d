"""Texts for a person, whose proposed commands are data: only the command line knows how they are typed.

>>> text = ("manifest.csv does not exist. Run ", Command("split"), " first.")
>>> print(spell(text, " --recipe balls"))
manifest.csv does not exist. Run `curator split --recipe balls` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """A command that a text proposes, without ``curator`` and without the options that name the data set.

    >>> Command("split --force").spelled(" --recipe balls")
    'curator split --force --recipe balls'
    """

    words: str

    def spelled(self, option: str = "") -> str:
        """Return the command as it is typed; ``option`` names the data set, such as `` --recipe balls``."""
        return f"curator {self.words}{option}"


Text = str | tuple[str | Command, ...]
"""A text that may propose commands: plain, or its parts in order."""


MOST = Command("split --per-class max")
"""Takes as many images of each label as the smallest label has."""


def spell(text: Text, option: str = "", quote: str = "`") -> str:
    """Write a text with its commands as they are typed.

    Args:
        text: see :data:`Text`.
        option: names the data set, such as `` --recipe balls``.
        quote: is written on both sides of a command.

    >>> spell(("Run ", Command("fetch"), " first."))
    'Run `curator fetch` first.'
    """
    parts = (part if isinstance(part, str) else f"{quote}{part.spelled(option)}{quote}" for part in as_parts(text))
    return "".join(parts)


def as_parts(text: Text) -> tuple[str | Command, ...]:
    """Return the parts of a text, to put them into another one."""
    return (text,) if isinstance(text, str) else text


def to_json(text: Text) -> Any:
    """Return a text in the form in which files keep it; a plain text is kept as it is.

    >>> to_json(("Run ", Command("fetch"))), from_json(to_json(("Run ", Command("fetch")))), from_json("Done.")
    (['Run ', {'command': 'fetch'}], ('Run ', Command(words='fetch')), 'Done.')
    """
    return text if isinstance(text, str) else [one if isinstance(one, str) else {"command": one.words} for one in text]


def from_json(form: Any) -> Text:
    """Read a text from the form in which files keep it: see :func:`to_json`."""
    if isinstance(form, str):
        return form
    return tuple(part if isinstance(part, str) else Command(part["command"]) for part in form)
