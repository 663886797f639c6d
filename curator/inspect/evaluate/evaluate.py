"""Evaluate saved models on another set, where it lies; what they saw in training is set apart and reported by itself.

>>> evaluate.__annotations__["return"]
'Evaluation'
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator import catalog
from curator.benchmark.saved_model import Probabilities, SavedModel, list_saved
from curator.catalog import IntArray
from curator.decide.dedupe import describe_narrower
from curator.embed.squares import PixelArray, read_square
from curator.errors import CuratorError, SourceError, StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.inspect.audit.homes import choose_cache, refuse_addresses
from curator.inspect.audit.listed import Published, list_published
from curator.inspect.audit.observed import MAX_PIXELS, observe_in_place, with_observations
from curator.inspect.audit.shared_groups import join_groups
from curator.inspect.evaluate.choose_models import choose_names, load_model, warnings_about
from curator.inspect.evaluate.evaluation import Evaluation, measure
from curator.inspect.evaluate.own_labels import map_labels
from curator.inspect.evaluate.trained_on import Seen, find_seen, read_known, read_trained_on
from curator.manifests.project import Project
from curator.manifests.settings import DedupeSettings
from curator.store.lock import locked
from curator.store.paths import LOCK
from curator.text import Command, Text, plural, spell, was

WORK = "labelling"
_WHAT_TO_NAME: Text = (
    "Name a folder with a sub-folder of pictures for each label (its sides, train/ and test/, may be around them), a "
    "manifest.csv, or a table; ",
    Command("predict PATH"),
    " labels pictures that have no label.",
)
_BYTES_ONLY = "More pictures look alike than can be told apart by looks: only files of the same bytes count as seen"


def evaluate(
    project: Project,
    places: Sequence[str],
    names: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> Evaluation:
    """Evaluate models on a set, which is left as it is; see :meth:`curator.Dataset.evaluate`.

    Raises:
        StateError: no model is saved, or one is damaged.
        SourceError: there is no set of labelled pictures at the places.
        CuratorError: a label of the set means none of a model's; one paragraph says what to write.
    """
    refuse_addresses(places, "evaluated")
    saved = choose_names(list_saved(project.paths.benchmark_models), names)
    models = [load_model(project, name) for name in saved]
    if not places:
        raise CuratorError("There is no set to evaluate on.", _WHAT_TO_NAME)
    home = choose_cache(places, cache, "evaluated")
    with locked(home / LOCK, "evaluate"):
        published = _list(places, home, columns)
        known = dict(project.recipe.label_names)
        meant = _map_all(published, models, known, labels or {})
        seen = observe_in_place(published.table["local_path"].tolist(), home / "seen", project.emit)
        published = dataclasses.replace(published, table=with_observations(published.table, seen))
        return _evaluate(project, places, published, models, meant)


def _list(places: Sequence[str], home: Path, columns: Mapping[str, str] | None) -> Published:
    try:
        return list_published(places, home, columns)
    except SourceError as error:
        if any(sign in spell(error.hint or "") for sign in ("audit", "--from", "of each label")):
            raise SourceError(error.message, _WHAT_TO_NAME) from error
        raise


def _map_all(
    published: Published, models: Sequence[SavedModel], names: Mapping[str, Sequence[str]], said: Mapping[str, str]
) -> dict[str, str | None]:
    """Map the set's labels to the models', which must agree on them."""
    maps = [map_labels(published.labels, model.labels, names, said) for model in models]
    if any(one != maps[0] for one in maps):
        told = "; ".join(f"{model.name} has {', '.join(model.labels)}" for model in models)
        raise CuratorError(f"The models have other labels than each other: {told}.", "Name one with --model.")
    return maps[0]


def _evaluate(
    project: Project,
    places: Sequence[str],
    published: Published,
    models: Sequence[SavedModel],
    meant: Mapping[str, str | None],
) -> Evaluation:
    table, notes = _usable(published, meant)
    found, problems = _label(project, table, models)
    is_read = np.array([not problem for problem in problems], dtype=bool)
    if not is_read.all():
        notes.append(f"{plural(int((~is_read).sum()), 'file')} could not be read: {next(filter(None, problems))}")
        table = table[is_read].reset_index(drop=True)
    if table.empty:
        raise SourceError(f"No image of {' and '.join(places)} could be labelled.", notes[-1] if notes else "")
    parts, figures, compared = [], {}, dict[tuple[str, ...], tuple[Seen, int]]()
    for model, of_model in zip(models, found, strict=True):
        trained = read_trained_on(model)
        key = tuple(trained["sha256"])
        if key not in compared:  # models of one benchmark saw the same images
            compared[key] = _compare(project, table, trained)
        seen, n_unknown = compared[key]
        answers = [one for one, good in zip(of_model, is_read, strict=True) if good and not isinstance(one, str)]
        rows = _tabulate(table, meant, model, answers, seen)
        figures[model.name] = measure(rows, model, join_groups(table, seen.groups))
        parts.append(rows)
        notes += [*_cautions(seen, n_unknown), *warnings_about(project, model)]
    whole = pd.concat(parts, ignore_index=True)
    return Evaluation(tuple(places), published, meant, whole, figures, (*published.notes, *dict.fromkeys(notes)))


def _compare(project: Project, table: pd.DataFrame, trained: pd.DataFrame) -> tuple[Seen, int]:
    """Find what was seen in training, and count the training images that can be compared by their bytes only."""
    known = read_known(project, trained, project.paths.benchmark_cache / "seen", project.emit)
    return find_seen(table, trained, known), int((~trained["sha256"].isin(known["sha256"])).sum())


def _usable(published: Published, meant: Mapping[str, str | None]) -> tuple[pd.DataFrame, list[Text]]:
    """Return the images to label, and what was left out."""
    rows, notes = published.table, list[Text]()
    is_good = catalog.is_kept(rows)
    if n := int((~is_good).sum()):
        first = rows[~is_good].iloc[0]
        told = f"{first['record_id']}: {first['drop_reason']}, {first['drop_detail']}"
        notes.append(f"{plural(n, 'file is no usable picture', 'files are no usable pictures')}: {told}")
    is_meant = rows["label"].map(lambda label: meant.get(label) is not None).to_numpy(dtype=bool)
    if n := int((is_good & ~is_meant).sum()):
        out = ", ".join(label for label, one in meant.items() if one is None)
        notes.append(f"{plural(n, 'image')} of {out} {was(n)} left out")
    return rows[is_good & is_meant].reset_index(drop=True), notes


def _cautions(seen: Seen, n_unknown: int) -> list[Text]:
    found: list[Text] = [_BYTES_ONLY]
    if seen.n_compared is not None:
        found = [*describe_narrower(seen.n_compared, DedupeSettings())]
    if n_unknown:
        what = plural(n_unknown, "training image", "training images")
        found.append(f"{what} cannot be looked at any more: they were compared by their bytes only")
    return found


def _label(
    project: Project, table: pd.DataFrame, models: Sequence[SavedModel]
) -> tuple[list[list[Probabilities | str]], list[str]]:
    """Let each model label each image, decoded once a side; also return what keeps an image from being read."""
    files, sha256s = table["local_path"].tolist(), table["sha256"].tolist()
    sides = sorted({model.side for model in models})

    def attempt(number: int) -> tuple[list[Probabilities | str], str]:
        try:
            squares: dict[int, PixelArray] = {
                side: read_square(Path(files[number]), sha256s[number], side, MAX_PIXELS) for side in sides
            }
        except StateError as error:
            return [error.message] * len(models), error.message
        return [model.run_image(squares[model.side]) for model in models], ""

    project.emit(WorkStarted(WORK, len(table)))
    done: list[tuple[list[Probabilities | str], str]] = []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for one in pool.map(attempt, range(len(table))):
            done.append(one)
            project.emit(WorkAdvanced(WORK))
    finally:
        pool.shutdown(cancel_futures=True)
        project.emit(WorkFinished(WORK))
    return [[answers[place] for answers, _ in done] for place in range(len(models))], [problem for _, problem in done]


def _tabulate(
    table: pd.DataFrame, meant: Mapping[str, str | None], model: SavedModel, answers: Sequence[Any], seen: Seen
) -> pd.DataFrame:
    """Make a model's rows of :attr:`curator.inspect.evaluate.evaluation.Evaluation.table`."""
    shares = np.array(answers)
    best: IntArray = shares.argmax(axis=1)
    true = [meant[label] for label in table["label"]]
    predicted = [model.labels[place] for place in best]
    return pd.DataFrame(
        {
            "image": table["record_id"].tolist(),
            "label": true,
            "side": table["listed_split"].astype(object).where(table["listed_split"].notna(), None).tolist(),
            "model": model.name,
            "predicted": predicted,
            "probability": shares.max(axis=1).astype(float).round(6),
            "is_right": [one == other for one, other in zip(true, predicted, strict=True)],
            "seen_as": pd.Series([one if is_seen else None for one, is_seen in zip(seen.of, seen.is_seen, strict=True)],
                                 dtype=object),
            "is_exact": seen.is_exact,
        }
    )  # fmt: skip
