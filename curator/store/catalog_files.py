"""Catalogs on disk: one Parquet file a stage, with what it was made from in the file's metadata.

A large catalog is written in row groups, so that it never is in memory as a whole, and a stage reads the columns that
it decides on: what it leaves as it was goes from file to file, group by group. Thumbnails are in a file of their own,
which the catalogs of all stages share (:mod:`curator.store.thumbnails_file`).

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "1-listed.parquet"
>>> groups, record = lambda: row_groups(catalog.empty()), StageRecord("listed", "f1", {}, {})
>>> write_if_changed(path, groups, record), write_if_changed(path, groups, record)
(True, False)
>>> read_record(path).fingerprint, len(read_catalog(path))
('f1', 0)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.errors import NewerError, StateError
from curator.store.cells import AGAIN, check_cells
from curator.store.one_ahead import one_ahead
from curator.store.stage_record import StageRecord as StageRecord
from curator.store.stage_record import parse_record, write_record
from curator.store.thumbnails_file import (
    COLUMN,
    NAMED,
    PLACE,
    STORED,
    ThumbnailsWriter,
    damage_of_thumbnails,
    named_in,
    open_thumbnails,
    with_thumbnails,
)
from curator.store.whole_files import whole_file
from curator.text import Command

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"curator"
GROUP_ROWS = 32_000
"""Rows of a group: some 20 MB of a catalog whose pictures have hashes, while their thumbnails are with them."""
_REPEATED = {*catalog.DECIDED, "source", "kind", "source_class", "license", "author", "author_url", "format", "mode"}
"""The columns whose values occur again and again: a dictionary of another one takes time and no less room."""
_CODEC = {field.name: "none" if field.type == pa.binary() else "lz4" for field in catalog.SCHEMA}  # packs no hash
"""Zstandard takes three quarters more processor time for a file a ninth smaller; nobody asks for statistics."""


def plain(settings: Any) -> dict[str, Any]:
    """Turn a settings dataclass into the JSON form that records hold (lists, not tuples), by the keys of a recipe."""
    form: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return {name.rstrip("_"): value for name, value in form.items()}


def fingerprint(*parts: Any) -> str:
    """Hash JSON-able parts to 32 hex digits, the same on every machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """Hash a file's bytes with SHA-256: 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_catalog(path: Path, table: pd.DataFrame, record: StageRecord) -> None:
    """Write a catalog, whole or not at all."""
    write_groups(path, row_groups(table), record)


def write_decided(path: Path, before: Path, table: pd.DataFrame, record: StageRecord) -> None:
    """Write the catalog ``before`` with what a stage decided, whole or not at all; see :func:`with_decided`."""
    write_groups(path, with_decided(before, table), record, find_thumbnails(before))


def with_decided(before: Path, table: pd.DataFrame) -> Iterator[pa.Table]:
    """Yield the catalog ``before`` in groups as they are stored, with what a stage decided.

    Args:
        table: the same rows, with at least the columns :data:`curator.catalog.DECIDED`; these take the place of those
            of ``before``, whose other columns are never in memory as a whole.
    """
    decided = pa.Table.from_pandas(table[[*catalog.DECIDED]], catalog.schema_of(catalog.DECIDED), preserve_index=False)
    done = 0
    for group in stored_groups(before):
        part = decided.slice(done, group.num_rows)
        done += group.num_rows
        if part.num_rows < group.num_rows:
            break
        columns = [part[name] if name in catalog.DECIDED else group[name] for name in group.column_names]
        yield pa.Table.from_arrays(columns, schema=group.schema)
    if done != decided.num_rows:
        raise StateError(f"The catalog {before} has changed while it was read.", "Run the command again.")


def stored_groups(path: Path, columns: Iterable[str] | None = None) -> Iterator[pa.Table]:
    """Read a catalog, or some of its columns, in parts of at most :data:`GROUP_ROWS` rows.

    Yields:
        Tables in which a thumbnail is its row in the file of :func:`find_thumbnails`; of a catalog that an earlier
        version wrote, itself.

    Raises:
        StateError: see :func:`read_catalog`; what cells hold is not checked.
    """
    schema = stored_schema(path, catalog.SCHEMA.names if columns is None else columns)
    with _damage_of(path), pq.ParquetFile(path) as file:
        there = {name for name in schema.names if name in file.schema_arrow.names}
        for number in range(file.num_row_groups):  # iter_batches holds on to what it has yielded
            table = file.read_row_group(number, [*there])
            n = table.num_rows
            arrays = [table[f.name].cast(f.type) if f.name in there else pa.nulls(n, f.type) for f in schema]
            whole = pa.Table.from_arrays(arrays, schema=schema)
            yield from (whole.slice(start, GROUP_ROWS) for start in range(0, max(n, 1), GROUP_ROWS))


def stored_schema(path: Path, columns: Iterable[str]) -> pa.Schema:
    """Return the schema of some columns of a catalog as it is stored; see :func:`stored_groups`."""
    with _damage_of(path):
        there = pq.read_schema(path)
    has_own = COLUMN in there.names and there.field(COLUMN).type != PLACE
    wanted = set(columns)
    return pa.schema([field for field in (catalog.SCHEMA if has_own else STORED) if field.name in wanted])


@contextmanager
def _damage_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StateError(f"The catalog {path} is damaged ({_first_line(error)}).", AGAIN) from error


def find_thumbnails(path: Path) -> str:
    """Return the name of the file beside a catalog that has its thumbnails; nothing if it has none, or has them itself.

    Raises:
        StateError: see :func:`read_catalog`.
    """
    with _damage_of(path):
        return named_in(pq.read_metadata(path))


def write_groups(path: Path, groups: Iterable[pa.Table], record: StageRecord, thumbnails: str = "") -> None:
    """Write a catalog that comes in groups, whole or not at all, after a file with the thumbnails that these have.

    Args:
        thumbnails: the name of that file, if the groups come as they are stored.
    """
    schema = STORED.with_metadata({_KEY: write_record(record).encode()})
    packed = {"compression": _CODEC, "use_dictionary": [*_REPEATED], "write_statistics": False}
    with (
        whole_file(path) as temporary,
        ThumbnailsWriter(path.parent) as aside,
        pq.ParquetWriter(temporary, schema, **packed) as writer,
    ):
        for group in one_ahead(groups):
            writer.write_table(aside.take_from(group))
        writer.add_key_value_metadata({NAMED: (aside.finish() or thumbnails).encode()})


def read_catalog(path: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a catalog.

    Args:
        columns: read only these; the table has no others, so that a decision cannot take one for empty.

    Raises:
        StateError: the file is missing, damaged or written by a newer version.
    """
    read_record(path)
    schema = catalog.SCHEMA if columns is None else catalog.schema_of(columns)
    with _damage_of(path):
        opened, rows = _open_both(path, COLUMN in schema.names)
        with opened as file:
            table = file.read([name for name in file.schema_arrow.names if name in schema.names])
            table = with_thumbnails(table, path, named_in(file.metadata), rows)
    try:
        found = catalog.conform(catalog.from_arrow(table.replace_schema_metadata(None)), schema)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise StateError(f"The catalog {path} is damaged ({_first_line(error)}).", AGAIN) from error
    check_cells(found, path)
    return found


def _open_both(path: Path, has_thumbnails: bool, is_first: bool = True) -> tuple[pq.ParquetFile, pa.Buffer]:
    """Open a catalog and map its thumbnails: a command that writes both anew takes neither from who has them."""
    file = pq.ParquetFile(path)
    name = named_in(file.metadata) if has_thumbnails else ""
    try:
        with damage_of_thumbnails(path, name):
            return file, open_thumbnails(path.parent, name)
    except StateError as error:
        file.close()
        if not is_first or not isinstance(error.__cause__, FileNotFoundError):
            raise
    return _open_both(path, has_thumbnails, is_first=False)  # of the catalog that is there by now


def refuse_newer(paths: Iterable[Path]) -> None:
    """Make sure that none of these catalogs, which are about to be written, is from a newer version.

    Raises:
        NewerError: one is; the message names it.
    """
    for path in paths:
        find_record(path)


def read_record(path: Path) -> StageRecord:
    """Read what a catalog was made from; see :func:`read_catalog` for the errors."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except FileNotFoundError as error:
        raise StateError(f"The catalog {path} is not there.", (Command("status"), " says what to run next.")) from error
    except (OSError, pa.ArrowException) as error:
        raise StateError(f"The catalog {path} is damaged ({_first_line(error)}).", AGAIN) from error
    if _KEY not in metadata:
        raise StateError(f"The file {path} is not a catalog of curator.", AGAIN)
    try:
        return parse_record(metadata[_KEY].decode(), path)
    except ValueError as error:
        raise StateError(f"The catalog {path} is damaged: of what it was made from, {error}.", AGAIN) from error


def find_record(path: Path) -> StageRecord | None:
    """Read what a catalog was made from; None if it is missing or damaged, and may be written anew.

    Raises:
        NewerError: it was written by a newer version.
    """
    try:
        return read_record(path)
    except NewerError:
        raise
    except StateError:
        return None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def row_groups(table: pd.DataFrame | pa.Table) -> Iterator[pa.Table]:
    """Cut a catalog into Arrow tables of at most :data:`GROUP_ROWS` rows; an empty one is one group."""
    for start in range(0, max(len(table), 1), GROUP_ROWS):
        some = table.slice(start, GROUP_ROWS) if isinstance(table, pa.Table) else table.iloc[start : start + GROUP_ROWS]
        yield catalog.to_arrow(some)


def write_if_changed(path: Path, groups: Callable[[], Iterable[pa.Table]], record: StageRecord) -> bool:
    """Write a catalog, whole or not at all, unless one with the same rows and record is there.

    ``groups`` is called once to compare and once to write; what it returns are the catalog's row groups.

    Returns:
        Whether it was written.
    """
    if _holds(path, groups, record):
        return False
    write_groups(path, groups(), record)
    return True


def _holds(path: Path, groups: Callable[[], Iterable[pa.Table]], record: StageRecord) -> bool:
    if find_record(path) != record:
        return False
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(STORED):
            return False
    try:
        name = find_thumbnails(path)
        written = (with_thumbnails(group, path, name) for group in stored_groups(path))
        return all(one.equals(other) for one, other in zip(written, groups(), strict=True))
    except (ValueError, OSError, pa.ArrowException, StateError):
        return False
