"""One set of colours and names for the plots and the report.

>>> label_colours(["a", "b"])["a"] == COLOURS["label0"]
True
"""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = {
    "ink": "#1d1f24",
    "muted": "#60646c",
    "line": "#dfe1e5",
    "paper": "#fefefe",
    "cnn": "#2a6fdb",
    "mobilenet_v2": "#d9660a",
    "danger": "#c6303e",
    "label0": "#0d8a72",
    "label1": "#8a4fd0",
    "label2": "#b8860b",
    "label3": "#c2407e",
    "label4": "#3d7ea6",
    "label5": "#6b7f1e",
}
"""The light theme's colours by name. An SVG inside the report has each exchanged for the page's variable of that
name, so that dark mode recolours the plots too."""

MODEL_NAMES = {"cnn": "CNN", "mobilenet_v2": "MobileNetV2"}


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Give each label its colour; there are six, then they come again."""
    return {label: COLOURS[f"label{index % 6}"] for index, label in enumerate(labels)}
