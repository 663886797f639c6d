"""A worker's own folder: there while it works, and removed by the next worker if it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from curator.fetch.cluster.scratch import scratch_folder

WORKER = """
import os
from curator.fetch.cluster.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "ledger.sqlite").touch()
    print(folder, flush=True)
    os.kill(os.getpid(), 9) if input() == "die" else None
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are, here and in the workers."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def start() -> tuple[subprocess.Popen[str], Path]:
    """Start a worker, which waits in its folder."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    return worker, Path(worker.stdout.readline().strip())


def test_what_a_killed_worker_left_is_removed_and_what_is_in_use_stays(place: Path) -> None:
    """Two workers, of which one dies; nothing but a folder that this function made is touched."""
    (place / "curator-fragments.txt").touch()
    (place / "other").mkdir()
    (dead, left), (alive, used) = start(), start()
    dead.communicate("die\n")
    assert (left / "ledger.sqlite").exists()
    with scratch_folder() as folder:
        assert {path.name for path in place.iterdir()} == {
            folder.name,
            used.name,
            "curator-fragments.txt",
            "other",
        }
        assert (used / "ledger.sqlite").exists()
    alive.communicate("end\n")
    assert alive.returncode == 0
    assert {path.name for path in place.iterdir()} == {"curator-fragments.txt", "other"}


def test_a_folder_that_was_taken_for_left_over_is_made_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its making and its lock another worker may remove it."""
    made = tempfile.mkdtemp
    gone = []

    def make(**given: str) -> str:
        folder = made(**given)
        if not gone:
            gone.append(folder)
            Path(folder).rmdir()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    with scratch_folder() as folder:
        assert folder.is_dir() and str(folder) not in gone


def test_a_link_is_not_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever puts a link there has nothing removed behind it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").touch()
    (place / "curator-fragment-link").symlink_to(elsewhere)
    with scratch_folder():
        pass
    assert (elsewhere / "kept").exists()
