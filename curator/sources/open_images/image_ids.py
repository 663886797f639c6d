r"""Read a list of image ids of Open Images, an id a line, as its tools take them, or the first column of a table.

>>> text = b'ImageID\ntrain/f9e0434389a1d4dd\n"1a007563ebc18664.jpg","x"\nno id\n'
>>> found = read_ids(io.BufferedReader(io.BytesIO(text)))
>>> found.rows["ImageID"].to_pylist(), found.tally.n_refused
(['1a007563ebc18664', 'f9e0434389a1d4dd'], 1)
"""

from __future__ import annotations

import io
import re
from array import array

import numpy as np
import pyarrow as pa

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.open_images.files import SUBSETS
from curator.sources.reading.blocks import LineBlocks, numbered_lines
from curator.sources.reading.delimited import Rows
from curator.sources.reading.tally import Tally
from curator.store.spilled import pieces

_ID = re.compile(
    rf"""(?P<quote>["']?)(?:(?:{"|".join(SUBSETS)})/)?(?P<id>[0-9a-f]{{16}})(?:\.jpg)?(?P=quote)(?: *[,;\t].*)?"""
)


def read_ids(stream: io.BufferedReader) -> Rows:
    """Read the ids of a list, each once, sorted, as a table with the column ``ImageID``.

    Raises:
        SourceError: it holds no id.
    """
    numbers, lines, tally = array("Q"), array("q"), Tally()
    for number, line in numbered_lines(LineBlocks(stream)):
        text = line.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if not text or (not tally.n_rows and text.lstrip("\"' ").lower().startswith("imageid")):
            continue
        tally.n_rows += 1
        if named := _ID.fullmatch(text):
            numbers.append(int(named["id"], 16))
            lines.append(number)
        else:
            tally.refuse("with no image id", number)
    if not numbers:
        raise SourceError("The list names no image: an id has 16 hex digits, such as 1a007563ebc18664.")
    distinct, first = np.unique(np.array(numbers), return_index=True)
    rows = budget().spilled()
    for piece in pieces(pa.table({"number": distinct, "line": np.array(lines)[first]})):
        ids = [f"{number:016x}" for number in piece["number"].to_pylist()]
        rows.add(pa.table({"ImageID": ids, "line": piece["line"]}))
    whole = rows.whole()
    return Rows(whole.select(["ImageID"]), whole["line"], tally)
