"""The local file of each row of a list: one that it names, or the picture that it holds, written out once.

A list from an address names no files, and no list names any outside of its folder: see
:mod:`curator.sources.local_pictures`.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> (folder / "1.jpg").touch()
>>> rows = pa.table({"file": ["1.jpg", "2.jpg", None], FILE: pa.array([0, 0, 0], pa.int32())})
>>> tables = Tables(rows, (str(folder / "list.csv"),), {"path": "file"})
>>> found = find_files(tables, pa.chunked_array([[True, True, True]]), (), ListingContext((), folder))
>>> found.source_ids.to_pylist(), found.reasons.to_pylist()
(['1.jpg', None, None], [None, 'whose file does not exist', None])
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.base import ListingContext
from curator.sources.budget import budget
from curator.sources.large_columns import repeated
from curator.sources.local_pictures import PictureFolder, PictureFolders
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.places import file_name, is_url, local_path, place_version
from curator.sources.url_list.formats import Writing
from curator.sources.url_list.joined_tables import FILE, LINE, Tables, cache_entry, whole_copy
from curator.sources.url_list.labels_of_rows import trimmed
from curator.sources.url_list.parquet_rows import PICTURE, write_pictures
from curator.store.paths import DataPaths
from curator.store.spilled import pieces


@dataclass(frozen=True)
class Files:
    """The local file of each row: its absolute path, its name there, and why the one that it names is not it."""

    paths: pa.ChunkedArray
    source_ids: pa.ChunkedArray
    reasons: pa.ChunkedArray


def find_files(
    tables: Tables,
    is_wanted: pa.ChunkedArray,
    roots: Sequence[str],
    context: ListingContext,
    *,
    follow_links: bool = False,
) -> Files:
    """Look up the files that rows of local tables name, and have them watched.

    Args:
        is_wanted: the rows; no file of another is looked for.
        roots: what they are relative to: none, the folder of their table; of a manifest, that of its data.
    """
    name, n_rows = tables.roles.get("path"), tables.rows.num_rows
    if name is None:
        return Files(*(repeated(None, n_rows, pa.string()) for _ in range(3)))
    tops = [_roots(place, roots, tables, context) for place in tables.places]
    bases = [local_path(place, context.base_dir).parent for place in tables.places]
    known = {
        key: PictureFolders([PictureFolder(top, key[1], follow_links=follow_links) for top in key[0]])
        for key in zip(tops, bases, strict=True)
    }
    folders = [known[key] for key in zip(tops, bases, strict=True)]
    common = os.path.commonpath([top.absolute() for mine in tops for top in mine])
    found, named = budget().spilled(), budget().spilled()
    for some in pieces(pa.table({"text": tables.rows[name], "file": tables.rows[FILE], "is_wanted": is_wanted})):
        texts = pc.if_else(some["is_wanted"], trimmed(some["text"]), "").to_pylist()
        looked, places = _look([folders[number] for number in some["file"].to_pylist()], texts)
        paths, reasons = zip(*looked, strict=True) if looked else ((), ())
        ids = [path and path[len(common) :].lstrip("/") for path in paths]
        columns = [pa.array(values, pa.string()) for values in (paths, ids, reasons)]
        found.add(pa.table(columns, ["paths", "ids", "reasons"]))
        named.add(pa.table({"path": pa.array(places, pa.string())}))
    context.watch(named.whole()["path"])
    return Files(*found.whole().columns)


def _look(
    folders: Sequence[PictureFolders], texts: Sequence[str]
) -> tuple[list[tuple[str | None, str | None]], list[str]]:
    """Return the file of each text, or why there is none, and where all of these files are, or would be."""
    looked: list[tuple[str | None, str | None]] = []
    places: list[str] = []
    for folder, text in zip(folders, texts, strict=True):
        path, reason = folder.find(text) if text else (None, "")
        looked.append((path, reason or None))
        if text:
            places += [path] if path else folder.places_of(text)
    return looked, places


def write_held_pictures(tables: Tables, writing: Writing, context: ListingContext) -> list[str | None]:
    """Write the pictures that rows hold below the cache; those written before are known.

    Returns:
        The path of each row's file; None if it holds none.

    Raises:
        SourceError: the file cannot be read any more.
        DiskError: the disk refused.
    """
    rows = tables.rows
    found: list[str | None] = [None] * rows.num_rows
    numbers, lines = rows[FILE].to_numpy(), rows[LINE].to_pylist()
    columns = rows[PICTURE].to_pylist()
    for number, place in enumerate(tables.places):
        mine = [int(at) for at in (numbers == number).nonzero()[0] if columns[int(at)]]
        if mine:
            written = _written(place, str(columns[mine[0]]), [lines[at] for at in mine], writing, context)
            for at in mine:
                found[at] = written.get(lines[at])
    return found


def with_pictures(tables: Tables, listed: pa.Table, writing: Writing, context: ListingContext) -> tuple[pa.Table, int]:
    """Write out the pictures that rows hold: each is named by its content, and is the same one under one label.

    Returns:
        The rows that have a picture or an address, and how many have no picture.
    """
    paths = write_held_pictures(tables, writing, context)
    written = pa.array(paths, pa.string())
    keys = pa.array([path and Path(path).stem for path in paths], pa.string())
    columns = {"local_path": written, "key": pc.coalesce(listed["key"].combine_chunks(), keys)}
    if context.every_row:  # which one it is, as it has no name of its own
        files = (file_name(tables.places[number]) for number in tables.rows[FILE].to_pylist())
        lines = tables.rows[LINE].to_pylist()
        columns["source_id"] = pa.array([f"{one}, {tables.unit} {n}" for one, n in zip(files, lines, strict=True)])
    for name, values in columns.items():
        listed = listed.set_column(listed.column_names.index(name), name, values)
    return listed.filter(pc.or_(pc.is_valid(written), pc.is_valid(listed["url"]))), written.null_count


def _roots(place: str, roots: Sequence[str], tables: Tables, context: ListingContext) -> tuple[Path, ...]:
    if roots:
        return tuple(local_path(root, context.base_dir) for root in roots)
    path = local_path(place, context.base_dir)
    data = DataPaths.of_manifest(path.resolve()).folder if tables.is_manifest else path.parent
    return (data if data.is_dir() else path.parent,)


def _written(
    place: str, column: str, numbers: Sequence[int], writing: Writing, context: ListingContext
) -> dict[int, str]:
    """Write the pictures of some rows of one file, unless they were written before."""
    entry = CacheEntry(context, "pictures", {**place_version(place, context.base_dir), "column": column})
    kept, folder = entry.load(), context.cache_dir.absolute()
    rows = kept.to_pylist() if kept is not None else []
    known = {row["row"]: f"{folder}/{row['file']}" for row in rows}
    gone = {row for row, file in known.items() if Path(file).stem not in context.forgotten and not Path(file).is_file()}
    missing = [row for row in numbers if row not in known or row in gone]
    if not missing:
        return known
    path = whole_copy(cache_entry(place, writing, context)) if is_url(place) else local_path(place, context.base_dir)
    try:
        known |= write_pictures(path, column, missing, folder, context.forgotten)
    except (pa.ArrowException, FileNotFoundError) as error:
        raise SourceError(f"{place} cannot be read any more ({error})") from error
    files = [file.removeprefix(f"{folder}/") for file in known.values()]
    entry.save(pa.table({"row": pa.array(known, pa.int64()), "file": pa.array(files, pa.string())}), {"origin": place})
    return known
