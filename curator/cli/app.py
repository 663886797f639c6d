"""The commands in the order in which ``curator --help`` lists them: each is one file of this folder, named as it is.

A file is imported when its command is asked for, and imports what it needs when that runs, so that ``curator --help``
starts without pandas and libcurl, and no command with what the others take.

>>> load("init").__name__, list(CommandsByName())[:3]
('init', ['init', 'search', 'run'])
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar

import typer

from curator import __version__
from curator.cli.help import HelpCommand, HelpGroup
from curator.cli.leaving import leaving_at_once
from curator.cli.shells import use_own_scripts
from curator.cli.streams import open_streams
from curator.errors import why

GROUPS = {
    "Make": ("init", "search", "run", "fetch", "dedupe", "balance", "split", "benchmark", "evaluate", "predict"),
    "Look": ("status", "why", "suspects", "similar", "review", "report", "diff", "verify", "audit", "demo"),
    "Share": ("export", "mirror", "replay", "forget"),
}
"""Every command under its heading in ``curator --help``; a new one is one file and one entry here."""

COMMANDS = tuple(name for group in GROUPS.values() for name in group)

_SETTINGS = {"help_option_names": ["-h", "--help"]}

_HELP = """Build labelled image-classification data sets that a person can trust, cite and rebuild.

From a folder of photographs to train/ and test/, and from the web:

\b
  curator init birds --from my-photos
  curator split
\b
  curator init birds heron stork
  curator run --no-benchmark
"""
_LOOK: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}


def load(name: str) -> Callable[..., None]:
    """Return the function of a command, whose file and whose function bear its name."""
    command: Callable[..., None] = getattr(importlib.import_module(f"curator.cli.{name}"), name)
    return command


@cache
def _made(name: str) -> Any:
    """Make what Typer makes of a command that is alone in its program."""
    alone = typer.Typer(add_completion=False, **_LOOK)
    alone.command(name, cls=HelpCommand, context_settings=_SETTINGS)(load(name))
    return typer.main.get_command(alone)


class CommandsByName(Mapping[str, Any]):
    """All commands by their names, each made when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        if name not in COMMANDS:
            raise KeyError(name)
        return _made(name)

    def __iter__(self) -> Iterator[str]:
        """Name all."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """Count them."""
        return len(COMMANDS)


class Commands(HelpGroup):
    """The commands in their groups."""

    groups: ClassVar = GROUPS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = CommandsByName()


app = typer.Typer(name="curator", cls=Commands, help=_HELP, no_args_is_help=True, context_settings=_SETTINGS, **_LOOK)


def main() -> None:
    """Run the command line."""
    open_streams()
    use_own_scripts()
    try:
        app(prog_name="curator")
    except OSError as error:  # a command tells its own: what is left is help, or the version, that cannot be printed
        raise SystemExit(f"error: Nothing can be printed here: {why(error)}.") from error


def start() -> None:
    """Run the command line in a process of its own, which ends with it."""
    with leaving_at_once():
        main()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"curator {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that go without a command."""
