"""List a set as its publisher divided it: every picture once a row, its label, its side, and what it is called there.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("train/heron/1.jpg", "train/stork/2.jpg", "test/heron/3.jpg"):
...     (root / name).parent.mkdir(parents=True, exist_ok=True)
...     (root / name).touch()
>>> found = list_published([str(root)], root / "cache")
>>> found.table[["record_id", "label", "listed_split"]].to_numpy().tolist()[0]
['test/heron/3.jpg', 'heron', 'test']
>>> found.sides
('train', 'test')
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curator import catalog
from curator.errors import SourceError, StateError
from curator.events import Event, Remark
from curator.manifests.labels import LabelFinder
from curator.manifests.manifest import read_manifest
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.recipe import Recipe
from curator.manifests.recipe_template import compose_recipe
from curator.reasons import SPLITS
from curator.sources.base import ListingContext
from curator.sources.budget import within
from curator.sources.failures import as_source_error
from curator.sources.reading.places import is_url
from curator.sources.registry import source_kinds
from curator.sources.sides import side_of_name
from curator.store.image_store import makes_folders
from curator.store.paths import SUMS, DataPaths
from curator.survey.folders import is_picture
from curator.survey.survey import survey
from curator.text import Command, Text, plural, spell, was

WHAT_TO_NAME = (
    "Name a folder with train/ and test/ around the folders of the labels, the two as `curator audit train test`, a "
    "manifest.csv, or a folder with metadata.csv or Parquet files."
)
MANIFEST = "manifest.csv"
_BY_ORDER = {2: ("train", "test"), 3: SPLITS}
"""What places without sides of their own are, if their names do not say it."""


@dataclass(frozen=True)
class Published:
    """A set as it was published.

    Attributes:
        table: a catalog, sorted by ``record_id``, which is what an image is called in the set.
        labels: in the order in which a recipe would have them.
        kind: what the set is, in a few words.
        notes: what was chosen and left out, for a person.
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    kind: str
    notes: tuple[str, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that have images, in the order of :data:`curator.reasons.SPLITS`; one alone is no side."""
        found = set(self.table["listed_split"].dropna())
        return tuple(side for side in SPLITS if side in found) if len(found) > 1 else ()


def list_published(places: Sequence[str], cache: Path, columns: Mapping[str, str] | None = None) -> Published:
    """List what is at some places; nothing is written there.

    Args:
        places: folders and tables of one set, or one place a side, as a person wrote them.
        cache: where the pictures that Parquet files hold are written to, to be read as files.
        columns: what which column of a table is (``{"label": "species"}``).

    Raises:
        SourceError: there is no labelled picture there, or only one label; says what to do.
    """
    places = [one for place in places for one in _sides_of_data(place)]
    try:
        found = survey(places, cache_dir=cache, columns=columns)
    except SourceError as error:
        raise SourceError(error.message, _hint(error, places)) from error
    if all(side_of_name(label) for label in found.counts):
        message = f"The pictures of {' and '.join(places)} are in folders of sides, but in none of a label."
        raise SourceError(message, "Put those of each label into a folder of its own, such as train/heron/.")
    sources = [{key: _absolute(key, value) for key, value in source.items()} for source in found.sources]
    recipe = parse_recipe(compose_recipe("audit", found.labels, sources, {}), source_kinds())
    heard: list[str] = []
    rows, homes = _list_all(recipe, cache, {str(_absolute("path", place)): place for place in places}, heard)
    notes = list(dict.fromkeys(note.partition("; kept of each image")[0] for note in [*found.notes, *heard]))
    if not rows["listed_split"].notna().any():
        rows = _take_places_as_sides(rows, homes, places, notes)
    is_file = rows["local_path"].notna().to_numpy(dtype=bool)
    if not is_file.any():
        raise SourceError(f"Of the {len(rows):,} images of {' and '.join(places)} none is here.", _how_to_get(places))
    if n := int((~is_file).sum()):
        notes.append(f"{plural(n, 'image')} {'is' if n == 1 else 'are'} only addresses, and {was(n)} not looked at")
    table = _name(rows[is_file].reset_index(drop=True), cache)
    labels = tuple(label for label in recipe.labels if (table["label"] == label).any())
    return Published(table, labels, found.kind, tuple(notes))


def _sides_of_data(place: str) -> list[str]:
    """Return the folders of the sides in the data folder of a data set; any other place is itself.

    Raises:
        SourceError: the data set's images are in an object store, so that there are no such folders.
    """
    data = DataPaths.of_manifest(Path(place)).folder if Path(place).name == MANIFEST else Path(place)
    if not makes_folders(data):
        hint = ("Write them to a folder with ", Command("export imagefolder"), ", then audit that.")
        raise SourceError(f"The images of {place} are in an object store, and in no folder of theirs.", hint)
    if not Path(place, SUMS).is_file():
        return [place]
    return [str(Path(place, side)) for side in SPLITS if Path(place, side).is_dir()] or [place]


def _hint(error: SourceError, places: Sequence[str]) -> Text:
    """Return what to do: what a survey proposes for ``curator init`` helps nobody here."""
    if "Unpack it" in str(error.hint):
        return "Unpack it, and name the folder that comes out."
    if "`root" in str(error.hint):
        return _how_to_get(places) if Path(places[0]).name == MANIFEST else "Put the table where its files are."
    return WHAT_TO_NAME if any(sign in str(error.hint) for sign in ("--from", "curator init")) else error.hint


def _how_to_get(places: Sequence[str]) -> Text:
    if Path(places[0]).name == MANIFEST:
        return (Command.of("replay", places[0]), " requests them; then audit the manifest that it writes.")
    source = Command.of("init", "mine", options=("--from", places[0]))
    return ("Make a data set of the addresses first: ", source, ", then ", Command("fetch"), ".")


def _absolute(key: str, value: Any) -> Any:
    """Write a place so that it means the same from everywhere."""
    if key not in ("path", "root", "images"):
        return value
    if isinstance(value, list | tuple):
        return [_absolute(key, one) for one in value]
    return value if is_url(value) else os.path.abspath(Path(value).expanduser())  # noqa: PTH100


def _list_all(
    recipe: Recipe, cache: Path, places: Mapping[str, str], notes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """List every source; also return the place that each row comes from.

    Args:
        places: absolute path to what a person wrote.
        notes: gains what the sources say of rows that they leave out.
    """

    def hear(event: Event) -> None:
        if isinstance(event, Remark):
            notes.append(spell(event.message))

    finder = LabelFinder(dict.fromkeys(recipe.labels, ()) | dict(recipe.label_names))
    parts, homes = [], list[str]()
    for number, source in enumerate(recipe.sources):
        context = ListingContext(
            recipe.labels,
            cache,
            emit=hear,
            label_names=finder,
            has_namesake=number > 0,
            every_row=True,
            fetch=recipe.fetch,
        )
        first = source.path if isinstance(source.path, str) else source.path[0]
        home = next((typed for place, typed in places.items() if Path(first).is_relative_to(place)), first)
        with as_source_error(), within(recipe.lists, cache):
            rows = source.list_images(0, recipe.labels, context)
        if source.kind == "folder":  # what lies beside the pictures is none by its name, and the survey says so
            rows = rows[[is_picture(Path(path)) for path in rows["local_path"]]]
        if Path(first).name == MANIFEST:
            rows = _with_origins(rows, Path(first), notes)
        parts.append(rows)
        homes += [home] * len(rows)
    return pd.concat(parts, ignore_index=True), homes


def _with_origins(rows: pd.DataFrame, manifest: Path, notes: list[str]) -> pd.DataFrame:
    """Name the source of each image as its manifest does; one of curator that was changed is told."""
    try:
        listed = read_manifest(manifest)
    except StateError as error:
        if DataPaths.of_manifest(manifest).made_with.exists():  # else it is another tool's table of that name
            notes.append(f"The manifest is not as curator wrote it: {error.message}")
        return rows
    source_of = dict(zip(listed["file"], listed["source"], strict=True))
    names = ["/".join(Path(path).parts[-3:]) if isinstance(path, str) else "" for path in rows["local_path"].tolist()]
    known = [source_of.get(name, source) for name, source in zip(names, rows["source"].tolist(), strict=True)]
    return catalog.with_columns(rows, {"source": known})


def _take_places_as_sides(
    rows: pd.DataFrame, homes: Sequence[str], places: Sequence[str], notes: list[str]
) -> pd.DataFrame:
    """Take each place as a side if they share a label: by their names, else the first is train, the last test."""
    several = [place for place in places if place in set(homes)]
    by_label = rows.groupby("label").agg(n=("label", lambda part: len({homes[row] for row in part.index})))
    if len(several) < 2 or by_label["n"].max() < 2:
        return rows
    sides = [side_of_name(Path(place).name) for place in several]
    if None in sides or len(set(sides)) < len(sides):
        if len(several) not in _BY_ORDER:
            notes.append(f"There are {len(several)} places, and their names do not say which is train and which test")
            return rows
        sides = list(_BY_ORDER[len(several)])
        told = ", ".join(f"{place} as {side}" for place, side in zip(several, sides, strict=True))
        notes.append(f"Each place is a side, in the order in which they were named: {told}")
    side_of_home = dict(zip(several, sides, strict=True))
    return catalog.with_columns(rows, {"listed_split": [side_of_home.get(home) for home in homes]})


def _name(rows: pd.DataFrame, cache: Path) -> pd.DataFrame:
    """Call each image what the set calls it: its file, from the folder around all of them, or its row in a table."""
    paths = rows["local_path"].tolist()
    held = [path.startswith(f"{cache.absolute()}/") for path in paths]
    files = [path for path, is_held in zip(paths, held, strict=True) if not is_held]
    top = os.path.commonpath([os.path.dirname(path) for path in files]) if files else ""  # noqa: PTH120
    names = [
        str(source_id) if is_held else os.path.relpath(path, top)
        for path, source_id, is_held in zip(paths, rows["source_id"], held, strict=True)
    ]
    again = pd.Series(names).groupby(names).cumcount().tolist()
    names = [f"{name} ({n + 1})" if n else name for name, n in zip(names, again, strict=True)]
    named = catalog.with_columns(rows, {"record_id": names})
    return named.sort_values("record_id", ignore_index=True)
