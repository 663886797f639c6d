"""A world of one's own photographs: labelled folders in, both sources out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import requests

from curator.demo.photos import DEAD_LINKS_PER_LABEL, photo_world
from curator.demo.server import serve
from curator.demo.site import recipe_text
from curator.demo.truth import world_truth
from curator.errors import CuratorError
from curator.manifests.read_recipe import parse_recipe
from curator.sources.registry import source_kinds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("hockey", "rugby", "tree"):
        (tmp_path / label).mkdir()
        for index in range(20):
            (tmp_path / label / f"{index}.jpg").write_bytes(f"{label} {index}".encode())
    (tmp_path / "rugby" / ".DS_Store").write_bytes(b"hidden")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "readme.txt").write_text("no label")
    return tmp_path


def test_each_file_is_listed_once_over_both_sources(folder: Path) -> None:
    """About half in either source; hidden and loose files are left out; dead links are added."""
    world = photo_world(folder)
    photos = [row for row in world.listings if row.plant.kind == "photo"]
    assert len(photos) == len({row.plant.picture for row in photos}) == 60
    assert min(Counter(row.source for row in photos).values()) >= 20
    assert len(world.listings) == 60 + 3 * DEAD_LINKS_PER_LABEL


def test_known_labels_have_their_true_synset_and_others_one_that_no_source_has(folder: Path) -> None:
    """Rugby is looked up as itself; invented names do not collide with classes that are there."""
    labels = photo_world(folder).labels
    assert (labels["rugby"].wnid, labels["rugby"].mid) == ("n00470966", "/m/06bqd")
    assert len({names.wnid for names in labels.values()}) == len({names.mid for names in labels.values()}) == 3


def test_the_bytes_are_served_as_they_are(folder: Path) -> None:
    """Each listed address gives its file's bytes; the recipe is valid."""
    world = photo_world(folder)
    with serve(world, port=0) as served:
        recipe = parse_recipe(recipe_text(world, served.base_url), source_kinds())
        assert recipe.labels == ("hockey", "rugby", "tree")
        for row in [row for row in world.listings if row.plant.kind == "photo"][::7]:
            body = requests.get(row.url(served.origins), timeout=60).content
            assert body == (folder / row.plant.picture).read_bytes()


def test_only_dead_links_have_a_known_fate(folder: Path) -> None:
    """Of the photographs themselves nothing is known: the truth leaves them out."""
    world = photo_world(folder)
    origins = dict.fromkeys(("main", "farm", "dead"), "http://host.example")
    assert set(world_truth(world, origins)["planted"]) == {"gone"}


def test_a_folder_name_that_cannot_be_a_label_is_refused(folder: Path) -> None:
    """All such names are reported at once, with what is wrong with each."""
    (folder / "Rugby").mkdir()
    (folder / "x ").mkdir()
    with pytest.raises(CuratorError, match=r"cannot be labels: label 'x ' must .*'Rugby' and 'rugby' would share"):
        photo_world(folder)


def test_one_label_is_too_few(tmp_path: Path) -> None:
    """Two labels are needed to classify; an empty folder is none."""
    (tmp_path / "rugby").mkdir()
    (tmp_path / "rugby" / "a.jpg").write_bytes(b"x")
    (tmp_path / "soccer").mkdir()
    with pytest.raises(CuratorError, match="holds 1 folder with files, but at least two labels are needed"):
        photo_world(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(CuratorError, match=r"nowhere cannot be read \(No such file or directory\)"):
        photo_world(tmp_path / "nowhere")
