"""Divide images into shards of about 100 MB, which is what readers over a network like best.

>>> rows = pd.DataFrame({"file": ["a", "b", "c"]})
>>> [part["file"].tolist() for part in cut_shards(rows, [60_000_000, 60_000_000, 1])]
[['a'], ['b', 'c']]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from curator.export.material import Material

SHARD_BYTES = 100_000_000


def cut_shards(rows: pd.DataFrame, n_bytes: Sequence[int]) -> list[pd.DataFrame]:
    """Cut rows into runs of at most :data:`SHARD_BYTES`, at least one row each; no rows are one empty shard."""
    starts, total = [0], 0
    for place, size in enumerate(n_bytes):
        if total and total + size > SHARD_BYTES:
            starts.append(place)
            total = 0
        total += size
    return [rows.iloc[start:end] for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)]


def shards(material: Material, split: str) -> list[tuple[str, pd.DataFrame]]:
    """Give the shards of one split in mixed order, each with its number as in ``00000-of-00002``."""
    rows = material.shuffled(split)
    parts = cut_shards(rows, [material.path(file).stat().st_size for file in rows["file"]])
    return [(f"{number:05d}-of-{len(parts):05d}", part) for number, part in enumerate(parts)]


def image_format(file: str) -> str:
    """Name the format of a file of the folders: ``jpeg`` or ``png``."""
    return "jpeg" if Path(file).suffix == ".jpg" else "png"
