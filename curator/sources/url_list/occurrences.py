r"""The labels of a table of media that has none: the species of its records, in the ``occurrence.txt`` beside it.

An export of GBIF is a Darwin Core archive: ``multimedia.txt`` has the addresses and ``occurrence.txt`` what they show,
joined by ``gbifID``. https://ipt.gbif.org/manual/en/ipt/latest/dwca-guide

>>> records = b"gbifID\tspecies\tscientificName\n7\tArdea cinerea\tArdea cinerea Linnaeus, 1758\n"
>>> read_species(io.BufferedReader(io.BytesIO(records)), "").to_pylist()
[{'id': '7', 'label': 'Ardea cinerea Linnaeus, 1758'}]
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.manifests.toml_settings import suggest
from curator.sources.base import ListingContext
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import read_delimited
from curator.sources.reading.places import is_url, local_path
from curator.sources.reading.read import read_place
from curator.sources.url_list.columns import folded

NAME = "occurrence.txt"
_IDS = ("gbifid", "coreid", "id")
_SPECIES = ("scientificname", "species", "acceptedscientificname")


def records_beside(places: Sequence[str], base_dir: Path) -> Path | None:
    """Return the file of records that lies beside a table, if one does."""
    if len(places) != 1 or is_url(places[0]) or Path(places[0]).name == NAME:
        return None
    path = local_path(places[0], base_dir).with_name(NAME)
    return path if path.is_file() else None


def has_id(names: Sequence[str]) -> bool:
    """Return whether a table says which record each row belongs to."""
    return any(one in names for one in _IDS)


def species_of(rows: pa.Table, records: Path, column: str, context: ListingContext) -> pa.ChunkedArray:
    """Return the label of each row of a table of media; null if its record has none.

    Args:
        column: of the records; none: the scientific name.

    Raises:
        SourceError: the records cannot be read, or have no such column.
    """
    known = read_place(str(records.absolute()), partial(read_species, column=column), context)
    ids = rows[next(one for one in _IDS if one in rows.column_names)]
    places = [pc.index_in(chunk, known["id"].combine_chunks(), skip_nulls=True) for chunk in ids.chunks]
    return pa.chunked_array([known["label"].combine_chunks().take(place) for place in places], pa.string())


def read_species(stream: io.BufferedReader, column: str) -> pa.Table:
    """Read the id and the label of each record."""
    lines = LineBlocks(stream)
    names = [folded(name.decode("utf-8", "replace")) for name in (lines.take_line() or b"").split(b"\t")]
    ids, labels = (
        [name for name in wanted if name in names] for wanted in (_IDS, [folded(column)] if column else _SPECIES)
    )
    if not ids or not labels:
        what = column or "scientificName"
        raise SourceError(
            f"{NAME} has no column {what}{suggest(what, names)}" if ids else f"{NAME} has no column gbifID"
        )
    rows = read_delimited(lines, names, [ids[0], labels[0]], delimiter="\t", is_quoted=False).rows
    return pa.table({"id": rows[ids[0]], "label": rows[labels[0]]})
