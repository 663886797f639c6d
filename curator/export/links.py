"""Formats whose images are files: hard links to the files of the folders, so that an export costs no space.

>>> split_file_name("train/rugby/folder-01.jpg")
'rugby/folder-01.jpg'
"""

from __future__ import annotations

from pathlib import Path

from curator.export.material import SPLITS, Material
from curator.pipeline.folders import link_file


def link_images(material: Material, folder: Path) -> None:
    """Link every image below ``folder`` as ``<split>/<label>/<record_id>.<ext>``."""
    for split in SPLITS:
        for label in material.labels:
            (folder / split / label).mkdir(parents=True)
    for file in material.rows["file"]:
        link_file(material.path(file), folder / file)
        material.advance()


def split_file_name(file: str) -> str:
    """Name a file below the folder of its split."""
    return file.split("/", 1)[1]
