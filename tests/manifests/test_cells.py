"""A column that is written at once reads as its cells do one by one, and a manifest in parts as the whole."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.manifests.cells import csv_text, table_text

ODD = ("=1+1", "null", "'=1", "a\r\nb", "NaN ", "\x1b[1m")
TEXTS = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(ODD))


@given(st.lists(st.tuples(TEXTS, TEXTS, st.one_of(st.none(), st.integers(0, 2**40))), max_size=8))
def test_columns_are_written_as_their_cells_are(rows):
    """Guards, line ends, control characters and unknown values come out alike."""
    columns = {
        name: pd.Series([row[k] for row in rows], dtype=pd.ArrowDtype(kind))
        for k, (name, kind) in enumerate({"a": pa.string(), "b": pa.string(), "n": pa.int64()}.items())
    }
    assert table_text(pd.DataFrame(columns), ["a"]) == csv_text(["a", "b", "n"], rows, ["a"])


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_parts_follow_each_other_without_a_header(cut):
    """The parts of a table make the text of the whole."""
    table = pd.DataFrame({"a": pd.Series(["x", "=y"], dtype=pd.ArrowDtype(pa.string()))})
    parts = table_text(table[:cut], ["a"]) + table_text(table[cut:], ["a"], header=False)
    assert parts == table_text(table, ["a"]) == "a\nx\n'=y\n"
