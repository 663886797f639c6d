"""Folders with a ``metadata.csv`` a split: what Hugging Face ``datasets`` calls ``imagefolder``.

See https://huggingface.co/docs/datasets/image_dataset#imagefolder.

>>> FORMAT.name
'imagefolder'
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from curator.export.material import PER_IMAGE, Format, Material, link_images, plain_records, split_file_name
from curator.reasons import SPLITS

_HEADER = ("file_name", *PER_IMAGE)


def write_imagefolder(material: Material, folder: Path) -> None:
    """Link the images and write what is known of each."""
    link_images(material, folder)
    for split in SPLITS:
        text = metadata_text(material.of_split(split))
        (folder / split / "metadata.csv").write_bytes(text.encode("utf-8"))


def metadata_text(rows: pd.DataFrame) -> str:
    """Format what is known of each image as CSV; ``file_name`` is relative to the folder of its split."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _HEADER, restval=None, lineterminator="\n")
    writer.writeheader()
    for file, record in zip(rows["file"], plain_records(rows, PER_IMAGE), strict=True):
        writer.writerow({"file_name": split_file_name(file), **record})
    return out.getvalue()


FORMAT = Format(
    name="imagefolder",
    summary="folders with metadata.csv, for Hugging Face datasets",
    write=write_imagefolder,
    snippet="""from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir=".")""",
    yaml="""configs:
- config_name: default
  data_files:
  - split: train
    path: train/**
  - split: test
    path: test/**
""",
)
