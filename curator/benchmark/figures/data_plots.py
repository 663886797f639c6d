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

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from curator.benchmark.figures.colours import COLOURS, label_colours
from curator.benchmark.figures.figure_style import figure_file, legend_above, right_column, short_label, whole_numbers
from curator.reasons import splits_of

MOST_LABELS = 60
"""Labels up to which their counts are drawn; of more, the report's table has them."""


def draw_class_counts(folder: Path, table: pd.DataFrame, labels: Sequence[str]) -> None:
    """Draw the article's count plot: images of each label, split by split, source by source."""
    if len(labels) > MOST_LABELS:
        return
    sources, splits = table["source"].value_counts().index.tolist(), splits_of(table["split"].unique())
    counts, colours = table.groupby(["source", "label", "split"]).size(), label_colours(splits)
    with figure_file(folder, "class-counts", 0.75 + len(sources) * (0.5 + 0.24 * len(labels))) as figure:
        for axes, source in zip(np.ravel(figure.subplots(len(sources), 1, sharex=True)), sources, strict=True):
            left = np.zeros(len(labels))
            for split in splits:
                values = np.array([counts.get((source, label, split), 0) for label in labels])
                axes.barh(range(len(labels)), values, left=left, color=colours[split], height=0.7)
                left += values
            axes.set_yticks(range(len(labels)), map(short_label, labels), fontsize=8)
            right_column(axes, [f"{total:,.0f}" for total in left])
            axes.set(title=source if len(sources) > 1 else "", ylim=(len(labels) - 0.5, -0.5))
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"].light)
            whole_numbers(axes.xaxis)
        axes.set_xlabel("images")
        legend_above(figure, [Patch(color=colours[split], label=split) for split in splits], len(splits))


def draw_confounds(folder: Path, check: Mapping[str, Any]) -> None:
    """Draw how well each kind of fact predicts the label, with chance and the level of the warning."""
    kinds = list(check["accuracy"])
    with figure_file(folder, "confounds", 1.0 + 0.3 * len(kinds)) as figure:
        axes = figure.subplots()
        values = [check["accuracy"][kind] for kind in kinds]
        colours = [COLOURS["danger"].light if value > check["level"] else COLOURS["muted"].light for value in values]
        axes.barh(range(len(kinds)), values, color=colours, height=0.62)
        axes.set_yticks(range(len(kinds)), kinds)
        right_column(axes, [f"{value:.2f}" for value in values])
        lines = [(check["chance"], "chance", ":"), (check["level"], "warning above this", "--")]
        ink = COLOURS["ink"].light
        for x, _, style in lines:
            axes.axvline(x, color=ink, lw=1, ls=style)
        legend_above(figure, [Line2D([], [], color=ink, lw=1, ls=style, label=text) for _, text, style in lines], 2)
        axes.set(xlim=(0, 1), ylim=(len(kinds) - 0.5, -0.5), xlabel="balanced accuracy without the picture")
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0, labelcolor=ink)
