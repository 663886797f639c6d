"""What is said to a person: a proposed command is data, and only the command line spells it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.errors import CuratorError
from curator.events import Noted, Warned
from curator.text import Command, Text, from_json, spell, to_json

PACKAGE = Path(__file__).parents[1] / "curator"
PROPOSED = re.compile(
    r"`curator (fetch|dedupe|balance|split|status|why|verify|review|benchmark|report|export|forget|run)\b"
)
HINT = ("Run ", Command("split --force"), " first.")


def literals(path: Path) -> Iterator[str]:
    """Yield the strings of a module that are no docstring, those within f-strings too."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


# The remedies in reasons.py are those of docs/reasons.md, a page that means no data set.
SPEAKING = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "reasons.py")


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_proposed_command_is_data(path: Path) -> None:
    """No string of the package spells a command of the data set: it could not name which data set is meant."""
    assert not [text for text in literals(path) if PROPOSED.search(text)]


def test_an_error_spells_its_commands_for_the_data_set() -> None:
    """The hint's command gets the option; what is printed without a data set has none."""
    error = CuratorError("No manifest.", HINT)
    assert str(error) == "No manifest. Run `curator split --force` first."
    assert spell(error.text, " --recipe balls") == "No manifest. Run `curator split --force --recipe balls` first."


def test_an_error_keeps_its_paragraph_as_it_was() -> None:
    """A table keeps its lines; a message without a hint ends where it ends."""
    assert str(CuratorError("Too few:\n  a  1\n", "Get more.")) == "Too few:\n  a  1\nGet more."
    assert str(CuratorError("Too few:\n  a  1\n")) == "Too few:\n  a  1"


@pytest.mark.parametrize("kind", [Noted, Warned])
def test_an_event_hides_passwords_and_keeps_its_commands(kind: type[Noted] | type[Warned]) -> None:
    """The text around a command is cleaned; the command stays data."""
    event = kind(("http://ann:s3cret@lists.example failed. ", *HINT))
    assert event.message == ("http://***@lists.example failed. ", *HINT)


@pytest.mark.parametrize("text", ["a plain note", HINT])
def test_a_text_comes_back_from_json(text: Text) -> None:
    """Notes are kept in files; a note of an older version is a plain string."""
    assert from_json(to_json(text)) == text


def test_one_function_counts() -> None:
    """An *s* is appended to a noun in one place only, so that no message says *1 rows*."""
    own = re.compile(r"""1 else (["'])s\1|(["'])s\2\[""")
    assert [str(path) for path in PACKAGE.rglob("*.py") if own.search(path.read_text("utf-8"))] == []
