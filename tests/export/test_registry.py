"""A format is added by one file and one entry: shown with a toy one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.export import export
from curator.export.export import FORMATS, export_dataset, find_format
from curator.export.material import Format, Material
from curator.manifests.project import Project

SHARING = Path(__file__).parents[2] / "docs" / "sharing.md"


def write_toy(material: Material, folder: Path) -> None:
    """Write one line an image: what the one file of a new format holds, beside the entry below."""
    lines = sorted(f"{row.label} {row.sha256}\n" for row in material.rows.itertuples())
    (folder / "toy.txt").write_text("".join(lines))


TOY = Format(name="toy", summary="lines of label and hash", write=write_toy, snippet="print(open('toy.txt').read())")


def unnamed(formats: Sequence[Format], text: str) -> list[str]:
    """Name the formats that the table of a documentation page lacks."""
    return [form.name for form in formats if f"\n| `{form.name}` |" not in text]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Format:
    """The one entry of the registry."""
    monkeypatch.setattr(export, "FORMATS", (*FORMATS, TOY))
    return TOY


def test_a_new_format_is_exported_with_its_card(project: Project, toy: Format) -> None:
    """Nothing but the entry is needed: it is found, written whole, and described."""
    done = export_dataset(project, find_format("toy"))
    assert (done.form, done.n_images) == (toy, 24)
    assert len((done.path / "toy.txt").read_text().splitlines()) == 24
    card = (done.path / "README.md").read_text()
    assert "toy: lines of label and hash." in card and toy.snippet in card
    assert (done.path / "ATTRIBUTION.md").exists() and (done.path / "manifest.csv").exists()


def test_a_new_format_is_exported_by_the_command_line(
    project: Project, toy: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`curator export toy` knows it as it knows the others, and says how it is opened."""
    monkeypatch.chdir(project.paths.data_root.parent)
    options = ["--data", str(project.paths.data_root), "--recipe", str(project.paths.manifest_folder / "recipe.toml")]
    done = CliRunner().invoke(app, ["export", "toy", *options])
    assert done.exit_code == 0, done.output
    assert "24 images" in done.output and toy.snippet in done.output


def test_every_format_is_documented() -> None:
    """docs/sharing.md names each; a new one that it does not name is found."""
    text = SHARING.read_text(encoding="utf-8")
    assert unnamed(FORMATS, text) == []
    assert unnamed((*FORMATS, TOY), text) == ["toy"]
