"""The ledger is whole however many processes open it at once, and however old it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from curator.errors import DiskError
from curator.fetch.ledger import file as ledger_file
from curator.fetch.ledger import ledger as attempts
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import VERSION, Attempt, HostWait
from tests.ledger_file import query

OPEN_AT_ONCE = """
import os, sys
from pathlib import Path
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt

def record(path, number):
    with Ledger(path) as ledger:
        address = f"http://h.example/{number}.jpg"
        ledger.record([Attempt(address, "h.example", 0.0, 0.1, "gone", 404)], [])

for path in map(Path, sys.argv[2:]):
    gate, opener = os.pipe()
    children = []
    for number in range(int(sys.argv[1])):
        child = os.fork()
        if not child:
            os.close(opener)
            os.read(gate, 1)  # until the parent closes the other end: all start in the same instant
            try:
                record(path, number)
            except BaseException as error:
                print(error, flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(gate)
    os.close(opener)
    for child in children:
        os.waitpid(child, 0)
"""
"""Have so many processes open each ledger at once and write one attempt; print what went wrong."""

NEW_IN_5 = (
    "DROP INDEX attempts_with_referer",
    *(f"ALTER TABLE attempts DROP COLUMN {name}" for name in ("settings", "opt_out", "referer")),
    "DROP TABLE runs",
)
NEW_IN_7 = ("ALTER TABLE observations DROP COLUMN sha1", "DROP TABLE lookups")
NEW_IN_6 = tuple(f"ALTER TABLE observations DROP COLUMN {name}" for name in ("taken", "camera"))
AS_IT_WAS = {
    0: tuple(f"DROP TABLE {name}" for name in ("attempts", "observations", "robots", "waits", "runs", "lookups")),
    1: (
        *(f"ALTER TABLE observations DROP COLUMN {name}" for name in ("thumbnail", "well_formed")),
        *("DROP TABLE robots", "DROP TABLE waits"),
        *NEW_IN_5,
        *NEW_IN_6,
        *NEW_IN_7,
    ),
    4: (*NEW_IN_5, *NEW_IN_6, *NEW_IN_7),
    6: NEW_IN_7,
}
"""What takes a ledger back to an older version; 0 is a new file."""


def make_old(path, version):
    """Write a ledger of an old version, in the mode that a new file is in."""
    with Ledger(path):
        pass
    for statement in (*AS_IT_WAS[version], f"PRAGMA user_version = {version}", "PRAGMA journal_mode = DELETE"):
        query(path, statement)


@pytest.mark.parametrize("version", AS_IT_WAS)
def test_many_processes_open_a_ledger_in_the_same_instant(tmp_path, version):
    """A new one and an old one: nobody is turned away, every table and column is made once, every row is there."""
    n_processes, paths = 8, [tmp_path / f"{number}.sqlite" for number in range(12)]
    for path in paths:
        make_old(path, version)
    command = [sys.executable, "-c", OPEN_AT_ONCE, str(n_processes), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    for path in paths:
        with Ledger(path):
            assert query(path, "SELECT count(*) FROM attempts") == [(n_processes,)]
            assert query(path, "PRAGMA user_version") == [(VERSION,)]
            assert query(path, "PRAGMA journal_mode") == [("wal",)]
            names = [name for (name,) in query(path, "SELECT name FROM pragma_table_info('observations')")]
            assert names.count("thumbnail") == 1


def test_a_ledger_that_another_process_keeps_to_itself_is_an_error_after_a_while(tmp_path, monkeypatch):
    """The wait has an end, and the message names the file; once it is free again it opens."""
    monkeypatch.setattr(ledger_file, "_PATIENCE_S", 0)
    path = tmp_path / "attempts.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DiskError, match="locked"):
        Ledger(path)
    other.execute("COMMIT")
    other.close()
    with Ledger(path):
        pass


@pytest.fixture
def fixed(monkeypatch):
    """Let nobody write a ledger and its folder any more, the superuser neither."""
    folders = []

    def fix(path):
        folders.append(path.parent)
        path.parent.chmod(0o555)
        monkeypatch.setattr(attempts, "may_write", lambda path: False)

    yield fix
    for folder in folders:
        folder.chmod(0o755)


GONE = Attempt("http://h.example/1.jpg", "h.example", 0.0, 0.1, "gone", 404)


def last_state(ledger):
    """What the ledger knows of the address of GONE."""
    return ledger.states([GONE.address], retries=2, max_pixels=1)[0]


def test_a_ledger_that_may_not_be_written_is_read_as_it_stands(tmp_path, fixed):
    """A closed one leaves no file behind it, and is not written."""
    path = tmp_path / "a 100%? #1" / "attempts.sqlite"
    with Ledger(path) as ledger:
        ledger.record([GONE], [])
    fixed(path)
    with Ledger(path, to_read=True) as ledger:
        assert last_state(ledger).outcome == "gone"
        assert [file.name for file in path.parent.iterdir()] == ["attempts.sqlite"]
        with pytest.raises(DiskError, match=r"readonly database.*Check the permissions"):
            ledger.record([GONE], [])


def test_what_a_writer_has_not_yet_moved_into_the_file_is_read_too(tmp_path, fixed):
    """The write-ahead log counts while a run goes on, and after one that was killed."""
    path = tmp_path / "balls" / "attempts.sqlite"
    with Ledger(path) as writer:
        writer.record([GONE], [])
        fixed(path)
        with Ledger(path, to_read=True) as ledger:
            assert last_state(ledger).outcome == "gone"
            writer.record([GONE], [])
            assert last_state(ledger).tries == 2


def test_an_old_ledger_that_may_not_be_written_says_so(tmp_path, fixed):
    """It cannot be brought up to date: that is the disk's refusal, not damage."""
    path = tmp_path / "balls" / "attempts.sqlite"
    make_old(path, 1)
    fixed(path)
    with pytest.raises(DiskError, match=r"of an older curator.*Check the permissions"):
        Ledger(path, to_read=True)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (sqlite3.SQLITE_FULL, "Free some space"),
        (sqlite3.SQLITE_IOERR_WRITE, "Check the disk"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "Check the permissions"),
        (sqlite3.SQLITE_BUSY, "Wait until nothing else uses it"),
    ],
)
def test_the_advice_is_that_for_the_cause(tmp_path, code, hint):
    """Nobody frees space because a folder is read-only."""
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    with pytest.raises(DiskError, match=f"what SQLite says.*{hint}, then"), ledger_file.ledger_errors(tmp_path):
        raise error


@pytest.mark.parametrize("version", [0])
def test_tables_that_are_there_already_are_kept(tmp_path, version):
    """Whoever comes second read the old version, and finds the tables made and filled."""
    path = tmp_path / "attempts.sqlite"
    with Ledger(path) as ledger:
        ledger.record([Attempt("http://h.example/1.jpg", "h.example", 0.0, 0.1, "gone", 404)], [])
    if version:
        query(path, "ALTER TABLE observations DROP COLUMN well_formed")
    query(path, f"PRAGMA user_version = {version}")
    with Ledger(path) as ledger:
        ledger.record([], [], [HostWait("h.example", 0.0, 1.0, 429)])
    assert query(path, "PRAGMA user_version") == [(VERSION,)]
    assert query(path, "SELECT count(*) FROM attempts") == [(1,)]
