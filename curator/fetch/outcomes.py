"""Join what the ledger knows to the catalog: the fetched columns, and a drop for what failed. No network.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> table = catalog.conform(pa.table({"url": ["ftp://h.example/1", "http://[::1"]}))
>>> catalog.counts(read_outcomes(table, project))["dropped"]
{'malformed-url': 1, 'unsupported-scheme': 1}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import FETCHED_FIELDS, Drop, Stage, Table
from curator.fetch.ledger.ledger import OUTCOME_COLUMNS, PICTURE_COLUMNS, Ledger
from curator.fetch.plan import CHUNK_ROWS
from curator.fetch.row_addresses import RowAddresses, parse_rows
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.manifests.settings import FetchSettings
from curator.store.catalog_files import row_groups
from curator.store.paths import DataPaths

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {field.name: field.type for field in FETCHED_FIELDS} | {
    "phash": pa.int64(),
    "well_formed": pa.int8(),
    "reason": pa.string(),
    "evidence": pa.string(),
}
_SCHEMA = pa.schema([pa.field(name, _TYPES[name]) for name in ("from_fallback", *OUTCOME_COLUMNS)])


def read_outcomes(table: Table, project: Project, rows: RowAddresses | None = None) -> Table:
    """Fill the fetched columns of a catalog from the ledger and drop the rows that failed, in stage ``fetched``.

    Rows whose address has not been settled yet keep null columns and are not dropped. The columns of 600 bytes a row
    stay in the ledger: :func:`with_pictures` adds them.

    Args:
        table: a catalog; its row order is kept, whatever its fetched columns held is replaced.
        project: its recipe's ``retries`` say after how many tries a failure that may pass is final, and its other
            settings judge what came under other ones.
        rows: the addresses of its rows, if they are parsed already.

    Raises:
        StateError: the ledger is damaged or was written by a newer version.
    """
    rows = rows or parse_rows(table)
    with Ledger(project.paths.attempts, to_read=True) as ledger:
        batches = _batches(rows.addresses(table), ledger, project.recipe.fetch)
        joined = pa.Table.from_batches(batches, schema=_SCHEMA)
    columns = {name: joined[name] for name in _SCHEMA.names if name not in ("reason", "evidence")}
    columns["phash"] = pa.chunked_array([chunk.view(pa.uint64()) for chunk in columns["phash"].chunks], pa.uint64())
    fetched = catalog.with_columns(table, columns | _drops(table, rows, joined["reason"], joined["evidence"]))
    pa.default_memory_pool().release_unused()
    return fetched


def with_pictures(table: pd.DataFrame | pa.Table, paths: DataPaths) -> Iterator[pa.Table]:
    """Yield a fetched catalog in row groups, :data:`PICTURE_COLUMNS` filled from the ledger.

    Raises:
        StateError: the ledger is damaged or was written by a newer version.
    """
    with Ledger(paths.attempts, to_read=True) as ledger:
        for group in row_groups(table):
            hashes = [text and bytes.fromhex(text) for text in group["sha256"].to_pylist()]
            found = ledger.pictures(set(filter(None, hashes)))
            rows = [found.get(sha256, (None,) * len(PICTURE_COLUMNS)) for sha256 in hashes]
            for number, name in enumerate(PICTURE_COLUMNS):
                field = group.schema.field(name)
                values = pa.array((row[number] for row in rows), field.type, size=len(rows))
                group = group.set_column(group.schema.get_field_index(name), field, values)
            yield group


def _batches(addresses: tuple[pa.Array, pa.Array], ledger: Ledger, fetch: FetchSettings) -> Iterator[pa.RecordBatch]:
    """Look up the first address of each row, and the second if that one is gone."""
    nothing = (None,) * len(_SCHEMA)
    for start in range(0, len(addresses[0]), CHUNK_ROWS):
        first, second = (column[start : start + CHUNK_ROWS].to_pylist() for column in addresses)
        found = list(enumerate(ledger.outcomes(first, fetch)))
        gone = [number for number, row in found if row[0] and row[1] and second[number] is not None]
        second_rows = zip(gone, ledger.outcomes([second[number] for number in gone], fetch), strict=True)
        fell_back = {number: (True, *row[2:]) for number, row in second_rows if row[0]}
        rows = (fell_back.get(number, (False, *row[2:]) if row[0] else nothing) for number, row in found)
        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for field, column in zip(_SCHEMA, columns, strict=True)]
        pa.default_memory_pool().release_unused()  # what the builders had too much would add up
        yield pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _drops(
    table: pd.DataFrame | pa.Table, rows: RowAddresses, reasons: pa.ChunkedArray, evidence: pa.ChunkedArray
) -> dict[str, pa.ChunkedArray]:
    """Make the drop columns: what failed is dropped in this stage; what another stage dropped stays as it is."""
    impossible = pc.invert(rows.is_requestable(table))
    url = pc.if_else(impossible, catalog.column_of(table, "url"), None)
    unlisted = pc.and_(pc.is_null(url), impossible)
    scheme = pc.struct_field(pc.extract_regex(url, r"^\s*(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"), "scheme")
    reasons = pc.if_else(impossible, str(Drop.UNSUPPORTED_SCHEME), reasons)
    is_web = pc.fill_null(pc.is_in(pc.utf8_lower(scheme), pa.array(["http", "https"])), False)
    reasons = pc.if_else(pc.or_(unlisted, is_web), str(Drop.MALFORMED_URL), reasons)
    missing = pc.if_else(unlisted, "no address is listed", pc.if_else(is_web, "no host", scheme))
    evidence = pc.if_else(impossible, missing, evidence)
    stage = catalog.column_of(table, "drop_stage")
    elsewhere = pc.fill_null(pc.not_equal(stage, str(Stage.FETCHED)), False)
    here = pc.if_else(pc.is_valid(reasons), str(Stage.FETCHED), pa.scalar(None, pa.string()))
    made = {"drop_stage": here, "drop_reason": reasons, "drop_detail": evidence}
    return {name: pc.if_else(elsewhere, catalog.column_of(table, name), column) for name, column in made.items()}
