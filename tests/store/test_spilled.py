"""Rows that are too many for memory: of any schemas one after another, on a disk that is full, in limited memory."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

import pyarrow as pa
import pytest

from curator.errors import DiskError, SourceError
from curator.manifests.settings import ListSettings
from curator.sources.budget import budget, within
from curator.sources.failures import as_source_error
from curator.store.spilled import ROWS_A_PART, Spilled


def test_rows_of_several_schemas_are_in_one_file_and_in_order(tmp_path: Path) -> None:
    """Parts without rows, and columns that only some have, take no file of their own."""
    rows, n_files = Spilled(tmp_path, most_bytes=0), set()
    for number in range(50):
        rows.add(pa.table({"a" if number % 2 else "b": [str(number)], "n": [number]}))
        rows.add(pa.table({"n": pa.array([], pa.int64())}))
        n_files.add(len(list(tmp_path.iterdir())))
    whole = rows.whole()
    assert max(n_files) == 1 and not list(tmp_path.iterdir())
    assert whole["n"].to_pylist() == [*range(50)]
    assert whole["a"].to_pylist() == [str(number) if number % 2 else None for number in range(50)]


def test_what_was_put_into_a_file_takes_no_memory_of_its_own(tmp_path: Path) -> None:
    """The rows that are returned are those of the file."""
    before = pa.total_allocated_bytes()
    rows = Spilled(tmp_path, most_bytes=0)
    for _ in range(20):
        rows.add(pa.table({"n": pa.array(range(ROWS_A_PART))}))
    whole = rows.whole()
    assert whole.nbytes > 5_000_000
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_rows_that_come_all_at_once_are_put_away_part_by_part(tmp_path: Path) -> None:
    """Rows that are mapped already are never in memory as a whole."""
    whole = pa.table({"n": pa.chunked_array([pa.array(range(ROWS_A_PART))] * 20)})
    rows, before = Spilled(tmp_path, most_bytes=0), pa.default_memory_pool().bytes_allocated()
    rows.add(whole)
    assert pa.default_memory_pool().bytes_allocated() - before < 1_000_000
    assert rows.whole().equals(whole)


def test_a_full_disk_is_named_and_leaves_no_file(tmp_path: Path) -> None:
    """A limit on the size of files does as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = Spilled(tmp_path, most_bytes=0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DiskError, match=r"Cannot write .*too large"):
            rows.add(pa.table({"n": pa.array(range(ROWS_A_PART))}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    del rows
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_file_that_may_not_be_mapped_is_too_much_memory_and_no_fault_of_the_disk(tmp_path: Path) -> None:
    """`max_memory` counts what is mapped, too: the message says how to raise it."""
    part = pa.table({"n": pa.array(range(16 * ROWS_A_PART))})
    with (
        pytest.raises(SourceError, match=r"more memory than a list may.*`max_memory`"),
        as_source_error(),
        within(ListSettings(max_memory=96 << 20), tmp_path),
    ):
        rows = budget().spilled()
        for _ in range(40):
            rows.add(part)
        rows.whole()
