"""A data folder belongs to one recipe: another of the same name is refused before anything is written."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import curator
from curator.demo.photos import photo_world
from curator.demo.server import serve
from curator.demo.whole_job import run_demo
from curator.errors import CuratorError
from curator.events import ignore
from curator.manifests.settings import FetchSettings
from curator.pipeline.replay import replay_manifest
from curator.store.paths import OWNER
from tests.small_worlds import recipe_text, write_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one data set, fetched and split, which is the current folder."""
    root = tmp_path / "project"
    write_folder(root / "photos", 6)
    write_recipe(root / "manifests" / "one" / "recipe.toml")
    monkeypatch.chdir(root)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    curator.open("one").fetch()
    curator.open("one").split()
    return root


def write_recipe(path: Path, name: str = "small") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.absolute()
    project = next(folder for folder in place.parents if (folder / "photos" / "rugby").is_dir())
    text = recipe_text(Path(os.path.relpath(project / "photos", place.parent)), per_class="max").replace(
        '"small"', f'"{name}"'
    )
    path.write_text(text, encoding="utf-8")
    return path


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def refused(action: Callable[[], object], root: Path, *named: str) -> None:
    """An action that is refused, naming these, and that has written nothing."""
    before = snapshot(root)
    with pytest.raises(CuratorError) as caught:
        action()
    assert all(name in str(caught.value) for name in named), caught.value
    assert caught.value.exit_code == 2
    assert snapshot(root) == before


@pytest.mark.parametrize(
    "copy", ["manifests/two/recipe.toml", "manifests/Small/recipe.toml", "other.toml", "sub/x/recipe.toml"]
)
def test_a_copied_recipe_is_refused_whatever_it_is_asked(place: Path, copy: str) -> None:
    """In a sibling folder, beside it, elsewhere: status, plan, fetch and all others, naming both recipes."""
    write_recipe(place / copy)
    refused(lambda: curator.open(place / copy), place, "manifests/one/recipe.toml", copy, "`name`", "--data")
    assert curator.open("one").status().counts["kept"] == 12  # the other one goes on
    assert curator.open(place / copy, data=place / "elsewhere").status().stage is None


def test_two_recipes_in_one_folder_share_no_manifest(place: Path) -> None:
    """Recipes of other names than recipe.toml have their manifest in manifests/NAME: also with another --data."""
    write_recipe(place / "a.toml", "both")
    write_recipe(place / "b.toml", "both")
    curator.open("a.toml", data="da").fetch()
    refused(lambda: curator.open("b.toml", data="db"), place, "a.toml", "b.toml")
    assert curator.open("a.toml", data="db").fetch().counts["kept"] == 12


def test_the_project_may_be_moved_and_copied_and_the_recipe_renamed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded is relative, and a recipe that is gone owns nothing."""
    moved = place.rename(place.with_name("moved"))
    copied = Path(shutil.copytree(moved, moved.with_name("copied")))
    for root in (moved, copied):
        monkeypatch.chdir(root)
        assert curator.open("one").status().counts["kept"] == 12
    (copied / "manifests" / "one").rename(copied / "manifests" / "two")
    curator.open("two").split(force=True)
    assert "manifests/two" in (copied / "data" / "small" / OWNER).read_text()


def test_the_first_one_may_give_its_name_up(place: Path) -> None:
    """Then the data is that of who bears the name."""
    write_recipe(place / "manifests" / "two" / "recipe.toml")
    write_recipe(place / "manifests" / "one" / "recipe.toml", "another")
    curator.open("two").fetch()
    assert curator.open("one").status().stage is None


def test_links_and_other_spellings_mean_the_same_recipe(place: Path) -> None:
    """A path through a link, and one with dots."""
    (place / "link").symlink_to(place / "manifests" / "one")
    for path in ("link/recipe.toml", "manifests/../manifests/one/recipe.toml", str(place / "manifests" / "one")):
        assert curator.open(path).status().counts["kept"] == 12


def test_a_data_set_from_before_belongs_to_the_recipe_of_its_name(place: Path) -> None:
    """Without a record two recipes of one name are both refused, unless one is in the folder of that name."""
    (place / "data" / "small" / OWNER).unlink()
    assert curator.open("one").status().counts["kept"] == 12
    write_recipe(place / "manifests" / "two" / "recipe.toml")
    refused(lambda: curator.open("two"), place, "manifests/one", "manifests/two")
    write_recipe(place / "manifests" / "small" / "recipe.toml")
    refused(lambda: curator.open("two"), place, "manifests/small", "manifests/two")
    assert curator.open("small").status().counts["kept"] == 12


def test_a_folder_that_a_run_has_just_made_belongs_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever recipes of that name lie near: what a run leaves before it claims the folder is no older data."""
    write_folder(tmp_path / "mine" / "photos", 3)
    mine = write_recipe(tmp_path / "mine" / "my.toml")
    shutil.copytree(tmp_path / "mine", tmp_path / "other")
    (tmp_path / "other" / "my.toml").rename(tmp_path / "other" / "recipe.toml")
    monkeypatch.chdir(tmp_path / "mine")
    curator.open(mine).fetch()
    assert (tmp_path / "mine" / "data" / "small" / OWNER).read_text() == "../../my.toml\n"


def test_create_writes_no_recipe_for_a_name_that_is_taken(place: Path) -> None:
    """Nothing is left behind."""
    source = {"kind": "folder", "path": "photos"}
    create = lambda: curator.create("small", labels=["rugby", "soccer"], sources=[source])  # noqa: E731
    refused(create, place, "manifests/one/recipe.toml", "manifests/small/recipe.toml")
    assert not (place / "manifests" / "small").exists()


def test_the_demo_does_not_take_a_data_set_of_its_name(place: Path) -> None:
    """`curator demo` beside manifests/photos, and a recipe of that name beside a demo."""
    write_recipe(place / "manifests" / "photos" / "recipe.toml", "photos")
    curator.open("photos").fetch()
    with serve(photo_world(place / "photos"), 0) as served:
        refused(lambda: run_demo(served, Path("data"), ignore), place, "manifests/photos/recipe.toml")
        run_demo(served, Path("demo-data"), ignore)
        run_demo(served, Path("demo-data"), ignore)
    assert (place / "demo-data" / "photos" / OWNER).read_text() == "recipe.toml\n"
    refused(lambda: curator.open("photos", data="demo-data"), place, "demo-data/photos/recipe.toml")


def test_two_replays_of_one_name_do_not_mix(place: Path) -> None:
    """Manifests of two folders of one name, and a recipe that is called like a replay."""
    there = place / "download" / "one"
    there.mkdir(parents=True)
    shutil.copy("manifests/one/manifest.csv", there)
    replay = lambda path: replay_manifest(Path(path), Path("data"), FetchSettings())  # noqa: E731
    with pytest.raises(
        CuratorError, match="lists local files, which nobody else can fetch"
    ):  # local files: nothing to request, and yet a folder
        replay("manifests/one/manifest.csv")
    refused(lambda: replay(there / "manifest.csv"), place, "manifests/one/manifest.csv", "download/one/manifest.csv")
    write_recipe(place / "manifests" / "x" / "recipe.toml", "one-replay")
    refused(lambda: curator.open("x"), place, "manifests/one/manifest.csv", "manifests/x/recipe.toml")


def test_what_is_recorded_is_a_relative_path(place: Path) -> None:
    """Nothing of the machine."""
    text = (place / "data" / "small" / OWNER).read_text(encoding="utf-8")
    assert text == "../../manifests/one/recipe.toml\n"
    assert tomllib.loads((place / "data" / "small" / text.strip()).read_text())["name"] == "small"
    assert os.sep == "/"
