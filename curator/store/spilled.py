"""Rows that come part by part: from 1 MB on they are in a file, which is mapped into memory and loses its name.

The system takes the memory of a mapped file's pages back when it needs it. What a killed run leaves of a file that was
still being written, the next command removes. Rows of one schema after another are streams one behind the other in it.

>>> import tempfile
>>> from pathlib import Path
>>> with tempfile.TemporaryDirectory() as folder:
...     rows = Spilled(Path(folder), most_bytes=0)
...     for number in range(3):
...         rows.add(pa.table({"n": [number]}))
...     rows.whole()["n"].to_pylist(), list(Path(folder).iterdir())
([0, 1, 2], [])
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.store.whole_files import disk_errors, temporary_beside

ROWS_A_PART, BYTES_A_PART = 1 << 15, 1 << 22
"""So many rows, or bytes, are put together before they are written; of many, so many rows are taken at once."""

MOST_BYTES = 1 << 20
"""So much stays in memory: a list has a dozen of these at once."""


class Spilled:
    """Rows in the order in which they were added.

    Args:
        folder: where there is room for a file; None: they all stay in memory.
        most_bytes: so many stay in memory whatever comes.
    """

    def __init__(self, folder: Path | None, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._parts: list[pa.Table] = []
        self._loose: list[pa.Table] = []
        self._n_loose = self._loose_bytes = self._n_bytes = 0
        self._path: Path | None = None
        self._file: Any = None
        self._writer: Any = None
        self._schema: pa.Schema | None = None

    def add(self, rows: pa.Table) -> None:
        """Take more rows; their columns may be others than those of the rows before.

        Raises:
            DiskError: there is no room for the file.
        """
        if self._loose and rows.schema != self._loose[0].schema:
            self._put_together()
        for some in pieces(rows):
            self._loose.append(some)
            self._n_loose += some.num_rows
            self._loose_bytes += some.nbytes
            if self._n_loose >= ROWS_A_PART or self._loose_bytes >= BYTES_A_PART:
                self._put_together()

    def whole(self) -> pa.Table:
        """Return all rows; a column that some of them lack is null there. No more can be added.

        Raises:
            DiskError: there is no room for the file.
            MemoryError: this process may not map it.
        """
        self._put_together()
        parts, self._parts = [*self._parts, *self._in_file()], []
        pa.default_memory_pool().release_unused()
        return pa.concat_tables(parts, promote_options="default") if parts else pa.table({})

    def _put_together(self) -> None:
        if not self._loose:
            return
        part = pa.concat_tables(self._loose).combine_chunks()
        self._loose, self._n_loose, self._loose_bytes = [], 0, 0
        self._n_bytes += part.nbytes
        if self._folder is None or self._n_bytes <= self._most_bytes:
            self._parts.append(part)
            return
        with disk_errors(self._folder):
            self._write(self._folder, part)

    def _write(self, folder: Path, part: pa.Table) -> None:
        if self._path is None:
            folder.mkdir(parents=True, exist_ok=True)
            self._path = temporary_beside(folder / "rows.arrow")
            weakref.finalize(self, self._path.unlink, missing_ok=True)  # also of a reader that fails half-way
            self._file = pa.OSFile(str(self._path), "wb")
        if self._schema != part.schema:
            self._end_stream()
            self._writer, self._schema = pa.ipc.new_stream(self._file, part.schema), part.schema
        self._writer.write_table(part)

    def _end_stream(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _in_file(self) -> list[pa.Table]:
        if self._path is None:
            return []
        path, self._path = self._path, None
        with disk_errors(path):
            self._end_stream()
            self._file.close()
            whole = _mapped(path)
            path.unlink()
        parts = []
        while whole.tell() < whole.size():  # no thread: where memory is limited, none may be had
            parts.append(pa.ipc.open_stream(whole, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all())
        return parts


def _mapped(path: Path) -> pa.MemoryMappedFile:
    try:
        return pa.memory_map(str(path))
    except OSError as error:
        if error.errno:
            raise
        raise MemoryError(f"{path}: {error}") from error  # Arrow says why it cannot map a file in words alone


def pieces(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table's rows, some at a time; of an empty one, one piece without rows."""
    for start in range(0, max(table.num_rows, 1), ROWS_A_PART):
        yield table.slice(start, ROWS_A_PART)
