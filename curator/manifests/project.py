"""A project: a checked recipe and where its files are; finds the recipe that a command means.

>>> find_recipe("no-such-recipe", Path("nowhere"), {})
Traceback (most recent call last):
curator.errors.CuratorError: There is no recipe 'no-such-recipe'. `curator init NAME LABEL LABEL` writes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.errors import CuratorError
from curator.events import Listener, ignore
from curator.manifests.read_recipe import load_recipe
from curator.manifests.recipe import Recipe
from curator.manifests.toml_settings import suggest
from curator.store.paths import MANIFESTS, RECIPE, DataPaths, option_for
from curator.text import Command

DEFAULT = "rugby-soccer"
_INIT = "`curator init NAME LABEL LABEL` writes one."


@dataclass(frozen=True)
class Project:
    """What every stage needs: the recipe, its files, and who listens to events."""

    recipe: Recipe
    paths: DataPaths
    emit: Listener = ignore

    @property
    def option(self) -> str:
        """What a command needs to mean this data set, for pages that are read later."""
        named = self.recipe.path in (None, MANIFESTS / self.recipe.name / RECIPE)
        return option_for(self.recipe.name if named else str(self.recipe.path), self.paths.data_root)

    @property
    def most_command(self) -> Command:
        """The command that takes as many images of each label as there are; exact counts become their ratio."""
        split = self.recipe.split
        ratio = f" --ratio {split.train / (split.train + split.test):.4g}" if split.train and split.test else ""
        return Command(f"split --per-class max{ratio}")


def open_project(
    recipe: str | None,
    data_root: Path,
    environment: Mapping[str, str],
    source_kinds: Mapping[str, type[Any]],
    emit: Listener = ignore,
    model_names: Sequence[str] = (),
) -> Project:
    """Find, read and check the recipe that ``--recipe`` (or its absence) means.

    Args:
        source_kinds: source kind to its class: :func:`curator.sources.registry.source_kinds`.
        model_names: see :func:`curator.manifests.read_recipe.load_recipe`.

    Raises:
        CuratorError: no such recipe, or several and none chosen.
        RecipeError: the recipe has mistakes.
    """
    path = find_recipe(recipe, MANIFESTS, environment)
    loaded = load_recipe(path, source_kinds, model_names)
    folder = path.parent if path.name == RECIPE else MANIFESTS / loaded.name
    return Project(loaded, DataPaths(data_root, folder, loaded.name), emit)


def find_recipe(wanted: str | None, manifests: Path, environment: Mapping[str, str]) -> Path:
    """Find a recipe's file: by path, by name under ``manifests``, by ``$CURATOR_RECIPE``, or the only one there."""
    wanted = wanted or environment.get("CURATOR_RECIPE") or None
    names = sorted(path.parent.name for path in manifests.glob(f"*/{RECIPE}"))
    if wanted is not None:
        path = Path(wanted).expanduser()
        choices = (manifests / wanted / RECIPE if wanted in names else None, path / RECIPE, path)
        if found := next((choice for choice in choices if choice and choice.is_file()), None):
            return found
        known = f" There are {', '.join(names)}." if names else ""
        raise CuratorError(f"There is no recipe {wanted!r}{suggest(wanted, names).rstrip('?')}.{known}", _INIT)
    if len(names) == 1 or DEFAULT in names:
        return manifests / (names[0] if len(names) == 1 else DEFAULT) / RECIPE
    if not names:
        raise CuratorError(f"There is no recipe under {manifests}/.", _INIT)
    raise CuratorError(f"Which recipe? There are {', '.join(names)}.", "Choose one with --recipe NAME.")
