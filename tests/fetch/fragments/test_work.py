"""Two workers at the fragments of one fetch, in threads: what Ray does with processes, without Ray."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from curator.errors import CuratorError
from curator.fetch.cluster.connection import open_ray
from curator.fetch.cluster.desk import Desk
from curator.fetch.cluster.fetch_fragments import _requested, _Run
from curator.fetch.cluster.orders import Order, Report, made_by
from curator.fetch.cluster.work import work
from curator.fetch.fetch_images import fetch_images
from curator.fetch.fragments.cut import cut
from curator.fetch.fragments.folder import FragmentFolder, absorb_left
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import HostWait, Remembered, RobotsText
from curator.fetch.outcomes import read_outcomes
from curator.fetch.plan import FetchOptions, make_plan
from curator.fetch.row_addresses import parse_rows
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import EngineSettings, FetchSettings
from curator.sources.base import listed_rows
from curator.store.image_files import stored_hashes
from curator.store.paths import DataPaths
from tests.counting_web import Web, counting_web

PER_HOST = 2


def listed(urls: list[str], fallbacks: list[str | None] | None = None) -> pd.DataFrame:
    keys = [f"{number} {url}" for number, url in enumerate(urls)]
    columns = {"label": ["ball"] * len(urls), "key": keys, "url": urls, "fallback_url": fallbacks or [None] * len(urls)}
    return listed_rows("url-list", "web", 0, columns)


class Office:
    """A fetch of a table in fragments of a few rows, worked on by threads."""

    def __init__(self, table: pd.DataFrame, folder: Path, most_rows: int, **settings: object) -> None:
        fetch = FetchSettings(**{"allow_private_hosts": True, "per_host": PER_HOST, "retries": 1, **settings})
        self.table, self.paths = table, DataPaths(folder, folder, "balls")
        self.project = Project(Recipe("balls", ("ball",), (), fetch), self.paths)
        self.folder = FragmentFolder.make(self.paths)
        self.desk, self.lock = Desk(fetch.per_host, delay_s=fetch.delay_s, rules_first=fetch.robots), threading.Lock()
        self.numbers = []
        for number, rows in enumerate(cut(table, parse_rows(table), most_rows)):
            self.folder.put(number, table.iloc[rows], self.paths.attempts, [])
            self.numbers.append(number)

    def exchange(self, *asked):
        with self.lock:  # an actor answers one after the other
            return self.desk.exchange(*asked)

    def work(self, number: int, execution: int = 0, most_seconds: float = 60.0) -> Report:
        recipe, remembered = self.project.recipe, Remembered({}, ())
        order = Order(
            number, execution, self.folder, recipe, self.paths, FetchOptions(), remembered, made_by(), most_seconds
        )
        return work(order, self.exchange, time.time)

    def finish(self) -> pd.DataFrame:
        absorb_left(self.paths)
        return read_outcomes(self.table, self.project)


def alone(web: Web, table: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, DataPaths]:
    paths = DataPaths(folder, folder, "balls")
    recipe = Recipe("balls", ("ball",), (), FetchSettings(allow_private_hosts=True, retries=1))
    return fetch_images(table, Project(recipe, paths)), paths


def test_two_workers_end_as_one_machine_and_ask_no_host_more_at_once(tmp_path: Path) -> None:
    """Rows of one host in two fragments; two hosts that lead to a third."""
    with counting_web(3, latency_s=0.02) as web:
        urls = web.urls(60, range(2))
        for url in urls[:40]:
            web.redirects[url] = web.host(2) + url[url.rindex("/") :]
        office = Office(listed(urls), tmp_path / "two", most_rows=30)
        assert len(office.numbers) > 1
        with ThreadPoolExecutor(2) as threads:
            reports = list(threads.map(office.work, office.numbers))
        assert [report.problem for report in reports] == [""] * len(reports)
        assert max(web.most.values()) <= PER_HOST
        fetched = office.finish()
        expected, paths = alone(web, office.table, tmp_path / "one")
    pd.testing.assert_frame_equal(fetched, expected)
    assert sorted(stored_hashes(office.paths)) == sorted(stored_hashes(paths))
    assert fetched["drop_reason"].isna().all()


def test_every_fallback_of_an_address_is_requested_once_as_on_one_machine(tmp_path: Path) -> None:
    """Rows that name others for what is gone, some of them rows of their own, and in every order."""
    with counting_web(3) as web:
        a, b, c = (web.urls(12, range(n, n + 1)) for n in range(3))
        urls = [*a[:4], *a[:6], *b[:4], *c[4:6]]
        fallbacks = [*b[:4], *c[:4], None, None, *[None] * 4, *b[4:6]]
        table = listed(urls, fallbacks)
        made, n_asked = [], []
        for order in (range(len(urls)), range(len(urls) - 1, -1, -1)):
            shuffled = table.iloc[list(order)].reset_index(drop=True)
            for most_rows in (0, 2):
                web.statuses, before = {url: [404] for url in a}, web.asked.copy()
                folder = tmp_path / f"{most_rows}-{order.start}"
                if most_rows:
                    office = Office(shuffled, folder, most_rows)
                    assert [office.work(number).problem for number in office.numbers] == [""] * len(office.numbers)
                    fetched = office.finish()
                else:
                    fetched, _ = alone(web, shuffled, folder)
                made.append(fetched.sort_values("record_id").reset_index(drop=True))
                n_asked.append(web.asked - before)
    for fetched, asked in zip(made, n_asked, strict=True):
        pd.testing.assert_frame_equal(fetched, made[0])
        assert asked == n_asked[0] and set(asked.values()) == {1}
    assert made[0]["sha256"].notna().sum() == 14 and made[0]["drop_reason"].dropna().tolist() == ["gone"] * 2


def test_workers_request_what_one_machine_would_files_that_are_gone_too(tmp_path: Path) -> None:
    """And nothing of a table that is settled."""
    with counting_web(1) as web:
        table = listed(web.urls(6))
        _, paths = alone(web, table, tmp_path)
    project, rows = Project(Recipe("balls", ("ball",), ()), paths), parse_rows(table)
    n_requested = []
    for n_gone in (0, 2):
        for image in sorted(path for path in paths.images.rglob("*.jpg"))[:n_gone]:
            image.unlink()
        with Ledger(paths.attempts) as ledger:
            plan = make_plan(table, rows, ledger, project, FetchOptions())
        n_requested.append(len(_requested(table, rows, plan)))
    assert n_requested == [0, 2]


def test_a_fragment_is_told_what_was_learnt_until_it_is_handed_out(tmp_path: Path) -> None:
    """Such as a robots.txt that another fragment brought after the fetch had begun, but of its own hosts alone."""
    paths, orders = DataPaths(tmp_path, tmp_path, "balls"), list[Order]()
    project = Project(Recipe("balls", ("ball",), ()), paths)
    cluster = SimpleNamespace(room=lambda: 9, start=orders.append)
    with Ledger(paths.attempts) as ledger:
        run = _Run(project, ledger, cluster, FetchOptions())
        for n_known in (0, 1):
            run._cut(listed(["http://a.example/1.jpg"]), 100)
            run._hand_out()
            assert len(orders[n_known].remembered.robots) == n_known
            notes = [RobotsText(f"http://{name}.example/robots.txt", time.time(), b"") for name in "ab"]
            ledger.record([], [], [*notes, HostWait("a.example", time.time(), time.time() + 60, 429)])
            run._remember_at = 0.0
    assert [len(order.remembered.waits) for order in orders] == [0, 1]


def test_of_two_at_one_fragment_the_second_changes_nothing(tmp_path: Path) -> None:
    """As after a machine that seemed dead: its files are removed, its outcomes are not added."""
    with counting_web(1) as web:
        office = Office(listed(web.urls(8)), tmp_path, most_rows=100)
        for execution in range(2):
            assert office.work(0, execution).problem == ""
    assert office.finish()["drop_reason"].isna().all()
    assert len(list(stored_hashes(office.paths))) == 8
    assert not [path for path in office.paths.images.rglob(".*") if path.is_file()]


def test_a_late_worker_commits_what_it_has(tmp_path: Path) -> None:
    """The rest is still to be requested, and was not."""
    with counting_web(1, latency_s=0.3) as web:
        office = Office(listed(web.urls(30)), tmp_path, most_rows=100)
        assert office.work(0, most_seconds=1.5).problem == ""
        n_asked = sum(web.asked.values())
    fetched = office.finish()
    assert 0 < fetched["sha256"].notna().sum() == n_asked < 30


def test_a_worker_that_is_told_to_stop_commits_what_it_has(tmp_path: Path) -> None:
    """As after Ctrl-C."""
    with counting_web(1, latency_s=0.2) as web:
        office = Office(listed(web.urls(40)), tmp_path, most_rows=100)
        with ThreadPoolExecutor(1) as threads:
            working = threads.submit(office.work, 0)
            limit = time.monotonic() + 60
            while sum(web.asked.values()) < 6 and time.monotonic() < limit:
                time.sleep(0.01)
            office.desk.stop()
            assert working.result(60).problem == ""
    assert 0 < office.finish()["sha256"].notna().sum() < 40


def test_without_ray_one_paragraph_says_what_to_install(monkeypatch) -> None:
    """Here and on every machine."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        CuratorError, match=r"needs the package Ray\. Install it with `pip install 'imageset-curator\[ray\]'`"
    ):
        open_ray(EngineSettings("ray"))
