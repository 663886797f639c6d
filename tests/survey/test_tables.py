# ruff: noqa: E501 (tables are easier to read with a row on each line)
"""Two commands and no edit, from a table of pictures to a manifest; and what a table that cannot be one gets."""

from __future__ import annotations

import io
import json
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.errors import SourceError
from curator.manifests.manifest import read_manifest
from curator.survey.survey import survey
from tests.survey.beginnings import curator, hash_of, numbered, picture, put

NAMES = numbered("images/heron", "images/stork", n=5)
ROWS = [(name.removeprefix("images/"), name.split("/")[1]) for name in NAMES]
INFO = {"info": {"features": {"label": {"names": ["heron", "stork"], "_type": "ClassLabel"}}}}


def write(root: Path, name: str, text: str | bytes) -> str:
    """Write a table and the pictures, and return the table's name."""
    put(root, NAMES)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def _workbook(root: Path) -> str:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (("Image", "Category"), *ROWS):
        book.active.append(row)
    book.save(out)
    return write(root, "images/list.xlsx", out.getvalue())


def _ids(root: Path) -> str:
    """As of a Kaggle competition: the names without their ending, in a folder that the table does not name."""
    ids = {file: f"{hash_of(file):x}"[-8:] for file, _ in ROWS}
    write(root, "set/labels.csv", "\n".join(["id,breed", *(f"{ids[file]},{label}" for file, label in ROWS)]))
    put(root / "set/train", [f"{name}.jpg" for name in ids.values()])
    return "set"


def _hugging_face(root: Path) -> str:
    for side, rows in {"train": ROWS[::2] + ROWS[1::4], "test": ROWS[3::4]}.items():
        images = [{"bytes": picture(abs(hash_of(file))), "path": Path(file).name} for file, _ in rows]
        numbers = [["heron", "stork"].index(label) for _, label in rows]
        table = pa.table({"image": images, "label": numbers}).replace_schema_metadata({"huggingface": json.dumps(INFO)})
        (root / "set/data").mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / f"set/data/{side}-00000-of-00001.parquet")
    return "set"


def _coco(root: Path) -> str:
    images = [{"id": n, "file_name": file} for n, (file, _) in enumerate(ROWS)]
    shown = [{"image_id": n, "category_id": 1 + (label == "stork")} for n, (_, label) in enumerate(ROWS)]
    kinds = [{"id": 1, "name": "heron"}, {"id": 2, "name": "stork"}]
    text = json.dumps({"images": images, "annotations": shown, "categories": kinds})
    return write(root, "annotations.json", text)


def _exported(root: Path) -> str:
    put(root / "photos", numbered("heron", "stork", n=5))
    for words in (("init", "first", "--from", "photos"), ("split",), ("export", "coco")):
        curator(*words, *(("--recipe", "first") if words[0] != "init" else ()))
    return "data/first/exports/coco"


def _manifest(root: Path) -> str:
    _exported(root)
    return "manifests/first/manifest.csv"


TABLES: dict[str, Callable[[Path], str]] = {
    "semicolons, files": lambda root: write(root, "images/l.csv", "\n".join(["Datei;Art", *map(";".join, ROWS)])),
    "a folder above": lambda root: write(root, "lists/l.tsv", "\n".join(["path\tlabel", *map("\t".join, ROWS)])),
    "metadata of an ImageFolder": lambda root: write(
        root, "images/metadata.jsonl", "\n".join(json.dumps({"file_name": a, "label": b}) for a, b in ROWS)
    ) and "images",
    "JSON": lambda root: write(root, "images/a.json", json.dumps([{"image": a, "class": b} for a, b in ROWS])),
    "absolute paths": lambda root: write(
        root, "l.csv", "\n".join(["file,label", *(f"{root}/images/{a},{b}" for a, b in ROWS)])
    ),
    "a workbook": _workbook,
    "ids of a competition": _ids,
    "Parquet of Hugging Face": _hugging_face,
    "COCO": _coco,
    "our own COCO export": _exported,
    "our own manifest": _manifest,
}  # fmt: skip


@pytest.mark.parametrize("beginning", TABLES)
def test_a_table_becomes_a_data_set_by_two_commands(beginning: str, tmp_path: Path) -> None:
    """Every picture of it is in the manifest, with its label, on the side that the table says if it says one."""
    place = TABLES[beginning](tmp_path)
    said = curator("init", "mine", "--from", place).output
    assert all(any(line.split() == [label, "5"] for line in said.splitlines()) for label in ("heron", "stork")), said
    curator("split", "--recipe", "mine", "--per-class", "all", "--quiet")
    manifest = read_manifest(tmp_path / "manifests/mine/manifest.csv")
    assert Counter(manifest["label"]) == {"heron": 5, "stork": 5}
    recipe = tomllib.loads((tmp_path / "manifests/mine/recipe.toml").read_text(encoding="utf-8"))
    has_sides = beginning in ("Parquet of Hugging Face", "our own manifest", "our own COCO export")
    assert recipe["split"].get("keep", False) is has_sides
    assert Counter(manifest["split"]) == {"train": 8, "test": 2}


def test_a_table_of_absolute_paths_elsewhere(tmp_path: Path) -> None:
    """The root is the folder that holds them all; a name that could be anything's, or leads to nothing, moves none."""
    put(tmp_path / "disk", numbered("heron", "stork", n=3))
    files = [f"{tmp_path}/disk/{name},{name.split('/')[0]}" for name in numbered("heron", "stork", n=3)]
    (tmp_path / "tables").mkdir()
    table = tmp_path / "tables" / "mine.csv"
    table.write_text("\n".join(["path,label", *files]), encoding="utf-8")
    assert dict(survey([str(table)]).counts) == {"heron": 3, "stork": 3}
    (source,) = survey([str(table)]).sources
    assert source["root"] == str(tmp_path / "disk")
    for other in ("/etc/passwd,heron", "/nowhere/a/1.jpg,heron"):
        table.write_text("\n".join(["path,label", *files, other]), encoding="utf-8")
        with pytest.raises(SourceError, match="outside of the folder"):
            survey([str(table)])


def test_a_table_of_addresses_is_described(tmp_path: Path) -> None:
    """The columns chosen, spellings that are one label, texts that are none, rows refused; an address is no label."""
    lines = [f"http://e.org/{n}.jpg,{label},CC0" for n, label in enumerate(["Dog"] * 4 + ["dog", "Cat", "cat", "cat"])]
    (tmp_path / "l.csv").write_text(
        "\n".join(["image_url,species,licence", *lines, "broken", "http://e.org/1.jpg,Dog,"])
    )
    found = survey(["l.csv"])
    assert (found.kind, dict(found.counts)) == ("a table of addresses", {"cat": 3, "Dog": 5})
    notes = "\n".join(found.notes)
    for words in (
        "l.csv: the address is its column image_url; the label is its column species; kept of each image: license (licence)",
        "'Dog' and 'dog' are one label",
        "l.csv: 1 of 10 rows were refused: 1 with another number of fields than the header (line 10)",
    ):
        assert words in notes
    assert dict(survey(["l.csv"], ["dog", "cat"]).counts) == {"dog": 5, "cat": 3}


def test_lists_of_one_label_are_called_by_their_files(tmp_path: Path) -> None:
    """As folders of one label are."""
    for label in ("Great Egret", "stork"):
        (tmp_path / f"{label}.txt").write_text(f"http://e.org/{label[0]}1.jpg\nhttp://e.org/{label[0]}2.jpg\n")
    found = survey(["Great Egret.txt", "stork.txt"])
    assert dict(found.counts) == {"Great Egret": 2, "stork": 2}
    assert [source["label"] for source in found.sources] == ["Great Egret", "stork"]
    with pytest.raises(SourceError, match=r"All 2 images of stork.txt would be of one label, 'stork'"):
        survey(["stork.txt"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_url,link,label\nhttp://a/1,http://a/2,x\n", "two columns that could be the address: image_url and link"),
        ("url,species,category\nhttp://a/1,a,b\n", "two columns that could be the label: species and category"),
        ("url,art,bild\n" + "http://a/1,x,y\nhttp://a/2,z,u\n" * 3, r'no column `label`.*label = "art".*--column label=NAME'),
        ("name,label\nx,a\n", "no column `url`.*--column label=NAME"),
        ("url,label\n", "no row behind its header"),
        ("url,label\n" + "".join(f"http://a/{n},{n}x\n" for n in range(30)), "30 different texts in 30 rows.*hardly labels"),
        ("url,label\nhttp://a/1,a/b\nhttp://a/2,a:b\n", "would share the folder 'a_b'"),
        ("url,rugby,soccer\nhttp://a/1,1,0\nhttp://a/2,0,1\n", "a column for each label"),
        ("url,label\n" + "http://a/1,cat|dog\nhttp://a/2,dog|cat\nhttp://a/3,cat\n" * 2, "several labels in 4 of 6 rows"),
        ("file,label\n1.jpg,a\n2.jpg,b\n", "names 2 files whose file does not exist"),
        ("", "is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_gets_one_paragraph(text: str, message: str, tmp_path: Path) -> None:
    """What was seen, and what to do; files of these names in a folder beside are somebody else's."""
    for name in ("mine/l.csv", "notes/1.jpg", "notes/2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=f"(?s){message}") as caught:
        survey(["mine/l.csv"])
    assert "\n" not in str(caught.value)


def test_columns_of_ones_own_names_are_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--column`` says what no name tells, goes into the recipe, and what it cannot be is one paragraph."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "images/liste.csv", "\n".join(["Bilddatei;Ballart", *(f"{file};{label}" for file, label in ROWS)]))
    words = ["init", "mine", "--from", "images/liste.csv", "--column"]
    runner = CliRunner()
    for wrong, said in {
        "Ballart": "a role and the name",
        "lable=Ballart": "did you mean label",
        "label=Art": "Art",
    }.items():
        done = runner.invoke(app, [*words, wrong])
        assert done.exit_code == 2 and said in done.output, done.output
    done = runner.invoke(app, [*words, "label=Ballart", "--column", "path=Bilddatei"])
    assert done.exit_code == 0, done.output
    recipe = tomllib.loads((tmp_path / "manifests/mine/recipe.toml").read_text(encoding="utf-8"))
    assert recipe["sources"][0]["columns"] == {"label": "Ballart", "path": "Bilddatei"}
    assert runner.invoke(app, ["split", "--quiet"]).exit_code == 0
    assert Counter(read_manifest(tmp_path / "manifests/mine/manifest.csv")["label"]) == {"heron": 5, "stork": 5}
    assert "Name the table with --from" in runner.invoke(app, ["init", "two", "a", "b", "--column", "label=x"]).output
