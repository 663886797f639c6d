"""Two commands and no edit, from what a person has to a manifest with train and test folders."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.manifests.manifest import read_manifest
from tests.survey.beginnings import FOLDERS, curator, numbered, put


@pytest.mark.parametrize("beginning", FOLDERS)
def test_a_folder_becomes_a_data_set_by_two_commands(beginning: str, tmp_path: Path) -> None:
    """Every picture of every label is in the manifest, on the side that the folders say if they say one."""
    make, counts = FOLDERS[beginning]
    place = make(tmp_path)
    said = curator("init", "mine", "--from", place)
    for label, n in counts.items():
        assert any(line.split() == [*label.split(), str(n)] for line in said.output.splitlines()), said.output
    curator("split", "--per-class", "all", "--quiet")
    manifest = read_manifest(tmp_path / "manifests/mine/manifest.csv")
    assert Counter(manifest["label"]) == counts
    assert all((tmp_path / "data/mine" / file).is_file() for file in manifest["file"])
    expected = {
        "train, validation, test": {"train": 12, "val": 4, "test": 4},
        "sides below labels": {"train": 12, "test": 4},
    }
    expected |= {"a cache of Hugging Face": {"train": 10, "test": 4}, "two spellings": {"train": 12, "test": 4}}
    expected |= {"MVTec with masks": {"train": 4, "test": 8}, "a metadata.csv in each side": {"train": 6, "test": 2}}
    expected |= {"Roboflow": {"train": 6, "val": 2, "test": 2}}
    recipe = tomllib.loads((tmp_path / "manifests/mine/recipe.toml").read_text(encoding="utf-8"))
    assert recipe["balance"] == {"per_class": "max"}
    assert recipe["split"].get("keep", False) is (beginning in expected)
    if beginning in expected:
        assert Counter(manifest["split"]) == expected[beginning]
    else:
        assert set(manifest["split"]) == {"train", "test"}


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    """Pictures of no label, other files and links without a file are counted, and labels are chosen by naming them."""
    put(tmp_path / "photos", [*numbered("heron", "stork", "gull", n=3), "loose.jpg"])
    (tmp_path / "photos/heron/notes.txt").write_text("seen at dawn")
    (tmp_path / "photos/heron/gone.jpg").symlink_to("nowhere.jpg")
    said = curator("init", "birds", "Heron", "stork", "--from", "photos").output
    assert "4 pictures are of other labels, or of none" in said
    assert "1 file is no picture by its name: .txt 1" in said
    assert "1 link leads to a file that is not here" in said
    recipe = tomllib.loads((tmp_path / "manifests/birds/recipe.toml").read_text(encoding="utf-8"))
    assert recipe["labels"] == ["Heron", "stork"]
    assert recipe["sources"] == [{"kind": "folder", "path": "../../photos"}]


def test_several_places_are_one_data_set(tmp_path: Path) -> None:
    """A label's pictures may lie in two folders; each is a source."""
    put(tmp_path / "one", numbered("heron", "stork", n=3))
    put(tmp_path / "two", numbered("heron", "gull", n=2, ending=".png"))
    curator("init", "birds", "--from", "one", "--from", "two")
    curator("split", "--per-class", "all", "--quiet")
    manifest = read_manifest(tmp_path / "manifests/birds/manifest.csv")
    assert Counter(manifest["label"]) == {"heron": 5, "stork": 3, "gull": 2}


def test_one_folder_a_label(tmp_path: Path) -> None:
    """Flat folders that are named one by one are each a label of their own name."""
    put(tmp_path / "my", numbered("herons", "storks", n=3))
    curator("init", "birds", "--from", "my/herons", "--from", "my/storks")
    curator("split", "--quiet")
    manifest = read_manifest(tmp_path / "manifests/birds/manifest.csv")
    assert Counter(manifest["label"]) == {"herons": 3, "storks": 3}


def _one_label(root: Path) -> str:
    put(root / "photos", numbered("heron"))
    return "photos"


def _flat(root: Path) -> str:
    put(root / "photos", [f"IMG_{n}.jpg" for n in range(5)] + [f"DSC_{n}.jpg" for n in range(5)])
    return "photos"


def _folded(root: Path) -> str:
    put(root / "photos", numbered("a:b", "a?b"))
    return "photos"


def _same_but_for_case(root: Path) -> str:
    put(root / "photos", numbered("Dog", "dog", "cat"))
    return "photos"


def _empty(root: Path) -> str:
    (root / "photos/heron").mkdir(parents=True)
    (root / "photos/notes.docx").write_text("x")
    return "photos"


def _dangling(root: Path) -> str:
    for name in numbered("heron", "stork"):
        (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "photos" / name).symlink_to("../.git/annex/objects/absent.jpg")
    return "photos"


def _circle(root: Path) -> str:
    (root / "photos").mkdir()
    (root / "photos/more").symlink_to(root / "photos")
    return "photos"


def _archive(root: Path) -> str:
    (root / "photos.zip").write_bytes(b"PK\3\4")
    return "photos.zip"


def _single(root: Path) -> str:
    put(root, ["photo.jpg"])
    return "photo.jpg"


def _sides_alone(root: Path) -> str:
    put(root / "yolo", [f"images/{side}/{n}.jpg" for side in ("train", "val") for n in range(4)])
    return "yolo"


def _masks_alone(root: Path) -> str:
    put(root / "VOC", [f"{name}/{n}.jpg" for name in ("JPEGImages", "SegmentationClass") for n in range(4)])
    return "VOC"


def _no_utf8(root: Path) -> str:
    put(root / "photos", numbered("heron", "stork"))
    (root / "photos").rename(root / "photos\udcff")
    return "photos\udcff"


def _no_header(root: Path) -> str:
    put(root, [f"p{n}.jpg" for n in range(8)])
    (root / "list.csv").write_text("".join(f"p{n}.jpg,{('heron', 'stork')[n % 2]}\n" for n in range(8)))
    return "list.csv"


def _marks(root: Path) -> str:
    put(root / "plants", [f"images/Train_{n}.jpg" for n in range(8)])
    rows = "".join(f"Train_{n},{n % 2},{1 - n % 2}\n" for n in range(8))
    (root / "plants/train.csv").write_text(f"image_id,healthy,rust\n{rows}")
    (root / "plants/test.csv").write_text("image_id\nTest_0\n")
    return "plants"


BAD: dict[str, tuple[Callable[[Path], str], tuple[str, ...]]] = {
    "one label": (_one_label, ("'heron'", "at least two", "--from herons")),
    "no labels": (_flat, ("All 10 images of photos", "one label", "heron/ and stork/")),
    "labels of one folder name": (_folded, ("'a:b' and 'a?b' would share the folder 'a_b'", "Rename")),
    "labels that differ in case": (_same_but_for_case, ("'Dog' and 'dog'", "Rename")),
    "no pictures": (_empty, ("holds no picture", ".docx 1")),
    "absent files": (_dangling, ("8 links whose file is not here", "git annex get")),
    "a circle of links": (_circle, ("holds no picture", "1 link that leads in a circle")),
    "an archive": (_archive, ("is an archive", "Unpack it")),
    "one picture": (_single, ("is one picture", "sub-folder")),
    "sides without labels": (_sides_alone, ("8 pictures", "none is in a folder of a label")),
    "pictures and masks": (_masks_alone, ("8 pictures", "none is in a folder of a label")),
    "a path that is not UTF-8": (_no_utf8, ("is not UTF-8", "Rename")),
    "a path that is too long": (lambda root: "x" * 5000, ("cannot be read", "Name a folder")),
    "a table without a header": (_no_header, ("no header", "p0.jpg", "path,label")),
    "a column for each label": (_marks, ("healthy, rust", "a column `label`")),
    "nothing": (lambda root: "nowhere", ("nothing at nowhere", "Name a folder")),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_data_set_can_be_made_of_is_one_paragraph(case: str, tmp_path: Path) -> None:
    """It says what was seen and what to do; no recipe is written."""
    make, words = BAD[case]
    result = CliRunner().invoke(app, ["init", "mine", "--from", make(tmp_path)])
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1
    assert not [word for word in words if word not in result.output], result.output
    assert not (tmp_path / "manifests").exists()


def test_a_folder_whose_name_is_not_utf8_is_left_out(tmp_path: Path) -> None:
    """It is counted; the others are a data set."""
    put(tmp_path / "photos", numbered("heron", "stork", "other"))
    (tmp_path / "photos/other").rename(tmp_path / "photos/\udcff")
    curator("init", "birds", "--from", "photos", "--from", "photos/")
    curator("split", "--quiet")
    manifest = read_manifest(tmp_path / "manifests/birds/manifest.csv")
    assert Counter(manifest["label"]) == {"heron": 4, "stork": 4}


@pytest.mark.parametrize(
    ("header", "row", "encoding", "labels"),
    [
        (",file,label", "{n},p{n}.jpg,{label}", "utf-8", ("heron", "stork")),
        ("file,label", "p{n}.jpg,{label}", "cp1252", ("Käfer", "Bär")),
        ("id_code,diagnosis", "p{n},{label}", "utf-8", ("0", "1")),
    ],
)
def test_tables_as_programs_save_them(tmp_path: Path, header: str, row: str, encoding: str, labels: tuple[str]) -> None:
    """With the numbers of rows, which pandas writes; in the encoding of Excel; and with labels that are numbers."""
    put(tmp_path, [f"p{n}.jpg" for n in range(8)])
    lines = [header, *(row.format(n=n, label=labels[n % 2]) for n in range(8))]
    (tmp_path / "list.csv").write_text("\n".join(lines), encoding=encoding)
    curator("init", "mine", "--from", "list.csv")
    curator("split", "--quiet")
    assert Counter(read_manifest(tmp_path / "manifests/mine/manifest.csv")["label"]) == dict.fromkeys(labels, 4)


def test_a_stage_fetches_first_if_the_folder_or_the_labels_have_changed(tmp_path: Path) -> None:
    """Files that came are in after the next split, also of a label that came; without news nothing is listed again."""
    put(tmp_path / "photos", numbered("heron", "stork", n=4))
    curator("init", "birds", "--from", "photos")
    curator("split")
    again = curator("split")
    assert "fetching first" not in again.output
    put(tmp_path / "photos", numbered("heron", "stork", "gull", n=6))
    said = curator("split").output
    assert "what is in folder has changed since the last fetch: fetching first" in said
    assert len(read_manifest(tmp_path / "manifests/birds/manifest.csv")) == 12
    recipe = tmp_path / "manifests/birds/recipe.toml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace('["heron"', '["gull", "heron"'), encoding="utf-8")
    assert "lists other labels, sources or licences" in curator("split").output
    assert Counter(read_manifest(tmp_path / "manifests/birds/manifest.csv")["label"])["gull"] == 6


def test_a_file_that_a_table_has_on_two_sides_is_a_leak_that_is_said(tmp_path: Path) -> None:
    """It is in both, as listed; init counts it twice, and split names it."""
    names = numbered("images/heron", "images/stork", n=5)
    put(tmp_path, names)
    sides = {name: "test" if name.endswith("4.jpg") else "train" for name in names}
    rows = [f"{name},{name.split('/')[1]},{side}" for name, side in sides.items()]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,split", *rows, f"{names[0]},heron,test"]))
    assert "train 8, test 3" in curator("init", "birds", "--from", "list.csv").output
    said = curator("split", "--per-class", "all").output
    assert "LEAK: 1 group of one near-duplicate (2 images, all of the same bytes as another)" in " ".join(said.split())
    manifest = read_manifest(tmp_path / "manifests/birds/manifest.csv")
    assert Counter(manifest["split"]) == {"train": 8, "test": 3}


def test_links_to_themselves_are_left_out_and_labels_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A loop anywhere in the folder stops nothing; a wanted label without images is one paragraph."""
    put(tmp_path / "photos", numbered("heron", "stork", n=3))
    (tmp_path / "photos/heron/loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "photos/loop").symlink_to("loop")
    result = CliRunner().invoke(app, ["init", "birds", "heron", "egret", "--from", "photos"])
    assert result.exit_code == 2 and "no image of egret" in result.output
    curator("init", "birds", "--from", "photos")
    curator("split", "--quiet")
    assert len(read_manifest(tmp_path / "manifests/birds/manifest.csv")) == 6
