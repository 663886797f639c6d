"""What a command imports, by name: a fetch starts without pandas, and no command with what only others take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_worlds import write_folder

SCRIPT = """
import sys
from curator.cli.app import main
sys.argv = ["curator", *{words!r}]
try:
    main()
finally:
    print("imported:", *sys.modules)
"""
RECIPE = """name = "small"
labels = ["rugby", "soccer"]
[[sources]]
{source}
[fetch]
allow_private_hosts = true
retries = 0
"""

NOT_FOR_A_FETCH = (
    *("cli.audit", "cli.split", "decide.judged", "decide.placeholders", "embed.embedder", "embed.models"),
    *("export.export", "fetch.cluster.fetch_fragments", "inspect.status", "matching.hamming", "pipeline.deciding"),
    *("pipeline.rescue", "report.notebook", "sources.reading.json_api"),
)


def run(place: Path, *words: str) -> tuple[list[str], set[str]]:
    """Run a command in a new Python; return the lines that it prints, and what it imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    code = SCRIPT.format(words=words)
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, env=environment)
    *lines, last = done.stdout.splitlines()
    assert last.startswith("imported:"), done.stderr
    return lines, set(last.split()[1:])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a recipe of local files."""
    write_folder(tmp_path / "photos", 2)
    recipe = tmp_path / "manifests" / "small" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE.format(source='kind = "folder"\npath = "../../photos"'))
    return tmp_path


def test_a_fetch_imports_no_pandas_and_nothing_that_only_other_commands_need(project: Path) -> None:
    """Nor a list client, a judge of pictures, a network, or the files of other commands."""
    lines, imported = run(project, "fetch", "--quiet")
    assert any(line.split()[:2] == ["kept", "4"] for line in lines)
    assert "curator.fetch.engine" in imported
    others = {"pandas", "cv2", "http.client", "keras", "highspy", "onnxruntime"}
    others |= {f"curator.{name}" for name in NOT_FOR_A_FETCH}
    assert not imported & others


def test_a_fetch_that_needs_pandas_after_all_has_it(project: Path) -> None:
    """The table of hosts that mostly failed is made with it, after Arrow was told that there is none."""
    (project / "list.csv").write_text("url,label\nhttp://127.0.0.1:1/a.jpg,rugby\n")
    recipe = project / "manifests" / "small" / "recipe.toml"
    recipe.write_text(RECIPE.format(source='kind = "url-list"\npath = "../../list.csv"'))
    lines, imported = run(project, "fetch", "--quiet")
    assert "pandas" in imported
    assert any(line.startswith("hosts that mostly failed: 1 host, 1 tried, 0 ok") for line in lines)


def test_a_recipe_that_takes_pandas_is_fetched_as_ever(project: Path) -> None:
    """A source that makes DataFrames gets an Arrow that knows them."""
    photos = project / "photos"
    (photos / "instances.json").write_text(
        '{"images": [{"id": 1, "file_name": "rugby/000.jpg"}], "categories": [{"id": 1, "name": "rugby"}],'
        ' "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 20]}]}'
    )
    recipe = project / "manifests" / "small" / "recipe.toml"
    recipe.write_text(
        RECIPE.format(source='kind = "coco"\npath = "../../photos/instances.json"\nimages = "../../photos"')
    )
    lines, imported = run(project, "fetch", "--quiet")
    assert "pandas" in imported
    assert any(line.split()[:1] == ["kept"] for line in lines)


@pytest.mark.parametrize("words", [["--version"], ["split", "--help"]])
def test_a_command_imports_its_own_file_only(tmp_path: Path, words: list[str]) -> None:
    """Not those of the others."""
    _, imported = run(tmp_path, *words)
    assert not imported & {"curator.cli.fetch", "curator.cli.audit", "curator.cli.terminal", "numpy", "rich"}
