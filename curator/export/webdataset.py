"""Tar shards for WebDataset: each image with its class number (``.cls``) and what is known of it (``.json``).

Members are written in the order in which they are read, with fixed times, owners and rights, so that the same images
give the same bytes. All samples of a data set must have members of the same names, so the images are all called
``.jpg`` where some are JPEG and some PNG; readers look at the bytes. See https://github.com/webdataset/webdataset.

>>> len(member("a.txt", b"text")), member("a.txt", b"text")[257:262]
(1024, b'ustar')
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from curator.export.material import PER_IMAGE, Format, Material, plain_records, splits_yaml
from curator.reasons import SPLITS

_END = bytes(2 * tarfile.BLOCKSIZE)


def write_webdataset(material: Material, folder: Path) -> None:
    """Write ``<split>-<shard>.tar`` files."""
    ending = ".jpg" if material.rows["file"].str.endswith(".jpg").any() else ".png"
    for split in SPLITS:
        for number, rows in material.shards(split):
            with (folder / f"{split}-{number}.tar").open("wb", buffering=1 << 20) as file:
                for name, record in zip(rows["file"], plain_records(rows, PER_IMAGE), strict=True):
                    file.write(_sample(material, name, record, ending))
                    material.advance()
                file.write(_END)


def _sample(material: Material, file: str, record: dict[str, Any], ending: str) -> bytes:
    key = record["record_id"]
    facts = json.dumps(record, ensure_ascii=False, sort_keys=True)
    return b"".join(
        (
            member(f"{key}{ending}", material.path(file).read_bytes()),
            member(f"{key}.cls", str(material.label_index(record["label"])).encode()),
            member(f"{key}.json", facts.encode()),
        )
    )


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
train = train.shuffle(1000).decode("pil").to_tuple("jpg;png", "cls", "json")""",
    yaml=splits_yaml("{}-*.tar"),
)
