"""The plots of what was trained: accuracy with intervals, pairs compared, curves, confusion matrices and calibration.

Every figure is narrow enough to be read on a phone; a report puts several side by side if there is room.

>>> title_of("cnn", {"smoke_test": True})
'CNN (smoke test)'
>>> histories_by_model({"models": {}, "unfinished": [{"model": "cnn", "history": [{"epoch": 0}]}]})
{'cnn': [[{'epoch': 0}]]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from curator.benchmark.figures.colours import COLOURS, model_colour
from curator.benchmark.figures.figure_style import figure_file, legend_above, right_column, short_label, whole_numbers
from curator.benchmark.metrics_file import list_comparisons
from curator.benchmark.models.registry import model_title
from curator.text import percent

_DASHES = (0, (2, 1.5))
_CELL_INCHES = {8: 0.6, 20: 0.42, 60: 0.16}
"""The side of a cell of a confusion matrix by the most labels for which it is that wide; above, no label is written."""
_LINES = (("-", "the law that was fitted"), (_DASHES, "expected of more"))
_MOST_FLAT, _LONGEST_FLAT = 4, 8
"""Above these, the labels below a confusion matrix stand upright."""


def draw_benchmark(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Draw every plot that the metrics allow."""
    if metrics["models"]:
        draw_accuracy(folder, metrics)
    if len(list_comparisons(metrics)) > 1:
        draw_comparisons(folder, metrics)
    for model, figures in metrics["models"].items():
        title = title_of(model, metrics)
        draw_confusion(folder, model, figures["confusion_matrix"], metrics["labels"], title)
        draw_calibration(folder, model, figures["calibration"], title)
    for model, histories in histories_by_model(metrics).items():
        watched_is_test = metrics["n_images"]["watched_is_test"]
        draw_curves(folder, model, histories, watched_is_test, title_of(model, metrics))


def title_of(model: str, metrics: Mapping[str, Any]) -> str:
    """Name a model over its plots; a plot of a smoke test says so, as it may be seen without its page."""
    return model_title(model) + _smoke(metrics)


def _smoke(metrics: Mapping[str, Any]) -> str:
    return " (smoke test)" if metrics["smoke_test"] else ""


def histories_by_model(metrics: Mapping[str, Any]) -> dict[str, list[list[dict[str, float]]]]:
    """Gather the epochs of every run, finished or not, by model."""
    found: dict[str, list[list[dict[str, float]]]] = {}
    for model, figures in metrics["models"].items():
        found[model] = [run["history"] for run in figures["runs"]]
    for run in metrics["unfinished"]:
        found.setdefault(run["model"], []).append(run["history"])
    return {model: histories for model, histories in found.items() if any(histories)}


def draw_accuracy(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Draw each model's accuracy, its interval and its runs, with chance and the article's figures for reference."""
    models, ink, muted = list(metrics["models"]), COLOURS["ink"].light, COLOURS["muted"].light
    article = {model: share for model, share in (metrics["article"] or {}).items() if model in models}
    marks = [Line2D([], [], color=muted, lw=1, ls=":", label="chance")]
    with figure_file(folder, "accuracy", 1.0 + 0.6 * len(models)) as figure:
        axes = figure.subplots()
        for row, model in enumerate(models):
            _draw_model_accuracy(axes, row, model, metrics["models"][model])
            if model in article:
                axes.plot([article[model]] * 2, [row - 0.3, row + 0.3], ls=_DASHES, lw=1.3, color=ink)
        if article:
            marks.append(Line2D([], [], color=ink, lw=1.3, ls=_DASHES, label="the article's"))
        if any(len(figures["runs"]) > 1 for figures in metrics["models"].values()):
            marks.append(Line2D([], [], color=muted, ls="", marker="|", ms=6, label="one run"))
        axes.axvline(metrics["chance"], color=muted, lw=1, ls=":")
        legend_above(figure, marks, len(marks))
        axes.set_yticks(range(len(models)), [model_title(model) for model in models], color=ink)
        accuracies = [figures["accuracy"] for figures in metrics["models"].values()]
        spans = [f"{percent(one['mean'])}\n{100 * one['low']:.1f} to {100 * one['high']:.1f}" for one in accuracies]
        right_column(axes, spans)
        lowest = min(one["low"] for one in accuracies)
        axes.set(xlim=(min(0.45, metrics["chance"] - 0.05, lowest - 0.02), 1.0), ylim=(len(models) - 0.5, -0.5))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"accuracy on the test images{_smoke(metrics)}")


def _draw_model_accuracy(axes: Any, row: int, model: str, figures: Mapping[str, Any]) -> None:
    accuracy, colour = figures["accuracy"], model_colour(model)
    runs = [run["accuracy"] for run in figures["runs"]]
    axes.plot([accuracy["low"], accuracy["high"]], [row, row], color=colour, lw=5, solid_capstyle="round", alpha=0.35)
    axes.plot(accuracy["mean"], row, "o", ms=9, color=colour)
    if len(runs) > 1:
        axes.plot(runs, np.full(len(runs), row + 0.2), "|", ms=6, color=colour)


def draw_comparisons(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Draw the difference in accuracy of every pair with its interval; it has the colour of a clearly better model."""
    comparisons = list_comparisons(metrics)
    texts = []
    with figure_file(folder, "comparisons", 0.75 + 0.5 * len(comparisons)) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=COLOURS["ink"].light, lw=1, ls=":")
        for row, comparison in enumerate(comparisons):
            difference = {name: 100 * value for name, value in comparison["difference"].items()}
            is_clear = not difference["low"] <= 0 <= difference["high"]
            better = comparison["second" if difference["mean"] > 0 else "first"]
            colour = model_colour(better) if is_clear else COLOURS["muted"].light
            texts.append(f"{difference['mean']:+.1f}\n{difference['low']:+.1f} to {difference['high']:+.1f}")
            axes.plot([difference["low"], difference["high"]], [row, row], color=colour, lw=5, alpha=0.35)
            axes.plot(difference["mean"], row, "o", ms=8, color=colour)
        pairs = [f"{model_title(pair['second'])}\nminus {model_title(pair['first'])}" for pair in comparisons]
        axes.set_yticks(range(len(pairs)), pairs, color=COLOURS["ink"].light, fontsize=8)
        right_column(axes, texts)
        axes.set(ylim=(len(pairs) - 0.5, -0.5), xlabel=f"difference in accuracy, points{_smoke(metrics)}")
        axes.grid(axis="y", visible=False)


def draw_curves(
    folder: Path, model: str, histories: Sequence[Sequence[dict[str, float]]], watched_is_test: bool, title: str
) -> None:
    """Draw accuracy and loss by epoch, one thin line a run, for training and for the watched part."""
    watched = "test (watched, as in the article)" if watched_is_test else "validation"
    with figure_file(folder, f"curves-{model}", 3.4, 3.1) as figure:
        for axes, measure in zip(figure.subplots(2, 1, sharex=True), ("accuracy", "loss"), strict=True):
            for index, history in enumerate(histories):
                epochs = [record["epoch"] + 1 for record in history]
                for key, style, label in ((measure, ":", "training"), (f"watched_{measure}", "-", watched)):
                    values = [record[key] for record in history]
                    look = {"lw": 1.4, "color": model_colour(model), "alpha": 0.9 if style == "-" else 0.7}
                    mark = "o" if len(epochs) == 1 else None  # a line of one point is not seen
                    axes.plot(epochs, values, style, marker=mark, **look, label=None if index else label)
            axes.set_ylabel(measure)
        axes.set_xlabel("epoch")
        whole_numbers(axes.xaxis)
        figure.axes[0].set_title(title)
        legend_above(figure, figure.axes[0].get_lines()[:2], 2)


def draw_confusion(
    folder: Path, model: str, matrix: Sequence[Sequence[int]], labels: Sequence[str], title: str
) -> None:
    """Draw the confusion matrix: colour is the share of the true label, figures are counts over all runs."""
    counts, n_labels = np.array(matrix), len(labels)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    cell = next((inches for most, inches in _CELL_INCHES.items() if n_labels <= most), 6 / n_labels)
    texts = list(map(short_label, labels)) if n_labels <= max(_CELL_INCHES) else []
    points, longest = 9 if n_labels <= 20 else 6, max(map(len, texts), default=0)
    is_upright = n_labels > _MOST_FLAT or longest > _LONGEST_FLAT
    left = 0.7 + points * longest / 80
    below = left if is_upright else 0.8
    if cell == _CELL_INCHES[8]:
        cells = [
            [f"{n}\n{share:.0%}" for n, share in zip(*row, strict=True)] for row in zip(counts, shares, strict=True)
        ]
    else:
        cells = [[f"{n or ''}" for n in row] for row in counts]
    with figure_file(folder, f"confusion-{model}", cell * n_labels + below, cell * n_labels + left) as figure:
        axes = figure.subplots()
        sns.heatmap(
            shares,
            annot=np.array(cells) if cell >= _CELL_INCHES[20] else None,
            fmt="",
            cmap=sns.light_palette(model_colour(model), as_cmap=True),
            vmin=0,
            vmax=1,
            cbar=False,
            square=True,
            ax=axes,
            linewidths=2 if texts else 0,
            linecolor="none",
            xticklabels=texts or False,
            yticklabels=texts or False,
            annot_kws={"fontsize": 9 if n_labels <= 8 else 6},
        )
        axes.set(xlabel="predicted", ylabel="true", title=title)
        axes.tick_params(length=0, labelcolor=COLOURS["ink"].light, labelsize=points)
        axes.tick_params(axis="x", rotation=90 if is_upright else 0)
        axes.tick_params(axis="y", rotation=0)


def draw_calibration(folder: Path, model: str, bins: Sequence[Mapping[str, float]], title: str) -> None:
    """Draw the reliability diagram: how often the model is right when it is so sure; a dot's area is its images."""
    with figure_file(folder, f"calibration-{model}", 2.6, 3.1) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], ls=":", lw=1, color=COLOURS["muted"].light)
        sizes = np.array([one["n"] for one in bins])
        confidence, accuracy = ([one[key] for one in bins] for key in ("confidence", "accuracy"))
        axes.plot(confidence, accuracy, lw=1.2, color=model_colour(model), alpha=0.6)
        axes.scatter(confidence, accuracy, s=8 + 160 * sizes / sizes.max(), color=model_colour(model), alpha=0.75, lw=0)
        low = min(0.45, *confidence, *accuracy) - 0.03
        axes.set(xlim=(low, 1.03), ylim=(low, 1.05), xlabel="confidence", ylabel="share correct", title=title)


def draw_learning_curve(folder: Path, found: Mapping[str, Any]) -> None:
    """Draw accuracy by images a label: every run, the means with their intervals, and the law beyond them."""
    models, ink = found["models"], COLOURS["ink"].light
    with figure_file(folder, "learning-curve", 3.4) as figure:
        axes = figure.subplots()
        for place, (model, one) in enumerate(models.items()):
            _draw_one_curve(axes, one, model_colour(model), 1.05 ** (place - (len(models) - 1) / 2))
        axes.set_xscale("log")
        sizes = {round(point["images_per_label"]) for one in models.values() for point in one["points"]}
        ticks = sorted(sizes | {round(gain["images_per_label"]) for one in models.values() for gain in one["gains"]})
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=8)
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set(xlabel="training images a label", ylabel=f"accuracy{_smoke(found)}")
        marks = [Line2D([], [], color=model_colour(one), lw=0, marker="o", label=model_title(one)) for one in models]
        marks += [Line2D([], [], color=ink, lw=1.4, ls=style, label=label) for style, label in _LINES]
        legend_above(figure, marks, 2)


def _draw_one_curve(axes: Any, one: Mapping[str, Any], colour: str, aside: float) -> None:
    """Draw one model's curve, its points a little aside, so that those of several models do not hide each other."""
    for point in one["points"]:
        at, accuracy = point["images_per_label"] * aside, point["accuracy"]
        axes.plot([at] * len(point["runs"]), point["runs"], "_", ms=5, color=colour, alpha=0.5)
        axes.plot([at, at], [accuracy["low"], accuracy["high"]], color=colour, lw=3, alpha=0.3)
        axes.plot(at, accuracy["mean"], "o", ms=4.5, color=colour)
    sizes = np.array([place["images_per_label"] for place in one["line"]])
    low, mean, high = (np.array([place[name] for place in one["line"]]) for name in ("low", "mean", "high"))
    axes.fill_between(sizes, low, high, color=colour, alpha=0.1, lw=0)
    last = one["points"][-1]["images_per_label"]
    for part, style in ((sizes <= last, "-"), (sizes >= last * 0.9, _DASHES)):
        axes.plot(sizes[part], mean[part], color=colour, lw=1.4, ls=style)
