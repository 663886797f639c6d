"""Axes of counts have whole numbers only, and no text of a plot meets another, however many and long the labels."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("seaborn", reason="the extra `benchmark` is not installed")

from matplotlib.figure import Figure
from matplotlib.text import Text

from curator.benchmark.figures import figure_style
from curator.benchmark.figures.data_plots import draw_class_counts, draw_confounds
from curator.benchmark.figures.plots import draw_benchmark, draw_confusion, draw_curves
from tests.report.conftest import made_metrics


def ticks(path: Path) -> list[str]:
    """Read the labels below the lowest x axis of an SVG, whose texts are kept as texts."""
    lowest = path.read_text(encoding="utf-8").split('<g id="axes_')[-1]
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


@pytest.mark.parametrize("labels", [("Golden Retriever", "w" * 60, "犬" * 30), tuple(ODD_LABELS[:20])])
def test_no_text_of_a_plot_meets_another(
    tmp_path: Path, labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each text is inside its figure, and shares no place with another."""
    drawn = []

    class Kept(Figure):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            drawn.append(self)

    monkeypatch.setattr(figure_style, "Figure", Kept)
    metrics = made_metrics("00", labels)
    metrics["models"].pop("mobilenet_v2")
    models = ("cnn", "mobilenet_v2", "cnn")
    pairs = [metrics["comparison"] | {"first": a, "second": b} for a, b in pairwise(models)]
    draw_benchmark(tmp_path, metrics | {"comparisons": pairs})
    draw_confounds(tmp_path, {"accuracy": dict.fromkeys(("source", "file format"), 1.0), "chance": 0.5, "level": 0.5})
    splits, sources = (["train", "val", "test"], ["imagenet", "open-images"])
    rows = [(one, label, split) for one in sources for label in labels for split in splits for _ in range(12)]
    draw_class_counts(tmp_path, pd.DataFrame(rows, columns=["source", "label", "split"]), labels)
    assert len(drawn) == 7
    seen: list[Text] = []
    draw = Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, *given: seen.append(text) or draw(text, *given))
    for figure in drawn:
        seen.clear()
        figure.draw_without_rendering()
        texts = [text for text in seen if text.get_visible() and text.get_text().strip()]
        boxes = [text.get_window_extent().padded(-1) for text in texts]
        for place, (text, box) in enumerate(zip(texts, boxes, strict=True)):
            assert figure.bbox.padded(2).fully_containsx(box.x0) and figure.bbox.padded(2).fully_containsx(box.x1), text
            assert not [other for other, its in zip(texts[:place], boxes, strict=False) if box.overlaps(its)], text
