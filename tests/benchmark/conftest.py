"""A small data set of drawn pictures, so that the benchmark's tests need neither the network nor shared photos."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from curator.events import Event
from curator.manifests.labels import folder_name
from curator.manifests.manifest import COLUMNS, FOLD
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import BenchmarkSettings
from curator.store.paths import DataPaths


def drawn_picture(label: str, number: int, side: int = 48) -> bytes:
    """Draw a disc or a square of chance size and colour on a noisy ground; PNG bytes."""
    rng = np.random.default_rng([number, label == "disc"])
    image = Image.fromarray(rng.integers(60, 120, (side, side, 3), dtype=np.uint8))
    x, y = rng.integers(4, 16, 2)
    box = (x, y, x + rng.integers(18, 28), y + rng.integers(18, 28))
    colour = tuple(int(value) for value in rng.integers(150, 255, 3))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if label == "disc" else draw.rectangle)(box, fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class DrawnSet:
    """A data set on disk: its paths, its manifest rows, and the events of its runs."""

    paths: DataPaths
    rows: list[dict[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, label: str, split: str, number: int, **columns: str) -> None:
        """Store one picture and its manifest row.

        Its bytes are not counted: all facts about the files are equal then, and no forest of the confound check has to
        be grown, which would take longer than the training.
        """
        content = drawn_picture(label, number)
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.paths.image(sha256, "png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        row = {
            "record_id": f"folder-{sha256[:16]}", "label": label, "split": split, "sha256": sha256, "format": "png",
            "n_bytes": "", "width": "48", "height": "48", "orientation": "1", "source": "drawn",
            "kind": "folder", "author": f"author {number % 5}",
        }  # fmt: skip
        self.rows.append(row | columns)

    def count_bytes(self) -> None:
        """Write the manifest with the size of each file."""
        for row in self.rows:
            row["n_bytes"] = str(self.paths.image(row["sha256"], "png").stat().st_size)
        self.write()

    def write(self) -> None:
        """Write the manifest."""
        self.paths.manifest.parent.mkdir(parents=True, exist_ok=True)
        with self.paths.manifest.open("w", newline="", encoding="utf-8") as file:
            names = [*COLUMNS, FOLD] if any(FOLD in row for row in self.rows) else COLUMNS
            writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
            writer.writeheader()
            for row in sorted(self.rows, key=lambda row: row["record_id"]):
                file_name = f"{row['split']}/{folder_name(row['label'])}/{row['record_id']}.png"
                writer.writerow({"file": file_name} | row)

    def project(self, **benchmark: object) -> Project:
        """Open the data set with these values of the benchmark section; its events are kept."""
        return Project(self.recipe(**benchmark), self.paths, self.events.append)

    def recipe(self, **benchmark: object) -> Recipe:
        """Make a recipe whose benchmark section has these values."""
        settings = BenchmarkSettings(**{"image_size": 32, "seeds": (0,), "epochs": 3, **benchmark})
        return Recipe(name="drawn", labels=("disc", "square"), sources=(), benchmark=settings)


@pytest.fixture
def empty_set(tmp_path: Path) -> DrawnSet:
    """A data set without images."""
    return DrawnSet(DataPaths(tmp_path / "data", tmp_path / "manifests" / "drawn", "drawn"))


@pytest.fixture
def drawn_set(empty_set: DrawnSet) -> DrawnSet:
    """Forty training and sixteen test pictures of discs and squares."""
    for label in ("disc", "square"):
        for number in range(28):
            empty_set.add(label, "train" if number < 20 else "test", number)
    empty_set.write()
    return empty_set


@pytest.fixture(autouse=True)
def no_keras_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the Keras form of saved models out, which costs more than most tests: tests/inspect has it written."""
    monkeypatch.setattr("curator.benchmark.save_models._save_keras", lambda *_: None, raising=False)


def build_frozen_base(side: int) -> Any:
    """Build MobileNetV2 without its top, average-pooled to 1,280 features, as Keras has it; its weights are chance."""
    from curator.benchmark.models.keras_backend import keras

    base = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg", name="mobilenet_v2"
    )
    base.trainable = False
    return base


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the right shapes; the values are chance, which only real accuracy would notice."""
    pytest.importorskip("keras")
    from curator.benchmark.models.keras_backend import keras

    keras.utils.set_random_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    build_frozen_base(32).save_weights(path)
    return path


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No ImageNet weights to be found: no variable, and an empty Keras cache."""
    pytest.importorskip("keras")
    (tmp_path / "keras").mkdir()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CURATOR_WEIGHTS", raising=False)
