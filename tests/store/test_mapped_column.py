"""A column that is mapped reads as the catalog has it, whatever version wrote the file, and damage is called that."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator import catalog
from curator.errors import StateError
from curator.store import catalog_files
from curator.store.catalog_files import StageRecord, read_catalog, with_decided, write_catalog, write_decided
from curator.store.mapped_column import map_columns, read_mapped

RECORD = StageRecord("fetched", "f1", {}, {})


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A catalog of five rows in groups of two, one without a thumbnail: its path and its table."""
    monkeypatch.setattr(catalog_files, "GROUP_ROWS", 2)
    rows = {"record_id": [f"x-{n}" for n in range(5)], "label": "a", "source": "x", "kind": "x", "tier": 0}
    thumbnails = [b"a" * 512, None, b"b" * 512, b"c" * 512, b"d" * 512]
    table = catalog.conform(pd.DataFrame(rows | {"thumbnail": thumbnails, "title": "a title"}))
    write_catalog(tmp_path / "2-fetched.parquet", table, RECORD)
    return tmp_path / "2-fetched.parquet", table


def test_it_is_what_was_written(written):
    """Missing ones too; the other columns are those that were asked for, and no file is left."""
    path, table = written
    before = set(path.parent.iterdir())
    assert pq.read_metadata(path).num_row_groups == 3
    found = read_mapped(path, ["record_id", "thumbnail"])
    assert list(found) == ["record_id", "thumbnail"]
    assert found["thumbnail"].tolist() == table["thumbnail"].tolist()
    assert set(path.parent.iterdir()) == before


def test_a_catalog_of_before_there_were_thumbnails_has_none(written):
    """The column is missing in the file, and null in the table."""
    path, _ = written
    schema = pq.read_schema(path)
    pq.write_table(pq.read_table(path).drop_columns(["thumbnail"]).replace_schema_metadata(schema.metadata), path)
    assert map_columns(path, ["thumbnail"], path.parent)["thumbnail"].null_count == 5


def test_damage_is_named_as_damage(written):
    """Not as a disk that refuses."""
    path, _ = written
    column = pq.read_metadata(path).row_group(1).column(catalog.SCHEMA.get_field_index("thumbnail"))
    damaged = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    damaged[start : start + 40] = bytes(255 for _ in range(40))
    path.write_bytes(damaged)
    with pytest.raises(StateError, match="is damaged"):
        map_columns(path, ["thumbnail"], path.parent)


def test_what_a_stage_does_not_decide_goes_through_as_it_was(written):
    """Every column of the catalog before, with those that were decided in their places."""
    path, table = written
    drops = {"drop_stage": "deduped", "drop_reason": "near-duplicate", "drop_detail": "3 bits from x-1"}
    decided = catalog.conform(table.assign(**drops, label="b"))
    write_decided(path.with_name("3.parquet"), path, decided[[*catalog.DECIDED]], RECORD)
    pd.testing.assert_frame_equal(read_catalog(path.with_name("3.parquet")), decided)
    assert sum(group.num_rows for group in with_decided(path, decided)) == 5
    with pytest.raises(StateError, match="has changed"):
        list(with_decided(path, decided.iloc[:4]))


def test_texts_are_mapped_and_what_is_decided_is_not(written):
    """Both as they were written: the label may change, the title may not."""
    path, table = written
    columns = ["record_id", "label", "tier", "title", "detail"]
    pd.testing.assert_frame_equal(read_mapped(path, columns), table[columns])
    write_catalog(path, catalog.conform(table.assign(title="long " * 2_000)), RECORD)
    before, found = pa.total_allocated_bytes(), read_mapped(path, ["title"])
    assert found["title"].tolist() == ["long " * 2_000] * 5
    assert pa.total_allocated_bytes() - before < 10_000


def test_a_column_of_more_than_two_gigabytes_is_one_array_of_wide_places(written, monkeypatch):
    """A place within an array of texts has 32 bits, unless there are too many of them."""
    path, table = written
    monkeypatch.setattr(catalog, "MOST_BYTES", 15)
    found = map_columns(path, ["record_id", "title"], path.parent)
    assert [found[name].type for name in ("record_id", "title")] == [pa.string(), pa.large_string()]
    assert found["title"].num_chunks == 1
    assert [found[name].to_pylist() for name in found] == [table[name].tolist() for name in found]
    assert read_mapped(path, ["title"])["title"].tolist() == table["title"].tolist()
