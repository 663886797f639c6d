"""A project is found from any folder in it, as git finds its repository; what is printed pastes where one stands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import curator
from curator.cli.app import app
from curator.store import root
from tests.cli.pasted import in_terminal, read_words
from tests.small_worlds import recipe_text, write_folder

ONLY_READ = {"benchmark", "review", "replay"}


def run(*words: str) -> Result:
    """Run a command in the working folder."""
    return CliRunner().invoke(app, [*words], env={"COLUMNS": "80", "TERM": "dumb", "CURATOR_RECIPE": ""})


def write_project(place: Path, name: str = "small", n: int = 5) -> Path:
    """Write a project whose recipe names its photographs relative to itself."""
    write_folder(place / "photos", n)
    recipe = place / "manifests" / name / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    text = recipe_text(Path("../../photos"), per_class="max").replace('name = "small"', f'name = "{name}"')
    recipe.write_text(text, encoding="utf-8")
    return recipe


def test_the_whole_job_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data goes to the project; printed paths are relative to where one stands, and printed commands work there."""
    project = tmp_path / "project"
    write_project(project)
    below = project / "photos" / "rugby"
    monkeypatch.chdir(below)
    printed = []
    for words in (("fetch",), ("split",), ("status",), ("why", "rugby/000.jpg"), ("verify",)):
        done = run(*words)
        assert done.exit_code == 0, done.output
        printed += in_terminal(done.output)
    assert "manifest: ../../manifests/small/manifest.csv" in run("split").stdout
    assert not (below / "data").exists() and (project / "data" / "small" / "train" / "rugby").is_dir()
    for command in {command for command in printed if command.split()[1] not in ONLY_READ}:
        assert run(*read_words(command)).exit_code == 0, command
    monkeypatch.chdir(project)
    assert "manifest: manifests/small/manifest.csv" in run("split").stdout
    monkeypatch.chdir(tmp_path)
    assert run("status").exit_code == 2


def test_a_recipe_by_its_path_means_its_own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder in another project too; ``--data`` and ``--against`` start at the working folder."""
    recipe = write_project(tmp_path / "mine")
    write_project(tmp_path / "theirs", "other")
    monkeypatch.chdir(tmp_path / "theirs" / "photos")
    path = os.path.relpath(recipe)
    assert run("fetch", "--recipe", path).exit_code == 0
    done = run("split", "--recipe", str(recipe))
    assert "manifest: ../../mine/manifests/small/manifest.csv" in done.stdout, "the shorter way to write it"
    assert f"next: curator benchmark --recipe {recipe}\n" in done.stdout, "as it was typed"
    assert run("dedupe", "--recipe", path, "--against", "rugby", "--data", "here").exit_code == 0
    assert (tmp_path / "theirs" / "photos" / "here" / "small").is_dir()
    done = run("dedupe", "--recipe", path, "--data", "here", "--against", "rugby", "--json")
    assert json.loads(done.stdout)["dropped"]["already-elsewhere"] == 5


def test_a_recipe_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loose recipe's data is in the project around it, else in the working folder's project, else where one is."""
    write_project(tmp_path / "mine")
    loose = tmp_path / "loose.toml"
    loose.write_text(recipe_text(tmp_path / "mine" / "photos", per_class="max"))
    inside = tmp_path / "mine" / "notes" / "mine.toml"
    inside.parent.mkdir()
    inside.write_text(loose.read_text())
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    assert root.root_of(inside) == tmp_path / "mine"
    assert root.root_of(loose) == tmp_path / "nowhere"
    monkeypatch.chdir(tmp_path / "mine" / "photos")
    assert root.root_of(loose) == tmp_path / "mine"


def test_the_nearest_project_wins_and_a_new_recipe_goes_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``curator.create`` and ``curator init`` write into the project that one is in; else they begin one here."""
    write_project(tmp_path / "outer")
    inner = tmp_path / "outer" / "inner"
    write_project(inner, "within")
    monkeypatch.chdir(inner / "photos")
    assert curator.open().name == "within"
    assert run("init", "birds", "heron", "stork").exit_code == 0
    assert (inner / "manifests" / "birds" / "recipe.toml").is_file()
    sources = [{"kind": "folder", "path": "."}]
    made = curator.create("made", labels=["rugby", "soccer"], sources=sources)
    assert made.fetch().counts["kept"] == 10 and made.paths.folder == inner / "data" / "made"
    assert Path("../manifests/made/recipe.toml").is_file()
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    assert curator.create("made", labels=["a", "b"], sources=sources).paths.folder == tmp_path / "new" / "data" / "made"
    assert Path("manifests/made/recipe.toml").is_file()


def test_the_search_ends_at_home_and_where_anybody_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies above the home folder, or in a folder such as /tmp, was laid there by somebody else."""
    write_project(tmp_path / "above")
    below = tmp_path / "above" / "home" / "me" / "notes"
    below.mkdir(parents=True)
    assert root.find_root(below) == tmp_path / "above"
    monkeypatch.setenv("HOME", str(below.parent))
    assert root.find_root(below) is None
    write_project(below.parent)
    assert root.find_root(below) == below.parent, "home itself is looked at"
    monkeypatch.setenv("HOME", "/nonexistent")
    (tmp_path / "above").chmod(0o1777)
    assert root.find_root(tmp_path / "above" / "home") is None
    assert root.find_root(tmp_path / "above") == tmp_path / "above", "where one stands is always looked at"


def test_the_demo_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo keeps its recipe with its data: that makes a project too."""
    (tmp_path / "data" / "demo" / "train").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "recipe.toml").write_text(recipe_text(write_folder(tmp_path / "p", 1)))
    monkeypatch.chdir(tmp_path / "data" / "demo" / "train")
    assert curator.open().paths.data_root == tmp_path / "data"
