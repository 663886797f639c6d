"""Label pictures with a saved model: files, and all that folders hold.

>>> find_pictures(["nowhere.jpg"])
Traceback (most recent call last):
curator.errors.CuratorError: There is nothing at nowhere.jpg. Name files or folders of pictures.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curator.errors import CuratorError, why
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.inspect.evaluate.choose_models import load_model, warnings_about
from curator.manifests.project import Project
from curator.sources.folder.walk import list_files
from curator.survey.folders import is_picture
from curator.text import Text

WORK = "labelling"
_WHAT = "Name files or folders of pictures."


@dataclass(frozen=True)
class Predictions:
    """What a model makes of pictures.

    Attributes:
        model: its name.
        table: a row a picture, see :meth:`curator.benchmark.saved_model.SavedModel.predict`.
        notes: for a person.
    """

    model: str
    table: pd.DataFrame
    notes: tuple[Text, ...] = ()

    @property
    def n_problems(self) -> int:
        """How many files have no label, as they are no usable picture."""
        return int((self.table["problem"] != "").sum())

    def to_json(self) -> dict[str, Any]:
        """Return a row a picture as values that JSON has."""
        rows = []
        for row in self.table.to_dict("records"):
            shares = {str(name)[2:]: round(float(row[name]), 6) for name in row if str(name).startswith("p_")}
            if row["problem"]:
                rows.append({"image": row["image"], "label": None, "problem": row["problem"]})
            else:
                probability = round(float(row["probability"]), 6)
                found = {"image": row["image"], "label": row["label"], "probability": probability}
                rows.append({**found, "probabilities": shares})
        return {"model": self.model, "predictions": rows}


def predict(project: Project, places: Sequence[str], name: str | None = None) -> Predictions:
    """Label the pictures at some places.

    Args:
        project: its data folder has the models, its ``[quality] max_pixels`` says what is too large.
        places: files, and folders, of which every picture is labelled, however deep; hidden ones are left out.
        name: the model; None: the most accurate that is saved.

    Raises:
        CuratorError: a place does not exist, or there is no picture.
        StateError: see :func:`curator.inspect.evaluate.choose_models.load_model`.
    """
    files = find_pictures(places)
    model = load_model(project, name)
    project.emit(WorkStarted(WORK, len(files)))
    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for one in pool.map(model.attempt, files):
                found.append(one)
                project.emit(WorkAdvanced(WORK))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            project.emit(WorkFinished(WORK))
    return Predictions(model.name, model.tabulate(files, found), tuple(warnings_about(project, model)))


def find_pictures(places: Sequence[str]) -> list[str]:
    """Return the files that are meant, each as it was named or below the folder as that was named."""
    files: list[str] = []
    for place in places:
        path = Path(place).expanduser()
        try:
            is_there, is_folder = path.exists(), path.is_dir()
        except (OSError, ValueError) as error:
            raise CuratorError(f"{place[:200]!r} cannot be looked at: {why(error)}.", _WHAT) from error
        if not is_there:
            raise CuratorError(f"There is nothing at {place}.", _WHAT)
        if not is_folder:
            files.append(str(path))
            continue
        root = path.resolve()
        inside = [name for name in list_files(root, Counter(), follow_links=True) if is_picture(root / name)]
        if not inside:
            raise CuratorError(f"There is no picture in {place}.", _WHAT)
        files += [str(path / name) for name in inside]
    if not files:
        raise CuratorError("There is no picture to label.", _WHAT)
    return list(dict.fromkeys(files))
