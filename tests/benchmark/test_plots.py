"""An axis of counts has whole numbers only, whether there is one epoch or forty, one image or thousands."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("seaborn", reason="the extra `benchmark` is not installed")

from curator.benchmark.figures.data_plots import draw_class_counts
from curator.benchmark.figures.plots import draw_confusion, draw_curves


def ticks(path: Path) -> list[str]:
    """Read the labels below the lowest x axis of an SVG, whose texts are kept as texts."""
    lowest = path.read_text(encoding="utf-8").split('<g id="axes_2">')[1]
    found = [re.search(r"<text[^>]*>([^<]+)</text>", tick) for tick in lowest.split('<g id="xtick_')[1:]]
    return [one[1] for one in found if one]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 30, 40, 150])
def test_epochs_are_whole(tmp_path: Path, n: int) -> None:
    """One epoch has one tick, and its point can be seen."""
    record = {"accuracy": 0.6, "loss": 0.6, "watched_accuracy": 0.5, "watched_loss": 0.7}
    draw_curves(tmp_path, "cnn", [[{**record, "epoch": epoch} for epoch in range(n)]], False, "CNN")
    labels = ticks(tmp_path / "curves-cnn.svg")
    assert labels and all(re.fullmatch(r"-?\d+", label.replace("\N{MINUS SIGN}", "-")) for label in labels)
    assert len(set(labels)) == len(labels) and (n > 1 or labels == ["1"])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 1234])
def test_counts_of_images_are_whole(tmp_path: Path, n: int) -> None:
    """A small class has no half an image."""
    table = pd.DataFrame({"source": "folder", "label": ["a", "b"] * n, "split": ["train"] * n + ["test"] * n})
    draw_class_counts(tmp_path, table, ["a", "b"])
    labels = ticks(tmp_path / "class-counts.svg")
    assert labels and all(re.fullmatch(r"[\d,]+", label) for label in labels)


ODD_LABELS = ["$\\nonsense{$", "_hidden", "犬 and 👍", "w" * 200, "a$b", *(f"label number {n}" for n in range(20))]


@pytest.mark.filterwarnings("error")
def test_labels_are_shown_as_written(tmp_path: Path) -> None:
    """Dollar signs are no formula, a leading ``_`` hides nothing, a long label leaves room; no warning."""
    table = pd.DataFrame({"source": "folder", "label": 2 * ODD_LABELS, "split": ["train", "test"] * len(ODD_LABELS)})
    draw_class_counts(tmp_path, table, ODD_LABELS)
    draw_confusion(tmp_path, "cnn", [[1] * len(ODD_LABELS)] * len(ODD_LABELS), ODD_LABELS, "CNN")
    for name in ("class-counts", "confusion-cnn"):
        text = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        for label in ("$\\nonsense{$", "_hidden", "犬 and 👍", "w" * 23 + "…", "a$b", "label number 19"):
            assert f">{label}<" in text or f"> {label}<" in text, (name, label)
