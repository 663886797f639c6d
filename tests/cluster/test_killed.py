"""Nodes and the command itself are killed, again and again: nothing is lost, nothing committed is asked again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings
from curator.sources.base import listed_rows
from curator.store.image_files import stored_hashes
from curator.store.paths import DataPaths
from tests.fuzz.rounds import counted
from tests.ledger_file import query

pytestmark = pytest.mark.torture

N_KILLS = int(os.environ.get("CURATOR_CLUSTER_KILLS", "2"))
PER_HOST = 3

PROGRAM = """
import sys
from pathlib import Path
import pandas as pd
from curator.fetch.cluster import fetch_fragments
from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import EngineSettings, FetchSettings
from curator.store.paths import DataPaths

fetch_fragments.MOST_ROWS = 40
folder, address = Path(sys.argv[1]), sys.argv[2]
settings = FetchSettings(allow_private_hosts=True, timeout_s=10.0, per_host=3, retries=1)
recipe = Recipe("balls", ("ball",), (), settings, engine=EngineSettings("ray", address))
table = fetch_images(pd.read_pickle(folder / "table.pickle"), Project(recipe, DataPaths(folder, folder, "balls")))
table.to_pickle(folder / "outcome.pickle")
"""


def wait_for(condition: Callable[[], bool], most_s: float = 120.0) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < limit, "it never came to that"
        time.sleep(0.02)


def begin(folder: Path, address: str) -> subprocess.Popen[bytes]:
    """Begin a fetch; Ctrl-C ends it also if this process was begun in the background, where a shell ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits only that it is ignored
    try:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), address])
    finally:
        signal.signal(signal.SIGINT, before)


class Watch:
    """What was committed at some moments, and how often each of that had been asked by then."""

    def __init__(self, paths: DataPaths, web) -> None:
        self.paths, self.web = paths, web
        self.asked: dict[str, int] = {}

    def look(self) -> None:
        if self.paths.attempts.exists():
            for (address,) in query(self.paths.attempts, "SELECT DISTINCT address FROM attempts WHERE outcome = 'ok'"):
                self.asked.setdefault(address, self.web.asked[address])

    def repeated(self) -> list[str]:
        return [address for address, n in self.asked.items() if self.web.asked[address] > n]


@counted("kills of nodes and of commands", N_KILLS * 2)
def test_kills_of_nodes_and_of_the_command_cost_nothing_that_was_committed(nodes, make_web, tmp_path: Path) -> None:
    """The fetch ends as an undisturbed one on one machine does."""
    rng = random.Random(N_KILLS)
    web = make_web(4, latency_s=0.1)
    urls = web.urls(100 + 150 * N_KILLS)
    table = listed_rows("url-list", "web", 0, {"label": ["ball"] * len(urls), "key": urls, "url": urls})
    table.to_pickle(tmp_path / "table.pickle")
    paths = DataPaths(tmp_path, tmp_path, "balls")
    watch, driver = Watch(paths, web), begin(tmp_path, nodes.address)
    kills = ["node", "command"] * N_KILLS
    rng.shuffle(kills)
    for what in kills:
        n = sum(web.asked.values()) + rng.randrange(20, 60)
        wait_for(lambda n=n, driver=driver: sum(web.asked.values()) >= n or driver.poll() is not None)
        watch.look()
        if what == "node":
            nodes.kill(rng.randrange(len(nodes.working)))
            nodes.add()
        else:
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            driver = begin(tmp_path, nodes.address)
    assert driver.wait(300) == 0, f"after {kills}"
    watch.look()
    assert watch.repeated() == []
    assert max(web.most.values()) <= PER_HOST
    outcome = pd.read_pickle(tmp_path / "outcome.pickle")
    alone = DataPaths(tmp_path / "alone", tmp_path / "alone", "balls")
    settings = FetchSettings(allow_private_hosts=True, per_host=8)
    pd.testing.assert_frame_equal(
        outcome, fetch_images(table, Project(Recipe("balls", ("ball",), (), settings), alone))
    )
    assert sorted(stored_hashes(paths)) == sorted(stored_hashes(alone))
    assert not [path for path in paths.images.rglob(".*") if path.is_file()]


def test_after_ctrl_c_what_was_fetched_is_kept(nodes, make_web, tmp_path: Path) -> None:
    """The command ends within seconds; the next one requests the rest only."""
    web = make_web(3, latency_s=0.1)
    urls = web.urls(400)
    table = listed_rows("url-list", "web", 0, {"label": ["ball"] * len(urls), "key": urls, "url": urls})
    table.to_pickle(tmp_path / "table.pickle")
    paths = DataPaths(tmp_path, tmp_path, "balls")
    driver = begin(tmp_path, nodes.address)
    wait_for(lambda: sum(web.asked.values()) > 60)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(60) != 0
    watch = Watch(paths, web)
    watch.look()
    assert len(watch.asked) > 20 and not paths.fragments.exists()
    assert begin(tmp_path, nodes.address).wait(120) == 0
    assert watch.repeated() == []
