"""Tar shards for WebDataset: each image with its class number (``.cls``) and what is known of it (``.json``).

Members are written in the order in which they are read, with fixed times, owners and rights, so that the same images
produce the same bytes. All samples of a data set must have members of the same names, so the images are all called
``.jpg`` if some are JPEG and some PNG; readers look at the bytes. See https://github.com/webdataset/webdataset.

>>> len(member("a.txt", b"text")), member("a.txt", b"text")[257:262]
(1024, b'ustar')
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from curator.export.material import Columns, Format, Material, write_lines


def write_webdataset(material: Material, folder: Path) -> None:
    """Write ``<split>-<shard>.tar`` files, and what the class numbers mean: ``classnames.txt``, a label a line."""
    write_lines(folder / "classnames.txt", material.labels)
    ending = f".{_kind(material)}"
    for name, rows in material.shards():
        with (folder / f"{name}.tar").open("wb", buffering=1 << 20) as out:
            for _, path, record in material.records(rows):
                key = record["record_id"]
                out.write(member(f"{key}{ending}", path.read_bytes()))
                out.write(member(f"{key}.cls", str(material.label_index(record["label"])).encode()))
                out.write(member(f"{key}.json", json.dumps(record, ensure_ascii=False, sort_keys=True).encode()))
            out.write(bytes(2 * tarfile.BLOCKSIZE))


def _kind(material: Material) -> str:
    return "jpg" if material.rows["file"].str.endswith(".jpg").any() else "png"


def columns(material: Material) -> Columns:
    """Name the columns that Hugging Face ``datasets`` makes of the members, whose types it would guess by the first."""
    facts = dict(sorted(material.facts.items()))
    return {_kind(material): "image", "cls": material.labels, "json": facts, "__key__": "string", "__url__": "string"}


def member(name: str, data: bytes) -> bytes:
    """Format one file of a tar archive (ustar): header, data, padding."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    header = info.tobuf(tarfile.USTAR_FORMAT)
    return header + data + bytes(-len(data) % tarfile.BLOCKSIZE)


FORMAT = Format(
    name="webdataset",
    summary="tar shards, for WebDataset and PyTorch",
    write=write_webdataset,
    snippet="""import glob
import webdataset as wds

train = wds.WebDataset(sorted(glob.glob("train-*.tar")), shardshuffle=False)
train = train.shuffle(1000).decode("pil").to_tuple("jpg;png", "cls", "json")
names = open("classnames.txt", encoding="utf-8").read().splitlines()""",
    files="{}-*.tar",
    columns=columns,
    also=("wds", "web-dataset", "tar"),
)
