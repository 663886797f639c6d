"""Everything that a user can type or read is documented: commands, options, recipe keys, reasons, columns."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import pytest
import typer.main

from curator.catalog import Drop
from curator.cli.app import app
from curator.manifests.manifest import COLUMNS
from curator.manifests.settings import SECTIONS
from curator.manifests.toml_settings import key_of
from curator.sources.registry import source_kinds
from tests.benchmarks.beginnings import count_files, readme_commands, typed
from tests.small_worlds import write_folder

ROOT = Path(__file__).parents[1]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_and_option_is_documented(name: str) -> None:
    """docs/commands.md has a section for each command that names each of its options."""
    section = re.search(rf"^## `curator {name}\b.*?(?=^## |\Z)", read("docs/commands.md"), re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section for `curator {name}`"
    shared = {"--recipe", "--data", "--quiet", "--json", "--help", "--force"}
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in shared:
                assert f"`{option}" in section.group(), f"{option} is not in the section of {name}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_readme_names_each_command(name: str) -> None:
    """The README's table of commands is complete."""
    assert f"`curator {name}" in read("README.md")


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_each_recipe_key_is_documented_with_its_default(section: str) -> None:
    """docs/recipe.md has a row for each key of each section."""
    rows = read("docs/recipe.md").split(f"## [{section}]")[1].split("\n## ")[0]
    for field in dataclasses.fields(SECTIONS[section]):
        assert re.search(rf"^\| `{field.name}` \|", rows, re.MULTILINE), f"[{section}] {field.name}"
        assert field.metadata["doc"], f"[{section}] {field.name} has no doc"


@pytest.mark.parametrize("kind", sorted(source_kinds()))
def test_each_source_key_is_documented(kind: str) -> None:
    """docs/recipe.md has a row for each key of each source."""
    rows = read("docs/recipe.md").split(f'## [[sources]] kind = "{kind}"')[1].split("\n## ")[0]
    for field in dataclasses.fields(source_kinds()[kind]):
        assert re.search(rf"^\| `{key_of(field)}` \|", rows, re.MULTILINE), f"{kind}: {field.name}"


@pytest.mark.parametrize("reason", list(Drop))
def test_each_drop_reason_is_documented(reason: Drop) -> None:
    """docs/reasons.md says what each reason means and what to do about it."""
    assert f"| `{reason}` |" in read("docs/reasons.md")


@pytest.mark.parametrize("column", COLUMNS)
def test_each_manifest_column_is_documented(column: str) -> None:
    """docs/manifest.md says what each column of the manifest is."""
    assert re.search(rf"^\| [^|]*`{column}`[^|]* \| \S", read("docs/manifest.md"), re.MULTILINE)


def test_the_commands_of_the_first_screen_make_train_and_test(tmp_path: Path) -> None:
    """The README's section on your own photos, typed into a shell; only the clone and the installation are left out."""
    write_folder(tmp_path / "birds" / "photos", 10, ("heron", "stork"))
    clone, install, *own = readme_commands(read("README.md"))
    assert clone.startswith("git clone ADDRESS") and install == "make install && . .venv/bin/activate"
    assert all(f"$ {command} " in read("README.md").split("<picture>")[0] for command in own[1:])
    command = f'curator() {{ "{sys.executable}" -m curator "$@"; }}'
    steps = typed([command, *own], tmp_path, {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)})
    assert [step.exit_code for step in steps] == [0] * len(steps), steps[-1].output
    counts = count_files(tmp_path / "birds" / "data" / "mine")
    assert [counts[f"{side}/{label}"] for side in ("train", "test") for label in ("heron", "stork")] == [8, 8, 2, 2]
