"""Labels that readers take for something else, a missing value, a truth or a number: each export keeps them."""

from __future__ import annotations

import json
import struct
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from curator.catalog import Stage
from curator.export.export import FORMATS, export_dataset, find_format
from curator.inspect.verify import verify_files
from curator.manifests.labels import folder_name
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.review.views import read_mispredictions
from tests.small_worlds import recipe_text, small_project, write_folder

LABELS = ("null", "nan", "none", "na", "true", "1", "1e5", "2020-01-01")

WRITTEN = {
    "a b": "f1",
    "a-c": "f2",
    "=x | <b>": "f3",
    "../..": "f4",
    "con": "f5",
    "犬 🐕": "f6",
    "_Z": "f7",
    'say "hi"': "f8",
    "back\\slash": "f9",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two images a label: one in train, one in test."""
    root = tmp_path_factory.mktemp("labels")
    text = recipe_text(write_folder(root / "photos", 2, LABELS), "max", LABELS, "[split]\nratio = 0.5")
    project = small_project(root, text)
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project


@pytest.fixture(scope="module")
def written_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Labels whose folders have other names, and another order, than the labels."""
    root = tmp_path_factory.mktemp("written")
    labels = ", ".join(f"{json.dumps(label, ensure_ascii=False)} = ['{folder}']" for label, folder in WRITTEN.items())
    photos = write_folder(root / "photos", 2, list(WRITTEN.values()))
    source = f"[[sources]]\nkind = 'folder'\npath = '{photos.as_posix()}'"
    more = f"{source}\n[balance]\nper_class = 'max'\n[split]\nratio = 0.5"
    project = small_project(root, f"name = 'small'\nlabels = {{ {labels} }}\n{more}")
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project


def exported(project: Project, name: str) -> Path:
    return export_dataset(project, find_format(name)).path


def test_the_manifest_and_the_folders(project: Project) -> None:
    """A label is a folder; every file verifies."""
    assert verify_files(project.paths).findings == ()
    found = pd.read_csv(project.paths.manifest, dtype=str, keep_default_na=False)
    assert sorted(found["label"]) == sorted(2 * LABELS)


def test_the_formats_that_hold_the_words(project: Project) -> None:
    """Croissant, COCO, WebDataset, and the labels of Parquet's classes."""
    table = pd.read_parquet(exported(project, "croissant") / "metadata.parquet")
    assert sorted(table["label"]) == sorted(2 * LABELS)
    coco = json.loads((exported(project, "coco") / "annotations" / "train.json").read_text())
    assert sorted(one["name"] for one in coco["categories"]) == sorted(LABELS)
    with tarfile.open(next(exported(project, "webdataset").glob("train-*.tar"))) as archive:
        members = [archive.extractfile(one) for one in archive if one.name.endswith(".json")]
        assert sorted(json.load(one)["label"] for one in members if one) == sorted(LABELS)
    schema = pq.read_schema(next(exported(project, "parquet").glob("data/train-*.parquet")))
    features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    assert features["label"]["names"] == sorted(LABELS)
    data = next(exported(project, "tfrecord").glob("train-*.tfrecord")).read_bytes()
    assert all(struct.pack("B", len(label)) + label.encode() in data for label in LABELS)


def test_keras_lists_the_folders_that_it_reads(tmp_path: Path) -> None:
    """Labels whose folders have other names, which sort otherwise: names and numbers are those of the folders."""
    labels = ("Golden Retriever", "Golden.Eye", "\u72ac")
    text = recipe_text(write_folder(tmp_path / "photos", 2, labels), "max", labels, "[split]\nratio = 0.5")
    project = small_project(tmp_path, text)
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    folder = exported(project, "keras")
    names = (folder / "class_names.txt").read_text(encoding="utf-8").splitlines()
    assert names == ["Golden.Eye", "Golden_Retriever", "\u72ac"]
    for split in ("train", "test"):
        numbers = (folder / f"{split}-labels.txt").read_text().split()
        read = [path.parent.name for path in sorted(folder.glob(f"{split}/*/*"))]
        assert [names[int(number)] for number in numbers] == read


def test_mlcroissant_reads_the_words(project: Project) -> None:
    """As whoever opens the export does."""
    mlcroissant = pytest.importorskip("mlcroissant")
    records = mlcroissant.Dataset(exported(project, "croissant") / "croissant.json").records("images")
    assert sorted(record["images/label"].decode() for record in records) == sorted(2 * LABELS)


def test_the_predictions_of_a_benchmark_are_read_with_these_labels(tmp_path: Path) -> None:
    """An image of `null` that was taken for `nan` is a misprediction."""
    path = tmp_path / "predictions.csv"
    path.write_text("record_id,label,predicted,p_nan,p_null\nx-1,null,nan,0.9,0.1\nx-2,nan,nan,0.8,0.2\n")
    assert {record_id: one.predicted for record_id, one in read_mispredictions(path).items()} == {"x-1": "nan"}


def test_every_format_is_written_of_any_label(written_project: Project) -> None:
    """The label's own words are in what holds words, its number is its place in the order of the folders."""
    for name in (form.name for form in FORMATS):
        exported(written_project, name)
    folder = exported(written_project, "keras")
    labels, names = ((folder / name).read_text("utf-8").splitlines() for name in ("labels.txt", "class_names.txt"))
    assert sorted(labels) == sorted(WRITTEN) and list(map(folder_name, labels)) == names == sorted(names)
    assert all(sorted(one.name for one in (folder / split).iterdir()) == names for split in ("train", "test"))
    manifest = read_manifest(written_project.paths.manifest)
    for split in ("train", "test"):
        rows = manifest[manifest["split"] == split].sort_values("file")
        files = sorted(zip(rows["file"].str.split("/"), rows["label"], strict=True))
        numbers = (folder / f"{split}-labels.txt").read_text("utf-8").splitlines()
        assert [labels[int(number)] for number in numbers] == [label for _, label in files]


def test_keras_reads_folders_of_any_label(written_project: Project) -> None:
    """As the export's own lines do."""
    keras = pytest.importorskip("keras")
    folder = exported(written_project, "keras")
    labels, names = ((folder / name).read_text("utf-8").splitlines() for name in ("labels.txt", "class_names.txt"))
    options = {"image_size": (8, 8), "shuffle": False, "batch_size": None}
    found = keras.utils.image_dataset_from_directory(str(folder / "train"), class_names=names, **options)
    rows = read_manifest(written_project.paths.manifest)
    truth = dict(zip(rows["file"].str.split("/").str[-1], rows["label"], strict=True))
    assert [labels[int(n)] for _, n in found] == [truth[Path(file).name] for file in found.file_paths]


def test_a_data_card_shows_labels_as_they_are(written_project: Project) -> None:
    """A bar in a label begins no column, and a tag is no tag."""
    card = (exported(written_project, "coco") / "README.md").read_text(encoding="utf-8")
    assert "| =x \\| \\<b\\> | 1 | 1 |" in card and "<b>" not in card
