"""Every command that is printed, on a page or in a terminal, works as it is pasted, and means the same data set."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.dataset import open_dataset
from curator.errors import CuratorError
from curator.fetch.ledger.diagnosis import advise
from curator.inspect.status import read_status
from curator.manifests.project import find_recipe
from curator.manifests.reviews import Review, append_review
from curator.reasons import Drop
from curator.report import build as report
from curator.report import facts
from curator.text import spell
from tests.cli.pasted import in_terminal, on_page, read_words
from tests.small_worlds import picture, recipe_text, write_folder

ROOT = Path(__file__).parents[2]
ONLY_READ = {"review", "benchmark", "run", "demo", "replay"}
"""Commands that serve, train, or request from the web what a folder of photographs does not have: not run here."""


@dataclass
class Shell:
    """A working folder, the option that means the data set, and every command that was printed so far."""

    folder: Path
    option: str
    printed: list[str]

    def run(self, *words: str) -> str:
        """Run a command here, as if pasted; note the commands that it prints."""
        done = CliRunner().invoke(app, [*words], env={"COLUMNS": "80", "TERM": "dumb"}, catch_exceptions=False)
        assert done.exit_code in (0, 1), f"{words}: {done.output}"
        self.printed += in_terminal(done.stdout) + in_terminal(done.stderr)
        return done.stdout


PLACES = {
    "default": ("manifests/small/recipe.toml", "data"),
    "spaces and quotes": ('my sets/Ann\'s "best" $HOME & co;/recipe.toml', "my data/it's"),
    "not ASCII": ("Datensätze/große Bälle 球/recipe.toml", "data"),
    "elsewhere": ("../elsewhere/manifests/small/recipe.toml", "../elsewhere/data"),
}


@pytest.fixture(params=list(PLACES))
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A small data set, split, whose recipe and data are in a place of each kind."""
    folder = tmp_path / "working folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    monkeypatch.setattr(report, "draw_plots", lambda facts: True)  # plots hold no command, and take seconds
    monkeypatch.setattr(facts, "_check_confounds", lambda images: None)  # as does this
    photos = write_folder(tmp_path / "photos", 6)
    picture(1, (120, 90)).save(photos / "rugby" / "smaller.jpg", quality=90)
    picture(77, (40, 30)).save(photos / "rugby" / "tiny.jpg")
    recipe, data = PLACES[request.param]
    Path(recipe).parent.mkdir(parents=True)
    Path(recipe).write_text(recipe_text(photos, per_class="max"), encoding="utf-8")
    given = [] if request.param == "default" else ["--recipe", recipe, "--data", data]
    made = Shell(folder, "", [])
    for words in (["fetch"], ["dedupe"], ["balance"], ["split"]):
        made.run(*words, *given)
    made.option = open_dataset(recipe, data=data).project.option if given else ""
    yield made


def test_everything_printed_can_be_pasted(shell: Shell) -> None:
    """Output, errors, report, gallery, review page, data card: each command is read, and each quick one run."""
    given = read_words(f"curator status{shell.option}")[1:]
    dataset = open_dataset(*given[1:2], data=given[3] if len(given) > 2 else None)
    told = {"status": shell.run("status", *given)}
    assert dataset.name in told["status"]
    dataset.report()
    dataset.gallery()
    for form in ("keras", "imagefolder"):
        shell.run("export", form, *given)
    row = dataset.manifest.iloc[0]
    append_review(dataset.paths.reviews, Review("2026-01-01T00:00:00Z", "ann", row["sha256"], row["label"], "drop"))
    shell.run("status", *given)
    shell.printed += on_page(dataset.paths.report.read_text("utf-8"))
    shell.printed += on_page(dataset.paths.duplicates.read_text("utf-8"))
    shell.printed += in_terminal((dataset.paths.export("keras") / "README.md").read_text("utf-8"))
    shell.run("forget", row["sha256"], *given)
    shell.printed.append(f"curator {read_status(dataset.project).next[0].words}{shell.option}")
    commands = {command for command in shell.printed if command != "curator replay manifest.csv"}  # beside its card
    assert {words.split()[1] for words in commands} >= {"split", "benchmark", "review", "dedupe", "replay", "why"}
    for command in sorted(commands):
        words = read_words(command)
        assert not given or " ".join(given) in " ".join(words), command
        if words[0] not in ONLY_READ:
            shell.run(*words)


@pytest.mark.parametrize("shell", ["spaces and quotes"], indirect=True)
def test_a_real_shell_reads_them_too(shell: Shell) -> None:
    """A ``next:`` line, pasted into bash from its heading on, means the same data set."""
    line = shell.printed[-1]
    assert line.startswith("curator benchmark ")
    status = line.replace("benchmark", "status", 1)
    said = subprocess.run(
        ["bash", "-c", f'curator() {{ "{sys.executable}" -m curator "$@"; }}; {status} --json'],
        capture_output=True,
        text=True,
        cwd=shell.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert said.returncode == 0, said.stderr
    facts = json.loads(said.stdout)
    assert (facts["name"], facts["stage"]) == ("small", "split")
    assert read_words(facts["next"])


PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_documentation_page_are_read(page: Path) -> None:
    """Each line of a console that runs curator is one that the command line takes, options and all."""
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^(?:\$ | +)(curator [^\n\\]*(?:\\\n[^\n]*)?)", "\n".join(consoles(text)), re.MULTILINE)
    for line in lines:
        for command in line.replace("\\\n", " ").split("&&"):
            read_words(command.partition("#")[0].strip())
    assert lines or page.name != "README.md"


def consoles(text: str) -> list[str]:
    """Return what a page shows of a terminal."""
    return re.findall(r"```(?:console|sh)\n(.*?)```", text, re.DOTALL)


# ---- which data set a command means


def recipes(place: Path, *names: str, demo: bool = False) -> None:
    """Write empty recipes under manifests/, and the demo's beside its data."""
    for name in names:
        (place / "manifests" / name).mkdir(parents=True)
        (place / "manifests" / name / "recipe.toml").touch()
    if demo:
        (place / "data" / "demo").mkdir(parents=True)
        (place / "data" / "demo" / "recipe.toml").touch()


SHIPPED = ("rugby-soccer", "rugby-soccer-article")
MEANT = [
    ((), True, None, "data/demo"),
    ((), True, "demo", "data/demo"),
    (SHIPPED, True, "demo", "data/demo"),
    (SHIPPED, True, "data/demo/recipe.toml", "data/demo"),
    (SHIPPED, False, None, "manifests/rugby-soccer"),
    (("birds",), False, None, "manifests/birds"),
    (("demo",), True, "demo", "manifests/demo"),
    (SHIPPED, True, None, "data/demo"),
    ((*SHIPPED, "birds"), False, None, "manifests/birds"),
    (
        (*SHIPPED, "birds", "dogs"),
        False,
        None,
        "Which recipe? There are birds, dogs, rugby-soccer, rugby-soccer-article.",
    ),
    (("birds",), True, None, "Which recipe? There are birds, demo."),
    ((), False, None, "There is no recipe under manifests/, nor in a folder above."),
    (SHIPPED, True, "dmeo", "did you mean demo"),
]


@pytest.mark.parametrize(("names", "demo", "wanted", "meant"), MEANT)
def test_a_plain_command_never_means_another_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], demo: bool, wanted: str | None, meant: str
) -> None:
    """In a clone after the demo, ``status`` spoke of rugby-soccer; after ``init birds`` ``fetch`` fetched it."""
    monkeypatch.chdir(tmp_path)
    recipes(tmp_path, *names, demo=demo)
    if meant.endswith(".") or meant.startswith("did"):
        with pytest.raises(CuratorError, match=re.escape(meant)):
            find_recipe(wanted, Path("manifests"), Path("data"), {})
    else:
        assert find_recipe(wanted, Path("manifests"), Path("data"), {}) == Path(meant) / "recipe.toml"


def test_a_recipe_from_the_environment_is_in_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are pasted into a shell that may not have the variable."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(recipe_text(write_folder(tmp_path / "photos", 3), per_class="max"))
    done = CliRunner().invoke(app, ["status"], env={"CURATOR_RECIPE": "my.toml"})
    assert "next: curator fetch --recipe my.toml\n" in done.output


def test_a_next_line_holds_nothing_but_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it comes next is told below it: in brackets behind it, it was a syntax error in a shell."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(recipe_text(write_folder(tmp_path / "photos", 3), per_class=50))
    said = CliRunner().invoke(app, ["fetch", "--recipe", "my.toml"]).stdout
    assert "next: curator split --per-class max --recipe my.toml\n      too few images: rugby misses 47" in said
    facts = json.loads(CliRunner().invoke(app, ["status", "--recipe", "my.toml", "--json"]).stdout)
    assert facts["next"] == "curator split --per-class max --recipe my.toml"
    assert facts["remark"].startswith("too few images")


def test_the_advice_about_a_host_can_be_pasted() -> None:
    """A bare ``curator why`` lacks its image."""
    advice = [in_terminal(spell(advise({reason: 9}, 10), " --recipe 'a b'")) for reason in Drop]
    commands = [command for found in advice for command in found]
    assert commands and all(read_words(command) for command in commands)
