"""Commands as a person finds them, in a terminal or on a page, read as a shell and the command line would read them."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser

import typer

from curator.cli.app import app

PLACEHOLDER = re.compile(r"[A-Z]{2,}[A-Z0-9_|]*|ID|N|A|B")
"""What stands for something in a description; in a command that is printed there is none."""


def in_terminal(text: str) -> list[str]:
    """Find the commands of an output: between backticks, or all of a line after its heading."""
    found = re.findall(r"`(curator [^`\n]*)`", text)
    return found + re.findall(r"^(?:next|also|[a-z ]+): +(curator .*)$", text, re.MULTILINE)


def on_page(page: str) -> list[str]:
    """Find the commands of a page: what is shown as code and begins with ``curator``."""
    reader = _Codes()
    reader.feed(page)
    return [code for code in reader.codes if code.startswith("curator ")]


class _Codes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.codes: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("code", "pre"):
            self.depth += 1
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.codes[-1] += data


def read_words(command: str) -> list[str]:
    """Split a command as a shell does, and read it as the command line does: what it does not take is an error."""
    words = shlex.split(command)
    assert words[0] == "curator" and not any(PLACEHOLDER.fullmatch(word) for word in words), command
    group = typer.main.get_command(app)
    name, found, rest = group.resolve_command(group.make_context("curator", ["status"]), words[1:])  # type: ignore[attr-defined]
    if "--help" not in rest:
        found.make_context(name, [*rest])
    return words[1:]
