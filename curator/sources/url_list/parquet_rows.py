"""Read the rows of a Parquet file as text, and the pictures that it holds, if it does, as files.

Hugging Face ``datasets`` keeps pictures as ``image: {bytes, path}``, and classes as numbers with their names in the
metadata.

>>> import io
>>> whole = io.BytesIO()
>>> image = {"bytes": b"GIF89a", "path": "1.gif"}
>>> pq.write_table(pa.table({"image": [image], "label": pa.array(["rugby"]).dictionary_encode()}), whole)
>>> read_parquet(whole).rows.to_pylist()
[{'image.path': '1.gif', 'label': 'rugby', ' picture': 'image.bytes'}]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curator.errors import SourceError
from curator.observe.sniff import sniff
from curator.sources.budget import Kept, budget
from curator.sources.reading.blocks import is_utf8
from curator.sources.reading.delimited import Rows, Wanted
from curator.sources.reading.lend import lend
from curator.sources.reading.tally import NOT_UTF8, Tally
from curator.sources.url_list.class_names import names_in_metadata, with_names
from curator.sources.url_list.columns import folded, refuse_repeated
from curator.store.image_files import Unnamed, name_files, sync_files, write_temporary
from curator.store.paths import PICTURES, DataPaths

PICTURE = " picture"
"""The column that says where in the file the bytes of each row's picture are; no name of a list begins with a space."""

_NUMBER = " number"
_ROWS_AT_ONCE, _ROWS_READ = 64, 8192


def read_parquet(file: Any, where: Wanted | None = None) -> Rows:
    """Read all columns but the bytes of pictures; what is within a struct becomes a column ``outer.inner``.

    Args:
        where: says which rows of some are wanted; none: all.

    Raises:
        SourceError: it is no Parquet file that can be read.
    """
    try:
        parquet, limits = pq.ParquetFile(pa.PythonFile(lend(file), "r")), budget()
        limits.columns(parquet.metadata.num_columns)
        limits.rows(parquet.metadata.num_rows)
        names = [name for field in parquet.schema_arrow for name in _names_of(field)]
        refuse_repeated(names)
        pictures = [name for name in _binary_columns(parquet.schema_arrow) if _holds_pictures(parquet, name)]
        return _read_rows(parquet, [name for name in names if name not in pictures], next(iter(pictures), None), where)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"is no Parquet file that can be read ({' '.join(str(error).split())})") from error


def _read_rows(parquet: pq.ParquetFile, names: Sequence[str], picture: str | None, where: Wanted | None) -> Rows:
    """Read columns piece by piece, as text: a few bytes may stand for any number of rows and texts."""
    tally, kept, classes = Tally(unit="row"), Kept(len(names)), names_in_metadata(parquet.schema_arrow.metadata)
    columns = [*map(folded, names), *([PICTURE] if picture else []), _NUMBER]
    kept.keep(pa.table({name: pa.array([], pa.int64() if name == _NUMBER else pa.string()) for name in columns}))
    for batch in parquet.iter_batches(_ROWS_READ, columns=list(names)):
        texts = {folded(name): _as_text(column) for name, column in _flat(pa.Table.from_batches([batch]))}
        if picture:
            texts[PICTURE] = pa.array([picture] * batch.num_rows, pa.string())
        rows = _without_odd_bytes(texts, batch.num_rows, tally)
        for name in classes.keys() & {*rows.column_names}:
            rows = rows.set_column(rows.column_names.index(name), name, with_names(rows[name], classes[name]))
        kept.keep(rows.filter(where(rows.drop_columns([_NUMBER]))) if where else rows)
    whole = kept.whole()
    return Rows(whole.drop_columns([_NUMBER]), whole[_NUMBER], tally)


def write_pictures(
    path: Path, column: str, rows: Sequence[int], folder: Path, forgotten: Collection[str] = ()
) -> dict[int, str]:
    """Write the pictures of these rows (from 1) below a folder, each distinct one once, named by its content.

    Args:
        forgotten: contents (SHA-256s) that are not written.

    Returns:
        The path of each row's file; a row without bytes is not in it.

    Raises:
        DiskError: the disk refused.
    """
    written: dict[int, str] = {}
    store = DataPaths(folder, folder, PICTURES)
    for numbered in _pieces(path, column, rows):
        temporaries = []
        for number, data in numbered:
            sha256, kind = hashlib.sha256(data).hexdigest(), sniff(data).format or "bin"
            written[number] = str(store.image(sha256, kind).absolute())
            if sha256 not in forgotten and (temporary := write_temporary(store, data, sha256, kind)):
                temporaries.append(temporary)
        if temporaries:
            sync_files(store.images, temporaries)
            name_files(map(Unnamed.of, temporaries))
    return written


def _pieces(path: Path, column: str, rows: Sequence[int]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield the pictures of some rows at a time; groups of rows without any of them are not read."""
    wanted = np.unique(np.asarray(rows, np.int64)) - 1
    with pq.ParquetFile(path) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            n_rows = parquet.metadata.row_group(group).num_rows
            here = wanted[(wanted >= start) & (wanted < start + n_rows)]
            at = start
            for batch in parquet.iter_batches(_ROWS_AT_ONCE, [group], [column]) if len(here) else ():
                values = _inner(batch, column)
                taken = here[(here >= at) & (here < at + batch.num_rows)]
                found = [(int(number) + 1, values[int(number) - at].as_py()) for number in taken]
                yield [(number, data) for number, data in found if data]
                at += batch.num_rows
            start += n_rows


def _inner(batch: pa.RecordBatch, column: str) -> pa.Array:
    [(_, values)] = _flat(pa.Table.from_batches([batch]))
    return values


def _binary_columns(schema: pa.Schema) -> list[str]:
    """Name the columns of bytes, and those within structs."""
    kinds = (inner.type for field in schema for inner in (field.type if _is_struct(field.type) else [field]))
    names = (name for field in schema for name in _names_of(field))
    return [name for name, kind in zip(names, kinds, strict=True) if _is_bytes(kind)]


def _holds_pictures(parquet: pq.ParquetFile, name: str) -> bool:
    """Return whether the first values of a column of bytes that are not empty are pictures."""
    batch = next(parquet.iter_batches(_ROWS_AT_ONCE, columns=[name]), None)
    values = [value for value in _inner(batch, name).to_pylist() if value] if batch is not None else []
    return bool(values) and sum(sniff(value).is_image for value in values) > len(values) / 2


def _names_of(field: pa.Field) -> list[str]:
    """Name a column, or what is within a struct: as ``outer.inner``."""
    return [f"{field.name}.{inner.name}" for inner in field.type] if _is_struct(field.type) else [field.name]


def _is_struct(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _flat(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    for name in table.column_names:
        column = table[name]
        if _is_struct(column.type):
            yield from zip(_names_of(pa.field(name, column.type)), column.flatten(), strict=True)
        else:
            yield name, column


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column as text; as bytes if some of it is no text."""
    if pa.types.is_nested(column.type):
        return pa.array([_json_of(v) for v in column.to_pylist()], pa.string())
    try:
        text = column.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        return column.cast(pa.binary())
    return text


def _json_of(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _without_odd_bytes(columns: dict[str, Any], n_rows: int, tally: Tally) -> pa.Table:
    """Refuse the rows with bytes that are not UTF-8, and number the others; ``tally`` counts those before them."""
    is_good = np.ones(n_rows, bool)
    first = tally.n_rows + 1
    tally.n_rows += n_rows
    for column in columns.values():
        if pa.types.is_binary(column.type):
            is_good &= np.array([value is None or is_utf8(value) for value in column.to_pylist()], bool)
    for number in np.flatnonzero(~is_good):
        tally.refuse(NOT_UTF8, int(number) + first)
    good = pa.table(columns | {_NUMBER: pa.array(np.arange(first, first + n_rows))}).filter(pa.array(is_good))
    texts = {name: good[name].cast(pa.string()) for name in good.column_names if name != _NUMBER}
    return pa.table({**texts, _NUMBER: good[_NUMBER]})
