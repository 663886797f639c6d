"""The disk: files are whole or absent, catalogs carry what made them, one run at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curator import catalog
from curator.errors import DiskError, LockedError, StateError, raises_curator_errors
from curator.manifests.made_with import read_made_with
from curator.store.catalog_files import StageRecord, read_catalog, read_record, write_catalog
from curator.store.lock import locked
from curator.store.whole_files import whole_file, write_text_whole

RECORD = StageRecord("listed", "mark", {"a": 1}, {"a": 2}, ("note",))


def test_a_failed_write_leaves_what_stood_before(tmp_path: Path) -> None:
    """An error in mid-write removes the temporary file and keeps the old one."""
    path = tmp_path / "a.txt"
    write_text_whole(path, "old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("killed")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_in_the_way_is_a_disk_error(tmp_path: Path) -> None:
    """The message names the file and says that nothing was lost."""
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(DiskError, match=r"a\.txt.*Nothing that was there before was lost"):
        write_text_whole(tmp_path / "a.txt", "x")


def test_a_catalog_round_trips_with_its_record(tmp_path: Path) -> None:
    """Rows, types and record come back as they were written."""
    path = tmp_path / "1-listed.parquet"
    write_catalog(path, catalog.empty(), RECORD)
    assert read_record(path) == RECORD
    assert read_catalog(path).equals(catalog.empty())


@pytest.mark.parametrize("content", [b"", b"PAR1 not a parquet file", b"\x00" * 100])
def test_a_damaged_catalog_says_how_to_mend_it(tmp_path: Path, content: bytes) -> None:
    """Garbage is no traceback."""
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(StateError, match="--force"):
        read_catalog(tmp_path / "x.parquet")


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    """A killed process leaves no lock behind; a living one is named."""
    path = tmp_path / "lock"
    code = (
        "import os; from pathlib import Path; from curator.store.lock import locked\n"
        f"with locked(Path({str(path)!r}), 'x'): os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    with locked(path, "fetch"), pytest.raises(LockedError, match="curator fetch"), locked(path, "split"):
        pass


REFUSALS = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "quota",
    errno.EROFS: "Mount that disk so that it can be written to",
    errno.EACCES: "Check the permissions",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ELOOP: "Remove the link",
    errno.ENOTDIR: "Move the file away",
    errno.EISDIR: "Move the folder away",
    errno.EIO: "Check the disk",
    errno.EMFILE: "Allow more open files",
}


@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.get)
def test_each_refusal_of_a_disk_has_its_own_words(tmp_path: Path, code: int) -> None:
    """What the system said, and what mends just that, wherever it is met; nobody checks permissions of a full disk."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path / "x"))

    def write() -> None:
        with whole_file(tmp_path / "x"):
            refuse()

    for attempt in (write, raises_curator_errors(refuse)):
        with pytest.raises(DiskError) as error:
            attempt()
        said = str(error.value)
        assert os.strerror(code) in said and f"[Errno {code}]" not in said
        assert [one for one in REFUSALS.values() if one in said] == [REFUSALS[code]]


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    """Without the number of the system's error, and its path once."""
    (tmp_path / "m" / "manifest.json").mkdir(parents=True)
    with pytest.raises(StateError, match=r"manifest\.json cannot be read: Is a directory\.") as error:
        read_made_with(tmp_path / "m" / "manifest.json")
    assert "Errno" not in str(error.value)


def test_a_link_in_a_circle_is_no_traceback(tmp_path: Path) -> None:
    """Whatever pathlib of this version makes of it."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DiskError, match=r"loop.*Too many levels of symbolic links.*Remove the link"):
        raises_curator_errors(lambda: (tmp_path / "loop").resolve(strict=True))()
