"""COCO-style JSON beside the images: one category and one annotation an image, as FiftyOne and pycocotools read it.

An annotation's box is the whole picture, since a label here is the picture's. See https://cocodataset.org/#format-data.

>>> annotation(7, 2, 40, 30)["bbox"]
[0, 0, 40, 30]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curator.export.material import SPDX, Format, Material, link_images, plain_records
from curator.manifests.licences import licence_address, licence_key, licence_name, licences
from curator.manifests.manifest import FOLD
from curator.manifests.spdx import spdx_id


def write_coco(material: Material, folder: Path) -> None:
    """Link the images; write ``annotations/<split>.json``."""
    link_images(material, folder)
    (folder / "annotations").mkdir()
    for split in material.splits:
        text = json.dumps(describe_split(material, split), ensure_ascii=False, indent=1)
        (folder / "annotations" / f"{split}.json").write_bytes((text + "\n").encode("utf-8"))


def describe_split(material: Material, split: str) -> dict[str, Any]:
    """Describe the images of one split; numbers start at 1."""
    rows = material.of_split(split)
    names = list(licences(material.rows))
    images, annotations = [], []
    for number, record in enumerate(plain_records(rows, ("file", *material.facts)), 1):
        width, height = record.get("width") or 0, record.get("height") or 0
        licence = names.index(licence_key(record.get("license"))) + 1
        extra = {key: record.get(key) for key in ("record_id", "sha256", "source", SPDX, "author", "title")}
        extra |= {FOLD: record[FOLD]} if record.get(FOLD) else {}
        place = {"id": number, "file_name": record["file"], "width": width, "height": height, "license": licence}
        images.append({**place, "coco_url": record.get("url"), **extra})
        annotations.append(annotation(number, material.label_index(record["label"]) + 1, width, height))
    known = [
        {"id": n, "name": licence_name(name), "url": licence_address(name) or name, "spdx": spdx_id(name)}
        for n, name in enumerate(names, 1)
    ]
    return {
        "info": {"description": material.name, "split": split},
        "licenses": known,
        "categories": [{"id": n, "name": label} for n, label in enumerate(material.labels, 1)],
        "images": images,
        "annotations": annotations,
    }


def annotation(number: int, category: int, width: int, height: int) -> dict[str, Any]:
    """Say that the whole picture shows one category."""
    place = {"bbox": [0, 0, width, height], "area": width * height, "iscrowd": 0}
    return {"id": number, "image_id": number, "category_id": category, **place}


FORMAT = Format(
    name="coco",
    summary="COCO-style JSON beside folders, for FiftyOne and pycocotools",
    write=write_coco,
    snippet="""import fiftyone

train = fiftyone.Dataset.from_dir(
    dataset_type=fiftyone.types.COCODetectionDataset, data_path=".", labels_path="annotations/train.json"
)""",
    also=("ms-coco", "mscoco", "pycocotools", "fiftyone"),
)
