"""A fetch that is killed at any moment goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from curator.fetch.attempts import Ledger

PROGRAM = """
import sys
from pathlib import Path
import pandas as pd
from curator.fetch import fetch_images
from curator.recipe import FetchSettings, QualitySettings
from curator.store.paths import DataPaths
table = pd.read_pickle(sys.argv[1])
folder = Path(sys.argv[2])
settings = FetchSettings(allow_private_hosts=True, timeout_s=5.0, per_host=4, connections=16)
fetch_images(table, settings, QualitySettings(), DataPaths(folder, folder, "balls"),
             emit=lambda event: print(type(event).__name__, flush=True)).to_pickle(folder / "outcome.pickle")
"""
N_KILLS = int(os.environ.get("CURATOR_TEST_KILLS", "10"))


@pytest.fixture(scope="module")
def wishes(lab, listed):
    """A catalog whose fetch takes a few seconds: good pictures, slow ones, and such as fail at first or for good."""
    urls = [lab.url("lottery", f"/{n}.jpg") for n in range(60 * N_KILLS)]
    urls += [lab.url("slow", f"/{n}.jpg") for n in range(6 * N_KILLS)]
    urls += [lab.url("same", f"/{n}.jpg") for n in range(20)]
    urls += [lab.url("picture", "/truncated.jpg"), lab.url("html"), lab.url("status", "/404/a.jpg")]
    fallbacks = [None] * (len(urls) - 1) + [lab.url("fine", "/fallback.jpg")]
    return listed(urls, fallback_url=fallbacks)


def start(table_file: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a fetch in a process of its own, which tells of its events line by line."""
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(table_file), str(folder)], stdout=subprocess.PIPE)


def kill_after(process: subprocess.Popen[bytes], n_events: int, delay_s: float) -> bool:
    """Kill the process after so many events and a moment more; tell whether it was still at work."""
    for _ in range(n_events):
        if not process.stdout.readline():
            break
    deadline = time.monotonic() + delay_s
    while time.monotonic() < deadline and process.poll() is None:
        pass
    was_alive = process.poll() is None
    process.kill()
    process.communicate()
    return was_alive


def successes(shelf) -> set[str]:
    """The addresses whose success the ledger has."""
    if not shelf.paths.attempts.exists():
        return set()
    with Ledger(shelf.paths.attempts) as ledger:
        return {address for (address,) in ledger.query("SELECT address FROM attempts WHERE outcome = 'ok'")}


def assert_whole(shelf) -> None:
    """What stands under a final name is what the name says, and the ledger knows it."""
    with Ledger(shelf.paths.attempts) as ledger:
        for path in shelf.stored():
            if not path.name.startswith("."):
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
                assert ledger.knows_file(bytes.fromhex(path.stem))


def test_killed_again_and_again_it_ends_with_the_same_catalog(lab, make_shelf, wishes, tmp_path):
    """SIGKILL at random moments loses nothing, leaves nothing half done, and repeats no recorded success."""
    rng = random.Random(4)
    table_file = tmp_path / "table.pickle"
    wishes.to_pickle(table_file)
    (tmp_path / "killed").mkdir()
    (tmp_path / "clean").mkdir()
    killed, clean = make_shelf(tmp_path / "killed"), make_shelf(tmp_path / "clean")
    for _ in range(N_KILLS):
        done, before = successes(killed), lab.counts()
        process = start(table_file, killed.paths.data_root)
        assert kill_after(process, rng.randrange(2, 40), rng.random() * 0.1)
        asked = Counter(lab.counts()) - Counter(before)
        assert not done & {url for url in asked if "/counts" not in url}
        assert_whole(killed)
    for shelf in (killed, clean):
        with start(table_file, shelf.paths.data_root) as process:
            process.communicate(timeout=120)
        assert process.returncode == 0
    outcome = (tmp_path / "killed" / "outcome.pickle").read_bytes()
    assert outcome == (tmp_path / "clean" / "outcome.pickle").read_bytes()
    assert [path.name for path in killed.stored()] == [path.name for path in clean.stored()]
