"""The table of suspects: one row a judged image, with its evidence, in a Parquet file beside the catalogs.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "suspects.parquet"
>>> read_suspects(path) is None
True
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.store.whole_files import whole_file

VERSION = 1
"""Raised when a column changes its meaning; a file of another version is made anew."""

_KEY = b"curator suspects"
SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),  # the label that was judged
        pa.field("suspicion", pa.float32()),  # 0 to 1: that of another label against its own; null: not judged
        pa.field("suggested_label", pa.string()),  # if its own is probably wrong
        pa.field("likeliest_other", pa.string()),
        pa.field("own_probability", pa.float32()),
        pa.field("other_probability", pa.float32()),
        pa.field("strangeness", pa.float32()),  # 0 to 2: one minus the mean cosine to its neighbours
        pa.field("is_outlier", pa.bool_(), nullable=False),
        pa.field("low_quality", pa.list_(pa.string()), nullable=False),  # kinds: see curator.suspects.low_quality
        pa.field("evidence", pa.list_(pa.string()), nullable=False),  # a sentence for each thing suspected
        pa.field("neighbours", pa.list_(pa.string()), nullable=False),  # record ids, the most alike first
    ]
)


LISTS = ("low_quality", "evidence", "neighbours")
"""The columns that hold lists."""


@dataclass(frozen=True)
class Suspects:
    """The table, a row an image; what it was made from; the network's title; notes for a person; and figures."""

    table: pd.DataFrame
    fingerprint: str
    model: str
    notes: tuple[str, ...] = ()
    effect: dict[str, Any] = field(default_factory=dict)


def write_suspects(path: Path, found: Suspects) -> None:
    """Write the table, whole or not at all."""
    facts = {"version": VERSION, "fingerprint": found.fingerprint, "model": found.model, "effect": found.effect}
    metadata = {_KEY: json.dumps({**facts, "notes": list(found.notes)}).encode()}
    table = pa.Table.from_pandas(found.table, schema=SCHEMA, preserve_index=False).replace_schema_metadata(metadata)
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_suspects(path: Path) -> Suspects | None:
    """Read the table; None if there is none, or none that can be read: ``curator suspects`` makes it anew."""
    try:
        table = pq.read_table(path)
        facts = json.loads((table.schema.metadata or {})[_KEY])
        if facts["version"] != VERSION or table.schema.names != SCHEMA.names:
            return None
    except (OSError, KeyError, ValueError, pa.ArrowException):
        return None
    frame = catalog.from_arrow(table.replace_schema_metadata(None))
    return Suspects(frame, facts["fingerprint"], facts["model"], tuple(facts["notes"]), facts["effect"])


def is_suspect(table: pd.DataFrame) -> catalog.BoolArray:
    """Return which rows are suspected of anything: bool (rows,)."""
    has_flaw = table["low_quality"].map(len).to_numpy() > 0
    wrong = table["suggested_label"].notna().to_numpy(dtype=bool)
    return np.asarray(wrong | table["is_outlier"].to_numpy(dtype=bool) | has_flaw)


def forget_suspects(path: Path, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of the table, and their names out of the other rows' neighbours."""
    if (found := read_suspects(path)) is None:
        path.unlink(missing_ok=True)
        return
    gone = found.table["sha256"].isin(list(contents)).to_numpy(dtype=bool)
    if gone.any():
        names = set(found.table["record_id"][gone])
        kept = found.table[~gone].copy()
        kept["neighbours"] = [[one for one in nearest if one not in names] for nearest in kept["neighbours"]]
        fingerprint = ""  # the images are others now
        write_suspects(path, Suspects(kept, fingerprint, found.model, found.notes, found.effect))


COLUMNS = ("suspicion", "suggested_label", "is_outlier", "low_quality")
"""What is joined to a catalog."""


def with_suspects(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a catalog with :data:`COLUMNS` joined, if images were judged; a row that was judged otherwise has none."""
    if (found := read_suspects(path)) is None:
        return table
    keys = ["record_id", "label", "sha256"]
    return table.merge(found.table[[*keys, *COLUMNS]], how="left", on=keys)
