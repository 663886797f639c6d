"""``curator init``: write a recipe to edit."""

from __future__ import annotations

from typing import Annotated

import typer

from curator.cli.command import reports_errors
from curator.store.paths import MANIFESTS, option_for
from curator.store.root import working_place
from curator.text import Command


@reports_errors
def init(
    name: Annotated[str, typer.Argument(help="The data set's name.")],
    labels: Annotated[list[str], typer.Argument(help="Two or more labels.")],
) -> None:
    """Write a recipe with a commented example of each source.

    It is manifests/NAME/recipe.toml; one that exists is left alone.
    """
    from curator.cli.terminal import Terminal
    from curator.manifests.recipe_template import write_recipe

    path = write_recipe(name, labels, working_place(MANIFESTS))
    Terminal(option_for(name, None)).note((f"Wrote {path}. Edit it, then run ", Command("fetch --plan"), "."))
