"""Join what the ledger knows to the catalog: the fetched columns, and a drop for what failed. No network.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> table = listed_rows("url-list", "web", 0, {"label": ["a"], "key": ["1"], "url": ["ftp://h.example/1"]})
>>> catalog.counts(read_outcomes(table, paths, FetchSettings()))["dropped"]
{'unsupported-scheme': 1}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import FETCHED_FIELDS, Drop, Stage
from curator.fetch.ledger.ledger import OK, Ledger
from curator.fetch.local_files import FILE_SCHEME
from curator.fetch.plan import CHUNK_ROWS, addresses_of, settled_sql
from curator.fetch.policy import FALLBACK_STATUSES
from curator.manifests.recipe import FetchSettings
from curator.sources.base import listed_rows as listed_rows
from curator.store.catalog_files import row_groups
from curator.store.paths import DataPaths

_FROM_OBSERVATION = (
    "format", "width", "height", "orientation", "mode", "n_frames", "detail", "phash", "hash_version",
)  # fmt: skip
PICTURE_COLUMNS = ("phash_turns", "phash256", "thumbnail")
"""What only later stages read."""

_COLUMNS = (
    "from_fallback",
    "http_status",
    "final_url",
    "sha256",
    "n_bytes",
    *_FROM_OBSERVATION,
    "reason",
    "evidence",
)
_NOTHING = (None,) * len(_COLUMNS)
_TYPES = {field.name: field.type for field in FETCHED_FIELDS} | {
    "phash": pa.int64(),
    "reason": pa.string(),
    "evidence": pa.string(),
}


def read_outcomes(table: pd.DataFrame, paths: DataPaths, fetch: FetchSettings) -> pd.DataFrame:
    """Fill the fetched columns of a catalog from the ledger and drop the rows that failed, in stage ``fetched``.

    Rows whose address has not been settled yet keep null columns and are not dropped. The columns of 600 bytes a row
    stay in the ledger: :func:`with_pictures` gives them.

    Args:
        table: a catalog; its row order is kept, whatever its fetched columns held is replaced.
        paths: the data set's files.
        fetch: its ``retries`` say after how many tries a failure that may pass is final.

    Raises:
        StateError: the ledger is damaged or was written by a newer version.
    """
    with Ledger(paths.attempts, to_read=True) as ledger:
        joined = pa.Table.from_batches(_batches(table, ledger, fetch.retries), schema=_schema())
    columns = {name: joined[name] for name in _COLUMNS[:-2]}
    columns["phash"] = pa.chunked_array([chunk.view(pa.uint64()) for chunk in columns["phash"].chunks], pa.uint64())
    fetched = catalog.with_columns(table, columns | _drops(table, joined["reason"], joined["evidence"]))
    pa.default_memory_pool().release_unused()
    return fetched


def with_pictures(table: pd.DataFrame, paths: DataPaths) -> Iterator[pa.Table]:
    """Give a fetched catalog in row groups, :data:`PICTURE_COLUMNS` filled from the ledger.

    Raises:
        StateError: the ledger is damaged or was written by a newer version.
    """
    with Ledger(paths.attempts, to_read=True) as ledger:
        for group in row_groups(table):
            yield _fill_pictures(group, ledger)


def _fill_pictures(group: pa.Table, ledger: Ledger) -> pa.Table:
    hashes = [None if text is None else bytes.fromhex(text) for text in group["sha256"].to_pylist()]
    found = ledger.observed(set(filter(None, hashes)), PICTURE_COLUMNS)
    nothing = (None,) * len(PICTURE_COLUMNS)
    rows = [nothing if sha256 is None else found.get(sha256, nothing) for sha256 in hashes]
    for number, name in enumerate(PICTURE_COLUMNS):
        field = group.schema.field(name)
        values = pa.array((row[number] for row in rows), field.type, size=len(rows))
        group = group.set_column(group.schema.get_field_index(name), field, values)
    return group


def _schema() -> pa.Schema:
    return pa.schema([pa.field(name, _TYPES[name]) for name in _COLUMNS])


def _batches(table: pd.DataFrame, ledger: Ledger, retries: int) -> Iterator[pa.RecordBatch]:
    first, second = addresses_of(table)
    statuses = ", ".join(map(str, FALLBACK_STATUSES))
    values = (
        "a.http_status",
        f"CASE WHEN a.http_status IS NULL OR a.address LIKE '{FILE_SCHEME}%' THEN NULL "
        "ELSE coalesce(a.final_url, a.address) END",
        "nullif(lower(hex(a.sha256)), '')",
        "o.n_bytes",
        *(f"o.{name}" for name in _FROM_OBSERVATION),
        f"CASE WHEN a.outcome = '{OK}' THEN o.flaw ELSE a.outcome END",
        f"CASE WHEN a.outcome = '{OK}' THEN o.flaw_detail ELSE a.detail END",
    )
    columns = f"{settled_sql(retries)}, a.http_status IN ({statuses}), {', '.join(values)}"
    for start in range(0, len(table), CHUNK_ROWS):
        rows = _settled_rows(ledger, first[start : start + CHUNK_ROWS], second[start : start + CHUNK_ROWS], columns)
        arrays = [
            pa.array(column, _TYPES[name]) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)
        ]
        pa.default_memory_pool().release_unused()  # what the builders had too much would add up
        yield pa.RecordBatch.from_arrays(arrays, schema=_schema())


def _settled_rows(ledger: Ledger, first: pa.Array, second: pa.Array, columns: str) -> list[tuple[Any, ...]]:
    """Look up the first address of each row, and the second where that one is gone: one tuple a row."""
    rows = ledger.states(first.to_pylist(), columns)
    fallbacks = second.to_pylist()
    gone = [number for number, row in enumerate(rows) if row[0] and row[1] and fallbacks[number] is not None]
    second_rows = zip(gone, ledger.states([fallbacks[number] for number in gone], columns), strict=True)
    fell_back = {number: row for number, row in second_rows if row[0]}
    rows = [fell_back.get(number, row) for number, row in enumerate(rows)]
    return [(number in fell_back, *row[2:]) if row[0] else _NOTHING for number, row in enumerate(rows)]


def _drops(table: pd.DataFrame, reasons: pa.ChunkedArray, evidence: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Make the drop columns: what failed is dropped in this stage; what another stage dropped stays as it is."""
    unaskable = pc.is_null(addresses_of(table)[0])
    pa.default_memory_pool().release_unused()
    url = pc.if_else(unaskable, pa.array(table["url"]), None)
    unlisted = pc.and_(pc.is_null(url), unaskable)
    scheme = pc.struct_field(pc.extract_regex(url, r"^\s*(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"), "scheme")
    reasons = pc.if_else(unaskable, str(Drop.UNSUPPORTED_SCHEME), reasons)
    reasons = pc.if_else(unlisted, str(Drop.MALFORMED_URL), reasons)
    evidence = pc.if_else(unaskable, pc.if_else(unlisted, "no address is listed", scheme), evidence)
    stage = pa.array(table["drop_stage"])
    elsewhere = pc.fill_null(pc.not_equal(stage, str(Stage.FETCHED)), False)
    here = pc.if_else(pc.is_valid(reasons), str(Stage.FETCHED), pa.scalar(None, pa.string()))
    made = {"drop_stage": here, "drop_reason": reasons, "drop_detail": evidence}
    return {name: pc.if_else(elsewhere, pa.array(table[name]), column) for name, column in made.items()}
