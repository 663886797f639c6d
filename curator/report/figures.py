"""The plots inside the page: drawn anew where matplotlib is installed, else as an earlier run left them.

>>> recolour('<path style="fill: #2a6fdb"/>')
'<path style="fill: var(--cnn)"/>'
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

from curator.benchmark.figures.colours import COLOURS
from curator.report.facts import Facts
from curator.report.markup import Html, element

_ID = re.compile(r'(\bid="|url\(#|href="#)')
_PROLOGUE = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)


def draw_figures(facts: Facts) -> bool:
    """Draw all plots that the facts allow into the benchmark's folder; False where matplotlib is not installed."""
    try:
        plots, data_plots = _modules()
    except ModuleNotFoundError:
        return False
    folder = facts.paths.plots
    if facts.metrics:
        plots.draw_benchmark(folder, facts.metrics)
    if facts.images is not None and len(facts.images.table):
        data_plots.draw_class_counts(folder, facts.images.table, facts.images.labels)
    if facts.confounds:
        data_plots.draw_confounds(folder, facts.confounds)
    return True


def _modules() -> tuple[ModuleType, ModuleType]:
    plots = importlib.import_module("curator.benchmark.figures.plots")
    return plots, importlib.import_module("curator.benchmark.figures.data_plots")


def figure(facts: Facts, name: str, description: str) -> Html | None:
    """Put a saved SVG into the page, in the page's colours; None where it was never drawn.

    Args:
        facts: where the plots are.
        name: the file's name without ending.
        description: what the figure shows, for those who do not see it.
    """
    path: Path = facts.paths.plots / f"{name}.svg"
    if not path.exists():
        return None
    svg = recolour(inlined(path.read_text("utf-8"), name))
    return element("figure", Html(svg), class_="plot", role="img", aria_label=description)


def inlined(svg: str, name: str) -> str:
    """Make an SVG file part of a page: no prologue, no fixed size, names that no other figure has."""
    bare = _PROLOGUE.sub("", svg).strip()
    sized = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", bare)
    sized = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", sized)
    return _ID.sub(rf"\g<1>{name}-", sized)


def recolour(svg: str) -> str:
    """Exchange each colour for the page's variable of its name."""
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name.replace('_', '-')})")
    return svg
