"""What a person chooses of an export: where it goes, and the size of its pictures; and what a third split becomes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from curator.cli.app import app
from curator.errors import CuratorError
from curator.export.export import FORMATS, export_dataset, find_format
from curator.export.loaders import split_pictures
from curator.export.places import RECORD
from curator.export.resizing import FITS, Resizing, read_resizing
from curator.manifests.labels import folder_name
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.reasons import Stage
from tests.export.test_export import digests
from tests.small_worlds import recipe_text, small_project, write_folder

SIDE = 24
LABELS = {"Golden Retriever: x": "f1", '"Käfer" \\ # 1': "f2", "犬 🐕": "f3"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Ten pictures of each of three labels as people write them: two of each in ``val``, one a PNG in the folders."""
    root = tmp_path_factory.mktemp("chosen")
    folder = write_folder(root / "photos", 10, list(LABELS.values()))
    Image.effect_mandelbrot((150, 90), (-2, -1, 1, 1), 40).convert("RGB").save(folder / "f1" / "000.webp")
    (folder / "f1" / "000.jpg").unlink()
    names = ", ".join(f"{json.dumps(label, ensure_ascii=False)} = ['{name}']" for label, name in LABELS.items())
    text = recipe_text(folder, "max").replace('["rugby", "soccer"]', f"{{ {names} }}")
    made = small_project(root, text)
    pipeline.fetch(made)
    pipeline.decide(made, Stage.SPLIT, {})
    rows = read_manifest(made.paths.manifest)
    for at in rows[rows["split"] == "train"].groupby("label").head(2).index:
        old = made.paths.folder / rows.loc[at, "file"]
        rows.loc[at, ["split", "file"]] = ["val", rows.loc[at, "file"].replace("train", "val", 1)]
        new = made.paths.folder / rows.loc[at, "file"]
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
    made.paths.manifest.write_text(manifest_text(rows), encoding="utf-8")
    return made


def pictures(folder: Path) -> dict[str, bytes]:
    """Read every picture that an export of any format holds, but of TFRecord, by its record's id."""
    rows = read_manifest(folder / "manifest.csv")
    files = {folder / file: record_id for file, record_id in zip(rows["file"], rows["record_id"], strict=True)}
    found = {record_id: path.read_bytes() for path, record_id in files.items() if path.exists()}
    assert sum(1 for end in ("jpg", "png") for _ in folder.rglob(f"*.{end}")) == len(found)
    for path in folder.rglob("data/*.parquet"):
        table = pq.read_table(path, columns=["record_id", "image"])
        found |= {row["record_id"]: row["image"]["bytes"] for row in table.to_pylist()}
    for path in folder.rglob("*.tar"):
        with tarfile.open(path) as archive:
            members = [one for one in archive if one.name.endswith((".jpg", ".png"))]
            found |= {Path(one.name).stem: archive.extractfile(one).read() for one in members}  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
def test_an_export_of_one_size_is_the_same_bytes_twice(project: Project, tmp_path: Path, form: str) -> None:
    """Every picture is a square of the size chosen, the card says how, and nothing else is left behind."""
    fit = list(FITS)[len(form) % len(FITS)]
    folder = tmp_path / "small"
    for place in (folder, tmp_path / "again"):
        export_dataset(project, find_format(form), place, Resizing(SIDE, fit))
    assert digests(folder) == digests(tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "small"]
    found = pictures(folder)
    assert form == "tfrecord" or found.keys() == set(read_manifest(project.paths.manifest)["record_id"])
    assert {Image.open(io.BytesIO(data)).size for data in found.values()} <= {(SIDE, SIDE)}
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"resized to {SIDE} x {SIDE} pixels: {FITS[fit]} ({fit})" in card
    written, rows = (
        read_manifest(one).set_index("record_id") for one in (folder / "manifest.csv", project.paths.manifest)
    )
    assert set(written["width"]) == set(written["height"]) == {SIDE}
    assert dict(written["served_width"]) == dict(rows["width"]) and dict(written["sha256"]) == dict(rows["sha256"])
    if form == "coco":
        described = json.loads((folder / "annotations" / "val.json").read_text(encoding="utf-8"))
        assert {(one["width"], one["height"]) for one in described["images"]} == {(SIDE, SIDE)}
        assert all(one["bbox"] == [0, 0, SIDE, SIDE] and one["area"] == SIDE**2 for one in described["annotations"])
    if form == "croissant":
        stated = pq.read_table(folder / "metadata.parquet").to_pylist()
        for row in stated:
            assert hashlib.sha256(found[row["record_id"]]).hexdigest() == row["file_sha256"]
            assert row["width"] == row["height"] == SIDE


def test_each_fit_does_what_its_name_says(tmp_path: Path) -> None:
    """A picture of three stripes: cut, kept between black, squeezed."""
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("lime", (30, 0, 60, 30))
    wide.save(tmp_path / "wide.png")
    for fit in FITS:
        Resizing(30, fit).write(tmp_path / "wide.png", tmp_path / f"{fit}.png", max_pixels=2700)
    middle = {fit: Image.open(tmp_path / f"{fit}.png").getpixel((2, 15)) for fit in FITS}
    assert middle == {"crop": (0, 255, 0), "pad": (255, 0, 0), "stretch": (255, 0, 0)}
    assert Image.open(tmp_path / "pad.png").getpixel((15, 2)) == (0, 0, 0)
    with pytest.raises(CuratorError, match=r"90 x 30 pixels are more than `max_pixels` \(2,699\)"):
        Resizing(30, "pad").write(tmp_path / "wide.png", tmp_path / "none.png", max_pixels=2699)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ((0, None), "image size 0"),
        ((9_000, None), "1 to 8,192"),
        ((24, "fill"), "crop .*pad"),
        ((None, "pad"), "no size"),
    ],
)
def test_what_cannot_be_is_refused(chosen: tuple[Any, Any], words: str) -> None:
    """In one paragraph, with what could be instead."""
    with pytest.raises(CuratorError, match=words):
        read_resizing(*chosen)


def test_an_export_goes_where_it_is_sent_and_over_nobodys_files(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new folder, an empty one and an earlier export are taken; a file, a stranger's folder and `.` are not."""
    monkeypatch.chdir(tmp_path)
    options = ["--data", str(project.paths.data_root.absolute()), "--recipe", str(project.recipe.path)]

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["export", *words, *options, "--quiet"])

    (tmp_path / "empty").mkdir()
    for place in ("deep/new", "empty", "empty"):
        done = run("keras", "--output", place)
        assert done.exit_code == 0 and f"in {place}:" in done.output, done.output
        assert len(pictures(tmp_path / place)) == 30
    assert run("coco", "--output", "empty", "--image-size", "24").exit_code == 0
    assert not (tmp_path / "empty" / "labels.txt").exists()
    before = digests(tmp_path / "empty")
    (tmp_path / "empty" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    monkeypatch.chdir(tmp_path / "deep")
    for place, words in (("../empty", "first notes.txt"), ("../file", "is a file"), (".", "is the working folder")):
        refused = run("keras", "--output", place)
        assert refused.exit_code == 2 and words in " ".join(refused.output.split()), refused.output
    (tmp_path / "empty" / "notes.txt").unlink()
    assert digests(tmp_path / "empty") == before and (tmp_path / "file").read_text() == "mine"


def test_an_export_that_fails_leaves_what_was_there(project: Project, tmp_path: Path) -> None:
    """A picture that is damaged is named; nothing half written is left."""
    folder = tmp_path / "out"
    export_dataset(project, find_format("keras"), folder)
    before = digests(folder)
    broken = dataclasses.replace(project, paths=dataclasses.replace(project.paths, data_root=tmp_path / "data"))
    for file in read_manifest(project.paths.manifest)["file"]:
        path = broken.paths.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no picture")
    with pytest.raises(CuratorError, match=r"its bytes differ .*\n?.*curator verify"):
        export_dataset(broken, find_format("keras"), folder, Resizing(SIDE))
    assert digests(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_readers_find_the_third_split_and_the_labels_as_written(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hugging Face opens each export by its path: three splits, and classes with their names; the others' lists too."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folders = {form.name: export_dataset(project, form).path for form in FORMATS}
    order = sorted(LABELS, key=folder_name)
    names = {name: datasets.ClassLabel(names=order) for name in ("imagefolder", "parquet", "webdataset")}
    names["croissant"] = datasets.ClassLabel(names=["Golden_Retriever_x", "Käfer_1", "犬"])
    truth = read_manifest(project.paths.manifest).set_index("record_id")["label"]
    for name, classes in names.items():
        opened = datasets.load_dataset(str(folders[name]), cache_dir=str(tmp_path))
        assert {split: len(part) for split, part in opened.items()} == {"train": 18, "validation": 6, "test": 6}
        column = "cls" if name == "webdataset" else "label"
        assert opened["validation"].features[column] == classes, name
        if name in ("imagefolder", "parquet"):
            assert [order[row["label"]] for row in opened["test"]] == [
                truth[row["record_id"]] for row in opened["test"]
            ]
    for name, file in (("webdataset", "classnames.txt"), ("tfrecord", "labels.txt"), ("keras", "labels.txt")):
        assert (folders[name] / file).read_text(encoding="utf-8").splitlines() == order
    assert len((folders["keras"] / "val-labels.txt").read_text().splitlines()) == 6
    assert sorted(path.name for path in (folders["coco"] / "annotations").iterdir()) == [
        "test.json", "train.json", "val.json",
    ]  # fmt: skip
    croissant = json.loads((folders["croissant"] / "croissant.json").read_text(encoding="utf-8"))
    kinds = {row["splits/name"]: row["splits/url"] for row in croissant["recordSet"][0]["data"]}
    assert kinds["val"] == "cr:ValidationSplit" and len(kinds) == 3
    assert (folders["keras"] / RECORD).exists() and len(split_pictures.list_pictures(project, "val")) == 6


def test_a_file_that_somebody_put_into_an_export_or_changed_there_is_never_removed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However deep; and a rename that fails puts the earlier export back."""
    out = tmp_path / "out"
    export_dataset(project, find_format("keras"), out)
    card = (out / "README.md").read_bytes()
    for name, data in {"train/f/mine.txt": b"mine", "README.md": b"my own words"}.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(data)
        with pytest.raises(CuratorError, match="holds files that no export wrote"):
            export_dataset(project, find_format("keras"), out)
        assert (out / name).read_bytes() == data
        (out / name).write_bytes(card) if name == "README.md" else (out / name).unlink()
    (out / "train/f").rmdir()
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.startswith(".curator-new"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CuratorError):
        export_dataset(project, find_format("keras"), out)
    assert (out / "README.md").read_bytes() == card
    monkeypatch.undo()
    assert export_dataset(project, find_format("keras"), out).n_images == 30
