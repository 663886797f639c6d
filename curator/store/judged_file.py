"""Which pairs of contents were compared pixel by pixel, and what was seen: one Parquet file of the last comparison.

It is evidence for a person and for later stages, and the next comparison takes from it what it would find again.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "judged.parquet"
>>> write_judged(path, SCHEMA.empty_table(), {"judge": 1})
>>> read_judged(path, {"judge": 1}).num_rows, read_judged(path, {"judge": 2}) is None
(0, True)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator.store.whole_files import whole_file

VERSION = 1
"""Raised when a column changes its meaning."""

_KEY = b"curator judged"
_NUMBER = pa.field("element", pa.float32())  # as Parquet calls it: what was read is written as it was
SCHEMA = pa.schema(
    [
        pa.field("sha256", pa.string(), nullable=False),  # of the two, the one that comes first
        pa.field("other_sha256", pa.string(), nullable=False),
        pa.field("verdict", pa.int8(), nullable=False),  # see curator.decide.judged: TWO, ONE or DOUBTFUL
        pa.field("orientation", pa.int8(), nullable=False),  # in which the other one looks like this one
        pa.field("flaws", pa.int8(), nullable=False),  # what was done to either: see curator.decide.judged
        pa.field("cosine", pa.float32()),  # between what a network sees in both; NaN: not known
        pa.field("transform", pa.list_(_NUMBER, 6)),  # the other's places to this one's, in shares of the sides
        pa.field("overlap", pa.list_(_NUMBER, 2)),  # the share of each that lies in the other
        pa.field("differs", pa.string(), nullable=False),  # in words; empty: in nothing that is seen
    ]
)
"""A row a pair."""


def read_judged(path: Path, made_by: Mapping[str, Any] | None = None, verdict: int | None = None) -> pa.Table | None:
    """Read the pairs; None if the file is missing or damaged, or its pairs were judged by other rules.

    Args:
        path: of the file.
        made_by: what decides a verdict besides the two contents; None: whatever it was.
        verdict: read only pairs of this one.
    """
    try:
        table = pq.read_table(path, filters=None if verdict is None else [("verdict", "=", verdict)])
    except (OSError, pa.ArrowException):
        return None
    kept = (table.schema.metadata or {}).get(_KEY)
    is_wanted = kept is not None if made_by is None else kept == _conditions(made_by)
    table = table.replace_schema_metadata(None)
    return table if is_wanted and table.schema.equals(SCHEMA) else None


def is_judged_by(path: Path, made_by: Mapping[str, Any]) -> bool:
    """Return whether :func:`read_judged` would find pairs that were judged by these rules, without reading them."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return bool(metadata.get(_KEY) == _conditions(made_by))


def write_judged(path: Path, table: pa.Table, made_by: Mapping[str, Any]) -> None:
    """Write the pairs, and what judged them.

    Raises:
        DiskError: the disk refuses.
    """
    with whole_file(path) as temporary:
        pq.write_table(table.replace_schema_metadata({_KEY: _conditions(made_by)}), temporary, compression="zstd")


def forget_judged(path: Path, contents: Collection[str]) -> None:
    """Take the pairs of contents (SHA-256s) out of the file; one that is damaged goes whole.

    Raises:
        DiskError: the disk refuses.
    """
    try:
        table = pq.read_table(path)
        gone = pa.array(sorted(contents), pa.string())
        is_gone = pc.or_(pc.is_in(table["sha256"], gone), pc.is_in(table["other_sha256"], gone))
    except FileNotFoundError:
        return
    except (OSError, pa.ArrowException, KeyError):
        path.unlink(missing_ok=True)
        return
    if pc.any(is_gone).as_py():
        with whole_file(path) as temporary:
            pq.write_table(table.filter(pc.invert(is_gone)), temporary, compression="zstd")


def _conditions(made_by: Mapping[str, Any]) -> bytes:
    return json.dumps({**made_by, "version": VERSION}, sort_keys=True).encode()
