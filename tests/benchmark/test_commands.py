"""Ctrl-C and a kill, as a person meets them: what stands afterwards, and how it goes on."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("keras")
pytest.importorskip("sklearn")

from curator.benchmark.run_benchmark import run_benchmark
from curator.cli.benchmark import benchmark
from curator.dataset import Dataset
from curator.events import EpochFinished, Event, TrainingStarted
from curator.manifests.project import Project
from curator.text import spell

TRAIN = """
import signal, sys
from pathlib import Path
from curator.benchmark.run_benchmark import run_benchmark
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import BenchmarkSettings
from curator.store.paths import DataPaths
settings = BenchmarkSettings(models=("cnn",), seeds=(0,), image_size=32, epochs=5)
recipe = Recipe(name="drawn", labels=("disc", "square"), sources=(), benchmark=settings)
paths = DataPaths(Path(sys.argv[1]), Path(sys.argv[2]), "drawn")

def wait_to_be_killed(event):
    if (paths.benchmark / "runs" / "cnn-seed0.npz").exists():
        print("there", flush=True)
        signal.pause()

run_benchmark(Project(recipe, paths, wait_to_be_killed))
"""


def interrupted_in(model: str) -> Any:
    """Make a listener that presses Ctrl-C once a model has trained an epoch."""

    def listener(event: Event) -> None:
        if isinstance(event, EpochFinished) and event.model == model:
            raise KeyboardInterrupt

    return listener


def test_an_interrupt_leaves_a_report(drawn_set: Any) -> None:
    """The page is whole and says that the training was interrupted."""
    project = Project(drawn_set.recipe(models=("cnn",)), drawn_set.paths, interrupted_in("cnn"))
    with pytest.raises(KeyboardInterrupt):
        Dataset(project).benchmark()
    text = drawn_set.paths.report.read_text("utf-8")
    assert text.endswith("</html>\n")
    assert "was interrupted" in text


def test_an_interrupted_command_says_how_to_go_on(drawn_set: Any) -> None:
    """The paragraph names the page and `--resume`, with the options that name the data set."""
    project = Project(drawn_set.recipe(models=("cnn",)), drawn_set.paths, interrupted_in("cnn"))
    with pytest.raises(KeyboardInterrupt) as interrupt:
        inspect.unwrap(benchmark)(Dataset(project))
    said = spell(interrupt.value.args[0], " --recipe drawn")
    assert re.search(r"report\.html.*`curator benchmark --resume --recipe drawn`", said)


def test_an_interrupt_before_the_first_epoch_leaves_a_report_too(
    drawn_set: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While images are decoded there is nothing trained to report, but the data set."""

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("curator.benchmark.run_benchmark.run_benchmark", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Dataset(Project(drawn_set.recipe(), drawn_set.paths)).benchmark()
    assert "No model was trained yet" in drawn_set.paths.report.read_text("utf-8")


def test_a_killed_run_goes_on_to_the_same_predictions(drawn_set: Any) -> None:
    """Killed without warning after an epoch or more, then resumed: byte for byte what an undisturbed run predicts."""
    project, folder = drawn_set.project(models=("cnn",), epochs=5), drawn_set.paths.benchmark
    run_benchmark(project)
    undisturbed = (folder / "predictions.csv").read_bytes()
    (folder / "predictions.csv").unlink()
    (folder / "runs" / "cnn-seed0.npz").unlink()
    command = [sys.executable, "-c", TRAIN, str(drawn_set.paths.data_root), str(drawn_set.paths.manifest_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "there\n"
        process.kill()
    drawn_set.events.clear()
    run_benchmark(project, resume=True)
    (started,) = [event for event in drawn_set.events if isinstance(event, TrainingStarted)]
    assert started.first_epoch > 0
    assert (folder / "predictions.csv").read_bytes() == undisturbed
