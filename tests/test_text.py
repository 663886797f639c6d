"""What is said to a person: a proposed command is data, and only the command line spells it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from curator.cli.app import COMMANDS, app, load
from curator.errors import CuratorError
from curator.events import Noted, Warned
from curator.text import OF_NO_DATA_SET, Command, Text, from_json, spell, to_json
from tests.cli.pasted import read_words

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


@pytest.mark.parametrize("word", ["-1.jpg", "--help", "--", "a -- b", "my photos/1.jpg", "it's"])
@pytest.mark.parametrize("option", ["", " --recipe 'a b'"])
def test_a_word_of_a_person_is_no_option(word: str, option: str) -> None:
    """Whatever it begins with, a pasted command takes it as the argument, and the options as options."""
    for command in (Command.of("why", word), from_json(to_json((Command.of("why", word),)))[0]):
        assert isinstance(command, Command)
        given = parse(command.spelled(option))
        assert given["image"] == word and given["recipe"] == ((option and "a b") or None)
    given = parse(Command.of("init", "z", word, "heron", options=("--from", word)).spelled(option))
    assert (given["name"], given["labels"], given["places"]) == ("z", (word, "heron"), (word,))


def parse(command: str) -> dict[str, Any]:
    """Read a command as the command line does; return its parameters."""
    words = read_words(command)
    found = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    return dict(found.make_context(words[0], words[1:]).params)


def test_commands_of_no_data_set_take_no_option_that_names_one() -> None:
    """And all others do."""
    takes = {name: {"recipe", "data"} <= set(inspect.signature(load(name)).parameters) for name in COMMANDS}
    assert {name for name, does in takes.items() if not does} == set(OF_NO_DATA_SET)
