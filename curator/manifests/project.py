"""A project: a checked recipe and where its files are; finds the recipe that a command means.

>>> find_recipe("no-such-recipe", Path("nowhere"), Path("nowhere"), {})
Traceback (most recent call last):
curator.errors.CuratorError: There is no recipe 'no-such-recipe'. `curator init mine --from photos` writes one of your \
photographs, `curator init birds heron stork` one of birds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curator.errors import CuratorError
from curator.events import Listener, ignore
from curator.manifests.owner import claim, is_same, refuse_other_owner
from curator.manifests.read_recipe import load_recipe
from curator.manifests.recipe import Recipe
from curator.manifests.toml_settings import suggest
from curator.store.paths import DATA, MANIFESTS, RECIPE, DataPaths, option_for
from curator.store.root import held, place_of, shown, working_place
from curator.text import Command

DEFAULT, SHIPPED = "rugby-soccer", frozenset(("rugby-soccer", "rugby-soccer-article"))
"""The recipe that is meant if none is named and only those that come with the project are there, and these: a single
other one is meant before them."""

_INIT = (
    "`curator init mine --from photos` writes one of your photographs, `curator init birds heron stork` one of birds."
)


@dataclass(frozen=True)
class Project:
    """What every stage needs: the recipe, its files, and who listens to events."""

    recipe: Recipe
    paths: DataPaths
    emit: Listener = ignore

    @property
    def option(self) -> str:
        """What a command needs to mean this data set, for pages that are read later."""
        path, by_name = self.recipe.path, working_place(MANIFESTS) / self.recipe.name / RECIPE
        named = path is None or is_same(path, by_name)
        usual = working_place(DATA) if path is None else place_of(path, DATA)
        data_root = None if is_same(self.paths.data_root, usual) else shown(self.paths.data_root)
        return option_for(self.recipe.name if named or path is None else str(shown(path)), data_root)

    def absolute(self) -> Project:
        """Return the same project with absolute paths, which hold when the process changes its folder."""
        path, paths = self.recipe.path, self.paths
        moved = DataPaths(held(paths.data_root), held(paths.manifest_folder), paths.name)
        return replace(self, recipe=replace(self.recipe, path=path and held(path)), paths=moved)

    def claim(self) -> None:
        """Let the folders that this recipe writes to remember it: called before the first of them is written.

        Raises:
            CuratorError: one is another recipe's.
        """
        for folder in self._folders:
            claim(folder, self.recipe.path)

    def refuse_other_owner(self) -> None:
        """Make sure that no other recipe owns these folders; see :meth:`claim`."""
        for folder in self._folders:
            refuse_other_owner(folder, self.recipe.path)

    @property
    def _folders(self) -> tuple[Path, ...]:
        """The data folder, and that of the manifest unless the recipe is in it."""
        path, manifests = self.recipe.path, self.paths.manifest_folder
        return (self.paths.folder,) if path is None or path.parent == manifests else (self.paths.folder, manifests)

    @property
    def most_command(self) -> Command:
        """The command that takes as many images of each label as there are; exact counts become their ratio."""
        split = self.recipe.split
        if not split.train or not split.test:
            return Command("split --per-class max")
        total = split.train + split.test + int(split.val or 0)
        val = f" --val {split.val / total:.4g}" if split.val else ""
        return Command(f"split --per-class max --ratio {split.train / total:.4g}{val}")


def open_project(
    recipe: str | None,
    data_root: str | Path | None,
    environment: Mapping[str, str],
    source_kinds: Mapping[str, type[Any]],
    emit: Listener = ignore,
    model_names: Sequence[str] = (),
) -> Project:
    """Find, read and check the recipe that ``--recipe`` (or its absence) means.

    Args:
        data_root: the folder that data sets are kept in; None: ``data`` in the recipe's project.
        source_kinds: source kind to its class: :func:`curator.sources.registry.source_kinds`.
        model_names: see :func:`curator.manifests.read_recipe.load_recipe`.

    Raises:
        CuratorError: no such recipe, or several and none chosen; or another one of the same name has the data folder.
        RecipeError: the recipe has mistakes.
    """
    data = Path(data_root) if data_root is not None else None
    path = find_recipe(recipe, working_place(MANIFESTS), data or working_place(DATA), environment)
    path = path if path.is_absolute() else shown(path)
    loaded = load_recipe(path, source_kinds, model_names)
    folder = path.parent if path.name == RECIPE else place_of(path, MANIFESTS) / loaded.name
    project = Project(loaded, DataPaths(data or place_of(path, DATA), folder, loaded.name), emit)
    project.refuse_other_owner()
    return project


def home_of_new_recipe(name: str, manifests: str | Path | None, data_root: str | Path | None) -> Path:
    """Return the folder that the recipe ``name`` gets its folder in: ``manifests``, by default the project's.

    Raises:
        CuratorError: another recipe has the data folder of this name.
    """
    homes = Path(manifests) if manifests is not None else working_place(MANIFESTS)
    recipe = homes / name / RECIPE
    data = Path(data_root) if data_root is not None else place_of(recipe, DATA)
    refuse_other_owner(data / name, recipe)
    return homes


def sources_of_new_recipe(homes: Path, name: str, data_root: str | Path | None = None) -> Path:
    """Return the folder that a recipe that is still to be written in ``homes`` will keep its lists in."""
    data = Path(data_root) if data_root is not None else place_of(homes / name / RECIPE, DATA)
    return DataPaths(data, homes / name, name).sources


def find_recipe(wanted: str | None, manifests: Path, data_root: Path, environment: Mapping[str, str]) -> Path:
    """Find a recipe's file: by path, by name, by ``$CURATOR_RECIPE``, or the only one there.

    Names are those under ``manifests``, and those of the data sets that keep their recipe with their data, as the
    demo does. Several, and none chosen, is an error: a plain ``curator fetch`` must not work on another than is meant.
    """
    wanted = wanted or environment.get("CURATOR_RECIPE") or None
    found = {path.parent.name: path for root in (data_root, manifests) for path in sorted(root.glob(f"*/{RECIPE}"))}
    names = sorted(found)
    if wanted is not None:
        path = Path(wanted).expanduser()
        is_named = wanted in found and found[wanted].parent.parent == manifests
        choices = (found[wanted] if is_named else None, path / RECIPE, path, found.get(wanted))
        if chosen := next((choice for choice in choices if choice and choice.is_file()), None):
            return chosen
        known = f" There are {', '.join(names)}." if names else ""
        raise CuratorError(f"There is no recipe {wanted!r}{suggest(wanted, names).rstrip('?')}.{known}", _INIT)
    own = [name for name in names if name not in SHIPPED] or names
    if len(own) == 1:
        return found[own[0]]
    if DEFAULT in found and set(names) <= SHIPPED:
        return found[DEFAULT]
    if not names:
        raise CuratorError(f"There is no recipe under {manifests}/, nor in a folder above.", _INIT)
    hint = f"Choose one: add `--recipe {shlex.quote(names[0])}` to the command, for instance."
    raise CuratorError(f"Which recipe? There are {', '.join(names)}.", hint)
