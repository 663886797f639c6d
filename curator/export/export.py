"""Formats that other tools read, each made from the manifest and its images.

>>> [form.name for form in FORMATS]
['imagefolder', 'keras', 'webdataset', 'parquet', 'tfrecord', 'croissant', 'coco']
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from curator.benchmark.metrics_file import read_metrics
from curator.errors import CuratorError
from curator.events import WorkFinished, WorkStarted
from curator.export import coco, croissant, imagefolder, keras, parquet, tfrecord, webdataset
from curator.export.attribution import attribution_text
from curator.export.data_card import card_text
from curator.export.material import WORK, Format, Material, gather
from curator.manifests.project import Project
from curator.manifests.toml_settings import suggest
from curator.store.catalog_files import file_digest
from curator.store.image_files import sync_files
from curator.store.lock import locked
from curator.store.paths import EXPORT_CARD, EXPORT_CREDITS, DataPaths
from curator.store.whole_files import disk_errors, remove_folder

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
    """Return the format of that name.

    Raises:
        CuratorError: there is none.
    """
    by_name = {form.name: form for form in FORMATS}
    if name not in by_name:
        message = f"There is no format {name!r}{suggest(name, by_name).rstrip('?')}."
        raise CuratorError(message, f"There are {', '.join(by_name)}.")
    return by_name[name]


@dataclass(frozen=True)
class Exported:
    """What an export wrote: the format, its folder, and how many images are in it."""

    form: Format
    path: Path
    n_images: int


def export_dataset(project: Project, form: Format) -> Exported:
    """Write one format, whole, in place of an earlier export.

    What a killed export left is removed first. The same manifest produces the same bytes, whatever was there before.

    Raises:
        StateError: there is no manifest, or an image is missing.
        DiskError: the disk refused; the earlier export is kept.
        LockedError: another command is at work on the data set.
    """
    paths = project.paths
    with locked(paths.lock, f"export {form.name}"):
        material = gather(project)
        project.emit(WorkStarted(WORK, len(material.rows)))
        final = paths.export(form.name)
        new = final.with_name(f".new-{form.name}")
        with disk_errors(final):
            remove_folder(new)
            new.mkdir(parents=True)
            form.write(material, new)
            _write_cards(material, form, paths, new)
            sync_files(new, [str(path) for path in new.rglob("*") if path.is_file()])
            old = final.with_name(f".old-{final.name}")
            remove_folder(old)
            if final.exists():
                final.rename(old)
            new.rename(final)
            remove_folder(old)
        project.emit(WorkFinished(WORK))
    return Exported(form, final, len(material.rows))


def _write_cards(material: Material, form: Format, paths: DataPaths, folder: Path) -> None:
    """Write what every export holds: the manifest, the data card and the credits."""
    shutil.copyfile(paths.manifest, folder / paths.manifest.name)
    metrics = read_metrics(paths.metrics) or {}
    on_this = metrics.get("hashes", {}).get("manifest") == file_digest(paths.manifest)
    card = card_text(material, form, metrics["confounds"] if on_this else None)
    (folder / EXPORT_CARD).write_bytes(card.encode("utf-8"))
    (folder / EXPORT_CREDITS).write_bytes(attribution_text(material).encode("utf-8"))
