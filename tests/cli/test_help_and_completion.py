"""Help that can be read in 80 columns, an example of each command that can be typed, and what the shell proposes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.benchmark.models.registry import model_names
from curator.cli import complete
from curator.cli.app import COMMANDS, GROUPS, app
from curator.export.export import FORMATS
from tests.cli.pasted import read_words
from tests.small_worlds import recipe_text, write_folder

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
NAMES = [command.__name__ for command in COMMANDS]


def help_of(*words: str, **environment: str) -> str:
    """Return what a command's help prints."""
    plain = {"COLUMNS": "80", "NO_COLOR": "", "FORCE_COLOR": ""}
    return CliRunner().invoke(app, [*words], prog_name="curator", env=plain | environment, color=True).output


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_an_example_that_can_be_typed(name: str) -> None:
    """``-h`` and ``--help`` print the same, in 80 columns; every option says what it does."""
    text = help_of(name, "-h")
    assert text == help_of(name, "--help") and "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    (example,) = re.findall(r"^  Example: (curator .*)$", text, re.MULTILINE)
    assert read_words(example)[0] == name
    assert not re.search(r"<\w+>  |\[required\]|x[<>]=|<int range>", text)
    assert not re.search(r"^  -[^ ]+( [A-Z]\S*)?$(?!\n {10})", text, re.MULTILINE)


def test_the_commands_are_in_groups() -> None:
    """Each is listed once, in one whole line."""
    text = help_of("-h")
    assert text == help_of() and "..." not in text.partition("Make:")[2]
    places = [text.index(f"\n{heading}:\n") for heading in GROUPS]
    assert places == sorted(places)
    assert re.findall(r"^  ([a-z]+)  ", text.partition("Make:")[2], re.MULTILINE) == NAMES


def test_colour_only_where_it_is_wanted() -> None:
    """``FORCE_COLOR`` makes headings bold, ``NO_COLOR`` overrules it; the words are the same."""
    coloured = help_of("fetch", "-h", FORCE_COLOR="1")
    assert "\x1b[1mOptions:\x1b[0m" in coloured
    assert ESCAPE.sub("", coloured) == help_of("fetch", "-h") == help_of("fetch", "-h", FORCE_COLOR="1", NO_COLOR="1")


def test_what_is_proposed_is_what_there_is() -> None:
    """The names are written down for a quick start; here they are compared with the registries."""
    assert tuple(form.name for form in FORMATS) == complete.EXPORT_FORMATS
    assert tuple(model_names()) == complete.MODELS


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that was fetched, of photographs with a space in their names."""
    folder = tmp_path_factory.mktemp("project")
    photos = write_folder(folder / "photos", 2)
    for path in [*photos.rglob("*.jpg")]:
        path.rename(path.with_name(f"photo {path.stem}.jpg"))
    (folder / "manifests" / "small").mkdir(parents=True)
    (folder / "manifests" / "small" / "recipe.toml").write_text(recipe_text(photos, per_class="max"))
    (folder / "below").mkdir()
    subprocess.run([sys.executable, "-m", "curator", "fetch"], cwd=folder, check=True, capture_output=True)
    return folder / "below"


PROPOSED = [
    ("curator st", ["status"]),
    ("curator --install", ["--install-completion"]),
    ("curator fetch --li", ["--limit"]),
    ("curator status --recipe sm", ["small"]),
    ("curator export c", ["croissant", "coco"]),
    ("curator dedupe --mode ", ["near", "exact", "off"]),
    ("curator benchmark --models cnn,", ["cnn,mobilenet_v2", "cnn,efficientnet_lite0"]),
    ("curator why rugby/", [r"rugby/photo\ 000.jpg", r"rugby/photo\ 001.jpg"]),
    (r"curator why --recipe small rugby/photo\ 001", [r"rugby/photo\ 001.jpg"]),
    ("curator why /no/such/", []),
]


@pytest.mark.parametrize(("typed", "proposed"), PROPOSED)
def test_bash_completes(place: Path, typed: str, proposed: list[str]) -> None:
    """What bash's function proposes after Tab, from a folder below the project; no pandas is imported for it."""
    words = re.findall(r"(?:\\.|\S)+", typed) + ([""] if typed.endswith(" ") else [])
    environment = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    code = (
        "import sys\n"
        "from curator.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'pandas', 'cv2', 'PIL'} & set(sys.modules), 'slow'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={**os.environ, "CURATOR_RECIPE": "", "_CURATOR_COMPLETE": "complete_bash", **environment},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == "\n".join(proposed).split() and "slow" not in done.stderr


@pytest.mark.parametrize(("shell", "proposed"), [("zsh", "photo 001"), ("fish", "photo 001")])
def test_other_shells_quote_themselves(place: Path, shell: str, proposed: str) -> None:
    """A backslash in a proposal would be in the word."""
    environment = {"_TYPER_COMPLETE_ARGS": "curator why rugby/", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [sys.executable, "-c", "from curator.cli.app import main; main()"],
        cwd=place,
        env={**os.environ, "CURATOR_RECIPE": "", "_CURATOR_COMPLETE": f"complete_{shell}", **environment},
        capture_output=True,
        text=True,
    )
    assert proposed in done.stdout
