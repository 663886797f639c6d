"""A list of local files takes the memory of some rows at a time, and what it names is watched as before."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curator.manifests.settings import ListSettings
from curator.pipeline.acquire import Listing
from curator.sources import large_columns, same_images
from curator.sources.base import ListingContext, Source
from curator.sources.budget import within
from curator.sources.folder import folder_source
from curator.sources.folder.folder_source import Folder
from curator.sources.local_pictures import ENDINGS, PictureFolder
from curator.sources.url_list import url_list_source
from curator.sources.url_list.url_list_source import UrlList
from curator.store import spilled

LABELS = ("rugby", "soccer")
A_FOLDER, A_PART = 1_000, 1_024


def names(n: int) -> Iterator[str]:
    return (f"rugby/{number // A_FOLDER}/a_picture_{number % A_FOLDER}.jpg" for number in range(n))


def a_table(folder: Path, n: int, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A CSV of files in folders that are links to one: a file that does not exist in each thousand."""
    (folder / "all").mkdir()
    for number in range(A_FOLDER - 1):
        (folder / f"all/a_picture_{number}.jpg").touch()
    (folder / "rugby").mkdir()
    for number in range(-(-n // A_FOLDER)):
        (folder / f"rugby/{number}").symlink_to("../all")
    (folder / "list.csv").write_text("path,label\n" + "".join(f"{name},rugby\n" for name in names(n)))
    read_tables = url_list_source.read_tables

    def read(*given: Any) -> Any:
        """Read it, a block of bytes at a time, and forget what that took: so few rows are less than a block."""
        tables = read_tables(*given)
        tracemalloc.reset_peak()
        return tables

    monkeypatch.setattr(url_list_source, "read_tables", read)
    return UrlList(path="list.csv", root=".", links=True)


def a_folder(folder: Path, n: int, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A folder that is said to hold so many files: to make them would take longer than to list them."""
    monkeypatch.setattr(folder_source, "list_files", lambda *given, **more: names(n))
    return Folder(path=".")


@pytest.mark.parametrize("make", [a_table, a_folder])
def test_no_python_object_is_kept_of_a_row(
    make: Callable[..., Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve parts of rows take no more of Python's own memory than four; a list of paths would take 1.2 MB more."""
    for module in (spilled, large_columns, folder_source):
        monkeypatch.setattr(module, "ROWS_A_PART", A_PART)
    monkeypatch.setattr(same_images, "_COMPARED_AT_ONCE", A_PART)
    peaks = {}
    for n_parts in (4, 12):
        folder = tmp_path / str(n_parts)
        folder.mkdir()
        source, listing = make(folder, n_parts * A_PART, monkeypatch), Listing()
        cache = folder / "cache"
        context = ListingContext(LABELS, cache, folder, watch=lambda paths, listing=listing: listing.watch(0, paths))
        tracemalloc.start()
        with within(ListSettings(), cache):
            rows = source.list_images(0, LABELS, context)
        peaks[n_parts] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        n_missing = n_parts * A_PART // A_FOLDER if make is a_table else 0
        assert len(rows) == n_parts * A_PART - n_missing
    assert peaks[12] < peaks[4] + 4e5, peaks


@pytest.mark.parametrize("as_list", [True, False])
def test_what_is_watched_may_come_as_a_list_or_a_column(as_list: bool, tmp_path: Path) -> None:
    """Its state is the same, and a list without any path is nothing."""
    (tmp_path / "a.jpg").touch()
    paths = [f"{tmp_path}/a.jpg", f"{tmp_path}/b"]
    wanted, listing = Listing(), Listing()
    wanted.watch(0, paths)
    given: Any = paths if as_list else pa.chunked_array([paths[:1], paths[1:]], pa.string())
    listing.watch(0, given)
    listing.watch(0, given[:0])
    [found] = listing.watched
    assert found.state == wanted.watched[0].state and found.paths.to_pylist() == paths


def test_links_and_endings_are_told_file_by_file(tmp_path: Path) -> None:
    """A link that leads out is refused, its neighbours are not; where links may lead out, it is a file too."""
    (tmp_path / "in").mkdir()
    for ending in ENDINGS[1:4]:
        (tmp_path / f"in/a{ending}").touch()
    (tmp_path / "out.jpg").touch()
    (tmp_path / "in/out.jpg").symlink_to("../out.jpg")
    (tmp_path / "in/near.jpg").symlink_to("a.jpg")
    (tmp_path / "in/broken.jpg").symlink_to("none.jpg")
    found = {name: PictureFolder(tmp_path / "in").find(name)[1] for name in ("a", "near", "out", "broken", "b\0")}
    assert [bool(reason) for reason in found.values()] == [False, False, True, True, True]
    assert "a link that leads out" in found["out"] and "does not exist" in found["broken"]
    assert PictureFolder(tmp_path / "in", follow_links=True).find("out")[1] == ""
