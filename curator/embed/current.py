"""Whether what was made with a network is what the recipe would make now: the network, its weights, the settings.

>>> find_change({}, Recipe("birds", ("wren",), ()))
'they were found by an older curator'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from curator.embed.weights import find_weights
from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.observe.pixels import DECODER_VERSION
from curator.store.catalog_files import file_digest
from curator.store.suspects_file import read_made_with
from curator.text import Command, Text

if TYPE_CHECKING:
    from curator.embed.embedder import Embedder


def describe(embedder: Embedder, recipe: Recipe) -> dict[str, Any]:
    """Return what decides features and what is made of them, for :func:`find_change`."""
    settings = {"embed": asdict(recipe.embed), "suspects": asdict(recipe.suspects)}
    return {"title": embedder.title, "weights": embedder.sha256, "decoder": DECODER_VERSION, **settings}


def find_change(made_with: Mapping[str, Any], recipe: Recipe) -> str:
    """Say what has changed since something was made; nothing: it is current.

    Weights that are not at hand are taken for the same: nothing is loaded or run.

    Args:
        made_with: see :func:`describe`; empty: not known.
        recipe: of now.
    """
    if not made_with:
        return "they were found by an older curator"
    title, model = made_with["title"], recipe.embed.model
    if made_with["embed"] != asdict(recipe.embed):
        now = f"model {model!r}" if made_with["embed"]["model"] != model else f"pixels {recipe.embed.pixels!r}"
        return f"{title} found them, and [embed] has {now} now"
    if made_with["suspects"] != asdict(recipe.suspects):
        return "[suspects] has other settings now"
    try:
        weights = file_digest(find_weights(recipe.embed, recipe.base_dir))
    except (CuratorError, OSError):
        weights = made_with["weights"]
    if weights != made_with["weights"]:
        return f"{title} found them, whose file has other weights now"
    return "" if made_with["decoder"] == DECODER_VERSION else "an older decoder read the pictures"


def suspects_news(project: Project) -> Text:
    """Say that the suspects of a project are of another network or of other settings than its recipe's, if they are."""
    made_with = read_made_with(project.paths.suspects)
    change = "" if made_with is None else find_change(made_with, project.recipe)
    if not change:
        return ""
    return (f"The suspects are out of date: {change}. ", Command("suspects"), " judges anew; no decision is lost.")
