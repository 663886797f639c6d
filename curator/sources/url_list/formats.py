r"""Read a list of URLs of any form into columns: CSV, TSV, JSONL, Parquet, or one URL a line.

The form is known by the file's ending, else by its first bytes.

>>> list_format("list", b'{"url": "http://example.org/a.jpg"}'), list_format("list.tsv.gz", b"")
('jsonl', 'tsv')
>>> list_format("list", b"http://example.org/a,b.jpg\n"), list_format("list", b"label,URL\nrugby,http://e.org/a.jpg")
('lines', 'csv')
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.errors import SourceError
from curator.sources.reading.delimited import Rows, read_delimited
from curator.sources.reading.lend import lend

_ENDINGS = {f".{form}": form for form in ("csv", "tsv", "jsonl", "parquet")} | {".tab": "tsv", ".ndjson": "jsonl"}
_LONGEST_LINE_BYTES = 16 << 20


def list_format(name: str, head: bytes) -> str:
    """Return a list's form: ``csv``, ``tsv``, ``jsonl``, ``parquet`` or ``lines``."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if known := _ENDINGS.get(PurePosixPath(name.lower().removesuffix(".gz")).suffix):
        return known
    if head.lstrip().startswith(b"{"):
        return "jsonl"
    first = next(iter(head.decode("utf-8-sig", "replace").splitlines()), "")
    for separator, form in (("\t", "tsv"), (",", "csv")):
        if "url" in map(_folded, first.split(separator)):
            return form
    return "lines"


def read_url_table(stream: io.BufferedReader, name: str) -> Rows:
    """Read a list of whatever form; ``name`` is its file name.

    Raises:
        SourceError: it is empty, not UTF-8, or cannot be parsed; says where.
    """
    head = stream.peek(512)
    if not head:
        raise SourceError("is empty")
    return READERS[list_format(name, head)](stream)


def _read_delimited(stream: io.BufferedReader, delimiter: str) -> Rows:
    line = stream.readline(_LONGEST_LINE_BYTES)
    try:
        header = next(csv.reader([line.decode("utf-8-sig").strip("\r\n")], delimiter=delimiter))
        names = list(map(_folded, header))
    except UnicodeDecodeError as error:
        raise SourceError(f"has bytes that are not UTF-8 in line 1 (byte {error.start})") from error
    if len(set(names)) < len(names):
        raise SourceError(f"names a column twice: {', '.join(names)}")
    return _as_texts(read_delimited(stream, names, names, delimiter=delimiter))


def _as_texts(found: Rows) -> Rows:
    texts = {}
    for name, column in zip(found.rows.column_names, found.rows.columns, strict=True):
        try:
            texts[name] = column.cast(pa.string())
        except pa.ArrowInvalid as error:
            values = enumerate(column.to_pylist(), 1)
            row = next(row for row, value in values if value.decode("utf-8", "ignore").encode() != value)
            raise SourceError(f"has bytes that are not UTF-8 in row {row}, column {name}") from error
    return Rows(pa.table(texts), found.n_malformed)


def _read_jsonl(stream: io.BufferedReader) -> Rows:
    objects: list[Mapping[str, Any]] = []
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE_BYTES), b""), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise SourceError(f"has bytes that are not UTF-8 in line {number}") from error
        except (ValueError, RecursionError) as error:
            raise SourceError(f"has no JSON object in line {number} ({error})") from error
        if not isinstance(item, dict):
            raise SourceError(f"has no JSON object in line {number}")
        objects.append({_folded(name): value for name, value in item.items()})
    names = dict.fromkeys(name for item in objects for name in item)
    columns = {name: pa.array([_json_text(item.get(name)) for item in objects], pa.string()) for name in names}
    return Rows(pa.table(columns))


def _json_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return None if value is None else json.dumps(value)


def _read_parquet(stream: io.BufferedReader) -> Rows:
    with tempfile.TemporaryFile() as whole:
        shutil.copyfileobj(stream, whole, 8 << 20)
        try:
            table = pq.read_table(pa.PythonFile(lend(whole), "r"))
            return Rows(pa.table({_folded(name): _parquet_text(table[name]) for name in table.column_names}))
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"is no Parquet file that can be read ({error})") from error


def _parquet_text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_nested(column.type):
        return pa.array([json.dumps(value, default=str) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _folded(name: str) -> str:
    return name.strip().strip('"').casefold()


READERS: Mapping[str, Callable[[io.BufferedReader], Rows]] = {
    "csv": lambda stream: _read_delimited(stream, ","),
    "tsv": lambda stream: _read_delimited(stream, "\t"),
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
    # No URL holds a unit separator, so that each line is one field, commas and quotes included.
    "lines": lambda stream: _as_texts(read_delimited(stream, ["url"], ["url"], delimiter="\x1f", quote_char=False)),
}
"""How each form is read."""
