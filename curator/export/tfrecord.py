"""TFRecord shards of ``tf.train.Example``, with the feature names that TensorFlow's own image models use.

A record is its length, the length's checksum, the data and the data's checksum; see
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details. The data is an Example in the
protocol-buffer wire format (https://protobuf.dev/programming-guides/encoding/), the checksum CRC-32C (Castagnoli),
both written here, so that an export needs no TensorFlow.

>>> len(frame(b"data")), encode_example({"a": 1}).hex(), varint(300).hex(), hex(crc32c(b"123456789"))
(20, '0a0c0a0a0a016112051a030a0101', 'ac02', '0xe3069283')

How the checksum is computed: a byte string is a polynomial over GF(2), and its CRC the remainder modulo P. The
polynomial x^290 + x^136 + x^113 + x^107 + x^32 + 1 is a multiple of P (found by search), and so is its n-th power for
n = 8, 32, 128 and 512, whose exponents are these times n. So units of n bits may be folded onto units further on by
five exclusive-ors of whole slices, which leaves 290 bytes to be looked up in a table: fifty times faster than a loop
over bytes. P and the test vectors are those of RFC 3720, appendix B.4.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curator.export.material import SPDX, Format, Material, write_lines
from curator.manifests.manifest import FOLD

_TEXTS = ("record_id", "sha256", "source", "url", "landing_url", "license", SPDX, "author", "author_url", "title")


def write_tfrecord(material: Material, folder: Path) -> None:
    """Write ``<split>-<shard>.tfrecord`` files, and what the class numbers mean: ``labels.txt``, a label a line."""
    write_lines(folder / "labels.txt", material.labels)
    for name, rows in material.shards():
        with (folder / f"{name}.tfrecord").open("wb", buffering=1 << 20) as out:
            for file, path, record in material.records(rows):
                features: dict[str, bytes | str | int] = {
                    "image/encoded": path.read_bytes(),
                    "image/format": "jpeg" if path.suffix == ".jpg" else "png",
                    "image/filename": file,
                    "image/width": record.get("width") or 0,
                    "image/height": record.get("height") or 0,
                    "image/class/label": material.label_index(record["label"]),
                    "image/class/text": record["label"],
                }
                if record.get(FOLD):
                    features["image/fold"] = record[FOLD]
                texts = {f"image/{column}": record.get(column) or "" for column in _TEXTS}
                out.write(frame(encode_example(features | texts)))


def frame(data: bytes) -> bytes:
    """Frame one record."""
    length = struct.pack("<Q", len(data))
    checks = (struct.pack("<I", masked_crc32c(part)) for part in (length, data))
    return b"".join((length, next(checks), data, next(checks)))


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

train = tf.data.TFRecordDataset(sorted(tf.io.gfile.glob("train-*.tfrecord"))).map(decode)
names = open("labels.txt", encoding="utf-8").read().splitlines()""",
    also=("tf", "tensorflow", "tf-data", "tfrecords", "tfds"),
)


Words = npt.NDArray[np.uint32]
_REFLECTED_POLYNOMIAL = 0x82F63B78
_SPAN, _TERMS = 290, (136, 113, 107, 32, 0)
_UNITS_BYTES = (64, 16, 4, 1)
_MASK_DELTA = 0xA282EAD8


def _position_table() -> Words:
    """Tabulate what a byte adds to the CRC, by how many bytes follow it: shape (290, 256)."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = (first >> np.uint32(1)) ^ np.where(first & np.uint32(1), np.uint32(_REFLECTED_POLYNOMIAL), np.uint32(0))
    rows = [first]
    for _ in range(_SPAN - 1):
        rows.append((rows[-1] >> np.uint32(8)) ^ first[rows[-1] & np.uint32(0xFF)])
    return np.stack(rows)


_BY_POSITION = _position_table()


def crc32c(data: bytes) -> int:
    """Compute the CRC-32C of at least four bytes."""
    message = np.frombuffer(data, np.uint8).copy()
    message[:4] ^= 0xFF
    for unit in _UNITS_BYTES:
        message = _fold(message, unit)
    following = np.arange(len(message) - 1, -1, -1)
    return int(np.bitwise_xor.reduce(_BY_POSITION[following, message])) ^ 0xFFFFFFFF


def _fold(message: npt.NDArray[np.uint8], unit: int) -> npt.NDArray[np.uint8]:
    """Fold the front of a message onto its rest, many units at once, until at most 290 units are left."""
    block = (_SPAN - _TERMS[0]) * unit
    at, end = 0, len(message)
    while end - at > _SPAN * unit:
        size = min(block, end - at - _SPAN * unit)
        front = message[at : at + size]
        for term in _TERMS:
            start = at + (_SPAN - term) * unit
            onto = message[start : start + size]
            np.bitwise_xor(onto, front, out=onto)
        at += size
    return message[at:]


def masked_crc32c(data: bytes) -> int:
    """Compute the checksum that TFRecord stores: rotated right by 15 bits, plus a constant.

    >>> hex(masked_crc32c(bytes(32)))
    '0xfd7fffa'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


_BYTES_LIST, _INT64_LIST, _VALUE, _KEY, _ENTRY_VALUE, _FEATURE, _FEATURES = 1, 3, 1, 1, 2, 1, 1
_LENGTH_DELIMITED = 2


def varint(number: int) -> bytes:
    """Encode a number that is not negative: seven bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(payload)) + payload


def encode_example(features: Mapping[str, bytes | str | int]) -> bytes:
    """Encode one Example, one value a feature: bytes and texts as ``bytes_list``, numbers from 0 as ``int64_list``."""
    entries = (
        _field(_FEATURE, _field(_KEY, name.encode()) + _field(_ENTRY_VALUE, _feature(value)))
        for name, value in sorted(features.items())
    )
    return _field(_FEATURES, b"".join(entries))


def _feature(value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _field(_INT64_LIST, _field(_VALUE, varint(value)))
    return _field(_BYTES_LIST, _field(_VALUE, value.encode() if isinstance(value, str) else value))
