"""A stage fetches first if local files that lists name have changed; without the originals all else works."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.manifests.manifest import read_manifest
from curator.sources.named_files import state_of_files
from tests.survey.beginnings import curator, numbered, picture, put

FIRST = "fetching first"
NAMES = [name.removeprefix("p/") for name in numbered("p/heron", "p/stork", n=5)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)


def _table(root: Path) -> str:
    rows = [f"{name.removesuffix('.jpg')},{name.split('/')[0]},x" for name in NAMES]
    (root / "p/list.csv").write_text("\n".join(["path,label,note", *rows]))
    return "p/list.csv"


def _numbers(root: Path) -> str:
    """Classes by number, whose names the card of the data set says; numbers that begin at 1 are no others."""
    rows = [{"file_name": name, "label": 1 + name.startswith("stork")} for name in NAMES]
    (root / "p/metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    names = "      names:\n        '1': heron\n        '2': stork\n"
    (root / "p/README.md").write_text(f"---\n- name: label\n  dtype:\n    class_label:\n{names}---\n")
    return "p"


def _coco(root: Path) -> str:
    images = [{"id": n, "file_name": name} for n, name in enumerate(NAMES)]
    shown = [{"image_id": n, "category_id": 1 + name.startswith("stork")} for n, name in enumerate(NAMES)]
    kinds = [{"id": 1, "name": "heron"}, {"id": 2, "name": "stork"}]
    (root / "p/a.json").write_text(json.dumps({"images": images, "annotations": shown, "categories": kinds}))
    return "p/a.json"


LISTS: dict[str, Callable[[Path], str]] = {"a table": _table, "numbers of classes": _numbers, "COCO": _coco}


@pytest.mark.parametrize("form", LISTS)
def test_pictures_that_a_list_names_are_watched(form: str, tmp_path: Path) -> None:
    """One that was missing comes, one changes, one goes: each is in the next split; a disk that is away is no news."""
    put(tmp_path / "p", NAMES)
    (tmp_path / "p" / NAMES[0]).rename(tmp_path / "late.jpg")
    curator("init", "birds", "--from", LISTS[form](tmp_path))
    recipe = tmp_path / "manifests/birds/recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace('per_class = "max"', 'per_class = "all"'), "utf-8")

    def hashes() -> Counter[str]:
        said = curator("split").output
        assert (FIRST in said) is is_news, said
        manifest = read_manifest(tmp_path / "manifests/birds/manifest.csv")
        assert {*manifest["label"]} == {"heron", "stork"}
        return Counter(manifest["sha256"])

    is_news = False
    before = hashes()
    assert before.total() == 9 and hashes() == before
    is_news = True
    (tmp_path / "late.jpg").rename(tmp_path / "p" / NAMES[0])
    assert hashes().total() == 10
    (tmp_path / "p" / NAMES[1]).write_bytes(picture(4711))
    assert len(before - hashes()) == 1
    (tmp_path / "p" / NAMES[1]).unlink()
    (tmp_path / "p" / NAMES[7]).unlink()
    assert hashes().total() == 8
    is_news = False
    for label in ("heron", "stork"):
        (tmp_path / "p" / label).rename(tmp_path / label)
    assert hashes().total() == 8


@pytest.mark.parametrize("form", ["a folder", *LISTS])
def test_without_the_originals_only_a_fetch_says_so(form: str, tmp_path: Path) -> None:
    """The folder is moved: status, why, report, export and stages work, and a fetch says what is kept."""
    put(tmp_path / "p", NAMES)
    curator("init", "birds", "--from", "p" if form == "a folder" else LISTS[form](tmp_path))
    curator("split")
    record = read_manifest(tmp_path / "manifests/birds/manifest.csv")["record_id"][0]
    (tmp_path / "p").rename(tmp_path / "moved")
    for words in (["status"], ["why", record], ["verify"], ["export", "imagefolder"], ["dedupe", "--gallery"]):
        curator(*words)
    assert FIRST not in curator("split", "--ratio", "0.6", "--resplit").output
    for words in (["fetch"], ["fetch", "--plan"]):
        result = CliRunner().invoke(app, words)
        said = " ".join(result.output.split())
        assert result.exit_code == 2 and "Not all sources are there" in said, result.output
        assert "What was fetched is kept" in said and "which is not a" in said
    (tmp_path / "p").mkdir()  # as where a disk is not mounted
    assert CliRunner().invoke(app, ["fetch"]).exit_code == 2
    (tmp_path / "p").rmdir()
    (tmp_path / "moved").rename(tmp_path / "p")
    curator("fetch")


def test_one_look_at_each_file_and_none_for_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing name costs no look of its own: its folder is read once."""
    looks = Counter[str]()
    look = os.stat
    monkeypatch.setattr(os, "stat", lambda path, *rest, **more: looks.update([str(path)]) or look(path, *rest, **more))
    for n in range(20):
        (tmp_path / f"{n}.jpg").touch()
    paths = [f"{tmp_path}/{n}.jpg" for n in range(20)] + [f"{tmp_path}/none/{n}" for n in range(20)]
    looks.clear()
    assert state_of_files(paths) and not state_of_files(paths[20:])
    assert max(looks[path] for path in paths[:20]) == 1
    assert state_of_files([]) == ""
