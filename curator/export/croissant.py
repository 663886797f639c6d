"""Croissant metadata: the files, their hashes, the columns and the splits, as JSON-LD that other tools read.

The images are in folders of hard links; ``metadata.parquet``, whose SHA-256 ``croissant.json`` states, holds the
SHA-256 of each. It has types: readers of CSV take a label ``null`` for a missing one, and ``1`` for a number. Valid by
versions 1.0 and 1.1, and says so, since readers of 1.0 refuse what names 1.1 alone:
https://docs.mlcommons.org/croissant/docs/croissant-spec.html.

>>> field("images/title", "sc:Text", column("title"))["source"]
{'fileObject': {'@id': 'metadata.parquet'}, 'extract': {'column': 'title'}}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.export.material import INTEGERS, Format, Material, link_images, plain_records
from curator.manifests.labels import folder_name
from curator.manifests.licences import UNKNOWN, licence_address, licences
from curator.store.catalog_files import file_digest
from curator.store.paths import IMAGES

_TERMS = """
    citeAs column equivalentProperty extract field fileProperty fileObject fileSet format includes isLiveDataset
    jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source
    subField transform
"""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
}
_METADATA, _FILES = "metadata.parquet", "image-files"
_COLUMNS = ("file_name", "split", "file_sha256")
_TYPES = dict.fromkeys(INTEGERS, "sc:Integer")


def write_croissant(material: Material, folder: Path) -> None:
    """Link the images; write ``metadata.parquet`` and ``croissant.json``."""
    files = _unique_names(material)
    link_images(material, folder, files)
    records = plain_records(material.rows, ("file", "split", "format", *material.facts))
    for record, file in zip(records, files, strict=True):
        path, image_format = material.path(record.pop("file")), record.pop("format")
        record["file_name"] = PurePosixPath(file).name
        # A JPEG in the folders is the stored file itself; a PNG may have been made from it.
        is_stored = path.suffix == ".jpg" and image_format == "jpeg" and material.resizing is None
        is_stored = is_stored or (path.stem == record["sha256"] and path.parts[-3] == IMAGES)
        record["file_sha256"] = record["sha256"] if is_stored else file_digest(path)
    schema = pa.schema([(name, pa.int32() if name in _TYPES else pa.string()) for name in (*_COLUMNS, *material.facts)])
    pq.write_table(pa.Table.from_pylist(records, schema), folder / _METADATA, compression="zstd")
    text = json.dumps(describe(material, file_digest(folder / _METADATA)), indent=2, ensure_ascii=False)
    (folder / "croissant.json").write_bytes((text + "\n").encode("utf-8"))


def _unique_names(material: Material) -> list[str]:
    """Name the files as the folders do; if two folders share a name, by their ids: Croissant joins by name."""
    files = list(map(PurePosixPath, material.rows["file"]))
    if len({file.name for file in files}) == len(files):
        return list(map(str, files))
    ids = material.rows["record_id"]
    return [str(file.with_name(record_id + file.suffix)) for file, record_id in zip(files, ids, strict=True)]


def describe(material: Material, metadata_sha256: str) -> dict[str, Any]:
    """Describe a data set whose ``metadata.parquet`` has this SHA-256."""
    stated = [licence_address(licence) or licence for licence in licences(material.rows) if licence != UNKNOWN]
    kinds = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
    splits = _record_set(
        "splits",
        [field("splits/name", "sc:Text"), field("splits/url", "sc:URL")],
        dataType="cr:Split",
        key={"@id": "splits/name"},
        data=[{"splits/name": split, "splits/url": kinds[split]} for split in material.splits],
    )
    labels = _record_set(
        "labels",
        [field("labels/name", "sc:Text")],
        dataType="sc:Enumeration",
        key={"@id": "labels/name"},
        data=[{"labels/name": label} for label in material.labels],
    )
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": material.name,
        "description": f"Images labelled {', '.join(material.labels)}, curated from the open web.",
        "conformsTo": [f"http://mlcommons.org/croissant/{version}" for version in ("1.1", "1.0")],
        "version": "1.0.0",
        **({"license": stated} if stated else {}),
        "distribution": _distribution(metadata_sha256, material.splits),
        "recordSet": [splits, labels, _image_records((*_COLUMNS[1:], *material.facts))],
    }


def _distribution(metadata_sha256: str, splits: Sequence[str]) -> list[dict[str, Any]]:
    table = {
        "@type": "cr:FileObject",
        "@id": _METADATA,
        "name": _METADATA,
        "contentUrl": _METADATA,
        "encodingFormat": "application/x-parquet",
        "sha256": metadata_sha256,
    }
    images = {
        "@type": "cr:FileSet",
        "@id": _FILES,
        "name": _FILES,
        "encodingFormat": ["image/jpeg", "image/png"],
        "includes": [f"{split}/*/*.{ending}" for split in splits for ending in ("jpg", "png")],
    }
    return [table, images]


def column(name: str) -> dict[str, Any]:
    """Name a column of ``metadata.parquet`` as a source."""
    return {"fileObject": {"@id": _METADATA}, "extract": {"column": name}}


def field(name: str, data_type: str, source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Describe one field."""
    described = {"@type": "cr:Field", "@id": name, "name": name, "dataType": data_type}
    return described | ({"source": source} if source else {}) | more


def _record_set(name: str, fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, **more, "field": fields}


def _image_records(columns: Iterable[str]) -> dict[str, Any]:
    refers = {"split": {"field": {"@id": "splits/name"}}, "label": {"field": {"@id": "labels/name"}}}
    content, name = ({"fileSet": {"@id": _FILES}, "extract": {"fileProperty": key}} for key in ("content", "filename"))
    fields = [
        field("images/image", "sc:ImageObject", content),
        field("images/file_name", "sc:Text", name, references=column("file_name")),
    ]
    for key in columns:
        more = {"references": refers[key]} if key in refers else {}
        fields.append(field(f"images/{key}", _TYPES.get(key, "sc:Text"), column(key), **more))
    return _record_set("images", fields, key={"@id": "images/record_id"})


FORMAT = Format(
    name="croissant",
    summary="folders described in Croissant (JSON-LD), for mlcroissant, TFDS, Kaggle, Hugging Face",
    write=write_croissant,
    snippet="""import mlcroissant

for record in mlcroissant.Dataset("croissant.json").records("images"):
    print(record["images/label"], record["images/split"], record["images/image"])""",
    files="{}/**",
    columns=lambda material: {"image": "image", "label": tuple(map(folder_name, material.labels))},
    also=("mlcroissant", "mlcommons", "kaggle", "json-ld"),
)
