"""The plots inside the page: drawn anew if matplotlib is installed, else as an earlier run left them.

>>> inlined('<?xml version="1.0"?><svg height="9pt" width="9pt"><path id="a"/></svg>', "accuracy")
'<svg><path id="accuracy-a"/></svg>'
"""

from __future__ import annotations

import importlib
import re

from curator.report.facts import Facts
from curator.report.markup import Html, element
from curator.report.style import recolour

_ID = re.compile(r'(\bid="|url\(#|href="#)')
_PROLOGUE = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)


def draw_plots(facts: Facts) -> bool:
    """Draw all plots that the facts allow into the benchmark's folder; False if matplotlib is not installed."""
    try:
        plots = importlib.import_module("curator.benchmark.figures.plots")
        data_plots = importlib.import_module("curator.benchmark.figures.data_plots")
    except ModuleNotFoundError:
        return False
    folder = facts.project.paths.plots
    if facts.metrics:
        plots.draw_benchmark(folder, facts.metrics)
    if facts.curve:
        plots.draw_learning_curve(folder, facts.curve)
    if facts.images is not None and len(facts.images.table):
        data_plots.draw_class_counts(folder, facts.images.table, facts.images.labels)
    if facts.confounds:
        data_plots.draw_confounds(folder, facts.confounds)
    return True


def plot(facts: Facts, name: str, description: str) -> Html | None:
    """Put a saved SVG into the page, in the page's colours; None if it was never drawn.

    ``description`` says what the figure shows, for those who do not see it.
    """
    path = facts.project.paths.plots / f"{name}.svg"
    if not path.exists():
        return None
    svg = recolour(inlined(path.read_text("utf-8"), name))
    return element("figure", Html(svg), class_="plot", role="img", aria_label=description)


def inlined(svg: str, name: str) -> str:
    """Make an SVG file part of a page: no prologue, no fixed size, names that no other figure has."""
    bare = _PROLOGUE.sub("", svg).strip()
    for size in ("height", "width"):
        bare = re.sub(rf'^<svg([^>]*?) {size}="[^"]*"', r"<svg\1", bare)
    return _ID.sub(rf"\g<1>{name}-", bare)
