"""Parquet files with the image's bytes and what is known of it, as Hugging Face ``datasets`` writes them.

The schema's metadata says which column is an image and which a class, so that ``load_dataset`` decodes both.

>>> features(("rugby", "soccer"))["label"]
{'names': ['rugby', 'soccer'], '_type': 'ClassLabel'}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.export.material import PER_IMAGE, Format, Material, splits_yaml

ROWS_PER_GROUP = 100
"""As Hugging Face does for images: a reader of one row reads 100."""

_INTEGERS = ("width", "height")
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_parquet(material: Material, folder: Path) -> None:
    """Write ``data/<split>-<shard>.parquet`` files."""
    (folder / "data").mkdir()
    kinds = {"label": pa.int64(), **dict.fromkeys(_INTEGERS, pa.int32())}
    fields = [pa.field("image", _IMAGE), *(pa.field(name, kinds.get(name, pa.string())) for name in PER_IMAGE)]
    info = {"info": {"features": features(material.labels)}}
    schema = pa.schema(fields, metadata={"huggingface": json.dumps(info)})
    for name, rows in material.shards():
        path = folder / "data" / f"{name}.parquet"
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
            for start in range(0, len(rows), ROWS_PER_GROUP):
                group = [
                    record
                    | {
                        "image": {"bytes": file.read_bytes(), "path": file.name},
                        "label": material.label_index(record["label"]),
                    }
                    for file, record in material.records(rows.iloc[start : start + ROWS_PER_GROUP])
                ]
                writer.write_table(pa.Table.from_pylist(group, schema=schema))


def features(labels: tuple[str, ...]) -> dict[str, Any]:
    """Describe the columns in the words of Hugging Face ``datasets``."""
    described: dict[str, Any] = {"image": {"_type": "Image"}}
    for name in PER_IMAGE:
        described[name] = {"dtype": "int32" if name in _INTEGERS else "string", "_type": "Value"}
    return described | {"label": {"names": list(labels), "_type": "ClassLabel"}}


FORMAT = Format(
    name="parquet",
    summary="Parquet with the images' bytes, for Hugging Face datasets, pandas, Spark, DuckDB",
    write=write_parquet,
    snippet="""from datasets import load_dataset

files = {"train": "data/train-*.parquet", "test": "data/test-*.parquet"}
dataset = load_dataset("parquet", data_files=files)""",
    yaml=splits_yaml("data/{}-*.parquet"),
)
