"""A small data set on disk with a catalog, a manifest and hand-made metrics: a report needs no training."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curator import catalog
from curator.benchmark.metrics_file import write_metrics
from curator.manifests.labels import folder_name
from curator.manifests.manifest import COLUMNS
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.observe.pixels import DECODER_VERSION
from curator.reasons import Drop, Stage
from curator.store.catalog_files import StageRecord, file_digest, write_catalog
from curator.store.paths import DataPaths
from curator.store.suspects_file import Suspects, write_suspects

EVIL = '<script>alert("x")</script>'


@dataclass
class ReportedSet:
    """Twelve kept pictures, one near-duplicate, one dead link; pages and titles hold markup that must not get out."""

    paths: DataPaths
    labels: tuple[str, ...] = ("disc", "square")
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """The data set as a project."""
        return Project(Recipe(name="drawn", labels=self.labels, sources=()), self.paths)

    def add(self, number: int, **columns: Any) -> None:
        """Store one picture and its catalog row."""
        out = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(out, "PNG")
        sha256 = hashlib.sha256(out.getvalue()).hexdigest()
        path = self.paths.image(sha256, "png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out.getvalue())
        row = {
            "record_id": f"folder-{number:016x}",
            "label": self.labels[number % len(self.labels)],
            "source": "drawn",
            "kind": "folder",
            "tier": 0,
            "sha256": sha256,
            "format": "png",
            "width": 60,
            "height": 40,
            "n_bytes": len(out.getvalue()),
            "split": "train" if number < 8 else "test",
            "author": EVIL,
            "landing_url": "javascript:alert(1)" if number == 8 else f"https://example.org/{number}",
            "title": EVIL,
        }
        self.rows.append(row | columns)

    def write_catalog(self) -> None:
        """Write the catalog of the last stage."""
        table = catalog.conform(pd.DataFrame(self.rows))
        write_catalog(self.paths.catalog(Stage.SPLIT), table, StageRecord("split", "f", {}, {}))

    def write_manifest(self) -> None:
        """Write the manifest of the kept rows."""
        table = pd.DataFrame([row for row in self.rows if not row.get("drop_reason")]).reindex(columns=list(COLUMNS))
        table["file"] = table["split"] + "/" + table["label"].map(folder_name) + "/" + table["record_id"] + ".png"
        self.paths.manifest.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(self.paths.manifest, index=False, lineterminator="\n")

    def write_metrics(self, **changes: Any) -> None:
        """Write metrics as a benchmark of two models and two seeds leaves them, with ``changes``."""
        write_metrics(self.paths.metrics, made_metrics(file_digest(self.paths.manifest), self.labels) | changes)

    def write_suspects(self, made_with: dict[str, Any] | None = None, suspected: int = 4, **changes: Any) -> None:
        """Write a table of suspects of the kept rows: the first few of another label, the next one blurred."""
        rows = [row for row in self.rows if row.get("sha256") and not row.get("drop_reason")]
        table = pd.DataFrame([{name: row[name] for name in ("record_id", "sha256", "label")} for row in rows])
        table["suspicion"] = table["strangeness"] = 0.5
        table["own_probability"], table["other_probability"] = 0.1, 0.9
        other = [self.labels[1] if label == self.labels[0] else self.labels[0] for label in table["label"]]
        table["likeliest_other"] = other
        table["suggested_label"] = [one if place < suspected else None for place, one in enumerate(other)]
        table["is_outlier"] = False
        table["low_quality"] = [["blurred"] if place == suspected else [] for place in range(len(table))]
        table["evidence"] = table["neighbours"] = [[] for _ in range(len(table))]
        same = {"mean": 0.8, "low": 0.75, "high": 0.85}
        gain = {
            "dropped": {"mean": 0.02, "low": 0.01, "high": 0.03},
            "relabelled": {"mean": 0, "low": -0.1, "high": 0.1},
        }
        effect = {
            "as they are": same,
            "dropped": same,
            "relabelled": same,
            "gain": gain,
            "n_suspects": 4,
            "n_images": 12,
        }
        recipe = self.project.recipe
        now = {"embed": asdict(recipe.embed), "suspects": asdict(recipe.suspects), "decoder": DECODER_VERSION}
        made_with = {"title": "EfficientNet-Lite0", "weights": "w", **now, **(made_with or {})}
        found = Suspects(table, "f", "EfficientNet-Lite0", effect=effect, made_with=made_with)
        write_suspects(self.paths.suspects, replace(found, **changes))


def made_history() -> list[dict[str, float]]:
    """Make three epochs of a run."""
    return [
        {
            "epoch": epoch,
            "learning_rate": 0.1,
            "loss": 0.7 - epoch / 9,
            "accuracy": 0.5 + epoch / 9,
            "watched_loss": 0.7,
            "watched_accuracy": 0.6,
            "seconds": 1.0,
        }
        for epoch in range(3)
    ]


def made_figures(accuracy: float, labels: tuple[str, ...]) -> dict[str, Any]:
    """Make one model's figures."""
    by_label = {"precision": accuracy, "recall": accuracy, "f1-score": accuracy, "support": 4.0}
    return {
        "accuracy": {"mean": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.1},
        "runs": [
            {
                "seed": s,
                "accuracy": accuracy,
                "n_epochs": 3,
                "best_epoch": 2,
                "train_seconds": 3.0,
                "history": made_history(),
            }
            for s in (0, 1)
        ],
        "classification_report": dict.fromkeys((*labels, "macro avg"), by_label),
        "confusion_matrix": np.where(np.eye(len(labels), dtype=bool), 3, 1).tolist(),
        "calibration_error": 0.05,
        "calibration": [{"n": 8, "confidence": 0.8, "accuracy": 0.75}],
        "by_source": [{"name": "drawn", "n": 4, "accuracy": accuracy}],
        "by_author": {
            "n_authors": 1,
            "each_author_once": accuracy,
            "n_unknown": 0,
            "unknown": None,
            "largest": [{"name": EVIL, "n": 4, "accuracy": accuracy}],
        },
        "wrong": [
            {"record_id": f"folder-{number:016x}", "label": labels[0], "predicted": labels[1], "confidence": 0.91}
            for number in (8, 10)
        ],
        "train_seconds": 3.0,
        "parameters": 1000,
        "trainable_parameters": 100,
        "images_per_second": 99.0,
        "runtime": "keras",
    }


def made_metrics(manifest_sha256: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """Make the metrics of a finished benchmark."""
    training = {model: {"epochs": 3, "learning_rate": 0.1} for model in ("cnn", "mobilenet_v2")}
    return {
        "name": "drawn",
        "finished_at": "2026-01-01T00:00:00+00:00",
        "smoke_test": False,
        "labels": list(labels),
        "plan": {
            "models": ["cnn", "mobilenet_v2"],
            "seeds": [0, 1],
            "image_size": 32,
            "batch_size": 8,
            "preset": "default",
            "training": training,
            "smoke_test": False,
        },
        "n_images": {"train": 6, "watched": 2, "test": 4, "watched_is_test": False},
        "chance": 0.5,
        "article": {"cnn": 0.83, "mobilenet_v2": 0.91},
        "missing": {},
        "warnings": [],
        "confounds": {
            "accuracy": {"image size": 0.5, "all together": 0.9},
            "level": 0.65,
            "chance": 0.5,
            "n_images": 12,
            "warning": "The label can be told.",
        },
        "hashes": {"manifest": manifest_sha256},
        "environment": {"python": "3"},
        "interrupted": False,
        "models": {"cnn": made_figures(0.6, labels), "mobilenet_v2": made_figures(0.8, labels)},
        "comparison": {
            "first": "cnn",
            "second": "mobilenet_v2",
            "difference": {"mean": 0.2, "low": 0.1, "high": 0.3},
            "mcnemar": [{"seed": 0, "only_first": 1, "only_second": 3, "p": 0.625}],
        },
        "unfinished": [],
    }


@pytest.fixture
def reported_set(tmp_path: Path) -> ReportedSet:
    """The data set after its split, with catalog and manifest, before any training."""
    made = ReportedSet(DataPaths(tmp_path / "data", tmp_path / "manifests" / "drawn", "drawn"))
    for number in range(12):
        made.add(number)
    made.add(
        12,
        drop_stage="dedupe",
        drop_reason=str(Drop.NEAR_DUPLICATE),
        duplicate_of=f"folder-{2:016x}",
        distance_bits=3,
        turn="none",
        split=None,
    )
    made.rows.append(
        {
            "record_id": "list-dead",
            "label": "disc",
            "source": "list",
            "kind": "url-list",
            "tier": 0,
            "url": "https://example.org/dead",
            "drop_stage": "fetch",
            "drop_reason": str(Drop.GONE),
        }
    )
    made.write_catalog()
    made.write_manifest()
    return made
