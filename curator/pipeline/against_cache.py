"""Keep what was observed of another data set's folder, so that the next comparison looks at changed files only.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "against-1.parquet"
>>> seen = seen_table([b"1.jpg 9 1", b"a.txt 2 1"], [Observation("ab" * 32, 9, width=3), Observation("cd" * 32, 2)])
>>> write_seen(path, seen, max_pixels=1_000_000)
>>> read_seen(path, max_pixels=1_000_000).select(["mark", "is_image"]).to_pylist()[1]
{'mark': b'a.txt 2 1', 'is_image': False}
>>> read_seen(path, max_pixels=2_000_000).num_rows
0
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator import catalog
from curator.decide.elsewhere import COLUMNS
from curator.matching.perceptual_hash import HASH_VERSION
from curator.observe.observation import Observation
from curator.reasons import Drop
from curator.store import beneath
from curator.store.whole_files import whole_file

_VERSION = 2
_KEY = b"curator"
SCHEMA = pa.schema(
    [
        pa.field("mark", pa.binary()),  # the file's path below the folder, its size and its time
        pa.field("is_image", pa.bool_()),  # null if that could not be found out: the file is looked at again
        *(catalog.SCHEMA.field(name) for name in COLUMNS),
    ]
)
"""A row a file; of a file that is no image only the mark is kept."""


def seen_table(marks: Sequence[bytes], found: Sequence[Observation | None]) -> pa.Table:
    """Make the table of what was observed, of :data:`SCHEMA`, a row for each mark."""
    images = [one if one is not None and one.width is not None else None for one in found]
    columns = {name: [one and getattr(one, name) for one in images] for name in COLUMNS}
    # Unsure, so that another try may find otherwise: an unreadable file, or a worker that died or took too long.
    unsure = [one is None or one.flaw == Drop.DECODER_CRASHED for one in found]
    is_image = [None if doubt else image is not None for doubt, image in zip(unsure, images, strict=True)]
    return pa.table({"mark": list(marks), "is_image": is_image, **columns}, SCHEMA)


def read_seen(path: Path, max_pixels: int) -> pa.Table:
    """Read what is known of a folder; nothing if the file is missing, damaged, or made under other conditions."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException):
        return SCHEMA.empty_table()
    same = (table.schema.metadata or {}).get(_KEY) == _conditions(max_pixels)
    return table.replace_schema_metadata(None) if same else SCHEMA.empty_table()


def _conditions(max_pixels: int) -> bytes:
    return json.dumps({"hash_version": HASH_VERSION, "max_pixels": max_pixels, "version": _VERSION}).encode()


def write_seen(path: Path, table: pa.Table, max_pixels: int, forgotten: Collection[str] = frozenset()) -> None:
    """Write what is known of a folder, whole or not at all: neither what is unsure nor the contents forgotten for good.

    Raises:
        DiskError: the disk refuses.
    """
    known = _without(table.filter(pc.is_valid(table["is_image"])), forgotten)
    _write(path, known.replace_schema_metadata({_KEY: _conditions(max_pixels)}))


def forget_seen(folder: Path, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of every file of :func:`write_seen` in ``folder``; a damaged file goes whole.

    Raises:
        DiskError: the disk refuses.
    """
    names = beneath.list_names(folder) if folder.is_dir() else []
    for path in (folder / name for name in names if name.startswith("against-")):
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException):
            path.unlink(missing_ok=True)
            continue
        staying = _without(table, contents)
        if staying.num_rows < table.num_rows:
            _write(path, staying)


def _without(table: pa.Table, contents: Collection[str]) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table["sha256"], pa.array(sorted(contents), pa.string()))))


def _write(path: Path, table: pa.Table) -> None:
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
