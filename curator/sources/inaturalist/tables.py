r"""Read what is wanted of iNaturalist's open-data tables, as a stream: the rows that are not take no memory.

The tables are tab-separated and have no quotes:
https://github.com/inaturalist/inaturalist-open-data/tree/main/Metadata.

>>> lines = b"taxon_id\tancestry\trank_level\trank\tname\tactive\n4956\t48460/1\t10\tspecies\tArdea herodias\ttrue\n"
>>> found = read_rows(io.BufferedReader(io.BytesIO(lines)), ("taxon_id", "name"), among("taxon_id", ["4956"]))
>>> found.rows.to_pylist()
[{'taxon_id': '4956', 'name': 'Ardea herodias'}]
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import Rows, Wanted, read_delimited
from curator.sources.reading.places import is_url, local_path

_NEAR_LETTERS = 4
TABLES = ("taxa", "observations", "photos", "observers")


def place_of(path: str, table: str, base_dir: Path) -> str:
    """Return the address of a table, or its file in a folder, packed or not."""
    if is_url(path):
        return f"{path.rstrip('/')}/{table}.csv.gz"
    folder = local_path(path, base_dir)
    files = [folder / f"{table}.csv.gz", folder / f"{table}.csv"]
    return str(next((file for file in files if file.is_file()), files[0]).absolute())


def read_rows(stream: io.BufferedReader, columns: Sequence[str], where: Wanted) -> Rows:
    """Read columns of the rows that are wanted, which is decided by these columns.

    Raises:
        SourceError: it lacks a column, or cannot be parsed.
    """
    lines = LineBlocks(stream)
    header = (lines.take_line() or b"").decode("utf-8", "replace")
    names = header.split("\t")
    budget().columns(len(names))
    if missing := [name for name in columns if name not in names]:
        hint = "Name the place of iNaturalist's own tables: taxa, observations, photos and observers, .csv.gz."
        raise SourceError(f"has no column {', '.join(missing)} (its first line is {header[:120]!r})", hint)
    return read_delimited(lines, names, columns, delimiter="\t", is_quoted=False, where=where)


def among(column: str, values: Sequence[str]) -> Wanted:
    """Want the rows whose value of a column is one of these."""
    wanted = pa.array(values, pa.string())
    return lambda rows: pc.is_in(rows[column], value_set=wanted)


def named_like(texts: Sequence[str]) -> Wanted:
    """Want the taxa of these ids or names, and those whose names begin alike, which may have been meant."""
    starts = {re.escape(text[:_NEAR_LETTERS].casefold()) for text in texts if text and not text.isdigit()}
    beginning = f"^(?:{'|'.join(sorted(starts))})" if starts else "^$"
    ids = among("taxon_id", texts)
    return lambda rows: pc.or_kleene(ids(rows), pc.match_substring_regex(pc.utf8_lower(rows["name"]), beginning))


def below(taxon_ids: Sequence[str]) -> Wanted:
    """Want these taxa, and all below them."""
    above, own = rf"(?:^|[/\\])(?:{'|'.join(taxon_ids)})(?:$|[/\\])", among("taxon_id", taxon_ids)
    return lambda rows: pc.or_kleene(own(rows), pc.match_substring_regex(rows["ancestry"], above))


class ObservationFilter:
    """Wants the observations of each label's taxa, of some grades: of more than ``most``, those of the smallest UUIDs.

    The UUIDs are random, the rows of the table are not in a random order.

    >>> rows = pa.table({"observation_uuid": list("dbac"), "taxon_id": ["1"] * 4, "quality_grade": ["research"] * 4})
    >>> wanted = ObservationFilter({"1": "heron"}, ("research",), most=2)
    >>> wanted(rows).to_pylist(), wanted.chosen(), dict(wanted.counts)
    ([True, True, True, True], {'a': 'heron', 'b': 'heron'}, {'heron': 4})
    """

    def __init__(self, label_of: Mapping[str, str], grades: Sequence[str], most: int) -> None:
        self._labels = sorted({*label_of.values()})
        self._taxa = pa.array(label_of, pa.string())
        self._label_of = np.array([*(self._labels.index(label) for label in label_of.values()), -1])
        self._grades, self._most = pa.array(grades, pa.string()), most
        self.begin()

    def begin(self) -> None:
        """Forget what was seen: the table is read from its start."""
        self.counts = Counter[str]()
        self._kept: dict[str, list[str]] = {label: [] for label in self._labels}
        self._last: dict[str, str] = {}

    def __call__(self, rows: pa.Table) -> pa.ChunkedArray:
        """Return whether each row is wanted so far."""
        places = pc.fill_null(pc.index_in(rows["taxon_id"], value_set=self._taxa), -1).to_numpy()
        is_good = pc.is_in(rows["quality_grade"], value_set=self._grades).to_numpy()
        labels = np.where(is_good, self._label_of[places], -1)
        near = np.flatnonzero(labels >= 0)
        wanted = np.zeros(rows.num_rows, bool)
        for place, uuid in zip(near.tolist(), rows["observation_uuid"].take(near).to_pylist(), strict=True):
            label = self._labels[labels[place]]
            self.counts[label] += 1
            if uuid and uuid < self._last.get(label, "~"):
                wanted[place] = True
                self._keep(label, uuid)
        return pa.chunked_array([pa.array(wanted)])

    def _keep(self, label: str, uuid: str) -> None:
        kept = self._kept[label]
        kept.append(uuid)
        if len(kept) >= 2 * self._most:
            self._kept[label] = sorted(kept)[: self._most]
            self._last[label] = self._kept[label][-1]

    def chosen(self) -> dict[str, str]:
        """Return the label of each observation that is chosen in the end."""
        return {uuid: label for label, kept in self._kept.items() for uuid in sorted(kept)[: self._most]}
