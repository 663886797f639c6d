# ruff: noqa: E501 (trees are easier to read with one on each line)
"""What is at a place, where it is easily taken for something else: what ``init`` finds and says, and a fetch lists."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from curator.errors import SourceError
from curator.manifests.labels import LabelFinder, as_written, label_problem
from curator.sources.base import ListingContext
from curator.sources.registry import source_kinds
from curator.survey.finding import Finding
from curator.survey.proposals import propose
from curator.survey.survey import survey
from tests.survey.beginnings import curator, numbered, put

LABELS = ("heron", "stork")


def fetched(found: Finding, root: Path) -> dict[str, int]:
    """Count what a fetch lists of each label, by the recipe that was found."""
    counts: dict[str, int] = {}
    for table in found.sources:
        options = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        source = source_kinds()[options.pop("kind")](**options)
        context = ListingContext(tuple(found.labels), root / "cache", root, label_names=LabelFinder(found.labels))
        for label, n in source.list_images(0, context.labels, context)["label"].value_counts().items():
            counts[label] = counts.get(label, 0) + int(n)
    return counts


def check(root: Path, places: list[str], counts: Mapping[str, int], *words: str) -> Finding:
    found = survey(places, base_dir=root)
    notes = "\n".join(found.notes)
    assert dict(found.counts) == counts == fetched(found, root), notes
    assert not [word for word in words if word not in notes], notes
    return found


TREES: dict[str, tuple[list[str], list[str], str]] = {
    "PACS": ([f"{d}/{x}" for d in ("art_painting", "photo", "sketch") for x in ("dog", "elephant")], ["dog", "elephant"], "The labels are the folders in art_painting/, photo/ and sketch/, which hold the same ones"),
    "Office-Home, wrapped": ([f"OfficeHome/{d}/{x}" for d in ("Art", "Real World") for x in ("Bed", "Bike", "Chair")], ["Bed", "Bike", "Chair"], "in Art/ and Real World/"),
    "domains above sides": ([f"{d}/{s}/{x}" for d in ("day", "night") for s in ("train", "test") for x in ("cat", "dog")], ["cat", "dog"], "in day/ and night/"),
    "sides above domains": ([f"{s}/{d}/{x}" for d in ("day", "night") for s in ("train", "test") for x in ("cat", "dog")], ["cat", "dog"], "in day/ and night/"),
    "one label is missing in a domain": ([f"{d}/{x}" for d in ("up", "down") for x in "abcdef"] + ["up/g"], [*"abcdefg"], "in down/ and up/"),
    "GTSRB of Kaggle": (["Meta", "Test", "Train/0", "Train/1", "Train/12"], ["0", "1", "12"], ""),
    "GTSRB of Kaggle, twice": (["Meta", "Test", "Train/0", "Train/1", "meta", "test", "train/0", "train/1"], ["0", "1"], ""),
    "labels of sub-folders of their own": (["cat/old", "cat/new", "dog/big", "dog/small"], ["cat", "dog"], ""),
    "images and masks below each label": ([f"{x}/{k}" for x in ("cat", "dog") for k in ("images", "masks")], ["cat", "dog"], ""),
    "sides below each label": ([f"{x}/{s}" for x in ("cat", "dog") for s in ("train", "test")], ["cat", "dog"], ""),
    "a label called train": (["train/steam", "train/diesel", "bus", "car"], ["bus", "car", "train"], ""),
}  # fmt: skip


@pytest.mark.parametrize("tree", TREES)
def test_the_level_of_the_labels_is_found(tree: str) -> None:
    """Levels that hold the same folders are domains; what is taken as what is said."""
    folders, labels, note = TREES[tree]
    found = propose({tuple(folder.split("/")): 9 for folder in folders})
    assert sorted(set(found.texts.values())) == labels
    assert note in "".join(found.notes) and bool(note) is bool(found.notes)


def test_a_tree_of_domains_is_fetched_as_it_was_found(tmp_path: Path) -> None:
    """The recipe says the same as what was printed."""
    put(tmp_path / "PACS", numbered("photo/dog", "photo/horse", "sketch/dog", "sketch/horse", n=2))
    check(tmp_path, ["PACS"], {"dog": 4, "horse": 4}, "The labels are the folders in photo/ and sketch/")


def _table(names: list[str], head: str = "image_id,dx") -> str:
    return "\n".join([head, *(f"{name},{LABELS[n % 2]}" for n, name in enumerate(names))])


def test_files_in_several_folders_beside_a_table(tmp_path: Path) -> None:
    """HAM10000: each name is in one of two folders, sorted or not; a name in both is refused, thumbnails are no part."""
    ids = [f"ISIC_{n:04}" for n in range(300)]
    for n, name in enumerate(ids):
        for folder in (f"HAM10000_images_part_{1 + n // 200}", *(["thumbs"] if n % 3 else [])):
            (tmp_path / "HAM" / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "HAM" / folder / f"{name}.jpg").touch()
    (tmp_path / "HAM/HAM10000_metadata.csv").write_text(_table(ids))
    found = check(tmp_path, ["HAM/HAM10000_metadata.csv"], {"heron": 150, "stork": 150})
    assert found.sources[0]["root"] == [f"HAM/HAM10000_images_part_{n}" for n in (1, 2)]
    check(tmp_path, ["HAM"], {"heron": 150, "stork": 150})
    (tmp_path / "HAM/HAM10000_images_part_2/ISIC_0000.jpg").touch()
    words = "1 row whose file is in more than one of the folders that `root` names (line 2) was left out"
    check(tmp_path, ["HAM/HAM10000_metadata.csv"], {"heron": 149, "stork": 150}, words)


def test_files_above_a_table(tmp_path: Path) -> None:
    """``../0.jpg`` is found by init, which writes ``root``; without it the hint says so, and no link leads further out."""
    put(tmp_path / "set", [f"{n}.jpg" for n in range(4)])
    (tmp_path / "set/lists").mkdir()
    (tmp_path / "secret.jpg").touch()
    (tmp_path / "set/lists/l.csv").write_text(
        _table([f"../{n}.jpg" for n in range(4)] + ["../../secret.jpg"], "file,label")
    )
    found = check(tmp_path, ["set/lists/l.csv"], {"heron": 2, "stork": 2}, "1 row whose file lies outside")
    assert found.sources[0]["root"] == "set"
    with pytest.raises(
        SourceError, match=r"names 5 files whose file lies outside .*'\.\./0\.jpg'.*Write `root` beside"
    ):
        fetched(Finding(({**found.sources[0], "root": ""},), found.counts, ""), tmp_path)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_list_of_one_label_is_that_label(form: str, tmp_path: Path) -> None:
    """Lists of several are counted as such; empty ones are no label."""
    labels = [["heron"], ["stork"], ["heron"], ["heron", "stork"], [], ["heron"], ["stork"], "stork"]
    put(tmp_path, [f"{n}.jpg" for n in range(len(labels))])
    rows = [{"file_name": f"{n}.jpg", "labels": label} for n, label in enumerate(labels)]
    if form == "jsonl":
        text = "\n".join(map(json.dumps, rows))
    else:  # as pandas writes them
        text = "\n".join(["file_name,labels", *(f'{row["file_name"]},"{row["labels"]}"' for row in rows)])
    (tmp_path / f"l.{form}").write_text(text)
    words = ("1 row with several labels (line ", "1 row without label (line ")
    check(tmp_path, [f"l.{form}"], {"heron": 3, "stork": 3}, *words)


def test_places_in_each_other_are_counted_once(tmp_path: Path) -> None:
    """In any order, by a link, and a table of the pictures beside it; addresses are others."""
    put(tmp_path / "photos", numbered(*LABELS))
    (tmp_path / "link").symlink_to("photos")
    (tmp_path / "l.csv").write_text(_table([f"photos/{name}" for name in numbered(*LABELS)], "path,label"))
    for places in (["photos", "photos/heron"], ["photos/stork", "photos"], ["photos", "l.csv"]):
        found = check(tmp_path, places, {"heron": 4, "stork": 4}, "too: they are counted once")
        assert len(found.sources) == 1
    (tmp_path / "l.csv").write_text(_table([f"http://e.org/{n}.jpg" for n in range(4)], "url,label"))
    check(tmp_path, ["photos", "l.csv", "link"], {"heron": 6, "stork": 6})


@pytest.mark.parametrize("pattern", ["photos/*", "photos/[hs]*", "ph*s", "photos/*/"])
def test_a_quoted_pattern_means_its_folders(pattern: str, tmp_path: Path) -> None:
    """As in a shell that is not told to leave it alone."""
    put(tmp_path / "photos", numbered(*LABELS))
    (tmp_path / "photos/.thumbs").mkdir()
    check(tmp_path, [pattern], {"heron": 4, "stork": 4})


TITLED = [["Birds of the lake, 2024"], [], ["by Ann", None, "draft"], ["Bild", "Art", "Ort", "Jahr"]]


@pytest.mark.parametrize("form", ["l.xlsx", "comma.csv", "semicolon.csv", "tab.tsv"])
def test_titles_above_the_header_are_left_out(form: str, tmp_path: Path) -> None:
    """Of a sheet, and of what a spreadsheet saves; the lines of the rows are counted as in the file."""
    names = numbered(*LABELS)
    put(tmp_path, names)
    rows = [*TITLED, *([name, name.split("/")[0], "lake", 2024] for name in names), ["none.jpg", "heron", "x", 1]]
    if form == "l.xlsx":
        book, out = openpyxl.Workbook(), io.BytesIO()
        for row in rows:
            book.active.append(row)
        book.save(out)
        (tmp_path / form).write_bytes(out.getvalue())
    else:
        sign = {"comma.csv": ",", "semicolon.csv": ";", "tab.tsv": "\t"}[form]
        text = "\n".join(sign.join("" if cell is None else str(cell).replace(",", "") for cell in row) for row in rows)
        (tmp_path / form).write_text(text)
    found = survey([form], base_dir=tmp_path, columns={"label": "Art"})
    notes = "\n".join(found.notes)
    assert dict(found.counts) == {"heron": 4, "stork": 4} == fetched(found, tmp_path)
    unit = "row" if form == "l.xlsx" else "line"
    assert f"2 of its {unit}s, above the header, were left out as titles" in notes
    assert f"whose file does not exist ({unit} 13)" in notes


ODD = "sto\u202erk\u200b"


def test_labels_lose_what_nobody_sees(tmp_path: Path) -> None:
    """In folders, in names of files and in tables, with a sentence; a recipe is told what to write."""
    said = r"'sto\u202erk\u200b' is written without characters that nobody sees"
    put(tmp_path / "photos", numbered("heron", ODD))
    check(tmp_path, ["photos"], {"heron": 4, "stork": 4}, said)
    put(tmp_path / "names", [f"{label}_{n}.jpg" for label in ("heron", ODD) for n in range(4)])
    check(tmp_path, ["names"], {"heron": 4, "stork": 4}, said)
    rows = "\n".join(f"http://e.org/{n}.jpg,{label}" for n, label in enumerate(["heron", "stork", ODD] * 2))
    (tmp_path / "l.csv").write_text(f"url,label\n{rows}", encoding="utf-8")
    check(tmp_path, ["l.csv"], {"heron": 2, "stork": 4}, said)
    assert "must be written 'stork': without characters that nobody sees" in str(label_problem(ODD))
    assert "must be text" in str(label_problem("\u200b\u202e"))
    for text in ("\u0645\u06cc\u200c\u062e", "👩\u200d🔬", "क्\u200dष"):  # spelling, an emoji, a ligature
        assert as_written(text) == text and label_problem(text) is None
    for text in ("c\u200dat", "ca\u200ct\u200d", "\ufeffcat", "c\u200d\u200bat"):
        assert as_written(text) == "cat"


def test_tables_that_are_not_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a contest, in what ``init`` prints."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "contest", [f"train/{n}.jpg" for n in range(8)] + [f"test/{n}.jpg" for n in range(3)])
    (tmp_path / "contest/train.csv").write_text(_table([f"{n}" for n in range(8)], "id,label"))
    (tmp_path / "contest/test.csv").write_text("id\n0\n1\n2\n")
    (tmp_path / "contest/sample_submission.csv").write_text("id,label\n0,heron\n")
    said = " ".join(curator("init", "mine", "--from", "contest").output.split())
    assert "left out beside it: sample_submission.csv, test.csv" in said
