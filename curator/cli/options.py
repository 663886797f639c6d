"""The options that several commands share, and how their texts are read.

>>> val_value("0.1"), val_value("100")
(0.1, 100)
>>> per_class_value("max"), per_class_value("1224"), whole_numbers("0,1,2", "--seeds"), names("cnn, mobilenet_v2")
('max', 1224, (0, 1, 2), ('cnn', 'mobilenet_v2'))
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from curator.cli.complete import choices, recipe_names
from curator.errors import OptionError

RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME|PATH",
        help="Which recipe; default: $CURATOR_RECIPE, else the project's only one.",
        autocompletion=recipe_names,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Where data sets are kept; default: data/ in the project."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress; only warnings and the result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RatioOption = Annotated[
    float | None, typer.Option("--ratio", metavar="R", help="Share of each label in train, such as 0.8.")
]
ValOption = Annotated[
    str | None,
    typer.Option("--val", metavar="V", help="Share of each label in val, such as 0.1, or a number of images."),
]
FoldsOption = Annotated[
    int | None, typer.Option("--folds", metavar="K", help="Divide train into so many folds, to cross-validate.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Do it again even if nothing has changed.")]
EngineOption = Annotated[
    Literal["local", "ray"] | None,
    typer.Option("--engine", help="Who works: this machine, or a cluster of Ray; see docs/cluster.md."),
]
PerClassOption = Annotated[
    str | None,
    typer.Option(
        "--per-class",
        metavar="N|max|all",
        help="Images per label; max: as many as the smallest has; all: uneven.",
        autocompletion=choices("max", "all"),
    ),
]


def per_class_value(text: str | None) -> int | Literal["max", "all"] | None:
    """Read ``--per-class``: a whole number, ``max`` or ``all``."""
    if text is None:
        return None
    for word in ("max", "all"):
        if text == word:
            return word
    if text.isdecimal():
        return int(text)
    raise OptionError(f"--per-class must be a whole number, max or all, not {text!r}")


def val_value(text: str | None) -> int | float | None:
    """Read ``--val``: a share such as 0.1, or a whole number of images."""
    if text is None or text.isdecimal():
        return int(text) if text is not None else None
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"--val must be a share such as 0.1 or a whole number of images, not {text!r}") from None


def whole_numbers(text: str | None, option: str) -> tuple[int, ...] | None:
    """Read whole numbers separated by commas."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise OptionError(f"{option} must be whole numbers such as 0,1,2, not {text!r}")
    return tuple(int(part) for part in parts)


def names(text: str | None) -> tuple[str, ...] | None:
    """Read names separated by commas."""
    return tuple(part.strip() for part in text.split(",")) if text is not None else None
