"""The commands in the order in which ``curator --help`` lists them: each is one file of this folder.

A file imports what it needs when its command runs, so that ``curator --help`` starts without pandas and libcurl.

>>> [command.__name__ for command in COMMANDS][:3]
['init', 'fetch', 'dedupe']
"""

from __future__ import annotations

from typing import Annotated

import typer

from curator import __version__
from curator.cli.balance import balance
from curator.cli.benchmark import benchmark
from curator.cli.dedupe import dedupe
from curator.cli.demo import demo
from curator.cli.diff import diff
from curator.cli.export import export
from curator.cli.fetch import fetch
from curator.cli.forget import forget
from curator.cli.init import init
from curator.cli.replay import replay
from curator.cli.report import report
from curator.cli.review import review
from curator.cli.run import run
from curator.cli.split import split
from curator.cli.status import status
from curator.cli.verify import verify
from curator.cli.why import why

COMMANDS = (
    init,
    fetch,
    dedupe,
    balance,
    split,
    run,
    benchmark,
    report,
    export,
    replay,
    diff,
    forget,
    status,
    why,
    review,
    verify,
    demo,
)
"""Every command; a new one is one file and one entry here."""

app = typer.Typer(
    name="curator",
    help="Build labelled image-classification data sets that a person can trust, cite and rebuild.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"curator {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Build labelled image-classification data sets that a person can trust, cite and rebuild."""
