"""Look at what a person has, folders and tables, and propose the recipe that makes a data set of it.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("heron/1.jpg", "stork/1.jpg"):
...     (root / name).parent.mkdir()
...     (root / name).touch()
>>> found = survey([str(root)])
>>> dict(found.counts), propose_sections(found)
({'heron': 1, 'stork': 1}, {'balance': {'per_class': 'max'}, 'split': {'ratio': 0.8}})
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curator.errors import CuratorError, SourceError, why
from curator.manifests.labels import label_problems
from curator.manifests.recipe import NAME_PATTERN
from curator.manifests.settings import ListSettings
from curator.sources.base import most_frequent
from curator.sources.budget import within
from curator.sources.failures import as_source_error
from curator.sources.reading.places import is_url, local_path
from curator.sources.sides import side_of
from curator.sources.url_list.columns import SeveralLabelsError, column_problems
from curator.sources.url_list.table_files import ENDINGS, WILD, matching
from curator.sources.video.place_videos import is_video
from curator.store.paths import RECIPE
from curator.survey.annotations import survey_coco
from curator.survey.finding import Finding, join_findings, once_each
from curator.survey.folders import is_picture, survey_folder
from curator.survey.likeness import measure_likeness
from curator.survey.table_root import speaks_of_pictures
from curator.survey.tables import has_metadata, survey_table
from curator.survey.videos import survey_videos
from curator.text import Text

_NOTHING_THERE = "Name a folder of pictures, a table (CSV, TSV, JSON, Parquet, XLSX), or an address of one."
_ONE_LABEL = (
    "Put the pictures of each label into a folder of its own, such as heron/ and stork/, name one folder a label "
    "(`--from herons --from storks`), or name a table with a column `label`."
)
_NO_COLUMN = (
    "No column of the table is known to be the labels: say which one is, as in `--column label=species`, or name "
    "several tables, one for each label."
)
_ARCHIVES = (".zip", ".tar", ".tgz", ".rar", ".7z")


def survey(
    places: Sequence[str],
    labels: Sequence[str] = (),
    base_dir: Path = Path(),
    cache_dir: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Finding:
    """Look at folders, tables and addresses of tables, all of one data set.

    Args:
        places: as a person wrote them.
        labels: the labels that are wanted; none: all that there are.
        base_dir: what relative places are relative to.
        cache_dir: where tables from addresses are kept, so that a fetch reads them from there; none: nowhere.
        columns: what which column is (``{"label": "species"}``): then each place is read as a table.

    Raises:
        SourceError: one of them is nothing that a data set can be made of, or together they have not two labels; says
            what was seen, and what to do.
    """
    for place in places:
        _refuse_unreadable(place, base_dir)
    places = [one for place in places for one in _folders_of(place, base_dir)]
    once = {place if is_url(place) else str(local_path(place, base_dir).resolve()): place for place in places}
    if problems := list(column_problems(columns or {})):
        raise SourceError(f"The columns cannot be as named: {problems[0]}.", "`--column label=species`, for instance.")
    parts = {}
    for place in once.values():
        try:
            with as_source_error(), within(ListSettings(), cache_dir):
                parts[place] = _survey_one(place, labels, base_dir, cache_dir, columns)
        except SourceError as error:
            message = f"{place}: {error.message}" if error.message.startswith("it ") else error.message
            raise SourceError(message, _within_recipe(error)) from error
    found = join_findings(once_each(parts))
    _refuse_unusable(found, places, labels)
    return found


def _within_recipe(error: SourceError) -> Text:
    """Say where a limit is raised: what is only being looked at has no recipe yet."""
    if "under [lists]" not in str(error.hint):
        return error.hint
    return f"{error.hint} (`curator init` without --from writes one; add this place to it as a [[sources]] table.)"


def _refuse_unusable(found: Finding, places: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse what has not two labels, or not those that are wanted, or some that cannot be any."""
    if missing := [label for label in labels if not found.counts[label]]:
        has = most_frequent(found.counts) or "nothing of the others either"
        message = f"There is no image of {', '.join(missing)} in {' and '.join(places)}: there is {has}."
        raise SourceError(message, "Name labels as they are called there, or none: `curator init` then finds them.")
    if len(found.counts) < 2:
        [(label, n)] = found.counts.items()
        all_of_it = "The 1 image" if n == 1 else f"All {n:,} images"
        message = f"{all_of_it} of {' and '.join(places)} would be of one label, {label!r}: it takes at least two."
        is_unnamed = any(source["kind"] == "url-list" and source.get("label") for source in found.sources)
        raise SourceError(message, _NO_COLUMN if is_unnamed else _ONE_LABEL)
    if problems := list(label_problems(found.labels)):
        hint = "Rename them where they are, or write the labels that you want after the name of the data set."
        raise SourceError(f"Not all that is there can be labels: {'; '.join(problems)}.", hint)


def refuse_name(name: str, manifests: Path) -> None:
    """Refuse a name that cannot be one, or is taken, before a long look at what there is.

    Raises:
        CuratorError: it is.
    """
    if not NAME_PATTERN.fullmatch(name):
        message = f"The name {name!r} must be lower-case letters, digits, - and _ only."
        raise CuratorError(message, "`curator init birds --from photos` names a data set birds.")
    if (path := manifests / name / RECIPE).exists():
        raise CuratorError(f"The recipe {path} exists already.", "Edit it, remove it, or choose another name.")


def propose_sections(found: Finding) -> dict[str, dict[str, Any]]:
    """Propose the sections of a recipe: sides that exist are kept, and pictures that are alike are not dropped."""
    sections: dict[str, dict[str, Any]] = {"balance": {"per_class": "max"}, "split": {"ratio": 0.8}}
    if len(found.sides) > 1:
        sections["split"] = {"keep": True}
    if found.files and measure_likeness(found.files).is_alike:
        sections["dedupe"] = {"mode": "exact"}
    return sections


def _survey_one(
    place: str, labels: Sequence[str], base_dir: Path, cache_dir: Path | None, columns: Mapping[str, str] | None
) -> Finding:
    path = local_path(place, base_dir)
    if columns and (is_url(place) or path.exists()):
        if found := survey_table([place], base_dir, labels, cache_dir, columns):
            return found
        raise SourceError(f"{place} holds no table.", _NOTHING_THERE)
    if path.is_dir() and not is_url(place):
        return _survey_inside(place, labels, base_dir)
    if not is_url(place) and not path.exists() and not any(sign in place for sign in "*?["):
        raise SourceError(f"There is nothing at {place}.", _NOTHING_THERE)
    if path.suffix.lower() in _ARCHIVES:
        raise SourceError(f"{place} is an archive.", f"Unpack it, and name the folder: `--from {path.stem}`.")
    if is_video(path.name) and path.is_file() and (found := survey_videos(place, base_dir, labels)):
        return found
    if is_picture(path):
        raise SourceError(f"{place} is one picture.", "Name the folder that holds a sub-folder of pictures a label.")
    places = [place]
    found = survey_coco(places, base_dir, labels, cache_dir) or survey_table(places, base_dir, labels, cache_dir)
    if found is None:
        raise SourceError(f"{place} holds no table.", _NOTHING_THERE)
    return found


def _refuse_unreadable(place: str, base_dir: Path) -> None:
    """Refuse a path that the system or a recipe cannot name, or that may not be looked at."""
    if is_url(place):
        return
    try:
        str(local_path(place, base_dir).resolve()).encode()
        local_path(place, base_dir).is_dir()
    except UnicodeEncodeError as error:
        what = f"The path {place!a} is not UTF-8, which a recipe cannot name."
        raise SourceError(what, "Rename the folder, or link to it by another name.") from error
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself is a RuntimeError, a NUL a ValueError
        raise SourceError(f"{place[:200]!r} cannot be read: {why(error)}.", _NOTHING_THERE) from error


def _folders_of(place: str, base_dir: Path) -> list[str]:
    """Return what a pattern of folders means, as a shell does; of ``photos/*`` the folder around all of them."""
    path = local_path(place, base_dir)
    if is_url(place) or not WILD.search(place) or path.exists():
        return [place]
    found = sorted(one for one in matching(path) if not one.name.startswith("."))
    if not any(one.is_dir() for one in found):
        return [place]
    if path.name == "*" and not WILD.search(str(path.parent)):
        return [str(Path(place).parent)]
    found = [one for one in found if one.is_dir() or one.name.lower().removesuffix(".gz").endswith(ENDINGS)]
    return [str(one) if Path(place).is_absolute() else os.path.relpath(one, base_dir) for one in found]


def _survey_inside(place: str, labels: Sequence[str], base_dir: Path) -> Finding:
    """Look at a folder: of annotations or a table with their pictures, of pictures, or of tables."""
    if found := survey_coco([place], base_dir, labels):
        return found
    if has_metadata(local_path(place, base_dir)):
        return survey_table([place], base_dir, labels) or survey_folder(place, base_dir, labels)
    try:
        pictures = survey_folder(place, base_dir, labels)
    except SourceError:
        tables = survey_table([place], base_dir, labels) or _survey_sides(place, labels, base_dir)
        if found := tables or survey_videos(place, base_dir, labels):
            return found
        raise
    is_labelled = not all(map(speaks_of_pictures, pictures.counts))
    if len(pictures.counts) > 1 and is_labelled and pictures.sources[0].get("layout") != "names":
        return pictures
    try:  # pictures that are in no folder of a label may have a table beside them that says more
        found = survey_table([place], base_dir, labels)
    except SourceError as error:
        if len(pictures.counts) < 2 and isinstance(error.__cause__, SeveralLabelsError):
            raise
        return pictures
    return found if found and (len(found.counts) > 1 or len(pictures.counts) < 2) else pictures


def _survey_sides(place: str, labels: Sequence[str], base_dir: Path) -> Finding | None:
    """Look at folders ``train``, ``val`` and ``test`` that have annotations or a table each; None if none has."""
    folders = sorted(path for path in local_path(place, base_dir).iterdir() if path.is_dir() and side_of(path.name))
    places = [str(Path(place) / path.name) for path in folders]
    found = [survey_coco([one], base_dir, labels) or survey_table([one], base_dir, labels) for one in places]
    known = [one for one in found if one]
    return join_findings(known) if known else None
