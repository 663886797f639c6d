"""Draw how time and memory of each stage grow with the rows: ``python plot_scale.py FIGURES.csv PLOT.svg``.

The figures are those that ``bench_scale.py --figures`` writes: rows, stage, seconds, CPU seconds, GB. The drawing has
no background, and its greys and colours can be read on white and on black.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

GREY = "#808080"
COLOURS = {"listed": "#666666", "deduped": "#d95f02", "balanced": "#1b9e77", "split": "#7570e3", "manifest": "#e7298a"}
NAMES = {"listed": "list", "deduped": "dedupe", "balanced": "balance", "split": "split", "manifest": "manifest"}


def read_figures(path: Path) -> dict[str, list[tuple[int, float, float]]]:
    """Return of each stage (rows, CPU seconds, GB), by rows."""
    found = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["stage"]].append((int(row["rows"]), float(row["cpu"]), float(row["gb"])))
    return {stage: sorted(points) for stage, points in found.items()}


def draw(figures: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Write the drawing: CPU seconds and GB, both over the rows, all axes logarithmic."""
    mpl.rcParams.update({"svg.hashsalt": "scale", "svg.fonttype": "none", "font.size": 11, "text.color": GREY})
    mpl.rcParams.update({"axes.edgecolor": GREY, "axes.labelcolor": GREY, "xtick.color": GREY, "ytick.color": GREY})
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for panel, place, what in zip(panels, (1, 2), ("CPU seconds", "GB at the most"), strict=True):
        for stage, points in figures.items():
            style = {"color": COLOURS[stage], "label": NAMES[stage], "marker": "o", "linewidth": 2}
            panel.plot([point[0] for point in points], [point[place] for point in points], **style)
        rows = sorted({point[0] for points in figures.values() for point in points})
        least = min(point[place] for points in figures.values() for point in points if point[0] == rows[0])
        line = [least * n / rows[0] for n in rows]
        panel.plot(rows, line, color=GREY, linestyle="--", linewidth=1, label="in proportion to the rows")
        panel.set(xscale="log", yscale="log", xlabel="rows", ylabel=what)
        panel.set_xticks(rows, [f"{n / 1e6:g} M" for n in rows], minor=False)
        panel.minorticks_off()
        panel.yaxis.set_major_formatter("{x:g}")
        panel.grid(color=GREY, alpha=0.25)
    panels[1].set_yticks([0.125, 0.25, 0.5, 1, 2, 4, 8])
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, labelcolor=GREY, loc="outside upper center", ncols=len(names))
    figure.savefig(path, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    draw(read_figures(Path(sys.argv[1])), Path(sys.argv[2]))
