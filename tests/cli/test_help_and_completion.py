"""Help that can be read in 80 columns, an example of each command that can be typed, and what the shell proposes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import curator
from curator.benchmark.models.registry import model_names
from curator.cli import complete
from curator.cli.app import COMMANDS, GROUPS, app
from curator.export.export import FORMATS
from tests.cli.pasted import read_words
from tests.small_worlds import recipe_text, write_folder

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
NAMES = list(COMMANDS)


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
    examples = re.findall(r"^  Example: (curator .*)$", text, re.MULTILINE)
    assert {read_words(example)[0] for example in examples} == {name}
    assert not re.search(r"<\w+>  |\[required\]|x[<>]=|<int range>", text)
    assert not re.search(r"^  -[^ ]+( [A-Z]\S*)?$(?!\n {10})", text, re.MULTILINE)


def test_the_commands_are_in_groups() -> None:
    """Each is listed once, in one whole line."""
    text = help_of("-h")
    assert text == help_of() and "..." not in text.partition("Make:")[2]
    places = [text.index(f"\n{heading}:\n") for heading in GROUPS]
    assert places == sorted(places)
    assert re.findall(r"^  ([a-z]+)  ", text.partition("Make:")[2], re.MULTILINE) == NAMES


def test_an_option_of_another_command_is_said_to_be_its() -> None:
    """`--plan` belongs to fetch; what no command has is unknown, and a slip of one is named."""
    assert "No such option: --plan. It is one of `curator fetch`." in help_of("init", "a", "b", "--plan")
    assert "Option '--ratio' requires an argument." in help_of("split", "--ratio")
    assert "Option '--plan' does not take a value." in help_of("fetch", "--plan=3")
    assert "It is one of" not in help_of("init", "a", "--plam")


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
    """A data set that was fetched, of photographs with a quote and a space in their names."""
    folder = tmp_path_factory.mktemp("project")
    photos = write_folder(folder / "photos", 2)
    for path in [*photos.rglob("*.jpg")]:
        path.rename(path.with_name(f"it's {path.stem}.jpg"))
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
    (
        "curator benchmark --models cnn,",
        ["cnn,mobilenet_v2", "cnn,efficientnet_lite0", "cnn,mobilenet_v2_tuned", "cnn,cnn_pooled"],
    ),
    ("curator why rugby/", ["rugby/it's 000.jpg", "rugby/it's 001.jpg"]),
    (r"curator why --recipe small rugby/it\'s\ 001", ["rugby/it's 001.jpg"]),
    ("curator why /no/such/", []),
]


@pytest.mark.parametrize(("typed", "proposed"), PROPOSED)
def test_what_is_proposed_after_tab(place: Path, typed: str, proposed: list[str]) -> None:
    """From a folder below the project, as it is: each shell quotes it; no pandas is imported for it."""
    code = (
        "import sys\n"
        "from curator.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'pandas', 'cv2', 'PIL'} & set(sys.modules), 'slow'"
    )
    asked = {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={**os.environ, "CURATOR_RECIPE": "", "_CURATOR_COMPLETE": "complete_fish", **asked},
        capture_output=True,
        text=True,
    )
    lines = [line.partition("\t") for line in done.stdout.splitlines() if line]
    assert [name for name, _, _ in lines] == proposed and "slow" not in done.stderr
    assert not [meaning for *_, meaning in lines if meaning.endswith("...")]


TYPED = (
    ("curator export cr", "curator export croissant"),
    ("curator status --recipe sm", "curator status --recipe small"),
    (r"curator why rugby/it\'s\ 001", r"curator why rugby/it\'s\ 001.jpg"),
    ("curator why \"rugby/it's 001", 'curator why "rugby/it\'s 001.jpg"'),
    ("curator init mine --from ../pho", "curator init mine --from ../photos/"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with ``curator`` as a command, where the shells that there are have its completion installed."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "bin").mkdir()
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m curator "$@"\n'
    (folder / "bin" / "curator").write_text(script)
    (folder / "bin" / "curator").chmod(0o755)
    for shell in filter(shutil.which, ("bash", "zsh", "fish")):
        said = subprocess.run(
            [shell, "-c", "curator --install-completion; true"],
            env=own_environment(folder),
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.startswith(f"{shell} completion installed in {folder}")
    with (folder / ".bashrc").open("a") as file:
        file.write("PS1='ready> '\n")
    return folder


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_at_the_first_tab(place: Path, home: Path, shell: str) -> None:
    """In a terminal of its own: what stands on the line after one Tab, quotes and spaces included."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for typed, completed in TYPED:
        assert completed in at_the_prompt(shell, typed, completed, place, home)


def test_fish_completes(place: Path, home: Path) -> None:
    """Fish says itself what it would propose."""
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    done = subprocess.run(
        ["fish", "-c", "for typed in $argv; complete -C $typed; end", *(typed for typed, _ in TYPED[:3])],
        cwd=place,
        env=own_environment(home),
        capture_output=True,
        text=True,
    )
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == [
        "croissant",
        "small",
        "rugby/it's 001.jpg",
    ]


def own_environment(home: Path) -> dict[str, str]:
    """The environment of a shell that reads nobody's own files."""
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    own = {
        "HOME": str(home),
        "ZDOTDIR": str(home),
        "PATH": path,
        "TERM": "xterm",
        "PS1": "ready> ",
        "CURATOR_RECIPE": "",
    }
    source = str(Path(curator.__file__).parents[1])
    return {**os.environ, **own, "PYTHONPATH": source, "LC_ALL": "C.UTF-8", "HISTFILE": "/dev/null"}


def at_the_prompt(shell: str, typed: str, completed: str, place: Path, home: Path, limit_s: float = 120.0) -> str:
    """Type into a shell behind a terminal, and Tab, and return what it shows, without its control sequences."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(place)
        os.execvpe(shell, [shell, "-i"], own_environment(home))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    shown, end = "", time.monotonic() + limit_s
    to_come = [("ready> ", typed), (typed, "\t")]  # zsh takes a Tab among pasted text for a part of it
    try:
        while (to_come or completed not in shown) and time.monotonic() < end:
            if select.select([terminal], [], [], 0.5)[0]:
                shown += os.read(terminal, 65_536).decode("utf-8", "replace")
                shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\a|.\x08", "", shown)
            if to_come and to_come[0][0] in shown:
                os.write(terminal, to_come.pop(0)[1].encode())
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
    return shown
