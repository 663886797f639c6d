"""A model is one file and one entry: a toy one is trained, compared, shown, and must be documented."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
pytest.importorskip("sklearn")

from curator.benchmark.models import registry
from curator.benchmark.models.model import BLUE, GREEN, ORANGE, PINK, VIOLET, Model
from curator.benchmark.run_benchmark import run_benchmark
from curator.errors import CuratorError, RecipeError
from curator.manifests.read_recipe import parse_recipe
from curator.report.build import build_report
from curator.sources.registry import source_kinds

BENCHMARK_PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"

TOY = '''
"""The class whose mean greyscale picture is nearest."""

import numpy as np

from curator.benchmark.models.learner import softmax
from curator.benchmark.models.model import {colour}, Model, Training


class NearestMean:
    """Learns the mean of each class in one pass; there is nothing to train further."""

    n_batches = 0

    def __init__(self, data):
        self.data, self.means = data, np.zeros((data.n_labels, 64))

    def _small(self, rows):
        grey = self.data.pixels[rows].mean(axis=3)
        side = grey.shape[1] // 8
        blocks = grey[:, : 8 * side, : 8 * side].reshape(len(rows), 8, side, 8, side)
        return blocks.mean(axis=(2, 4)).reshape(len(rows), 64)

    def train_epoch(self, epoch, learning_rate, on_batch):
        small, labels = self._small(self.data.train_rows), self.data.labels[self.data.train_rows]
        self.means = np.stack([small[labels == label].mean(axis=0) for label in range(self.data.n_labels)])
        predicted = self.probabilities(self.data.train_rows)
        return 0.5, float((predicted.argmax(axis=1) == labels).mean())

    def probabilities(self, rows):
        distance = np.linalg.norm(self._small(rows)[:, None] - self.means, axis=2)
        return softmax(-distance / 50)

    def facts(self, rows):
        return {{"parameters": self.means.size, "trainable_parameters": self.means.size, "images_per_second": 1000.0}}

    def state(self):
        return self.weights()

    def restore(self, state):
        self.set_weights(state)

    def weights(self):
        return [self.means.copy()]

    def set_weights(self, weights):
        (self.means,) = weights


TOY = Model(
    name="{name}",
    title="{title}",
    about="The class whose mean greyscale picture is nearest.",
    prepare=lambda data, training, base: lambda seed: NearestMean(data),
    presets={{"default": Training(epochs=1, learning_rate=0.0)}},
    colour={colour},
)
'''


def declared(folder: Path, name: str, title: str, colour: str) -> Model:
    """Write the one file of a toy model, and read the value that it declares."""
    (folder / f"{name}.py").write_text(TOY.format(name=name, title=title, colour=colour))
    model: Model = importlib.import_module(name).TOY
    return model


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A third model: its file, and its entry in ``MODELS``."""
    monkeypatch.syspath_prepend(tmp_path)
    model = declared(tmp_path, "nearest_mean", "Nearest mean", "GREEN")
    monkeypatch.setattr(registry, "MODELS", (*registry.MODELS, model))
    yield model
    sys.modules.pop("nearest_mean", None)


def undocumented(models: Iterable[Model], page: str) -> list[str]:
    """Name the models of which a page does not say name and title in one item of its list."""
    items = [line for line in page.splitlines() if line.startswith("- `")]
    return [
        model.name
        for model in models
        if not any(line.startswith(f"- `{model.name}`") and model.title in line for line in items)
    ]


def test_the_page_of_the_benchmark_names_every_model() -> None:
    """docs/benchmark.md lists each model of MODELS by name and title."""
    assert undocumented(registry.MODELS, BENCHMARK_PAGE.read_text("utf-8")) == []


def test_a_model_that_the_page_does_not_name_is_found(toy: Model) -> None:
    """The check above fails for a model that was added without a word about it."""
    assert undocumented(registry.MODELS, BENCHMARK_PAGE.read_text("utf-8")) == ["nearest_mean"]


def test_a_toy_model_is_trained_compared_and_shown(drawn_set: Any, toy: Model, weights: Path) -> None:
    """Three models: their figures, three pairs with corrected p values, plots in their colours, and all on the page."""
    pytest.importorskip("seaborn")
    project = drawn_set.project(models=("cnn", "nearest_mean", "mobilenet_v2"), epochs=1, seeds=(0, 1))
    result = run_benchmark(project, weights=weights)
    folder = drawn_set.paths.benchmark
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert list(result.accuracy) == list(metrics["models"]) == ["cnn", "nearest_mean", "mobilenet_v2"]
    assert metrics["models"]["nearest_mean"]["parameters"] == 2 * 64
    assert metrics["comparison"] is None, "two models are compared under this key"
    pairs = [(pair["first"], pair["second"]) for pair in metrics["comparisons"]]
    assert pairs == list(combinations(metrics["models"], 2))
    for pair in metrics["comparisons"]:
        assert pair["confidence"] == pytest.approx(1 - 0.05 / 3)
        assert [test["seed"] for test in pair["mcnemar"]] == [0, 1]
        assert all(test["p"] <= test["p_holm"] <= 1 for test in pair["mcnemar"])
    page = build_report(project).read_text("utf-8")
    assert f"--model-nearest-mean: {GREEN.light};" in page
    assert f"--model-nearest-mean: {GREEN.dark};" in page
    assert page.count('<span class="swatch" style="--model: var(--model-nearest-mean)">Nearest mean</span>') >= 2
    for pair in ("Nearest mean against CNN", "MobileNetV2 against CNN", "MobileNetV2 against Nearest mean"):
        assert f">{pair}<" in page
    assert "corrected over the pairs of each seed (Holm)" in page
    for name in ("comparisons", "curves-nearest_mean", "confusion-nearest_mean", "calibration-nearest_mean"):
        assert (folder / "plots" / f"{name}.svg").exists()
    assert GREEN.light in (folder / "plots" / "accuracy.svg").read_text("utf-8")


def test_one_model_alone_is_compared_with_none(drawn_set: Any, toy: Model) -> None:
    """A benchmark of one model has no pair, and its page no comparison."""
    project = drawn_set.project(models=("nearest_mean",), epochs=None)
    run_benchmark(project)
    metrics = json.loads((drawn_set.paths.benchmark / "metrics.json").read_text("utf-8"))
    assert (metrics["comparison"], metrics["comparisons"]) == (None, [])
    assert "McNemar" not in build_report(project).read_text("utf-8")


def test_a_model_that_is_no_longer_listed_is_still_shown(drawn_set: Any, toy: Model) -> None:
    """Its metrics outlive its entry: the page calls it by its name."""
    project = drawn_set.project(models=("nearest_mean",), epochs=None)
    run_benchmark(project)
    registry.MODELS = registry.MODELS[:2]
    assert '<span class="swatch" style="--model: var(--muted)">nearest_mean</span>' in build_report(project).read_text()


def test_an_unknown_model_is_refused_before_anything_is_done(drawn_set: Any) -> None:
    """The paragraph suggests the nearest name and lists all; nothing is written."""
    with pytest.raises(CuratorError, match=r"no model 'mobilnet', did you mean mobilenet_v2\? The models are cnn, mob"):
        run_benchmark(drawn_set.project(models=("cnn", "mobilnet")))
    assert not drawn_set.paths.benchmark.exists()


def test_an_unknown_model_is_refused_when_a_recipe_is_read() -> None:
    """With the names handed down, the mistake is found with all others, on its line, before any fetch."""
    text = 'name = "balls"\nlabels = ["a", "b"]\n[benchmark]\nmodels = ["cnm"]\n[[sources]]\nkind = "web"\n'
    known = "'cnn', 'mobilenet_v2', 'efficientnet_lite0', 'mobilenet_v2_tuned', 'cnn_pooled'"
    message = rf"line 4: \[benchmark\] models must be one of {known}, not 'cnm', did you mean cnn\?"
    with pytest.raises(RecipeError, match=message):
        parse_recipe(text, source_kinds(), model_names=registry.model_names())


# Linear RGB as protanopia, deuteranopia and tritanopia see it: Machado and others 2009, severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "tritanopia": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> npt.NDArray[np.float64]:
    """Turn ``#rrggbb`` into linear RGB."""
    values = np.array([int(colour[index : index + 2], 16) for index in (1, 3, 5)]) / 255
    return np.asarray(np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4))


def lab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn linear RGB into CIELAB, in which distances are as the eye sees them."""
    x, y, z = np.cbrt(np.maximum(XYZ @ np.clip(rgb, 0, 1) / (0.9505, 1, 1.089), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_colours_of_models_can_be_told_apart_by_every_eye() -> None:
    """Every two of those declared, and of the five on offer: 20 or more apart in CIELAB, on either ground."""
    offered = {BLUE, ORANGE, GREEN, PINK, VIOLET} | {model.colour for model in registry.MODELS}
    assert len({model.colour for model in registry.MODELS}) == len(registry.MODELS)
    for first, second in combinations(offered, 2):
        for ground in ("light", "dark"):
            seen = [linear(getattr(colour, ground)) for colour in (first, second)]
            for vision, matrix in VISION.items():
                distance = np.linalg.norm(lab(matrix @ seen[0]) - lab(matrix @ seen[1]))
                assert distance >= 20, (first, second, ground, vision)
