"""Measure each deciding stage over a catalog on disk, from 100,000 to ten million rows: ``python bench_scale.py``.

The rows are made up, with texts as long as Flickr's and a picture each: a twentieth of them copies of others (hashes a
few bits away, the same thumbnail with a little noise), authors of very different diligence, two labels, three sources.
Each stage runs in a process of its own, as a command does, and its peak counts what it holds itself: pages of files
that are mapped into memory, which the system takes back when it needs them, are not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path[:0] = [str(Path(__file__).parents[2])]
from verdict import Verdict, at_most, conclude  # noqa: E402

from curator import catalog  # noqa: E402
from curator.catalog import SCHEMA, Stage  # noqa: E402
from curator.manifests.project import Project  # noqa: E402
from curator.store.paths import DataPaths  # noqa: E402

GROUP = 32_000
TARGETS = {  # rows: {stage: (seconds, GB)}
    1_000_000: {"deduped": (60, 1.5), "balanced": (10, 1), "split": (10, 1), "manifest": (60, 1)},
    10_000_000: {"deduped": (600, 12), "balanced": (600, 12), "split": (600, 12), "manifest": (600, 12)},
}
RECIPE = """name = "scale"
labels = ["rugby", "soccer"]

[[sources]]
kind = "folder"
path = "."

[balance]
per_class = {per_class}

[split]
ratio = 0.8
val = 0.1
"""


def make_group(start: int, n: int, total: int) -> pa.Table:
    """Rows ``start`` to ``start + n`` of ``total``, the same whenever they are made."""
    chance = np.random.default_rng([7, start])
    ids = mix(np.arange(start, start + n, dtype=np.uint64))
    names = [f"{value:016x}" for value in ids]
    is_copy = chance.random(n) < 0.05
    originals = chance.integers(0, max(1, start + n), n).astype(np.uint64)
    shown = np.where(is_copy, mix(originals), ids)  # whose picture it is
    turns = np.stack([mix(shown + np.uint64(k + 1)) for k in range(8)], axis=1)
    noise = np.uint64(1) << chance.integers(0, 64, (n, 3)).astype(np.uint64)
    turns ^= np.where(is_copy, np.bitwise_or.reduce(noise, axis=1), np.uint64(0))[:, None]
    long = np.stack([mix(shown + np.uint64(100 + k)) for k in range(4)], axis=1)
    cells = np.stack([mix(shown + np.uint64(200 + k)) for k in range(64)], axis=1)
    authors = chance.zipf(1.3, n)
    owners = [int(value) if value < 200_000 else int(name[:7], 16) for value, name in zip(authors, names, strict=True)]
    columns = {
        "record_id": [f"open-images-{name}" for name in names],
        "label": np.array(["rugby", "soccer"], object)[chance.integers(0, 2, n)],
        "source": np.array(["imagenet", "open-images", "wikimedia"], object)[chance.integers(0, 3, n)],
        "kind": ["open-images"] * n,
        "source_id": names,
        "tier": np.zeros(n, np.int8),
        "url": [f"https://farm{value % 9}.staticflickr.com/{value % 9000}/{k}_{name[:10]}_o.jpg"
                for k, (value, name) in enumerate(zip(owners, names, strict=True), start)],
        "fallback_url": [f"https://c{value % 9}.staticflickr.com/{value % 9000}/{k}_{name[:10]}_z.jpg"
                         for k, (value, name) in enumerate(zip(owners, names, strict=True), start)],
        "landing_url": [f"https://www.flickr.com/photos/person{value}/{k}" for k, value in enumerate(owners, start)],
        "license": ["https://creativecommons.org/licenses/by/2.0/"] * n,
        "author": [f"Person Number {value}" for value in owners],
        "author_url": [f"https://www.flickr.com/people/person{value}/" for value in owners],
        "title": [f"Match of the day, half time, picture {k} of many" for k in range(start, start + n)],
        "from_fallback": np.zeros(n, bool),
        "http_status": np.full(n, 200, np.int16),
        "final_url": [None] * n,
        "sha256": [name * 4 for name in names],
        "sha1": [name * 2 + name[:8] for name in names],
        "n_bytes": chance.integers(10_000, 200_000, n),
        "format": ["jpeg"] * n,
        "width": chance.integers(200, 1_024, n),
        "height": chance.integers(200, 1_024, n),
        "orientation": np.ones(n, np.int8),
        "mode": ["RGB"] * n,
        "n_frames": np.ones(n, np.int32),
        "well_formed": np.ones(n, bool),
        "detail": np.full(n, 40.0),
        "phash": turns[:, 0],
        "phash_turns": of_bytes(turns.astype(">u8"), pa.binary(64)).cast(pa.binary()),
        "phash256": of_bytes(long, pa.binary(32)).cast(pa.binary()),
        "thumbnail": of_bytes(cells, pa.binary(512)).cast(pa.binary()).cast(pa.large_binary()),
        "hash_version": np.full(n, 4, np.int16),
    }
    arrays = [
        pa.nulls(n, field.type) if field.name not in columns
        else (columns[field.name] if isinstance(columns[field.name], pa.Array)
              else pa.array(columns[field.name], from_pandas=True)).cast(field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def mix(values: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers (the finaliser of SplitMix64), so that each is known without those before it."""
    with np.errstate(over="ignore"):
        mixed = (values + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


def of_bytes(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """An Arrow column of binary values of one width."""
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])
