"""Folders with a ``metadata.parquet`` a split: what Hugging Face ``datasets`` calls ``imagefolder``.

See https://huggingface.co/docs/datasets/image_dataset#imagefolder. Of a CSV or JSON Lines ``datasets`` would guess the
types: the label would be a text, and one called ``null`` nothing. A Parquet file says what each column is.

>>> schema(("rugby", "soccer"), {"label": "string"}).field("label").type, FORMAT.name
(DataType(int64), 'imagefolder')
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curator.export.material import Format, Material, image_columns, link_images, plain_records
from curator.export.parquet import facts_schema


def schema(labels: tuple[str, ...], facts: Mapping[str, str]) -> pa.Schema:
    """Describe the columns: ``file_name`` and what is known of each image, the label as a class."""
    return facts_schema(labels, facts, pa.field("file_name", pa.string()), {"dtype": "string", "_type": "Value"})


def write_imagefolder(material: Material, folder: Path) -> None:
    """Link the images and write what is known of each; ``file_name`` is relative to the folder of its split."""
    link_images(material, folder)
    for split in material.splits:
        rows = material.of_split(split)
        records = [
            {**record, "file_name": file.split("/", 1)[1], "label": material.label_index(record["label"])}
            for file, record in zip(rows["file"], plain_records(rows, tuple(material.facts)), strict=True)
        ]
        table = pa.Table.from_pylist(records, schema=schema(material.labels, material.facts))
        pq.write_table(table, folder / split / "metadata.parquet")


FORMAT = Format(
    name="imagefolder",
    summary="folders with metadata.parquet, for Hugging Face datasets",
    write=write_imagefolder,
    snippet="""from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir=".")
names = dataset["train"].features["label"].names""",
    files="{}/**",
    columns=image_columns,
    also=("image-folder", "folder", "folders", "files"),
)
