"""``curator dedupe --explain`` and ``--calibrate`` over small folders; growing one gives what starting whole gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from curator.catalog import Drop, Stage
from curator.cli.app import app
from curator.errors import StateError
from curator.inspect.calibrate.alterations import KINDS
from curator.inspect.calibrate.calibrate import calibrate
from curator.pipeline import run_stages as pipeline
from tests.ledger_file import query
from tests.small_worlds import picture, recipe_text, small_project, write_folder

NAMES = ["source_id", "duplicate_of", "distance_bits", "turn", "drop_reason", "drop_detail"]


def add_copies(folder: Path) -> None:
    """Put a smaller and a mirrored copy of rugby/000.jpg beside it."""
    whole = Image.open(folder / "rugby" / "000.jpg")
    whole.resize((120, 90)).save(folder / "rugby" / "smaller.jpg")
    ImageOps.mirror(whole.resize((128, 96))).save(folder / "rugby" / "mirrored.jpg")


def dedupe(project, *options):
    """Run the command over a project made by ``small_project``."""
    where = ["--recipe", str(project.recipe.path), "--data", str(project.paths.data_root), "--quiet"]
    return CliRunner().invoke(app, ["dedupe", *where, *options])


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A fetched folder of six pictures a label and three copies of one."""
    root = tmp_path_factory.mktemp("copied")
    folder = write_folder(root / "photos", 6)
    add_copies(folder)
    (folder / "rugby" / "equal.jpg").write_bytes((folder / "rugby" / "000.jpg").read_bytes())
    project = small_project(root, recipe_text(folder, per_class=6))
    pipeline.fetch(project)
    return project


def test_explain_lists_each_group_with_its_keeper_and_copies(copied):
    """The largest picture is kept; each copy has its reason, distance and turn; every line fits a terminal."""
    result = dedupe(copied, "--explain")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].endswith("rugby, 160 x 120, kept of 4")
    assert any(line.rstrip().endswith("mirrored") for line in lines)
    assert lines[-1] == "1 group, 3 duplicates dropped"
    assert max(map(len, lines)) <= 80


def test_explain_as_json_has_the_same_facts(copied):
    """A list of groups, for other programs."""
    groups = json.loads(dedupe(copied, "--explain", "--json").stdout)
    assert len(groups) == 1
    copies = groups[0]["copies"]
    assert sorted(copy["drop_reason"] for copy in copies) == [Drop.EXACT_DUPLICATE, *[Drop.NEAR_DUPLICATE] * 2]
    assert [copy["turn"] for copy in copies].count("mirror") == 1


def test_calibrate_measures_every_kind_of_copy(copied):
    """Re-encoded, resized, mirrored and turned pictures are all found; no stranger is taken for a copy."""
    result = calibrate(copied, false_rate=1e-6)
    assert list(result.kinds) == ["as it is", *KINDS]
    for kind in ("as it is", "resize", "quality 50", "mirror", "turn"):
        assert result.kinds[kind].found[-1] == result.kinds[kind].n
    assert sum(one.false[-1] for one in result.kinds.values()) == 0
    assert result.max_distance == 12


def test_calibrate_prints_a_table_that_fits_a_terminal(copied):
    """It says what a stranger is, and what to write in the recipe."""
    result = dedupe(copied, "--calibrate")
    assert result.exit_code == 0, result.output
    assert "Strangers are" in result.stdout
    assert result.stdout.rstrip().endswith("max_distance = 12")
    assert max(len(line) for line in result.stdout.splitlines() if "`curator" not in line) <= 80
    assert json.loads(dedupe(copied, "--calibrate", "--json").stdout)["max_distance"] == 12


def test_calibrate_needs_images(tmp_path):
    """Nothing fetched is a clear error."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 1)))
    with pytest.raises(StateError, match="Nothing was fetched yet"):
        calibrate(project, 1e-6)


def test_adding_images_and_deduping_again_is_deduping_all_at_once(tmp_path, copied):
    """Earlier images are not observed again, later ones are compared with them, and the result is that of one run."""
    folder = write_folder(tmp_path / "photos", 6)
    project = small_project(tmp_path, recipe_text(folder, per_class=6))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.DEDUPED, {})
    first = observations(project)
    add_copies(folder)
    picture(7, (320, 240)).save(folder / "rugby" / "larger.jpg")
    pipeline.fetch(project)
    grown = pipeline.decide(project, Stage.DEDUPED, {}).table
    assert first.items() <= observations(project).items()
    whole = small_project(tmp_path / "whole", recipe_text(folder, per_class=6))
    pipeline.fetch(whole)
    once = pipeline.decide(whole, Stage.DEDUPED, {}).table
    order = ["record_id"]
    assert (
        grown.sort_values(order)[NAMES]
        .reset_index(drop=True)
        .equals(once.sort_values(order)[NAMES].reset_index(drop=True))
    )
    assert grown["drop_reason"].notna().sum() == 2


def observations(project):
    """The row number of each file's observation: looking at a file again writes a new row."""
    return dict(query(project.paths.attempts, "SELECT hex(sha256), rowid FROM observations"))
