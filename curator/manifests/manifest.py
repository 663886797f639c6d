"""The manifest: every image of the finished data set, its split, hash, origin and licence, as one sorted CSV file.

>>> COLUMNS[:3]
('record_id', 'label', 'split')
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.errors import StateError, why
from curator.manifests.cells import csv_text, table_text, unguard_column
from curator.manifests.file_names import is_own_name, name_files
from curator.manifests.labels import folder_name, label_problem
from curator.manifests.table_file import Mistake, Table, parse_table
from curator.reasons import SPLITS
from curator.store.making import PATTERN
from curator.text import Command

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "record_id",
    "label",
    "split",
    "sha256",
    "sha1",
    "file",
    "format",
    "n_bytes",
    "width",
    "height",
    "orientation",
    "phash",
    "source",
    "kind",
    "source_id",
    "source_class",
    "url",
    "fallback_url",
    "landing_url",
    "license",
    "author",
    "author_url",
    "title",
    "split_group",
)
"""The columns, in order. ``file`` is relative to ``data/<name>``; ``phash`` is 16 hex; the rest is the catalog's."""
RESCUED = ("archive_url", "archived_at")
"""Columns of a manifest that has images of a web archive: of which capture, made when; others do not have them."""
MADE = ("made_of", "made_by")
"""Columns of a manifest that has images made of others, turned or cut: the SHA-256 as served, and what was done."""
FOLD = "fold"
"""The last column of a manifest whose images in train are divided into folds, from 1; others do not have it."""

OPTIONAL = (*RESCUED, *MADE, FOLD)
"""The columns that only a manifest has some of whose images have them."""

_REQUIRED = ("record_id", "label", "split", "sha256", "file", "format")
SERVED_SIDES = ("served_width", "served_height")
"""What a resized export's manifest has too: the width and height of the served file, of which the hashes are."""
_LARGEST = {
    "n_bytes": 2**53,
    "orientation": 8,
    FOLD: 100,
    **dict.fromkeys(("width", "height", *SERVED_SIDES), 2**31 - 1),
}
"""The columns of whole numbers: each is from 1 to this."""
_PATTERNS = {
    "record_id": ("[A-Za-z0-9][A-Za-z0-9_-]{0,199}", "record id (letters, digits, - and _)"),
    "split": ("|".join(SPLITS), "split (train, val or test)"),
    "sha256": ("[0-9a-f]{64}", "SHA-256 (64 hex digits)"),
    "sha1": ("[0-9a-f]{40}", "SHA-1 (40 hex digits)"),
    "made_of": ("[0-9a-f]{64}", "SHA-256 (64 hex digits)"),
    "made_by": (PATTERN, "making of a picture (turn 90, crop 0.1 0.2 0.5 0.6 margin 0.1)"),
    "file": (f"(?:{'|'.join(SPLITS)})/[^/]+/[^/.]{{1,240}}\\.(?:jpg|png)", "file of the folders"),
    "format": ("[a-z0-9]{1,16}", "format of images"),
    "phash": ("[0-9a-f]{16}", "perceptual hash (16 hex digits)"),
    "archived_at": ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "time of a capture"),
}
"""What the cells of a column must look like, and what they are; those of a required column must not be empty."""
_TEXTS = (
    "source", "source_id", "source_class", "url", "fallback_url", "landing_url", "license", "author", "author_url",
    "title", "archive_url",
)  # fmt: skip
"""The columns whose texts come from elsewhere."""
_N_SHOWN = 5
_AGAIN = (
    "Name a manifest.csv, or take this one back from where it came; if it is your own data set's, delete it, and ",
    Command("split"),
    " writes it anew.",
)


def can_be_linked(table: pd.DataFrame) -> catalog.BoolArray:
    """Say which files every reader of folders shows as they are: bool array, shape (rows,).

    Well-formed 8-bit grey or RGB JPEG and PNG of one frame without an EXIF orientation. Keras and TensorFlow ignore the
    EXIF orientation, fail on CMYK and on what libjpeg or libpng warns of, and skip other formats, so the folders hold a
    PNG form of those.
    """
    well_formed: catalog.BoolArray = table["well_formed"].fillna(False).to_numpy(dtype=bool)
    return is_plain(table) & well_formed


def is_plain(table: pd.DataFrame) -> catalog.BoolArray:
    """Say which files need only be well-formed to be shown as they are: bool array, shape (rows,)."""
    plain = table["format"].isin(["jpeg", "png"]) & table["mode"].isin(["L", "RGB"])
    single = (table["orientation"] == 1) & (table["n_frames"] == 1)
    return (plain & single).fillna(False).to_numpy(dtype=bool)


def folder_rows(rows: pd.DataFrame, sharing: Collection[tuple[str, str]] | None = None) -> pd.DataFrame:
    """Add ``file`` and ``linked`` to kept images of a catalog after the split.

    ``file`` is the image's name below ``data/<name>``; ``linked`` says whether it is the stored file itself.

    Args:
        rows: sorted by record_id; some of the images, if ``sharing`` is given.
        sharing: see :func:`curator.manifests.file_names.name_files`.
    """
    import pandas as pd

    linked = can_be_linked(rows)
    endings = np.where(linked & (rows["format"] == "jpeg").to_numpy(dtype=bool), ".jpg", ".png")
    folder_of = {label: folder_name(label) for label in rows["label"].unique()}
    folders = rows["label"].map(folder_of).astype(rows["label"].dtype)
    stems = rows["split"] + "/" + folders + "/" + name_files(rows, sharing)
    return rows.assign(file=stems + pd.Series(endings, dtype=stems.dtype), linked=linked)


def manifest_chunks(parts: Iterable[pd.DataFrame], optional: Collection[str]) -> Iterator[bytes]:
    """Format the manifest of :func:`folder_rows`, part by part, as :func:`manifest_text` does the whole.

    Args:
        optional: those of :data:`OPTIONAL` that any image has.
    """
    import pandas as pd

    columns = [*COLUMNS, *(name for name in OPTIONAL if name in optional)]
    yield csv_text(columns, ()).encode("utf-8")
    for rows in parts:
        hexes = [None if value is None else f"{value:016x}" for value in pa.array(rows["phash"]).to_pylist()]
        rows = rows.assign(phash=pd.Series(hexes, dtype=rows["file"].dtype))[columns]
        yield table_text(rows, _TEXTS, header=False).encode("utf-8")


def _columns_of(rows: pd.DataFrame) -> list[str]:
    return [*COLUMNS, *(name for name in OPTIONAL if name in rows and rows[name].notna().any())]


def manifest_text(rows: pd.DataFrame) -> str:
    """Format manifest rows as CSV (see :mod:`curator.manifests.cells`): UTF-8, LF, a field quoted only if it must be.

    A column that an older manifest does not have is empty.
    """
    return table_text(rows.reindex(columns=_columns_of(rows)), _TEXTS)


def resized_manifest_text(rows: pd.DataFrame, served: pd.DataFrame) -> str:
    """Format the manifest of a resized export: ``width`` and ``height`` are those of its files.

    Args:
        rows: manifest rows with those sizes.
        served: the whole manifest; a row of it that is not among ``rows`` has no file, and keeps the sizes as served.
    """
    import pandas as pd

    others = served[~served["record_id"].isin(rows["record_id"])]
    rows = pd.concat([rows, others]).sort_values("record_id", ignore_index=True)
    of_row = served.set_index("record_id").loc[list(rows["record_id"])]
    sides = zip(SERVED_SIDES, ("width", "height"), strict=True)
    return table_text(rows.assign(**{name: of_row[side].array for name, side in sides}), _TEXTS)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest, however a spreadsheet has saved it (:mod:`curator.manifests.table_file`).

    Returns:
        All of :data:`COLUMNS`, ``fold`` if it has that, and those that somebody added, as texts, with ``n_bytes``,
        ``width``, ``height``, ``orientation`` and ``fold`` as integers; what the file does not have is missing.

    Raises:
        StateError: the file is missing, not a manifest, or has cells that cannot be right; the first ones are named.
    """
    import pandas as pd

    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise StateError(f"The manifest {path} is not there.", (Command("split"), " writes it.")) from error
    except IsADirectoryError as error:
        raise StateError(f"{path} is a folder.", f"Name the manifest.csv in it: {path / 'manifest.csv'}.") from error
    except OSError as error:
        raise StateError(f"The manifest {path} cannot be read ({why(error)}).", _AGAIN) from error
    table = parse_table(data, _REQUIRED)
    if not table.mistakes:
        _check_cells(table)
    if not table.mistakes:
        table.columns |= {name: _whole_numbers(table, name) for name in _LARGEST if name in table.columns}
    if table.mistakes:
        first = sorted(table.mistakes)[:_N_SHOWN]
        more = f"; and {len(table.mistakes) - len(first):,} more" if len(table.mistakes) > len(first) else ""
        message = f"{path} is not a manifest as it was written: {'; '.join(map(str, first))}{more}."
        raise StateError(message, _AGAIN)
    missing = {name: pa.nulls(len(table.lines), pa.string()) for name in COLUMNS if name not in table.columns}
    missing |= {name: pa.nulls(len(table.lines), pa.int64()) for name in _LARGEST if name in missing}
    found = table.columns | missing
    # The record id begins with the source's kind, which is the source's name unless the recipe gives it another.
    found["kind"] = pc.coalesce(found["kind"], pc.replace_substring_regex(found["record_id"], "-[^-]*$", ""))
    found["source"] = pc.coalesce(found["source"], found["kind"])
    names = [*COLUMNS, *(name for name in found if name not in COLUMNS)]
    return pd.DataFrame({name: _series(found[name]) for name in names})


def _series(column: pa.Array) -> pd.Series[Any]:
    import pandas as pd

    if pa.types.is_integer(column.type):
        return pd.Series(pd.array(column.to_pylist(), dtype="Int64"))
    return pd.Series(column.to_pandas())


def _check_cells(table: Table) -> None:
    """Note each cell that a manifest of ours cannot hold, and take the apostrophes away that guard its texts."""
    for name, (pattern, what) in _PATTERNS.items():
        if name in table.columns:
            column = table.columns[name]
            wrong = pc.invert(pc.match_substring_regex(column, f"^(?:{pattern})$"))
            table.check(name, pc.fill_null(wrong, name in _REQUIRED), f"{{}} is no {what}")
    _check_labels(table)
    _check_file_names(table)
    record_ids = table.columns["record_id"].to_pylist()
    first = dict(zip(reversed(record_ids), reversed(table.lines), strict=True))
    for record_id, line in zip(record_ids, table.lines, strict=True):
        if first[record_id] != line:
            what = f"{record_id!r} is named on line {first[record_id]:,} already"
            table.mistakes.append(Mistake(line, "record_id", what))
    table.columns |= {name: unguard_column(table.columns[name]) for name in _TEXTS if name in table.columns}


def _check_labels(table: Table) -> None:
    """Note each label that is none, and each file that does not lie in its label's folder."""
    labels = table.columns["label"]
    names = {label: folder_name(label) for label in labels.unique().to_pylist() if not label_problem(label)}
    known = pa.array(list(names), pa.string())
    table.check("label", pc.invert(pc.is_in(labels, known)), "{} is no label")
    folders = pa.array(list(names.values()), pa.string()).take(pc.index_in(labels, known))
    lies_in = pc.struct_field(pc.extract_regex(table.columns["file"], "^[^/]+/(?P<folder>[^/]+)/"), "folder")
    table.check("file", pc.fill_null(pc.not_equal(folders, lies_in), False), "{} is not in the folder of its label")


def _check_file_names(table: Table) -> None:
    """Note each file whose name is neither a record id nor that of somebody's own file, made safe."""
    names = pc.struct_field(pc.extract_regex(table.columns["file"], r"/(?P<name>[^/.]+)\.[a-z]+$"), "name")
    fits = pc.match_substring_regex(names, f"^{_PATTERNS['record_id'][0]}$").to_pylist()
    wrong = [fit is False and not is_own_name(name) for fit, name in zip(fits, names.to_pylist(), strict=True)]
    table.check("file", pa.array(wrong, pa.bool_()), "{} is no file of the folders")


def _whole_numbers(table: Table, name: str) -> pa.Array:
    """Read a column of whole numbers, with the commas or the ``.0`` that a spreadsheet may have given them."""
    column = table.columns[name]
    good = pc.match_substring_regex(column, r"^(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\.0{1,9})?$")
    table.check(name, pc.invert(good), "{} is no whole number")
    digits = pc.replace_substring_regex(pc.replace_substring(column, ",", ""), r"\.0+$", "")
    numbers = pc.if_else(good, digits, None).cast(pa.int64())
    outside = pc.or_(pc.less(numbers, 1), pc.greater(numbers, _LARGEST[name]))
    table.check(name, outside, f"{{}} is not from 1 to {_LARGEST[name]:,}")
    return numbers
