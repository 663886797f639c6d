"""Catalogs are joined and put into an order, whatever the size of a column."""

import numpy as np
import pyarrow as pa
import pytest

from curator import catalog
from curator.pipeline.join_lists import concat_in_order


@pytest.mark.parametrize(("most", "kind"), [(catalog.MOST_BYTES, pa.string()), (40, pa.large_string())])
def test_rows_are_put_into_an_order(most, kind, monkeypatch):
    """Texts of more than two gigabytes, here of more than 40 bytes, get places of 64 bits."""
    monkeypatch.setattr(catalog, "MOST_BYTES", most)
    rows = pa.table({"title": pa.chunked_array([["a" * 20, None], ["b" * 20]]), "tier": [1, 2, 3]})
    found = concat_in_order([rows, rows], np.array([5, 0, 4]))
    assert found.to_pydict() == {"title": ["b" * 20, "a" * 20, None], "tier": [3, 1, 2]}
    assert found.schema.field("title").type == kind


def test_all_rows_of_a_catalog_are_not_copied():
    """What is listed lies in a file; a copy of it would be in memory."""
    table = catalog.SCHEMA.empty_table().append_column("x", pa.array([], pa.int8()))
    rows = pa.table({"label": ["a", "b"], "drop_reason": pa.array([None, None], pa.string())})
    assert catalog.kept(rows) is rows and catalog.kept(table) is table
    assert catalog.where(rows, np.array([True, False]))["label"].to_pylist() == ["a"]
