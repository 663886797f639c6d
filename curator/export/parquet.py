"""Parquet files with the image's bytes and what is known of it, as Hugging Face ``datasets`` writes them.

The schema's metadata says which column is an image and which a class, so that ``load_dataset`` decodes both.

>>> schema = facts_schema(("a", "b"), {"label": "string"}, pa.field("image", _IMAGE), {"_type": "Image"})
>>> json.loads(schema.metadata[b"huggingface"])
{'info': {'features': {'image': {'_type': 'Image'}, 'label': {'names': ['a', 'b'], '_type': 'ClassLabel'}}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.export.material import INTEGERS, Format, Material, image_columns

ROWS_PER_GROUP = 100
"""As Hugging Face does for images: a reader of one row reads 100."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_parquet(material: Material, folder: Path) -> None:
    """Write ``data/<split>-<shard>.parquet`` files."""
    (folder / "data").mkdir()
    schema = facts_schema(material.labels, material.facts, pa.field("image", _IMAGE), {"_type": "Image"})
    for name, rows in material.shards():
        path = folder / "data" / f"{name}.parquet"
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
            for start in range(0, len(rows), ROWS_PER_GROUP):
                group = [
                    record
                    | {
                        "image": {"bytes": path.read_bytes(), "path": file},
                        "label": material.label_index(record["label"]),
                    }
                    for file, path, record in material.records(rows.iloc[start : start + ROWS_PER_GROUP])
                ]
                writer.write_table(pa.Table.from_pylist(group, schema=schema))


def facts_schema(
    labels: tuple[str, ...], facts: Mapping[str, str], first: pa.Field, feature: dict[str, str]
) -> pa.Schema:
    """Describe the columns to Arrow and, in the metadata, in the words of Hugging Face ``datasets``.

    Args:
        labels: the classes in the order of their numbers.
        facts: what is known of each image, with Arrow types: :attr:`curator.export.material.Material.facts`.
        first: the column before those that are known of each image.
        feature: that column in the words of ``datasets``.
    """
    kinds = {"label": pa.int64(), **dict.fromkeys(INTEGERS, pa.int32())}
    features: dict[str, Any] = {first.name: feature}
    for name, kind in facts.items():
        features[name] = {"dtype": kind, "_type": "Value"}
    features["label"] = {"names": list(labels), "_type": "ClassLabel"}
    fields = [first, *(pa.field(name, kinds.get(name, pa.string())) for name in facts)]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


FORMAT = Format(
    name="parquet",
    summary="Parquet with the images' bytes, for Hugging Face datasets, pandas, Spark, DuckDB",
    write=write_parquet,
    snippet="""from datasets import load_dataset

dataset = load_dataset("parquet", data_dir="data")
names = dataset["train"].features["label"].names""",
    files="data/{}-*.parquet",
    columns=image_columns,
    also=("hf", "huggingface", "hugging-face", "datasets", "pandas", "duckdb", "spark"),
)
