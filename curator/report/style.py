"""The page's style: one style sheet, with the colours that plots and models declare, for light and for dark.

>>> recolour('<path style="fill: #2a6fdb"/>')
'<path style="fill: var(--model-cnn)"/>'
>>> swatch("cnn")
'<span class="swatch" style="--model: var(--model-cnn)">CNN</span>'
"""

from __future__ import annotations

from importlib import resources

from curator.benchmark.figures.colours import colours, model_variable
from curator.benchmark.models.registry import model_title
from curator.report.markup import Html, element


def style_sheet(*names: str) -> str:
    """Read style sheets of this folder and put the variables of all colours before them."""
    chosen = {name: colour for name, colour in colours().items() if name != "paper"}
    light, dark = (
        " ".join(f"--{name}: {getattr(colour, ground)};" for name, colour in chosen.items())
        for ground in ("light", "dark")
    )
    variables = f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    return variables + "".join(map(read_resource, names))


def read_resource(name: str) -> str:
    """Read a file that lies beside this module."""
    return resources.files("curator.report").joinpath(name).read_text("utf-8")


def model_style(model: str) -> str:
    """Return the inline style that assigns an element a model's colour, as the variable ``--model``."""
    return f"--model: var(--{model_variable(model)})"


def swatch(model: str) -> Html:
    """Write a model's title with a dot of its colour."""
    return element("span", model_title(model), class_="swatch", style=model_style(model))


def recolour(svg: str) -> str:
    """Exchange each light colour in an SVG for the page's variable of its name."""
    for name, colour in colours().items():
        svg = svg.replace(colour.light, f"var(--{name})")
    return svg
