"""Each export is opened by the library that it is for: all images, their classes, their splits, their pixels."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curator.export.croissant import write_croissant
from curator.export.material import gather
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.store.catalog_files import file_digest
from tests.export.conftest import exported


@pytest.fixture(autouse=True)
def caches_stay_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the libraries cache, they cache in the test's own folder, and they ask no server."""
    for name in ("HF_HOME", "HF_DATASETS_CACHE", "CROISSANT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def rows(project: Project) -> pd.DataFrame:
    return read_manifest(project.paths.manifest).set_index("record_id")


def pixels(project: Project, rows: pd.DataFrame, record_id: str) -> np.ndarray[Any, Any]:
    """Read an image as the folders have it."""
    return np.asarray(Image.open(project.paths.folder / rows["file"][record_id]).convert("RGB"))


def check_hugging_face(dataset: Any, project: Project, rows: pd.DataFrame) -> None:
    """Every row has its picture, its facts, and its split."""
    for split in ("train", "test"):
        found = {row["record_id"]: row for row in dataset[split]}
        assert set(found) == set(rows.index[rows["split"] == split])
        for record_id, row in found.items():
            assert np.array_equal(np.asarray(row["image"].convert("RGB")), pixels(project, rows, record_id))
            assert row["sha256"] == rows["sha256"][record_id]
            assert row["author"] == rows["author"][record_id]


def test_hugging_face_datasets_reads_the_imagefolder(project: Project, rows: pd.DataFrame, tmp_path: Path) -> None:
    """``load_dataset("imagefolder")`` finds both splits, the pictures, the facts, and the label as a class."""
    datasets = pytest.importorskip("datasets")
    folder = exported(project, "imagefolder")
    dataset = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(tmp_path))
    check_hugging_face(dataset, project, rows)
    for split in ("train", "test"):
        assert dataset[split].features["label"] == datasets.ClassLabel(names=["rugby", "soccer"])
        for row in dataset[split]:
            assert ["rugby", "soccer"][row["label"]] == rows["label"][row["record_id"]]
            assert isinstance(row["width"], int)


def test_hugging_face_datasets_opens_the_imagefolder_by_its_path(project: Project, tmp_path: Path) -> None:
    """As a repository of the Hub would be: by the data card's header, without naming a builder."""
    datasets = pytest.importorskip("datasets")
    dataset = datasets.load_dataset(str(exported(project, "imagefolder")), cache_dir=str(tmp_path))
    assert {split: len(part) for split, part in dataset.items()} == {"train": 20, "test": 4}
    assert dataset["test"].features["label"].names == ["rugby", "soccer"]
    assert dataset["test"].features["image"] == datasets.Image()


def test_hugging_face_datasets_reads_the_parquet(project: Project, rows: pd.DataFrame, tmp_path: Path) -> None:
    """``load_dataset("parquet")`` decodes the image column and knows the classes by name."""
    datasets = pytest.importorskip("datasets")
    folder = exported(project, "parquet") / "data"
    files = {split: str(folder / f"{split}-*.parquet") for split in ("train", "test")}
    dataset = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path))
    check_hugging_face(dataset, project, rows)
    assert dataset["train"].features["label"].names == ["rugby", "soccer"]
    names = {row["record_id"]: row["label"] for row in dataset["test"]}
    assert all(rows["label"][record_id] == ["rugby", "soccer"][label] for record_id, label in names.items())


def test_pandas_reads_the_parquet(project: Project, rows: pd.DataFrame) -> None:
    """The bytes in the column are the files of the folders."""
    table = pq.read_table(next((exported(project, "parquet") / "data").glob("test-*.parquet"))).to_pandas()
    for record_id, image in zip(table["record_id"], table["image"], strict=True):
        assert image["bytes"] == (project.paths.folder / rows["file"][record_id]).read_bytes()


def test_hugging_face_datasets_reads_the_webdataset(project: Project, rows: pd.DataFrame, tmp_path: Path) -> None:
    """``load_dataset("webdataset")`` reads the shards too."""
    datasets = pytest.importorskip("datasets")
    files = {"test": str(exported(project, "webdataset") / "test-*.tar")}
    dataset = datasets.load_dataset("webdataset", data_files=files, cache_dir=str(tmp_path))["test"]
    assert {row["__key__"] for row in dataset} == set(rows.index[rows["split"] == "test"])


def test_webdataset_reads_the_shards(project: Project, rows: pd.DataFrame) -> None:
    """Each sample is a picture, its class number and its facts."""
    webdataset = pytest.importorskip("webdataset")
    seen = set()
    for split in ("train", "test"):
        shards = [str(path) for path in sorted(exported(project, "webdataset").glob(f"{split}-*.tar"))]
        samples = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg;png", "cls", "json")
        for image, label, facts in samples:
            record_id = facts["record_id"]
            assert rows["split"][record_id] == split
            assert ["rugby", "soccer"][label] == rows["label"][record_id]
            assert np.array_equal(np.asarray(image.convert("RGB")), pixels(project, rows, record_id))
            seen.add(record_id)
    assert seen == set(rows.index)


def test_mlcroissant_validates_the_metadata_and_loads_the_records(project: Project, rows: pd.DataFrame) -> None:
    """No error, the hash of metadata.parquet is checked, and each record is a picture with its split."""
    mlcroissant = pytest.importorskip("mlcroissant")
    path = exported(project, "croissant") / "croissant.json"
    dataset = mlcroissant.Dataset(path)
    assert not dataset.metadata.ctx.issues.errors
    assert dataset.metadata.ctx.is_latest_version()
    records = list(dataset.records("images"))
    assert len(records) == len(rows)
    for record in records:
        record_id = record["images/record_id"].decode()
        assert record["images/split"].decode() == rows["split"][record_id]
        assert record["images/label"].decode() == rows["label"][record_id]
        assert np.array_equal(np.asarray(record["images/image"].convert("RGB")), pixels(project, rows, record_id))
        assert record["images/file_sha256"].decode() == file_digest(project.paths.folder / rows["file"][record_id])
    assert [record["splits/name"] for record in dataset.records("splits")] == ["train", "test"]


def test_croissant_tells_files_of_one_name_apart(project: Project, rows: pd.DataFrame, tmp_path: Path) -> None:
    """One picture under two labels has one name in two folders, and Croissant joins by names."""
    material = gather(project)
    first, second = (material.rows.index[material.rows["label"] == label][0] for label in ("rugby", "soccer"))
    parent, name = material.rows.loc[second, "file"].rsplit("/", 1)[0], Path(material.rows.loc[first, "file"]).name
    folder = tmp_path / "folders"
    for at, file in material.rows["file"].items():
        target = folder / (f"{parent}/{name}" if at == second else file)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(project.paths.folder / file, target)
    material.rows.loc[second, "file"] = f"{parent}/{name}"
    (tmp_path / "out").mkdir()
    write_croissant(dataclasses.replace(material, folder=folder), tmp_path / "out")
    told = pq.read_table(tmp_path / "out" / "metadata.parquet").to_pylist()
    assert sorted(row["file_name"] for row in told) == sorted(path.name for path in tmp_path.glob("out/*/*/*"))
    assert len({row["file_name"] for row in told}) == len(rows)


def test_tf_data_reads_the_tfrecords(project: Project, rows: pd.DataFrame) -> None:
    """TensorFlow accepts the checksums, parses the examples and decodes the pictures."""
    tf = pytest.importorskip("tensorflow")
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image/encoded", "image/record_id")}
    features["image/class/label"] = tf.io.FixedLenFeature([], tf.int64)
    seen = set()
    for split in ("train", "test"):
        shards = [str(path) for path in sorted(exported(project, "tfrecord").glob(f"{split}-*.tfrecord"))]
        for record in tf.data.TFRecordDataset(shards):
            example = tf.io.parse_single_example(record, features)
            record_id = example["image/record_id"].numpy().decode()
            assert rows["split"][record_id] == split
            assert ["rugby", "soccer"][int(example["image/class/label"])] == rows["label"][record_id]
            image = tf.io.decode_image(example["image/encoded"], channels=3)
            assert image.shape[:2] == pixels(project, rows, record_id).shape[:2]
            seen.add(record_id)
    assert seen == set(rows.index)


def test_keras_reads_the_folders(project: Project, rows: pd.DataFrame) -> None:
    """``image_dataset_from_directory`` finds every file, and its labels are the manifest's, inferred or listed."""
    keras = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    folder = exported(project, "keras")
    names = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    for split in ("train", "test"):
        numbers = [int(line) for line in (folder / f"{split}-labels.txt").read_text(encoding="utf-8").splitlines()]
        options = {"image_size": (32, 32), "shuffle": False, "batch_size": None}
        read = keras.utils.image_dataset_from_directory
        inferred = read(str(folder / split), class_names=names, **options)
        listed = read(str(folder / split), labels=numbers, **options)
        assert inferred.class_names == names == ["rugby", "soccer"]
        assert read(str(folder / split), **options).class_names == names
        assert inferred.file_paths == listed.file_paths
        assert len(inferred.file_paths) == int((rows["split"] == split).sum())
        labels = dict(zip(rows["file"].str.split("/").str[-1], rows["label"], strict=True))
        truth = [labels[Path(file).name] for file in inferred.file_paths]
        assert [names[int(label)] for _, label in inferred] == truth
        assert [names[int(label)] for _, label in listed] == truth


def test_pycocotools_reads_the_annotations(project: Project, rows: pd.DataFrame) -> None:
    """One category and one box an image; the files stand where they are said to."""
    coco = pytest.importorskip("pycocotools.coco")
    folder = exported(project, "coco")
    index = coco.COCO(str(folder / "annotations" / "train.json"))
    images = index.loadImgs(index.getImgIds())
    assert {image["record_id"] for image in images} == set(rows.index[rows["split"] == "train"])
    for image in images:
        with Image.open(folder / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
        (annotation,) = index.loadAnns(index.getAnnIds(imgIds=[image["id"]]))
        category = index.loadCats([annotation["category_id"]])[0]["name"]
        assert category == rows["label"][image["record_id"]]


def test_coco_needs_no_library(project: Project) -> None:
    """The file is plain JSON with as many annotations as images."""
    facts = json.loads((exported(project, "coco") / "annotations" / "test.json").read_text(encoding="utf-8"))
    assert len(facts["images"]) == len(facts["annotations"]) > 0
