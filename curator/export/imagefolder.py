"""Folders with a ``metadata.csv`` a split: what Hugging Face ``datasets`` calls ``imagefolder``.

See https://huggingface.co/docs/datasets/image_dataset#imagefolder.

>>> FORMAT.name
'imagefolder'
"""

from __future__ import annotations

from pathlib import Path

from curator.export.material import PER_IMAGE, Format, Material, csv_text, link_images, plain_records, splits_yaml
from curator.reasons import SPLITS


def write_imagefolder(material: Material, folder: Path) -> None:
    """Link the images and write what is known of each; ``file_name`` is relative to the folder of its split."""
    link_images(material, folder)
    for split in SPLITS:
        rows = material.of_split(split)
        records = zip(rows["file"], plain_records(rows, PER_IMAGE), strict=True)
        text = csv_text(
            ("file_name", *PER_IMAGE), ({"file_name": file.split("/", 1)[1], **record} for file, record in records)
        )
        (folder / split / "metadata.csv").write_bytes(text.encode("utf-8"))


FORMAT = Format(
    name="imagefolder",
    summary="folders with metadata.csv, for Hugging Face datasets",
    write=write_imagefolder,
    snippet="""from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir=".")""",
    yaml=splits_yaml("{}/**"),
)
