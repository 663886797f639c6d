"""The commands in the order in which ``curator --help`` lists them: each is one file of this folder.

A file imports what it needs when its command runs, so that ``curator --help`` starts without pandas and libcurl.

>>> [command.__name__ for command in COMMANDS][:3]
['init', 'search', 'run']
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from curator import __version__
from curator.cli.audit import audit
from curator.cli.balance import balance
from curator.cli.benchmark import benchmark
from curator.cli.dedupe import dedupe
from curator.cli.demo import demo
from curator.cli.diff import diff
from curator.cli.evaluate import evaluate
from curator.cli.export import export
from curator.cli.fetch import fetch
from curator.cli.forget import forget
from curator.cli.help import HelpCommand, HelpGroup
from curator.cli.init import init
from curator.cli.mirror import mirror
from curator.cli.predict import predict
from curator.cli.replay import replay
from curator.cli.report import report
from curator.cli.review import review
from curator.cli.run import run
from curator.cli.search import search
from curator.cli.shells import use_own_scripts
from curator.cli.similar import similar
from curator.cli.split import split
from curator.cli.status import status
from curator.cli.streams import open_streams
from curator.cli.suspects import suspects
from curator.cli.verify import verify
from curator.cli.why import why

GROUPS = {
    "Make": (init, search, run, fetch, dedupe, balance, split, benchmark, evaluate, predict),
    "Look": (status, why, suspects, similar, review, report, diff, verify, audit, demo),
    "Share": (export, mirror, replay, forget),
}
"""Every command under its heading in ``curator --help``; a new one is one file and one entry here."""

COMMANDS = tuple(command for group in GROUPS.values() for command in group)

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


class Commands(HelpGroup):
    """The commands in their groups."""

    groups: ClassVar = {heading: [command.__name__ for command in group] for heading, group in GROUPS.items()}


app = typer.Typer(
    name="curator",
    cls=Commands,
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)
for command in COMMANDS:
    app.command(cls=HelpCommand, context_settings=_SETTINGS)(command)


def main() -> None:
    """Run the command line."""
    open_streams()
    use_own_scripts()
    app(prog_name="curator")


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
