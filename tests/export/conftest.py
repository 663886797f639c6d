"""A small curated data set with credits written by hostile strangers, and a picture that had to be turned upright."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.export.export import export_dataset, find_format
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import picture, recipe_text, small_project, write_folder

PER_CLASS = 12
CC_BY = "https://creativecommons.org/licenses/by/2.0/"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after the split: 12 images a label, 9 or 10 of them in train."""
    root = tmp_path_factory.mktemp("exported")
    folder = write_folder(root / "photos", PER_CLASS)
    turned = picture(77)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "rugby" / "000.jpg", quality=90, exif=exif)
    project = small_project(root, recipe_text(folder, PER_CLASS))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    rows = read_manifest(project.paths.manifest)
    rows["author"] = [f'Ann, "the" [x](javascript:1) {n}\n# no heading' for n in range(len(rows))]
    rows["title"] = "<script>alert(1)</script> *Größe*"
    rows["landing_url"] = [f"https://photos.example/{n}?a=(b)" for n in range(len(rows))]
    rows["license"] = [CC_BY if n % 2 else None for n in range(len(rows))]
    project.paths.manifest.write_text(manifest_text(rows), encoding="utf-8")
    return project


def exported(project: Project, name: str) -> Path:
    """Export and give the folder."""
    return export_dataset(project, find_format(name)).path
