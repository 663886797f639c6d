"""TFRecord shards of ``tf.train.Example``, with the feature names that TensorFlow's own image models use.

A record is its length, the length's checksum, the data and the data's checksum; see
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details.

>>> len(frame(b"data")), frame(b"data")[12:16]
(20, b'data')
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from curator.export.base import PER_IMAGE, Format
from curator.export.crc32c import masked_crc32c
from curator.export.material import SPLITS, Material, plain_records
from curator.export.protobuf import encode_example
from curator.export.shards import image_format, shards

_TEXTS = ("record_id", "sha256", "source", "url", "landing_url", "license", "author", "author_url", "title")


def write_tfrecord(material: Material, folder: Path) -> None:
    """Write ``<split>-<shard>.tfrecord`` files."""
    for split in SPLITS:
        for number, rows in shards(material, split):
            with (folder / f"{split}-{number}.tfrecord").open("wb", buffering=1 << 20) as file:
                for name, record in zip(rows["file"], plain_records(rows, PER_IMAGE), strict=True):
                    file.write(frame(encode_example(_features(material, name, record))))
                    material.advance()


def frame(data: bytes) -> bytes:
    """Frame one record."""
    length = struct.pack("<Q", len(data))
    checks = (struct.pack("<I", masked_crc32c(part)) for part in (length, data))
    return b"".join((length, next(checks), data, next(checks)))


def _features(material: Material, file: str, record: dict[str, Any]) -> dict[str, bytes | str | int]:
    features: dict[str, bytes | str | int] = {
        "image/encoded": material.path(file).read_bytes(),
        "image/format": image_format(file),
        "image/filename": Path(file).name,
        "image/width": record.get("width") or 0,
        "image/height": record.get("height") or 0,
        "image/class/label": material.label_index(record["label"]),
        "image/class/text": record["label"],
    }
    return features | {f"image/{name}": record.get(name) or "" for name in _TEXTS}


FORMAT = Format(
    name="tfrecord",
    summary="TFRecord shards, for tf.data",
    write=write_tfrecord,
    snippet="""import tensorflow as tf

features = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
}

def decode(record):
    example = tf.io.parse_single_example(record, features)
    image = tf.io.decode_image(example["image/encoded"], channels=3, expand_animations=False)
    return image, example["image/class/label"]

train = tf.data.TFRecordDataset(sorted(tf.io.gfile.glob("train-*.tfrecord"))).map(decode)""",
)
