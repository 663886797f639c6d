"""The catalog: one row per listed image, every column declared here, and columns as NumPy and Arrow arrays.

A row is never deleted; it is dropped, with a stage, a reason and evidence. So listed = kept + dropped, always.

>>> import pandas as pd
>>> table = conform(pd.DataFrame({"record_id": ["x-1", "x-2"], "label": "a", "source": "x", "kind": "x", "tier": 0}))
>>> table = drop(table, np.array([False, True]), Stage.DEDUPED, Drop.EXACT_DUPLICATE, "same bytes as x-1")
>>> counts(table)
{'listed': 2, 'kept': 1, 'dropped': {'exact-duplicate': 1}}

A stage that decides has a catalog as a DataFrame. A fetch, which would spend more time on importing pandas than on an
image, has it as an Arrow table; what takes a :data:`Table` takes both, and returns the same kind.

A decision is one pass over whole columns, read as arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.reasons import Drop as Drop
from curator.reasons import Stage as Stage

if TYPE_CHECKING:
    import pandas as pd

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer[Any]]
AnyTable: TypeAlias = "pd.DataFrame | pa.Table"
Table = TypeVar("Table", bound=Any)
"""A DataFrame or an Arrow table: what takes one returns the same kind."""

VERSION = 8
"""The version of the columns below, and of how they are on disk; a reader refuses a newer one."""

_TEXT, _BITS64 = pa.string(), pa.uint64()
# Not of fixed width: a row without a picture, such as one that is gone, would take as much memory as one that has it.
_BYTES = pa.binary()

LISTED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("record_id", _TEXT, nullable=False),  # <source kind>-<16 hex>; the row's name for good
    pa.field("label", _TEXT, nullable=False),
    pa.field("source", _TEXT, nullable=False),  # the source's name: its kind, or `name` in the recipe
    pa.field("kind", _TEXT, nullable=False),  # the source's kind
    pa.field("source_id", _TEXT),  # the image's name at its source: n00470966_12, 16 hex, a relative path
    pa.field("source_class", _TEXT),  # the synset or MID that it was listed under
    pa.field("tier", pa.int8(), nullable=False),  # listed in the source's n-th tier
    pa.field("url", _TEXT),  # where the image is; none for a local file
    pa.field("fallback_url", _TEXT),  # tried where `url` answers 403, 404 or 410
    pa.field("local_path", _TEXT),  # a local file, absolute
    pa.field("landing_url", _TEXT),  # the page that shows the image
    pa.field("license", _TEXT),
    pa.field("author", _TEXT),
    pa.field("author_url", _TEXT),
    pa.field("title", _TEXT),
    pa.field("rotation", pa.int16()),  # degrees, as the source states it
    pa.field("crop", _TEXT),  # the part of the picture that is the image: see store.making
    pa.field("extra", _TEXT),  # a list's further columns, as a JSON object
    pa.field("listed_split", _TEXT),  # train, val or test, if the source says so
    pa.field("listed_group", _TEXT),  # what the source says belongs together, such as a patient or a video
)
FETCHED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("from_fallback", pa.bool_()),  # whether `fallback_url` was requested in the end, as `url` was gone
    pa.field("http_status", pa.int16()),
    pa.field("final_url", _TEXT),  # after redirects
    pa.field("archive_url", _TEXT),  # the capture of a web archive that the file is, as the address was dead
    pa.field("archived_at", _TEXT),  # when that was captured: 2011-03-01T12:00:00Z
    pa.field("sha256", _TEXT),  # of the bytes as served; 64 hex
    pa.field("sha1", _TEXT),  # of the same bytes, by which web archives name them; 40 hex; null: not yet observed
    pa.field("made_of", _TEXT),  # the SHA-256 of the file as served, if the image was made of that: a part, turned
    pa.field("made_by", _TEXT),  # what was done to it: turn 90, crop 0.1 0.2 0.5 0.6 margin 0.1
    pa.field("n_bytes", pa.int64()),
    pa.field("format", _TEXT),  # sniffed: jpeg, png, gif, webp …; names the stored file's ending too
    pa.field("width", pa.int32()),  # pixels, after the EXIF orientation
    pa.field("height", pa.int32()),
    pa.field("orientation", pa.int8()),  # EXIF orientation 1 to 8; 1 if there is none
    pa.field("mode", _TEXT),  # Pillow's mode of the stored image
    pa.field("n_frames", pa.int32()),
    pa.field("taken", _TEXT),  # when the photograph was taken, as its EXIF says: 2024-05-01T12:30:07.250
    pa.field("camera", _TEXT),  # maker, model and serial number, as its EXIF says
    pa.field("well_formed", pa.bool_()),  # every strict reader takes the JPEG or PNG as it is; null: not yet observed
    pa.field("detail", pa.float32()),  # median size of the hashed coefficients; under 4, noise decides the hash
    pa.field("phash", _BITS64),  # 64-bit perceptual hash, equal to imagehash.phash
    pa.field("phash_turns", _BYTES),  # 64 bytes: the 64-bit hashes of eight orientations, big-endian, identity first
    pa.field("phash256", _BYTES),  # 32 bytes: the 256-bit hash of the same transform
    pa.field("thumbnail", pa.large_binary()),  # 512 bytes: see matching.luma_signatures, store.thumbnails_file
    pa.field("hash_version", pa.int16()),
)
DEDUPED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("relabelled_from", _TEXT),  # the listed label, if a person gave the image another one
    pa.field("duplicate_of", _TEXT),  # record_id of the kept (or, for a conflict, the other) image
    pa.field("distance_bits", pa.int16()),  # between the two 64-bit hashes; 0 for the same bytes
    pa.field("turn", _TEXT),  # the orientation of this image against the other: see matching.orientations
)
SPLIT_FIELDS: tuple[pa.Field, ...] = (
    pa.field("split_group", _TEXT),  # smallest record_id of the images that must stay on one side; none for a single
    pa.field("split", _TEXT),  # train, val or test
    pa.field("fold", pa.int16()),  # of an image in train, from 1; none if there are no folds
)
DROP_FIELDS: tuple[pa.Field, ...] = (
    pa.field("drop_stage", _TEXT),
    pa.field("drop_reason", _TEXT),
    pa.field("drop_detail", _TEXT),
)
SCHEMA = pa.schema([*LISTED_FIELDS, *FETCHED_FIELDS, *DEDUPED_FIELDS, *SPLIT_FIELDS, *DROP_FIELDS])

DECIDED = ("label", *(field.name for field in (*DEDUPED_FIELDS, *SPLIT_FIELDS, *DROP_FIELDS)))
"""The columns that a deciding stage may change; all others are as the fetch left them."""


def conform(table: Table, schema: pa.Schema = SCHEMA) -> Table:
    """Return ``table`` with exactly the catalog's columns, in order, Arrow-typed; missing columns are all null.

    Args:
        schema: some of the catalog's columns instead.

    Raises:
        pyarrow.ArrowInvalid: a value does not fit its column.
    """
    there = set(names_of(table))
    arrays = [
        column_of(table, field.name).cast(field.type) if field.name in there else pa.nulls(len(table), field.type)
        for field in schema
    ]
    made = pa.Table.from_arrays(arrays, schema=schema)
    return cast(Table, made if isinstance(table, pa.Table) else from_arrow(made))


def names_of(table: pd.DataFrame | pa.Table) -> list[str]:
    """Name the columns of a table."""
    return table.column_names if isinstance(table, pa.Table) else [*table.columns]


def column_of(table: pd.DataFrame | pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column as it lies in memory."""
    return table[name] if isinstance(table, pa.Table) else pa.array(table[name], from_pandas=True)


def is_known(table: pd.DataFrame | pa.Table, name: str) -> BoolArray:
    """Return whether each row has a value in a column: bool array, shape (rows,)."""
    known: BoolArray = column_of(table, name).is_valid().to_numpy(zero_copy_only=False)
    return known


def where(table: Table, rows: BoolArray) -> Table:
    """Return these rows (bool array, shape (rows,)); all of an Arrow table as they lie, which may be in a file."""
    whole = isinstance(table, pa.Table) and rows.all()
    return table if whole else cast(Table, table.filter(pa.array(rows)) if isinstance(table, pa.Table) else table[rows])


def schema_of(columns: Iterable[str]) -> pa.Schema:
    """Return the schema of some of the catalog's columns, in the catalog's order."""
    wanted = set(columns)
    return pa.schema([field for field in SCHEMA if field.name in wanted])


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Turn an Arrow table into the DataFrame form used everywhere, by no thread: every column an ``ArrowDtype``."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True, use_threads=False)
    return frame


def to_arrow(table: pd.DataFrame | pa.Table) -> pa.Table:
    """Turn a catalog into an Arrow table of :data:`SCHEMA`."""
    if isinstance(table, pa.Table):
        return table.select(SCHEMA.names).cast(SCHEMA)
    return pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)


def empty() -> pd.DataFrame:
    """Return a catalog without rows."""
    return from_arrow(SCHEMA.empty_table())


def is_kept(table: pd.DataFrame | pa.Table) -> BoolArray:
    """Return whether each row is kept so far: bool array, shape (rows,)."""
    return ~is_known(table, "drop_reason")


def kept(table: Table) -> Table:
    """Return the rows that no stage has dropped."""
    return where(table, is_kept(table))


def dropped(table: Table) -> Table:
    """Return the rows that some stage has dropped."""
    return where(table, ~is_kept(table))


def with_columns(table: Table, columns: Mapping[str, Any]) -> Table:
    """Return a copy of the catalog with these columns replaced, each cast to the type that the schema declares."""
    arrays = {
        name: values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, from_pandas=True)
        for name, values in columns.items()
    }
    if isinstance(table, pa.Table):
        for name, array in arrays.items():
            field = SCHEMA.field(name)
            table = table.set_column(table.column_names.index(name), field, array.cast(field.type))
        return table
    import pandas as pd

    changed = table.copy(deep=False)
    for name, array in arrays.items():
        kind = SCHEMA.field(name).type
        changed[name] = pd.Series(array.cast(kind), index=table.index, dtype=pd.ArrowDtype(kind))
    return cast(Table, changed)


def drop(
    table: Table, rows: BoolArray, stage: Stage, reason: Drop, detail: Iterable[str | None] | str | None = None
) -> Table:
    """Return a copy in which ``rows`` (bool array, shape (rows,)) are dropped; rows dropped before keep their reason.

    Args:
        detail: one text for all these rows, or one for each row of ``table``.
    """
    mask = pa.array(rows & is_kept(table))
    given = pa.scalar(detail, _TEXT) if isinstance(detail, str) or detail is None else pa.array(detail, _TEXT)
    columns = {"drop_stage": pa.scalar(str(stage)), "drop_reason": pa.scalar(str(reason)), "drop_detail": given}
    return with_columns(
        table, {name: pc.if_else(mask, value, column_of(table, name)) for name, value in columns.items()}
    )


def counts(table: pd.DataFrame | pa.Table) -> dict[str, Any]:
    """Count a catalog: ``{"listed": n, "kept": n, "dropped": {reason: n}}`` with listed = kept + sum of dropped."""
    return _counts(len(table), count_values(column_of(table, "drop_reason")))


def _counts(n: int, reasons: Mapping[str, int]) -> dict[str, Any]:
    by_reason = dict(sorted(((one, m) for one, m in reasons.items() if m), key=lambda item: (-item[1], item[0])))
    return {"listed": n, "kept": n - sum(by_reason.values()), "dropped": by_reason}


def counts_by(table: pd.DataFrame | pa.Table, column: str | pa.Array) -> dict[str, dict[str, Any]]:
    """Count a catalog for each value of ``column``, such as ``label``, or of values that its rows have besides."""
    values = (column if isinstance(column, pa.Array) else column_of(table, column)).cast(_TEXT)
    reasons = column_of(table, "drop_reason").cast(_TEXT)
    names, why = ([one for one in pc.unique(part).to_pylist() if one is not None] for part in (values, reasons))
    value, reason = number_values(values), number_values(reasons)
    cells = (value * (len(why) + 1) + reason + 1)[value >= 0]
    grid = np.bincount(cells, minlength=len(names) * (len(why) + 1)).reshape(len(names), len(why) + 1)
    counted = {
        name: _counts(sum(row), dict(zip(why, row[1:], strict=True)))
        for name, row in zip(names, grid.tolist(), strict=True)
    }
    return dict(sorted(counted.items()))


def count_values(column: Any) -> dict[str, int]:
    """Count each value of a column, as a text; missing ones are left out."""
    counted = pc.value_counts(column if isinstance(column, pa.ChunkedArray) else as_arrow(column))
    found = zip(*(counted.field(name).to_pylist() for name in ("values", "counts")), strict=True)
    return {str(value): n for value, n in found if value is not None}


WIDE = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
"""The kinds of texts and bytes, and for each the one of which an array may have more than :data:`MOST_BYTES`."""
MOST_BYTES = (1 << 31) - 1


def as_arrow(column: Any, kind: pa.DataType | None = None) -> pa.Array:
    """Return a column (a Series, values in order, or Arrow's) as one Arrow array, of ``kind`` if that is given.

    Texts or bytes of more than two gigabytes are of the wide kind instead (:data:`WIDE`), whose places have 64 bits.
    """
    array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        is_large = array.num_chunks > 1 and array.type in WIDE and array.nbytes > MOST_BYTES
        whole = array.cast(WIDE[array.type]) if is_large else array
        array = whole.chunk(0) if whole.num_chunks == 1 else whole.combine_chunks()  # which copies even one
    is_wide = kind is not None and array.type == WIDE.get(kind) and array.nbytes > MOST_BYTES
    return array if kind is None or array.type == kind or is_wide else array.cast(kind)


def read_integers(column: pd.Series[Any], missing: int) -> IntArray:
    """Read a column of whole numbers as int64; a missing one is ``missing``."""
    array = as_arrow(column, pa.int64())
    return np.asarray(pc.fill_null(array, missing).to_numpy(zero_copy_only=False))


def number_values(column: pd.Series[Any] | pa.Array | pa.ChunkedArray) -> IntArray:
    """Number the distinct values of a column from 0; a missing one is -1. The numbers depend on the order of the rows.

    >>> number_values(pa.chunked_array([["b", "a"], [None, "b"]]))
    array([ 0,  1, -1,  0])
    """
    parts = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([as_arrow(column)])
    codes = [pc.fill_null(part.indices, -1).to_numpy(False) for part in parts.dictionary_encode().chunks]
    return np.concatenate([np.empty(0, np.int64), *codes])
