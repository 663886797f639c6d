"""Files of one's own keep their names in train/ and test/, and an image is found by whatever people call it."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import curator
from curator.cli.app import app
from curator.errors import CuratorError
from curator.manifests.file_names import is_own_name, safe_stem
from curator.manifests.manifest import read_manifest
from curator.manifests.reviews import Review, append_review
from curator.store.root import shown
from tests.cli.pasted import in_terminal, read_words
from tests.small_worlds import picture, write_folder

NAMES = [
    "photo 12.jpg",
    "Größe (2).JPG",
    "犬 写真.jpeg",
    "_DSC.0001.jpg",
    "-rf.jpg",
    "CON.jpg",
    "x" * 200 + ".jpg",
    "…?.jpg",
]


def run(*words: str) -> Result:
    """Run a command in the working folder."""
    return CliRunner().invoke(app, [*words], env={"COLUMNS": "80", "TERM": "dumb", "CURATOR_RECIPE": ""})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight photographs of a label with names as people give them; ``1.jpg`` is in both folders."""
    write_folder(tmp_path / "photos", 0)
    for index, label in enumerate(("rugby", "soccer")):
        for n, name in enumerate([*NAMES, "1.jpg"]):
            picture(100 * index + n).save(tmp_path / "photos" / label / name, format="JPEG")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(place: Path, **more: object) -> curator.Dataset:
    """Fetch and split them."""
    sources = [{"kind": "folder", "path": place / "photos"}]
    made = curator.create("small", labels=["rugby", "soccer"], sources=sources, **more)
    made.run(benchmark=False)
    return made


def test_names_are_ones_own_safe_and_stable(place: Path) -> None:
    """Each is the file's own, with 8 digits of its content; another split moves files and renames none."""
    made = make(place)
    rows = made.manifest
    names = {Path(file).name for file in rows["file"]}
    assert {name.rpartition("-")[0] for name in names} == {
        *("photo_12", "Größe_2", "犬_写真", "DSC_0001", "rf", "CON", "x" * 80, "image", "1"),
    }
    assert all(
        Path(file).stem.endswith(f"-{sha256[:8]}") for file, sha256 in zip(rows["file"], rows["sha256"], strict=True)
    )
    assert all((made.paths.folder / file).is_file() for file in rows["file"])
    made.split(seed=1, ratio=0.5, resplit=True)
    assert {Path(file).name for file in made.manifest["file"]} == names
    assert set(made.manifest["file"]) != set(rows["file"])
    assert not made.verify().findings
    assert made.export("webdataset").n_images == made.export("imagefolder").n_images == 18
    assert made.export("coco").n_images == made.export("keras").n_images == 18


def test_copies_that_are_all_kept_have_names_of_their_own(place: Path) -> None:
    """Also on a disk for which ``Photo`` and ``photo`` are one name."""
    for copy in ("PHOTO 12.jpg", "deeper/photo 12.jpg"):
        target = place / "photos" / "rugby" / copy
        target.parent.mkdir(exist_ok=True)
        shutil.copy(place / "photos" / "rugby" / "photo 12.jpg", target)
    made = make(place, dedupe={"mode": "off"}, balance={"per_class": "all"})
    files = [unicodedata.normalize("NFC", file.split("/", 1)[1]).casefold() for file in made.manifest["file"]]
    assert len(set(files)) == len(files) == 20
    assert not made.verify().findings


def test_reviews_and_forget_work_with_them(place: Path) -> None:
    """A relabelled image moves to the other folder under its name; a forgotten one leaves no file."""
    made = make(place)
    row = made.manifest[made.manifest["file"].str.contains("rugby/photo_12")].iloc[0]
    review = Review("2026-01-01T00:00:00Z", "ann", row["sha256"], "rugby", "relabel", new_label="soccer")
    append_review(made.paths.reviews, review)
    made.split(per_class="all")
    moved = made.manifest[made.manifest["sha256"] == row["sha256"]].iloc[0]
    assert moved["file"].split("/")[1:] == ["soccer", Path(row["file"]).name]
    made.forget(row["sha256"])
    assert not (made.paths.folder / moved["file"]).exists() and not made.verify().findings


def test_the_reader_takes_such_names_and_no_others(place: Path) -> None:
    """A manifest that was tampered with leads nowhere else."""
    made = make(place)
    text, row = made.paths.manifest.read_text("utf-8"), made.manifest.iloc[0]
    other = place / "manifest.csv"
    for name in (
        "a b-3fa9c1d2",
        "..-3fa9c1d2",
        "犬",
        "犬-3FA9C1D2",
        "e\u0301-3fa9c1d2",
        "\u202eab-3fa9c1d2",
        "",
        ".hidden",
    ):
        other.write_text(text.replace(row["file"], f"{row['split']}/{row['label']}/{name}.jpg"), "utf-8")
        with pytest.raises(CuratorError, match="column file"):
            read_manifest(other)
    for name in ("犬-3fa9c1d2", "Größe_2-3fa9c1d2", "x-3fa9c1d2-00ff00ff00ff00ff", row["record_id"]):
        other.write_text(text.replace(row["file"], f"{row['split']}/{row['label']}/{name}.jpg"), "utf-8")
        assert name in read_manifest(other)["file"][0]
    assert all(is_own_name(f"{safe_stem(Path(name).stem)}-00000000") for name in NAMES)


def test_an_image_is_found_by_what_people_call_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path in its source, in train/ or test/, absolute, from where one stands, or a bare name if it is unique."""
    made = make(place)
    (place / "photos" / "soccer" / "only here.jpg").write_bytes(picture(999).tobytes())
    picture(998).save(place / "photos" / "soccer" / "only here.jpg")
    made.run(benchmark=False, per_class="all")
    row = made.manifest[made.manifest["source_id"] == "soccer/photo 12.jpg"].iloc[0]
    file = made.paths.folder / row["file"]
    names = [row["source_id"], "./soccer/photo 12.jpg", "photos/soccer/photo 12.jpg", row["file"], str(file)]
    names += [str(place / "photos/soccer/photo 12.jpg"), str(file.absolute()), file.name, row["sha256"][:8]]
    names += [str(made.paths.image(row["sha256"], "jpeg")), row["record_id"]]
    for name in names:
        done = run("why", name)
        assert done.exit_code == 0 and done.stdout.startswith(row["record_id"]), name
    assert f"  file     {shown(file)}" in done.stdout
    assert json.loads(run("why", row["record_id"], "--json").stdout)[0]["file"] == str(shown(file))
    assert run("why", "only here.jpg").stdout.count("listed   by folder") == 1
    monkeypatch.chdir(file.parent)
    assert run("why", file.name).stdout.startswith(row["record_id"])
    several = run("why", "1.jpg")
    assert several.exit_code == 2 and "2 images are called '1.jpg'. Which one?" in several.stderr
    commands = in_terminal(several.stderr)
    assert commands == ["curator why rugby/1.jpg", "curator why soccer/1.jpg"]
    assert [run(*read_words(command)).exit_code for command in commands] == [0, 0]
    assert run("why", "2.jpg").exit_code == 2
