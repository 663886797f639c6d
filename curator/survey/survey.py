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

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curator.errors import CuratorError, SourceError
from curator.manifests.labels import label_problems
from curator.manifests.recipe import NAME_PATTERN
from curator.sources.reading.places import is_url, local_path
from curator.store.paths import RECIPE
from curator.survey.finding import Finding, join_findings
from curator.survey.folders import is_picture, survey_folder
from curator.survey.likeness import measure_likeness

_NOTHING_THERE = "Name a folder of pictures, a table (CSV, TSV, JSON, Parquet, XLSX), or an address of one."
_ONE_LABEL = (
    "Put the pictures of each label into a folder of its own, such as heron/ and stork/, name one folder a label "
    "(`--from herons --from storks`), or name a table with the columns path and label."
)
_ARCHIVES = (".zip", ".tar", ".tgz", ".rar", ".7z")


def survey(places: Sequence[str], labels: Sequence[str] = (), base_dir: Path = Path()) -> Finding:
    """Look at folders, tables and addresses of tables, all of one data set.

    Args:
        places: as a person wrote them.
        labels: the labels that are wanted; none: all that there are.
        base_dir: what relative places are relative to.

    Raises:
        SourceError: one of them is nothing that a data set can be made of, or together they have not two labels; says
            what was seen, and what to do.
    """
    found = join_findings([_survey_one(place, labels, base_dir) for place in places])
    if len(found.counts) < 2:
        [(label, n)] = found.counts.items()
        message = f"All {n:,} images of {' and '.join(places)} would be of one label, {label!r}: it takes at least two."
        raise SourceError(message, _ONE_LABEL)
    if problems := list(label_problems(found.labels)):
        hint = "Rename them where they are, or write the labels that you want after the name of the data set."
        raise SourceError(f"Not all that is there can be labels: {'; '.join(problems)}.", hint)
    return found


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


def _survey_one(place: str, labels: Sequence[str], base_dir: Path) -> Finding:
    path = local_path(place, base_dir)
    if is_url(place):
        raise NotImplementedError
    if path.is_dir():
        return survey_folder(place, base_dir, labels)
    if not path.exists():
        raise SourceError(f"There is nothing at {place}.", _NOTHING_THERE)
    if path.suffix.lower() in _ARCHIVES:
        raise SourceError(f"{place} is an archive.", f"Unpack it, and name the folder: `--from {path.stem}`.")
    if is_picture(path):
        raise SourceError(f"{place} is one picture.", "Name the folder that holds a sub-folder of pictures a label.")
    raise NotImplementedError
