"""Every catalog has the thumbnails that it was written with, at every instant, and no stage writes them again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator import catalog
from curator.decide.picture_columns import read_pictures
from curator.errors import StateError
from curator.matching.luma_signatures import SIGNATURE_BYTES
from curator.store import catalog_files, thumbnails_file
from curator.store.catalog_files import (
    StageRecord,
    find_thumbnails,
    read_catalog,
    row_groups,
    write_catalog,
    write_decided,
    write_if_changed,
)
from curator.store.lock import locked
from curator.store.mapped_column import read_mapped
from curator.store.thumbnails_file import NAMED, STORED, THUMBNAIL_BYTES

RECORD = StageRecord("fetched", "f1", {}, {})
LETTERS = "abcde"


def rows_of(letters: str) -> pd.DataFrame:
    """A catalog with a thumbnail for each letter, all bytes alike; none for a dot."""
    rows = {"record_id": [f"x-{n}" for n in range(len(letters))], "label": "a", "source": "x", "kind": "x", "tier": 0}
    thumbnails = [None if one == "." else one.encode() * 512 for one in letters]
    return catalog.conform(pd.DataFrame(rows | {"thumbnail": thumbnails}))


def letters_in(path) -> str:
    """What :func:`rows_of` was given, as a catalog has it."""
    return "".join("." if pd.isna(value) else value[:1].decode() for value in read_catalog(path)["thumbnail"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where catalogs are, which come in groups of two rows."""
    monkeypatch.setattr(catalog_files, "GROUP_ROWS", 2)
    return tmp_path / "catalog"


def files_in(folder) -> list[str]:
    return sorted(path.name for path in folder.glob("thumbnails-*"))


@pytest.mark.parametrize("letters", ["abcde", "a.c.e", "....", ".b", "aaa"])
def test_a_catalog_reads_as_it_was_written(folder, letters):
    """Whole and mapped, whichever rows have a thumbnail; of none there is no file."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of(letters), RECORD)
    pd.testing.assert_frame_equal(read_catalog(path), rows_of(letters))
    assert read_mapped(path, ["thumbnail"])["thumbnail"].tolist() == rows_of(letters)["thumbnail"].tolist()
    assert len(files_in(folder)) == bool(letters.strip("."))
    assert pq.read_schema(path).equals(STORED)
    assert SIGNATURE_BYTES == THUMBNAIL_BYTES


def test_thumbnails_are_mapped_where_they_are(folder, monkeypatch):
    """Neither read whole nor mapped is there a copy; pictures find each in its place."""
    letters = ("." + LETTERS) * 200
    write_catalog(folder / "2-fetched.parquet", rows_of(letters), RECORD)
    for read in (read_catalog, read_mapped):
        before = pa.total_allocated_bytes()
        column = read(folder / "2-fetched.parquet", ["thumbnail"])["thumbnail"]
        assert pa.total_allocated_bytes() - before < 100_000
        pictures = read_pictures(pd.DataFrame({"thumbnail": column, "phash_turns": None, "phash256": None}))
        assert pictures.has_signature.tolist() == [one != "." for one in letters]
        assert pictures.signatures[pictures.places[5]].tobytes() == b"e" * 512


def test_stages_name_the_file_of_the_fetch(folder):
    """A stage writes its catalog and no thumbnails."""
    fetched, deduped, split = (folder / name for name in ("2-fetched.parquet", "3-deduped.parquet", "5-split.parquet"))
    write_catalog(fetched, rows_of("ab.d"), RECORD)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    write_decided(deduped, fetched, rows_of("ab.d"), RECORD)
    write_decided(split, deduped, rows_of("ab.d"), RECORD)
    assert {path.name for path in folder.iterdir()} == {path.name for path in before} | {deduped.name, split.name}
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert [letters_in(path) for path in (fetched, deduped, split)] == ["ab.d"] * 3


def write_as_before(path, table) -> None:
    """Write a catalog as version 7 did: with the thumbnails in it."""
    record = StageRecord("fetched", "f1", {}, {}, version=7)
    write_catalog(path, table, record)
    metadata = {key: value for key, value in pq.read_schema(path).metadata.items() if key != NAMED}
    pq.write_table(catalog.to_arrow(table).replace_schema_metadata(metadata), path, row_group_size=2)
    for file in path.parent.glob("thumbnails-*"):
        file.unlink()


def test_a_catalog_of_an_earlier_version_has_them_itself(folder):
    """It reads as ever, a stage decides on it, and what that writes has a file; so has it after the next fetch."""
    fetched, deduped = folder / "2-fetched.parquet", folder / "3-deduped.parquet"
    write_as_before(fetched, rows_of("ab.d"))
    pd.testing.assert_frame_equal(read_catalog(fetched), rows_of("ab.d"))
    assert read_mapped(fetched, ["thumbnail"])["thumbnail"].tolist() == rows_of("ab.d")["thumbnail"].tolist()
    write_decided(deduped, fetched, rows_of("ab.d"), RECORD)
    assert letters_in(deduped) == "ab.d"
    assert files_in(folder) == [find_thumbnails(deduped)]
    assert write_if_changed(fetched, lambda: row_groups(rows_of("ab.d")), RECORD)
    assert find_thumbnails(fetched) == find_thumbnails(deduped)


def test_a_fetch_that_changes_pictures_leaves_later_catalogs_their_own(folder):
    """Until they are written anew; then the next command removes what none names."""
    fetched, deduped = folder / "2-fetched.parquet", folder / "3-deduped.parquet"
    write_catalog(fetched, rows_of("ab"), RECORD)
    write_decided(deduped, fetched, rows_of("ab"), RECORD)
    with locked(folder.parent / "lock", "fetch"):
        write_catalog(fetched, rows_of("xyz"), RECORD)
    assert (letters_in(fetched), letters_in(deduped), len(files_in(folder))) == ("xyz", "ab", 2)
    with locked(folder.parent / "lock", "dedupe"):
        write_decided(deduped, fetched, rows_of("xyz"), RECORD)
    assert (letters_in(deduped), files_in(folder)) == ("xyz", [find_thumbnails(fetched)])


def test_a_catalog_that_cannot_be_read_may_name_any_file(folder):
    """So none is removed."""
    fetched, deduped = folder / "2-fetched.parquet", folder / "3-deduped.parquet"
    write_catalog(deduped, rows_of("ab"), RECORD)
    write_catalog(fetched, rows_of("xyz"), RECORD)
    whole = deduped.read_bytes()
    deduped.write_bytes(whole[:-20])
    with locked(folder.parent / "lock", "fetch"):
        pass
    deduped.write_bytes(whole)
    assert letters_in(deduped) == "ab"


class Killed(BaseException):
    """As if the process were no more."""


def test_killed_between_the_two_files_the_catalog_before_is_whole(folder, monkeypatch):
    """The new file of thumbnails is there, the catalog that names it is not; the next command removes the file."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of("ab"), RECORD)
    finish = thumbnails_file.ThumbnailsWriter.finish

    def finish_and_die(writer):
        finish(writer)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(thumbnails_file.ThumbnailsWriter, "finish", finish_and_die)
        with pytest.raises(Killed):
            write_catalog(path, rows_of("xyz"), RECORD)
    assert (letters_in(path), len(files_in(folder))) == ("ab", 2)
    with locked(folder.parent / "lock", "fetch"):
        pass
    assert (letters_in(path), files_in(folder)) == ("ab", [find_thumbnails(path)])


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replace(path) -> None:
    np.save(path, np.zeros((4, 511), np.uint8))


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), cut, replace], ids=["gone", "cut", "of other shape"])
@pytest.mark.parametrize("read", [read_catalog, lambda path: read_mapped(path, ["thumbnail"])], ids=["all", "mapped"])
def test_damage_is_said_and_the_next_fetch_mends_it(folder, damage, read):
    """In one sentence; no decision is made without what is lost, and nothing that needs none fails."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of("ab.d"), RECORD)
    damage(folder / find_thumbnails(path))
    with pytest.raises(StateError, match=r"The thumbnails of the catalog .*2-fetched.parquet are damaged") as raised:
        read(path)
    assert "`curator fetch` writes them anew" in str(raised.value)
    assert len(read_catalog(path, ["label"])) == 4
    assert write_if_changed(path, lambda: row_groups(rows_of("ab.d")), RECORD)
    assert letters_in(path) == "ab.d"


def test_a_byte_that_changed_is_written_again(folder):
    """A fetch compares the thumbnails, too."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of("ab"), RECORD)
    assert not write_if_changed(path, lambda: row_groups(rows_of("ab")), RECORD)
    file = folder / find_thumbnails(path)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert write_if_changed(path, lambda: row_groups(rows_of("ab")), RECORD)
    assert read_catalog(path)["thumbnail"].tolist() == [b"a" * 512, b"b" * 512]


@pytest.mark.parametrize("name", ["../../secret.npy", "thumbnails-ab.npy", "/etc/passwd"])
def test_no_catalog_names_another_file(folder, name):
    """One that a stranger sends may try."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of("ab"), RECORD)
    stored = pq.read_table(path)
    pq.write_table(stored.replace_schema_metadata(pq.read_metadata(path).metadata | {NAMED: name.encode()}), path)
    with pytest.raises(StateError, match=r"are damaged .its thumbnails are said to be in "):
        read_catalog(path)


@pytest.mark.parametrize("places", [[0, 2], [1, 2], [-1, 0], [1, 0]])
def test_rows_that_the_file_has_not_are_damage(folder, places):
    """Nor may they be in another order than the catalog's."""
    path = folder / "2-fetched.parquet"
    write_catalog(path, rows_of("ab"), RECORD)
    stored = pq.read_table(path)
    changed = stored.set_column(stored.schema.get_field_index("thumbnail"), "thumbnail", pa.array(places, pa.int32()))
    pq.write_table(changed.replace_schema_metadata(pq.read_metadata(path).metadata), path)
    with pytest.raises(StateError, match=r"are damaged .its thumbnails are not in the order of its rows"):
        read_catalog(path)
