"""A fetch that is killed at any moment goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from curator.fetch.ledger.ledger import Ledger
from tests.fuzz.rounds import counted
from tests.ledger_file import query

pytestmark = pytest.mark.torture

PROGRAM = """
import os, sys
from pathlib import Path
import pandas as pd
from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings
from curator.store.paths import DataPaths

def tell(*words):  # one write, so that a kill never leaves half a line before the next life's words
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def live(folder):
    settings = FetchSettings(allow_private_hosts=True, timeout_s=5.0, per_host=4, connections=16)
    paths = DataPaths(folder, folder, "balls")
    recipe = Recipe("balls", ("ball",), (), settings)
    fetched = fetch_images(table, Project(recipe, paths, lambda event: tell(type(event).__name__)))
    fetched.to_pickle(folder / "outcome.pickle")

table = pd.read_pickle(sys.argv[1])
for line in sys.stdin:
    child = os.fork()
    if not child:
        live(Path(line.strip()))
        os._exit(0)
    tell("born", child)
    tell("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
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


class Lives:
    """Fetches that are born one after the other from a process that has imported all they need."""

    def __init__(self, table_file: Path) -> None:
        command = [sys.executable, "-c", PROGRAM, str(table_file)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, folder: Path) -> int:
        """Start a fetch and give its process id."""
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        return int(self.wait_for("born").split()[1])

    def wait_for(self, word: str) -> str:
        """Read what is told until a line begins with ``word``."""
        for line in self.process.stdout:
            if line.startswith((word, "ended")):
                return line
        raise EOFError("no more lives")

    def finish(self, folder: Path) -> int:
        """Live to the end; give the exit status."""
        self.begin(folder)
        return int(self.wait_for("ended").split()[1])

    def finish_killed(self, folder: Path, n_events: int, delay_s: float) -> int:
        """Live for so many events and a moment more; give the exit status, -9 where the kill came in time."""
        child = self.begin(folder)
        for _ in range(n_events):
            if (line := self.wait_for("")).startswith("ended"):
                return int(line.split()[1])
        deadline = time.monotonic() + delay_s
        while time.monotonic() < deadline:
            pass
        os.kill(child, signal.SIGKILL)
        return int(self.wait_for("ended").split()[1])


@pytest.fixture
def lives(wishes, tmp_path):
    """Whoever fetches the wishes, again and again."""
    wishes.to_pickle(tmp_path / "table.pickle")
    family = Lives(tmp_path / "table.pickle")
    with family.process:
        yield family
        family.process.stdin.close()


def successes(shelf) -> set[str]:
    """The addresses whose success the ledger has."""
    if not shelf.paths.attempts.exists():
        return set()
    rows = query(shelf.paths.attempts, "SELECT address FROM attempts WHERE outcome = 'ok'")
    return {address for (address,) in rows}


def assert_whole(shelf) -> None:
    """What stands under a final name is what the name says, and the ledger knows it."""
    with Ledger(shelf.paths.attempts) as ledger:
        for path in shelf.stored():
            if not path.name.startswith("."):
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
                assert ledger.stored_format(bytes.fromhex(path.stem))


def test_killed_again_and_again_it_ends_with_the_same_catalog(lab, lives, make_shelf, tmp_path):
    """SIGKILL at random moments loses nothing, leaves nothing half done, and repeats no recorded success."""
    rng = random.Random(4)
    (tmp_path / "killed").mkdir()
    (tmp_path / "clean").mkdir()
    killed, clean = make_shelf(tmp_path / "killed"), make_shelf(tmp_path / "clean")
    with counted("SIGKILL at chance moments of a fetch from a web with faults", N_KILLS):
        kill_and_finish(lab, lives, killed, clean, rng)
    outcome = (tmp_path / "killed" / "outcome.pickle").read_bytes()
    assert outcome == (tmp_path / "clean" / "outcome.pickle").read_bytes()
    assert [path.name for path in killed.stored()] == [path.name for path in clean.stored()]


def kill_and_finish(lab, lives, killed, clean, rng) -> None:
    """Kill one fetch again and again, then let it and another end."""
    for _ in range(N_KILLS):
        done, before = successes(killed), lab.counts()
        status = lives.finish_killed(killed.paths.data_root, rng.randrange(2, 40), rng.random() * 0.1)
        assert status == -signal.SIGKILL
        asked = Counter(lab.counts()) - Counter(before)
        assert not done & {url for url in asked if "/counts" not in url}
        assert_whole(killed)
    assert lives.finish(killed.paths.data_root) == 0
    assert lives.finish(clean.paths.data_root) == 0
