"""``curator review``: the local page on which a person decides."""

import getpass
import os
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import open_named, option_of, reports_errors
from curator.cli.options import DataOption, JsonOption, QuietOption, RecipeOption

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal

_WhoOption = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Your name, kept with your decisions.")]
_PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, metavar="N", help="The port to serve it on; 0: a free one.")
]
_HostOption = Annotated[
    str,
    typer.Option("--host", metavar="ADDRESS", help="Where to serve it; 0.0.0.0: for a phone in your network too."),
]


@reports_errors
def review(
    who: _WhoOption = None,
    port: _PortOption = 0,
    host: _HostOption = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    recipe: RecipeOption = None,
    data: DataOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at the images in a browser; keep, drop or relabel them.

    All of it works from the keyboard.

    Example: curator review --host 0.0.0.0
    """
    from curator.cli.progress import TerminalProgress
    from curator.cli.terminal import Terminal
    from curator.text import Command, plural

    terminal = Terminal(option_of(recipe, data))
    bars = TerminalProgress(quiet, terminal.option)
    dataset = open_named(recipe, data, bars)

    def announce(address: str, n_images: int) -> None:
        if as_json:
            terminal.json({"address": address, "images": n_images, "reviews": str(dataset.paths.reviews)})
        else:
            _invite(terminal, address, n_images, host, not no_open)

    try:
        n_decisions = dataset.serve_review(who or getpass.getuser(), announce, port, host)
    finally:
        bars.close()
    if not as_json:
        said = f"{plural(n_decisions, 'decision')} in {dataset.paths.reviews}. Run "
        terminal.note((said, Command("split"), f" to honour {'it' if n_decisions == 1 else 'them'}."))


def _invite(terminal: "Terminal", address: str, n_images: int, host: str, opens: bool) -> None:
    """Say where the page is, and open it if somebody can see it here."""
    from curator.review.network import may_open
    from curator.text import plural

    terminal.text(f"{plural(n_images, 'image')} to review at {address}\nCtrl-C ends it.\n")
    if host not in ("127.0.0.1", "localhost"):
        terminal.note("On a phone in the same network, open that address. Whoever has it can decide.")
    if opens and may_open(os.environ, sys.platform, sys.stdout.isatty()):
        webbrowser.open(address)
