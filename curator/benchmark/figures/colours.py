"""One set of colours for the plots and the report: the page's own, the labels', and each model's as it declares them.

>>> colours()["model-cnn"].light
'#2a6fdb'
>>> label_colours(["a", "b"])["b"]
'#8a4fd0'
"""

from __future__ import annotations

from collections.abc import Sequence

from curator.benchmark.models import registry
from curator.benchmark.models.model import Colour

COLOURS = {
    "ink": Colour("#1d1f24", "#e9eaec"),
    "muted": Colour("#60646c", "#a2a6ae"),
    "line": Colour("#dfe1e5", "#363940"),
    "paper": Colour("#fefefe", "transparent"),
    "danger": Colour("#c6303e", "#ff8088"),
    "label0": Colour("#0d8a72", "#3fc4a8"),
    "label1": Colour("#8a4fd0", "#bb8df5"),
    "label2": Colour("#b8860b", "#dcb04a"),
    "label3": Colour("#c2407e", "#f285b5"),
    "label4": Colour("#3d7ea6", "#7fbde2"),
    "label5": Colour("#6b7f1e", "#b4c95d"),
}
"""Colours by name. An SVG inside the report has each light one exchanged for the page's variable of that name, so that
dark mode recolours the plots too."""


def colours() -> dict[str, Colour]:
    """Return every colour by the name of its variable on the page."""
    return COLOURS | {model_variable(model.name): model.colour for model in registry.MODELS}


def model_variable(model: str) -> str:
    """Name a model's colour; a model that is not known has the muted one.

    >>> model_variable("mobilenet_v2"), model_variable("forgotten")
    ('model-mobilenet-v2', 'muted')
    """
    return f"model-{model.replace('_', '-')}" if model in registry.model_names() else "muted"


def model_colour(model: str) -> str:
    """Return a model's colour on a light ground, as plots are drawn."""
    return colours()[model_variable(model)].light


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return each label's colour; there are six, then they are used again."""
    return {label: COLOURS[f"label{index % 6}"].light for index, label in enumerate(labels)}
