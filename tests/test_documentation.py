"""Everything that a user can type or read is documented: commands, options, recipe keys, reasons, columns."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import typer.main

from curator.catalog import Drop
from curator.cli.app import app
from curator.manifests.manifest import COLUMNS
from curator.manifests.recipe import SECTIONS
from curator.sources.registry import source_kinds

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
        assert re.search(rf"^\| `{field.name}` \|", rows, re.MULTILINE), f"{kind}: {field.name}"


@pytest.mark.parametrize("reason", list(Drop))
def test_each_drop_reason_is_documented(reason: Drop) -> None:
    """docs/reasons.md says what each reason means and what to do about it."""
    assert f"| `{reason}` |" in read("docs/reasons.md")


@pytest.mark.parametrize("column", COLUMNS)
def test_each_manifest_column_is_documented(column: str) -> None:
    """docs/manifest.md says what each column of the manifest is."""
    assert re.search(rf"^\| [^|]*`{column}`[^|]* \| \S", read("docs/manifest.md"), re.MULTILINE)
