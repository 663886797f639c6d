"""The plots that need no training: images by source, split and label, and which facts predict the label.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> draw_confounds(folder, {"accuracy": {"source": 0.9}, "chance": 0.5, "level": 0.65})
>>> sorted(path.name for path in folder.iterdir())
['confounds.png', 'confounds.svg']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from curator.benchmark.figures.colours import COLOURS, label_colours
from curator.benchmark.figures.figure_style import figure_file, short_label, whole_numbers
from curator.reasons import splits_of


def draw_class_counts(folder: Path, table: pd.DataFrame, labels: Sequence[str]) -> None:
    """Draw the article's count plot: images by source and label, split by split."""
    sources = table["source"].value_counts().index.tolist()
    texts, colours = [short_label(label) for label in labels], label_colours(labels)
    n_columns = min(len(labels), max(1, int(3 / (0.45 + 0.06 * max(map(len, texts))))))
    splits = splits_of(table["split"].unique())
    height = 1.0 + len(splits) * (0.35 + 0.22 * len(labels) * len(sources)) + 0.17 * (-(-len(labels) // n_columns) - 1)
    with figure_file(folder, "class-counts", height) as figure:
        for axes, split in zip(figure.subplots(len(splits), 1, sharex=True), splits, strict=True):
            rows = table[table["split"] == split]
            hue = {"hue": "label", "hue_order": list(labels), "palette": colours, "saturation": 1}
            sns.countplot(rows, y="source", order=sources, **hue, ax=axes, legend=False)
            for bars in axes.containers:
                axes.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=8)
            axes.set(xlabel="images" if split == "test" else "", ylabel="", title=split)
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"].light)
            axes.margins(x=0.12)
            whole_numbers(axes.xaxis)
        handles = [Patch(color=colours[label], label=text) for label, text in zip(labels, texts, strict=True)]
        figure.axes[0].legend(handles=handles, loc="lower left", bbox_to_anchor=(0.3, 1.0), ncols=n_columns, fontsize=8)


def draw_confounds(folder: Path, check: Mapping[str, Any]) -> None:
    """Draw how well each kind of fact predicts the label, with chance and the level of the warning."""
    kinds = list(check["accuracy"])
    with figure_file(folder, "confounds", 0.8 + 0.3 * len(kinds)) as figure:
        axes = figure.subplots()
        values = [check["accuracy"][kind] for kind in kinds]
        colours = [COLOURS["danger"].light if value > check["level"] else COLOURS["muted"].light for value in values]
        bars = axes.barh(kinds, values, color=colours, height=0.62)
        axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=3, fontsize=8)
        for x, text in ((check["chance"], "chance"), (check["level"], "warning")):
            axes.axvline(x, color=COLOURS["ink"].light, lw=1, ls=":" if text == "chance" else "--")
            place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
            axes.annotate(text, (x, 1), (0, 3), **place, fontsize=7.5)
        axes.invert_yaxis()
        axes.set(xlim=(0, 1.12), xlabel="balanced accuracy without the picture")
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"].light)
