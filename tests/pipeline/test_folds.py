"""Folds and groups through the whole path: recipe, split, manifest, growth, exports, Python, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

import curator
from curator.errors import CuratorError, RecipeError, ShortfallError
from curator.export.export import FORMATS
from curator.inspect.diff import compare_manifests
from tests.small_worlds import picture, write_folder

LABELS = ["rugby", "soccer"]


def make(place: Path, folder: Path, **sections: dict[str, object]) -> curator.Dataset:
    sources = [{"kind": "folder", "path": folder}]
    homes = {"manifests": place / "manifests", "data": place / "data"}
    return curator.create("small", labels=LABELS, sources=sources, **homes, **sections)


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> curator.Dataset:
    """Twenty pictures a label, sixteen of them in train, in three folds."""
    place = tmp_path_factory.mktemp("folded")
    dataset = make(place, write_folder(place / "photos", 20), split={"folds": 3})
    dataset.split()
    return dataset


def test_folds_are_in_the_manifest_in_status_in_why_and_in_python(folded: curator.Dataset) -> None:
    """Equal counts, nothing of test in a fold; each round has one fold as its test and the others as its train."""
    table, status = folded.manifest, folded.status()
    assert list(table.columns)[-1] == "fold" and table["fold"].isna().equals(table["split"] == "test")
    assert sorted(status.folds) == ["1", "2", "3"]
    assert sorted(sum(counts.values()) for counts in status.folds.values()) == [10, 11, 11]
    assert all(5 <= n <= 6 for counts in status.folds.values() for n in counts.values())
    first = table[table["fold"] == 2].iloc[0]
    assert f"kept, in train, fold {first['fold']}" in str(folded.why(first["record_id"])[0])
    out = [folded.fold(number).manifest for number in (1, 2, 3)]
    assert all(len(rows) == 32 and set(rows["split"]) == {"train", "test"} for rows in out)
    held = [set(rows["record_id"][rows["split"] == "test"]) for rows in out]
    assert not set.intersection(*held) and set.union(*held) == set(table["record_id"][table["split"] == "train"])
    assert len(list(folded.fold(3).images("test"))) == len(held[2])
    with pytest.raises(CuratorError, match=r"There is no fold 4\. There are folds 1 to 3"):
        folded.fold(4)


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
def test_every_export_says_which_fold(folded: curator.Dataset, form: str) -> None:
    """In the manifest and the data card of each, and beside each image where the format has room."""
    place = folded.export(form).path
    assert ",fold\n" in (place / "manifest.csv").read_text("utf-8").splitlines(keepends=True)[0]
    assert "in 3 folds" in (place / "README.md").read_text("utf-8")
    tables = {"imagefolder": "train/metadata.parquet", "croissant": "metadata.parquet"}
    if form in tables:
        assert sorted(set(pq.read_table(place / tables[form])["fold"].drop_null().to_pylist())) == [1, 2, 3]
    if form == "coco":
        images = json.loads((place / "annotations" / "train.json").read_text("utf-8"))["images"]
        assert {one["fold"] for one in images} == {1, 2, 3}


def test_folds_move_nobody_between_sides_and_stay_when_the_set_grows(tmp_path: Path) -> None:
    """Another number of folds needs no --resplit; newcomers fill them; an image that was out comes back to its own."""
    folder = write_folder(tmp_path / "photos", 16)
    dataset = make(tmp_path, folder)
    dataset.split()
    plain = dataset.manifest
    assert "fold" not in plain
    dataset.split(folds=4)
    before = dataset.manifest
    assert before.drop(columns="fold").equals(plain)
    assert {change.kind for change in compare_manifests(plain, before)} == {"refolded"}
    (folder / "rugby" / "000.jpg").rename(tmp_path / "000.jpg")
    for n in range(16, 24):
        for index, label in enumerate(LABELS):
            picture(1000 * index + n).save(folder / label / f"{n:03d}.jpg", quality=90)
    dataset.fetch(everything=True)
    dataset.split(folds=4, per_class="max")
    grown = dataset.manifest.merge(before, on="sha256", suffixes=("", "_before"))
    assert len(grown) >= 30 and (grown["split"] == grown["split_before"]).all()
    assert (grown["fold"].fillna(0) == grown["fold_before"].fillna(0)).all()
    (tmp_path / "000.jpg").rename(folder / "rugby" / "000.jpg")
    dataset.fetch(everything=True)
    dataset.split(folds=4, per_class="max")
    back = dataset.manifest.merge(before, on="sha256", suffixes=("", "_before"))
    assert len(back) == 32 and (back["fold"].fillna(0) == back["fold_before"].fillna(0)).all()


def frame(scene: Image.Image, n: int) -> Image.Image:
    """One frame of a camera that moves over a scene."""
    return scene.crop((3 * n, 20, 3 * n + 320, 260))


def write_videos(root: Path) -> Path:
    """Five videos of 49 frames, numbered in their names and sorted into folders of labels, and pictures beside them."""
    write_folder(root, 60)
    for video in range(5):
        scene = picture(90 + video, (520, 300))
        for n in range(49):
            frame(scene, n).save(root / LABELS[n % 2] / f"clip{video}_{n:04d}.jpg", quality=90)
    return root


def test_no_frame_has_its_neighbour_on_another_side(tmp_path: Path) -> None:
    """`fetch` says what to write; with it, all 49 frames of a video are on one side and in one fold."""
    folder = write_videos(tmp_path / "photos")
    kept = {"dedupe": {"mode": "exact"}, "balance": {"per_class": "max"}}
    dataset = make(tmp_path, folder, **kept)
    (note,) = (str(one) for one in dataset.fetch(everything=True).notes)
    assert note.startswith(
        "245 of 365 images look like the frames of 10 recordings, such as clip0_0000.jpg to clip0_0048"
    )
    assert '`group_by = ["near-duplicate", "author", "page", "group", "video"]` below [split]' in note
    groups = ["near-duplicate", "author", "page", "group", "video"]
    dataset = make(tmp_path / "again", folder, split={"group_by": groups, "folds": 3, "ratio": 0.6}, **kept)
    assert dataset.split().counts["kept"] > 300
    rows = dataset.manifest
    frames = rows[rows["source_id"].str.contains("clip")]
    video = frames["source_id"].str.extract("clip([0-9])_", expand=False)
    assert (frames.groupby(video)["split"].nunique() == 1).all()
    assert (frames[frames["split"] == "train"].groupby(video)["fold"].nunique() == 1).all()
    assert (rows[~rows["source_id"].str.contains("clip")]["split_group"].isna()).all()


def test_a_burst_and_a_pattern_stay_together(tmp_path: Path) -> None:
    """By EXIF time and camera; by what a pattern finds in names."""
    folder = write_folder(tmp_path / "photos", 14)
    for n in range(12):
        exif = Image.Exif()
        exif.update({0x010F: "Acme", 0x0110: "Shot 1", 0x0132: "2024:06:01 12:00:00"})  # changed together, later
        taken = f"2024:05:01 12:{n // 4:02d}:{3 * (n % 4):02d}"
        exif.get_ifd(0x8769).update({0x9003: taken, 0xA431: f"serial {n // 6}"})
        picture(500 + n).save(folder / "rugby" / f"shot_{'abc'[n % 3]}_{n:02d}.jpg", quality=90, exif=exif)
    split = {"group_by": ["burst"], "group_pattern": "shot_(.)_"}
    both = make(tmp_path, folder, split=split)
    both.split()
    shots = both.manifest[both.manifest["source_id"].str.contains("shot")]
    assert shots["split"].nunique() == 1 and shots["split_group"].nunique() == 1
    table = both.table
    taken = table[table["source_id"] == "rugby/shot_b_01.jpg"].iloc[0]
    assert (taken["taken"], taken["camera"]) == ("2024-05-01T12:00:03", "Acme Shot 1 serial 0")
    only = make(tmp_path / "bursts", folder, split={"group_by": ["burst"]}, balance={"per_class": "all"})
    only.split()
    groups = only.manifest.set_index("source_id")["split_group"]
    number = groups.index.to_series().str.extract("shot_._([0-9]+)", expand=False).astype(float)
    sizes = groups[number.notna().to_numpy()].value_counts(dropna=False).sort_values().tolist()
    assert sizes == [2, 2, 4, 4]  # the second burst is of two cameras


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            {"group_pattern": "game_([0-9]+)"},
            r"matches none of the 10 names and addresses, such as .*/00.\.jpg\. Write ",
        ),
        ({"group_pattern": r"\.(jpg)"}, r"finds 'jpg' in all 10 names and addresses: all images would be one group"),
        (
            {"folds": 9},
            r"folds = 9: rugby has 4 and soccer has 4 images in train, which is too few. Run `curator split --folds 4`",
        ),
    ],
)
def test_what_cannot_be_divided_is_one_paragraph(tmp_path: Path, split: dict[str, object], message: str) -> None:
    """It says what to write."""
    dataset = make(tmp_path, write_folder(tmp_path / "photos", 5), split=split)
    with pytest.raises((CuratorError, ShortfallError), match=message):
        dataset.split()
    assert not dataset.paths.manifest.exists()


@pytest.mark.parametrize("pattern", ["match_(", "(a)(b)(c)(d)(e)(f)(g)(h)(i)", r"(?=look)ahead"])
def test_a_pattern_that_is_none_is_a_mistake_of_the_recipe(tmp_path: Path, pattern: str) -> None:
    """Before anything happens; only what RE2 takes, so that none takes long."""
    with pytest.raises(RecipeError, match="group_pattern is no regular expression"):
        make(tmp_path, write_folder(tmp_path / "photos", 2), split={"group_pattern": pattern})
