"""Formats that other tools read, each made from the manifest and its images.

>>> [form.name for form in FORMATS]
['imagefolder', 'keras', 'webdataset', 'parquet', 'tfrecord', 'croissant', 'coco']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from curator.benchmark.metrics_file import read_metrics
from curator.errors import CuratorError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.export import coco, croissant, imagefolder, keras, parquet, tfrecord, webdataset
from curator.export.attribution import attribution_text
from curator.export.data_card import card_text
from curator.export.material import WORK, Format, Material, gather
from curator.export.places import choose_place, replaced_folder
from curator.export.resizing import Resizing, write_resized
from curator.manifests.manifest import resized_manifest_text
from curator.manifests.project import Project
from curator.manifests.toml_settings import suggest
from curator.store.catalog_files import file_digest
from curator.store.lock import locked
from curator.store.paths import EXPORT_CARD, EXPORT_CREDITS, DataPaths
from curator.store.whole_files import remove_folder
from curator.text import plural

FORMATS: tuple[Format, ...] = (
    imagefolder.FORMAT,
    keras.FORMAT,
    webdataset.FORMAT,
    parquet.FORMAT,
    tfrecord.FORMAT,
    croissant.FORMAT,
    coco.FORMAT,
)


def find_format(name: str) -> Format:
    """Return the format that has this name, or that people call so.

    Raises:
        CuratorError: there is none.

    >>> find_format("hf").name, find_format("TensorFlow").name
    ('parquet', 'tfrecord')
    """
    by_name = {called: form for form in FORMATS for called in (form.name, *form.also)}
    plain = re.sub(r"[\s_.]+", "-", name.strip().lower())
    if plain not in by_name:
        message = f"There is no format {name!r}{suggest(plain, by_name) or '.'}"
        raise CuratorError(message, f"There are {', '.join(form.name for form in FORMATS)}.")
    return by_name[plain]


_RESIZING = "resizing"


@dataclass(frozen=True)
class Exported:
    """What an export wrote: the format, its folder, and how many images are in it."""

    form: Format
    path: Path
    n_images: int

    def __repr__(self) -> str:
        return f"Exported({self.form.name!r}, {plural(self.n_images, 'image')}: {self.path})"


def export_dataset(
    project: Project,
    form: Format,
    output: str | Path | None = None,
    resizing: Resizing | None = None,
    home: str = "",
    select: Callable[[Material], Material] = lambda material: material,
) -> Exported:
    """Write one format, whole, in place of an earlier export.

    What a killed export left is removed first. The same manifest produces the same bytes, whatever was there before.

    Args:
        project: the data set.
        form: the format.
        output: the folder to write to; None: ``data/<name>/exports/<format>``.
        resizing: the size to bring the pictures to; None: they are the files of the train and test folders.
        home: the name of its folder below ``exports``; empty: the format's.
        select: returns what is to be exported of the data set.

    Raises:
        StateError: there is no manifest, or an image is missing or does not decode.
        CuratorError: the output folder holds what no export wrote.
        DiskError: the disk refused; the earlier export is kept.
        LockedError: another command is at work on the data set.
    """
    with locked(project.paths.lock, f"export {form.name}"):
        return write_export(project, form, output, resizing, home, select)


def write_export(
    project: Project,
    form: Format,
    output: str | Path | None,
    resizing: Resizing | None,
    home: str,
    select: Callable[[Material], Material],
) -> Exported:
    """Do what :func:`export_dataset` does, for one who holds the data set's lock."""
    paths = project.paths
    final = choose_place(output, paths.export(home or form.name))
    whole = gather(project)
    material = select(whole)
    made_of = {"manifest": file_digest(paths.manifest)}
    with replaced_folder(final, made_of) as new, _resized(material, resizing, final, project) as ready:
        project.emit(WorkStarted(WORK, len(material.rows)))
        form.write(ready, new)
        if resizing is not None:
            size = f"({resizing.side_px}, {resizing.side_px})"
            form = replace(form, snippet=form.snippet.replace("(224, 224)", size))
        _write_cards(ready, whole.rows, form, paths, new)
        project.emit(WorkFinished(WORK))
    return Exported(form, final if output is None else Path(output), len(material.rows))


@contextmanager
def _resized(material: Material, resizing: Resizing | None, final: Path, project: Project) -> Iterator[Material]:
    """Lend the material with its pictures resized, in a folder that is removed afterwards."""
    if resizing is None:
        yield material
        return
    folder = final.with_name(f".curator-resized-{final.name}")
    remove_folder(folder)
    try:
        material.emit(WorkStarted(_RESIZING, len(material.rows)))
        advance = partial(material.emit, WorkAdvanced(_RESIZING))
        max_pixels = project.recipe.quality.max_pixels
        rows = write_resized(material.rows, material.path, folder, resizing, max_pixels, advance)
        material.emit(WorkFinished(_RESIZING))
        yield replace(material, rows=rows, folder=folder, names={}, resizing=resizing)
    finally:
        remove_folder(folder)


def _write_cards(material: Material, whole: pd.DataFrame, form: Format, paths: DataPaths, folder: Path) -> None:
    """Write what every export holds: the whole manifest, the data card and the credits."""
    manifest = paths.manifest.read_bytes()
    if material.resizing is not None:
        manifest = resized_manifest_text(material.rows, whole).encode("utf-8")
    (folder / paths.manifest.name).write_bytes(manifest)
    metrics = read_metrics(paths.metrics) or {}
    on_this = metrics.get("hashes", {}).get("manifest") == file_digest(paths.manifest)
    card = card_text(material, form, metrics["confounds"] if on_this else None)
    (folder / EXPORT_CARD).write_bytes(card.encode("utf-8"))
    (folder / EXPORT_CREDITS).write_bytes(attribution_text(material).encode("utf-8"))
