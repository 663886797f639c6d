"""The manifest: every image of the finished data set, its split, hash, origin and licence, as one sorted CSV file.

>>> COLUMNS[:3]
('record_id', 'label', 'split')
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.errors import StateError
from curator.manifests.labels import folder_name
from curator.text import Command

COLUMNS = (
    "record_id",
    "label",
    "split",
    "sha256",
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

_REQUIRED = ("record_id", "label", "split", "sha256", "format")
_INTEGERS = ("n_bytes", "width", "height", "orientation")
_AGAIN = (Command("split"), " writes it anew.")


def can_be_linked(table: pd.DataFrame) -> catalog.BoolArray:
    """Say which files every reader of folders shows as they are: bool array, shape (rows,).

    Plain 8-bit grey or RGB JPEG and PNG of one frame without an EXIF orientation. Keras and TensorFlow ignore the EXIF
    orientation, fail on CMYK and skip other formats, so the folders hold a PNG form of those.
    """
    plain = table["format"].isin(["jpeg", "png"]) & table["mode"].isin(["L", "RGB"])
    single = (table["orientation"] == 1) & (table["n_frames"] == 1)
    return (plain & single).fillna(False).to_numpy(dtype=bool)


def folder_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Pick the kept images of a catalog after the split, sorted by record_id, with ``file`` and ``linked`` added.

    ``file`` is the image's name below ``data/<name>``; ``linked`` says whether it is the stored file itself.
    """
    rows = catalog.kept(table).sort_values("record_id", ignore_index=True)
    linked = can_be_linked(rows)
    endings = np.where(linked & (rows["format"] == "jpeg").to_numpy(dtype=bool), ".jpg", ".png")
    folder_of = {label: folder_name(label) for label in rows["label"].unique()}
    folders = rows["label"].map(folder_of).astype(rows["label"].dtype)
    stems = rows["split"] + "/" + folders + "/" + rows["record_id"]
    return rows.assign(file=stems + pd.Series(endings, dtype=stems.dtype), linked=linked)


def manifest_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Pick the manifest's columns from :func:`folder_rows`."""
    hexes = [None if pd.isna(value) else f"{int(value):016x}" for value in rows["phash"]]
    return rows.assign(phash=pd.Series(hexes, dtype=rows["file"].dtype))[list(COLUMNS)]


def manifest_text(rows: pd.DataFrame) -> str:
    """Format manifest rows as CSV: UTF-8, LF, a field quoted only if it must be, unknown values empty.

    A column that an older manifest does not have is empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    columns = [pa.array(rows[name]).to_pylist() if name in rows else [None] * len(rows) for name in COLUMNS]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest: text columns, with ``n_bytes``, ``width``, ``height`` and ``orientation`` as integers.

    Raises:
        StateError: the file is missing, not a manifest, or names one image twice.
    """
    try:
        text = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    except FileNotFoundError as error:
        raise StateError(f"The manifest {path} is not there.", (Command("split"), " writes it.")) from error
    except (ValueError, OSError) as error:
        raise StateError(f"The manifest {path} cannot be read ({error}).", _AGAIN) from error
    missing = [name for name in _REQUIRED if name not in text.columns]
    if missing:
        raise StateError(f"{path} is not a manifest: it has no column {', '.join(missing)}.", _AGAIN)
    twice = text["record_id"][text["record_id"].duplicated()]
    if len(twice):
        raise StateError(f"{path} names {twice.iloc[0]} twice.", _AGAIN)
    integers = {name: pd.to_numeric(text[name]).astype("Int64") for name in _INTEGERS if name in text.columns}
    return text.assign(**integers)
