"""The help of the command line: plain text in 80 columns, commands in groups, headings in bold if colour is wanted.

>>> [issubclass(kind, TyperCommand) for kind in (HelpCommand, HelpGroup)]
[True, False]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup

from curator.cli.colour import BOLD, coloured, is_coloured

_NOISE: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"\s+\[(?:required|[0-9]*(?:<=)?x[<>]=?[0-9]+)\]"), ""),
    (re.compile(r";\s+[0-9]*(?:<=)?x[<>]=?[0-9.]+\]"), "]"),
    (re.compile(r"(?<=\S) <[a-z]+(?:\[[a-z]+\])?>(?=  )"), lambda found: " " * len(found[0])),
    (re.compile(r"\{([A-Z0-9|]+)\}"), r"\1"),
)
"""What Typer adds that no person needs to read: types, ranges, and which arguments are required."""
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""Click's UsageError, which Typer brings along under another name in each version."""
_HEADING = re.compile(r"^(?:[A-Z][A-Za-z ]*:$|Usage:|  Example:)", re.MULTILINE)


def _readable(text: str, ctx: Any) -> str:
    ctx.color = is_coloured(sys.stdout)
    for noise, plain in _NOISE:
        text = noise.sub(plain, text)
    return _HEADING.sub(lambda found: coloured(found[0], BOLD, sys.stdout), text)


@contextmanager
def _plain_words() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as error:
        error.message = error.message.replace("Value error, ", "")  # Pydantic's, in some versions of Typer
        raise


@contextmanager
def _with_owners(ctx: Any) -> Iterator[None]:
    """Name the command that has an option, where it is given to one that has not."""
    try:
        yield
    except _USAGE_ERROR as error:
        option = getattr(error, "option_name", "")
        commands = ctx.parent.command.commands if option and ctx.parent else {}
        owners = [name for name, one in commands.items() if _has(one, option)]
        if owners and not _has(ctx.command, option) and hasattr(error, "message"):
            error.message = f"No such option: {option}. It is one of {in_a_row(owners)}."
        raise


def _has(command: Any, option: str) -> bool:
    return any(option in one.opts for one in command.params)


def in_a_row(commands: Sequence[str], most: int = 3) -> str:
    """Name commands, the first ones of many.

    >>> in_a_row(["fetch"]), in_a_row(["split", "run"])
    ('`curator fetch`', '`curator split`, `curator run`')
    """
    return ", ".join(f"`curator {name}`" for name in commands[:most]) + (" and others" if len(commands) > most else "")


class HelpCommand(TyperCommand):
    """A command whose help has bold headings; of a wrong value it says what is wrong, not who found it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        with _plain_words(), _with_owners(ctx):
            rest: list[str] = super().parse_args(ctx, args)
            return rest

    def invoke(self, ctx: Any) -> Any:
        """Call the command."""
        with _plain_words():
            return super().invoke(ctx)

    def get_help(self, ctx: Any) -> str:
        """Return the help text."""
        return _readable(super().get_help(ctx), ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence, whole: a shell shows it beside the command."""
        return super().get_short_help_str(max(limit, 100))


class HelpGroup(TyperGroup):
    """All commands; :attr:`groups` are the headings that they are listed under."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def get_help(self, ctx: Any) -> str:
        """Return the help text."""
        return _readable(super().get_help(ctx), ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands group by group, all in one width."""
        width = max(map(len, self.commands))
        rows = [
            (f"{name:<{width}}", command.get_short_help_str(formatter.width - 6 - width))
            for name, command in self.commands.items()
        ]
        for heading, names in self.groups.items():
            with formatter.section(heading):
                formatter.write_dl([row for row in rows if row[0].strip() in names])
