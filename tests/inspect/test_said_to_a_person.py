"""What status, why and the objects of a notebook say: news of the sources, the next step, near names, short reprs."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import curator
from curator.cli.app import app
from curator.dataset import Dataset
from curator.errors import CuratorError
from curator.export.export import FORMATS, find_format
from curator.inspect import next_step
from curator.manifests.licences import licence_id
from curator.manifests.reviews import Review, append_review
from curator.text import Command, spell
from tests.small_worlds import picture, write_folder


def make(place: Path, kind: str) -> Dataset:
    """A data set of six pictures a label, in a folder or named by a table."""
    photos = write_folder(place / "photos", 6)
    source = {"kind": "folder", "path": photos}
    if kind == "url-list":
        source = {"kind": "url-list", "path": place / "list.csv"}
        rows = [[path.relative_to(place), path.parent.name] for path in sorted(photos.rglob("*.jpg"))]
        with (place / "list.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["path", "label"], *rows])
    return create(place, source)


def create(place: Path, source: dict[str, object]) -> Dataset:
    """Write the recipe and open it."""
    homes = {"manifests": place / "manifests", "data": place / "data"}
    return curator.create("small", labels=["rugby", "soccer"], sources=[source], **homes)


def said(made: Dataset) -> tuple[str, str]:
    """What status says of the sources, and the command that it proposes."""
    status = made.status()
    return " ".join(spell(text) for text in status.news if "since the last fetch" in spell(text)), spell(status.next)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("folder", "2 new files, 1 changed, 1 lost"), ("url-list", "1 changed file, 1 lost")],
)
def test_status_says_what_a_split_would_fetch_until_it_has(tmp_path: Path, kind: str, words: str) -> None:
    """Files that came, changed and went, in a folder or named by a table; files of no label are no news."""
    made = make(tmp_path, kind)
    made.split()
    assert said(made)[0] == ""
    photos = tmp_path / "photos"
    (photos / "notes").mkdir()
    for seed, name in enumerate(("rugby/new.jpg", "soccer/new.jpg", "rugby/001.jpg", "notes/page.jpg")):
        picture(90 + seed, (150, 130)).save(photos / name)
    (photos / "soccer" / "002.jpg").unlink()
    assert said(made) == (
        f"what is in {kind} has changed since the last fetch ({words}): run `curator split`",
        "`curator split`",
    )
    before = made.table.set_index("source_id")["sha256"]
    made.split()
    assert said(made)[0] == ""
    now = made.table.set_index("source_id")["sha256"]
    names = [path.relative_to(tmp_path if kind == "url-list" else photos) for path in photos.rglob("*/001.jpg")]
    changed = {str(name) for name in names if now[str(name)] != before[str(name)]}
    assert changed == {"photos/rugby/001.jpg" if kind == "url-list" else "rugby/001.jpg"}
    assert len(now) == (11 if kind == "url-list" else 13)
    (photos / "rugby").rename(tmp_path / "elsewhere")
    (photos / "soccer").rename(tmp_path / "elsewhere2")
    assert kind == "folder" or said(made)[0] == "", "a disk that is not mounted is no change"


def test_what_is_next_can_be_done_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark where it can run, else a report, an export, and then nothing; how to get it is said each time."""
    made = make(tmp_path, "folder")
    monkeypatch.setattr(next_step, "_TRAINING", ("json",))
    status = made.split().status
    assert spell(status.next, quote="") == "curator benchmark" and status.remark == ""
    monkeypatch.setattr(next_step, "_TRAINING", ("no_such_module",))
    status = made.status()
    assert spell(status.next, quote="") == "curator report" and "pip install 'imageset-curator" in status.remark
    made.paths.benchmark.mkdir()
    made.paths.report.touch()
    assert spell(made.status().next, quote="") == "curator export imagefolder"
    made.export("keras", image_size=24)
    assert made.status().next == () and made.status().as_json()["next"] == ""
    made.split(seed=5, resplit=True)
    assert spell(made.status().next, quote="") == "curator export keras"
    monkeypatch.setattr(next_step, "_TRAINING", ("json",))
    made.paths.metrics.write_text(json.dumps({"hashes": {"manifest": "of another"}}))
    assert spell(made.status().next, quote="") == "curator benchmark"


def test_every_stage_says_what_status_says_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the way there, on a set that is finished, and after reviews and settings have changed."""
    monkeypatch.setattr(next_step, "_TRAINING", ("json",))
    made = make(tmp_path, "folder")
    stages: dict[str, Callable[[], Any]] = {
        name: getattr(made, name) for name in ("fetch", "dedupe", "balance", "split")
    }

    def said_by_each() -> list[str]:
        said = []
        for run in stages.values():
            said.append(spell(run().status.next, quote=""))
            assert said[-1] == spell(made.status().next, quote="")
        return said

    assert said_by_each() == ["curator dedupe", "curator split", "curator split", "curator benchmark"]
    assert said_by_each() == ["curator benchmark"] * 4
    made.dedupe(mode="exact")
    assert spell(made.dedupe(mode="exact").status.next) == spell(made.status().next) == "`curator split`"
    assert said_by_each()[0] == "curator split", "the later ones are out of date"
    row = made.manifest.iloc[0]
    append_review(made.paths.reviews, Review("2026-01-01T00:00:00Z", "ann", row["sha256"], row["label"], "drop"))
    assert said_by_each()[::3] == ["curator split", "curator benchmark"]
    shutil.rmtree(made.paths.split_folder("train"))
    assert said_by_each()[::3] == ["curator split", "curator benchmark"]
    recipe = made.paths.recipe
    recipe.write_text(recipe.read_text() + "[quality]\nmin_side = 20000\n")
    made = curator.open(recipe)
    for run in (made.dedupe, made.split):
        assert spell(run().status.next) == spell(made.status().next) == "`curator fetch`"


def test_why_names_what_an_image_stands_with_as_a_person_opens_it(tmp_path: Path) -> None:
    """By its file, with the reason: an author, a picture under two labels, or only by way of others."""
    photos = write_folder(tmp_path / "photos", 6)
    picture(77).save(photos / "soccer" / "both.jpg", quality=95)
    picture(77).save(photos / "rugby" / "both.jpg", quality=90)
    authors = {"rugby/both.jpg": "Ann", "rugby/001.jpg": "Ann", "rugby/002.jpg": "Bob", "soccer/001.jpg": "Bob"}
    with (tmp_path / "list.csv").open("w", newline="") as file:
        names = [path.relative_to(photos).as_posix() for path in sorted(photos.rglob("*.jpg"))]
        rows = [[f"photos/{name}", name.partition("/")[0], authors.get(name)] for name in names]
        csv.writer(file).writerows([["path", "label", "author"], *rows])
    made = create(tmp_path, {"kind": "url-list", "path": tmp_path / "list.csv"})
    made.dedupe(across_labels="ignore")
    made.split()

    def stands_with(name: str) -> dict[str, str]:
        [story] = made.why(f"photos/{name}")
        lines = [re.fullmatch(r"  with     (\S+) \((\S+), (\w+)\): (.*)", line) for line in story.lines]
        found = {str(line[1]): str(line[4]) for line in lines if line}
        assert all(Path(file).is_file() for file in found) and len(story.facts["group"]) == len(found)
        return {re.sub(r".*/(\w+/\w+)-[0-9a-f]{8}", r"\1", file): why for file, why in found.items()}

    both = stands_with("rugby/both.jpg")
    assert both["rugby/001.jpg"] == "one author"
    assert {both[name] for name in both if name.startswith("soccer")} == {"nearly the same picture"}
    assert "by way of others" in stands_with("soccer/both.jpg").values()
    assert stands_with("rugby/002.jpg") == {"soccer/001.jpg": "one author"}
    assert stands_with("rugby/003.jpg") == {}


def test_suspects_are_proposed_where_they_can_be_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there is a split, until somebody has looked; not without the packages, nor without the weights."""
    made = make(tmp_path, "folder")
    proposed = Command("suspects")
    monkeypatch.setattr(next_step, "find_weights", lambda *_: tmp_path)
    monkeypatch.setattr(next_step, "_RUNTIME", "json")
    made.dedupe()
    assert proposed not in made.status().ways
    made.split()
    assert made.status().ways[0] == proposed
    monkeypatch.setattr(next_step, "_RUNTIME", "no_such_module")
    assert proposed not in made.status().ways
    monkeypatch.setattr(next_step, "_RUNTIME", "json")
    monkeypatch.undo()
    recipe = made.paths.recipe
    recipe.write_text(recipe.read_text() + '[embed]\nmodel = "gone.onnx"\n')
    assert proposed not in curator.open(recipe).status().ways


def test_what_is_next_helps_where_no_fetch_would(tmp_path: Path) -> None:
    """Private addresses, and a label that nobody lists: what says why, until the recipe is another; then a fetch."""
    table = tmp_path / "list.csv"
    table.write_text("url,label\nhttp://127.0.0.1:9/1.jpg,rugby\nhttp://127.0.0.1:9/2.jpg,rugby\n")
    made = create(tmp_path, {"kind": "url-list", "path": table})
    made.fetch()
    status = made.status()
    assert status.next == (Command("status --hosts"),)
    assert "no image of rugby, soccer: 2 of 2 listed as rugby are out as private-address: `allow_p" in status.remark
    made.fetch(retry="all")
    assert made.status() == status, "no fetch helps"
    recipe = made.paths.recipe
    recipe.write_text(recipe.read_text().replace("[[sources]]", "[fetch]\nallow_private_hosts = true\n[[sources]]", 1))
    made = curator.open(recipe)
    assert made.status().next == (Command("fetch"),) and "decides anew" in made.status().remark
    made.fetch()
    assert made.status().next == (Command("fetch --retry failed"),), "nobody listens there now"
    photos = write_folder(tmp_path / "photos", 2, ["rugby"])
    recipe.write_text(recipe.read_text() + f'[[sources]]\nkind = "folder"\npath = "{photos}"\n')
    made = curator.open(recipe)
    assert spell(made.status().next) == "`curator split`", "which fetches first"
    made.fetch()
    assert made.status().next == (Command("split"),)
    assert made.status().remark.startswith("there is no image of soccer: give it another source in ")


def test_a_picture_of_two_labels_has_a_way_out_wherever_it_is_shown(tmp_path: Path) -> None:
    """why, status, dedupe --explain, the gallery and the report say which labels and what to press; it then works."""
    made = make(tmp_path, "folder")
    picture(2).save(tmp_path / "photos" / "soccer" / "both.jpg", quality=90)
    made.split()
    project = made.project
    story = str(made.why("soccer/both.jpg"))
    assert "It is listed as rugby and as soccer, and kept as neither. To keep it" in story
    assert f"press K on that one under Label conflicts in `curator review{project.option}`, then run" in story
    every = "1 picture is listed under several labels and kept under none: K under Label conflicts in `curator review"
    assert any(every in spell(text) for text in made.status().news)
    option = ["--recipe", str(made.paths.recipe)]
    said = CliRunner().invoke(app, ["dedupe", "--explain", *option]).output
    assert "one picture as rugby and as soccer, kept as none of them\n" in said and every in said
    assert "  soccer/both.jpg               soccer, 160 x 120" in said
    facts = json.loads(CliRunner().invoke(app, ["dedupe", "--explain", "--json", *option]).stdout)
    assert [(group["keeper"], len(group["copies"])) for group in facts] == [(None, 2)]
    for page in (made.gallery(), made.report()):
        text = html.unescape(re.sub("<[^>]+>", "", page.read_text("utf-8")))
        assert every.replace("`", "") in text, page
    row = made.why("rugby/002.jpg")[0].facts
    append_review(made.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", row["sha256"], "rugby", "keep"))
    made.split()
    assert "kept, in " in str(made.why("rugby/002.jpg")) and "To keep it" not in str(made.why("soccer/both.jpg"))
    assert not any("several labels" in spell(text) for text in made.status().news)


def test_an_image_is_found_by_its_label_and_name_without_its_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its own folder has it or as the folders of the set do; a path that is given is that path."""
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos" / "train", 4, ["Match", "Käfer groß"])
    write_folder(tmp_path / "photos" / "test", 3, ["Match", "Käfer groß"])
    assert CliRunner().invoke(app, ["init", "small", "--from", "photos"]).exit_code == 0
    made = curator.open("small")
    made.split()
    file = next(made.paths.split_folder("train").glob("Match/003-*"))
    for name in ("Match/003.jpg", "Match/003", f"Match/{file.name}", f"train/Match/{file.name}", str(file), file.name):
        assert made.why(name)[0].facts["source_id"] == "train/Match/003.jpg", name
    with pytest.raises(CuratorError, match="2 images are called"):
        made.why("Match/000.jpg")
    for name in ("photos", "manifests", "data"):
        (tmp_path / "moved").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "moved" / name)
    monkeypatch.chdir(tmp_path / "moved")
    assert "  path     photos/train/Match/003.jpg\n" in str(curator.open("small").why("Match/003"))
    (tmp_path / "moved" / "photos").rename(tmp_path / "elsewhere")
    assert "/photos/train/Match/003.jpg (not there now)\n" in str(curator.open("small").why("Match/003"))


def test_names_that_are_nearly_right_and_objects_in_a_notebook(tmp_path: Path) -> None:
    """An unknown name is answered with commands that work; what a notebook shows is short, and readable as HTML."""
    made = make(tmp_path, "folder")
    result = made.fetch()
    for wrong in ("rugby/000.jpeg", "RUGBY/000.jpg", "rugy/000.jpg"):
        with pytest.raises(CuratorError, match=r"Did you mean one of these\?\n  `curator why rugby/000.jpg`"):
            made.why(wrong)
    with pytest.raises(CuratorError, match=r"called 'zebra'. Give a record id"):
        made.why("zebra")
    assert repr(made.status()) == "Status('small', fetched: 12 listed, 12 kept, 0 dropped; next: curator dedupe)"
    assert repr(result) == f"StageResult({made.status()!r})"
    stories = made.why("rugby/000.jpg")
    record_id = stories[0].facts["record_id"]
    assert repr(stories) == f"[Story('{record_id}  (rugby, kept so far)')]"
    for shown in (str(stories), str(stories[0]), stories._repr_html_(), stories[0]._repr_html_()):
        assert "listed   by folder as rugby/000.jpg" in shown
    assert "<td" in made.status()._repr_html_() and made.status()._repr_html_() == result._repr_html_()
    made.split()
    assert repr(made.export("hf")) == f"Exported('parquet', 12 images: {made.paths.export('parquet')})"
    assert max(len(repr(one)) for one in FORMATS) < 40
    with pytest.raises(CuratorError, match=r'choose another name; `curator\.open\("small"\)` opens it'):
        create(tmp_path, {"kind": "folder", "path": tmp_path / "photos"})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("hf", "parquet"),
        ("HuggingFace", "parquet"),
        ("hugging face", "parquet"),
        ("PyTorch", "keras"),
        ("torch", "keras"),
        ("image_folder", "imagefolder"),
        ("TensorFlow", "tfrecord"),
        ("tf.data", "tfrecord"),
        ("wds", "webdataset"),
        ("ms_coco", "coco"),
        ("yolo", "keras"),
    ],
)
def test_formats_by_the_names_that_people_use(name: str, form: str) -> None:
    """Whatever the case and the signs between words; no two formats are called the same."""
    assert find_format(name).name == form
    called = [one for each in FORMATS for one in (each.name, *each.also)]
    assert len(called) == len(set(called)) and all(find_format(one.upper()) for one in called)


def test_an_unknown_format_has_near_ones() -> None:
    """The nearest is named, and all that there are."""
    with pytest.raises(CuratorError, match=r"no format 'parket', did you mean parquet\? There are imagefolder, "):
        find_format("parket")
    with pytest.raises(CuratorError, match=r"no format 'xyzzy'\. There are imagefolder, "):
        find_format("xyzzy")


CC = "https://creativecommons.org/licenses"


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        *((f"{CC}/by/{version}/", f"cc-by-{version}") for version in ("2.0", "2.5", "3.0", "4.0")),
        *((f"{CC}/by-sa/{version}/", f"cc-by-sa-{version}") for version in ("3.0", "4.0")),
        *((f"{CC}/by-nc/{version}/", f"cc-by-nc-{version}") for version in ("2.0", "3.0", "4.0")),
        (f"{CC}/by-nd/4.0/", "cc-by-nd-4.0"),
        *((f"{CC}/by-nc-nd/{version}/", f"cc-by-nc-nd-{version}") for version in ("3.0", "4.0")),
        *((f"{CC}/by-nc-sa/{version}/deed.de", f"cc-by-nc-sa-{version}") for version in ("2.0", "3.0", "4.0")),
        *((f"{CC}/{one}/", "other") for one in ("by/1.0", "by-sa/2.0", "by-sa/2.5", "by-nd/2.0", "by-nc-nd/2.0")),
        ("CC0 1.0 Universal", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "other"),
        ("Public Domain Mark 1.0", "other"),
        ("MIT", "mit"),
        ("ODbL", "odbl"),
        ("PDDL", "pddl"),
        ("licence not stated", "unknown"),
        ("all rights reserved", "other"),
    ],
)
def test_the_hub_knows_each_licence_by_its_id(stated: str, known: str) -> None:
    """The ids of https://huggingface.co/docs/hub/repositories-licenses; of a licence that is none of them, other."""
    assert licence_id(stated) == known
