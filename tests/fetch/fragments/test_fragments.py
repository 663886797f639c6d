"""Fragments: what is cut where, what a commit adds, and that it does so once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pandas as pd
import pytest

from curator import catalog
from curator.addresses import host_family
from curator.errors import DiskError, StateError
from curator.fetch.cluster.orders import MOST_CLOCK_S, Order, made_by
from curator.fetch.cluster.work import refuse, work
from curator.fetch.fragments.cut import cut
from curator.fetch.fragments.folder import FragmentFolder, absorb_left
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt, HostWait, Remembered, RobotsText
from curator.fetch.plan import FetchOptions
from curator.fetch.politeness.governor import Granted
from curator.fetch.row_addresses import parse_rows
from curator.manifests.recipe import Recipe
from curator.pipeline.forgotten_files import remove_everything
from curator.store.paths import DataPaths
from tests.ledger_file import query


def attempt(number: int, moment: float = 0.0, outcome: str = "gone") -> Attempt:
    return Attempt(f"http://h.example/{number}", "h.example", moment, 0.1, outcome)


def table_of(urls: list[str], fallbacks: list[str | None] | None = None) -> pd.DataFrame:
    ids = [f"x-{number:016x}" for number in range(len(urls))]
    return catalog.conform(pd.DataFrame({"record_id": ids, "url": urls, "fallback_url": fallbacks}))


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    return DataPaths(tmp_path, tmp_path, "balls")


def commit(folder: FragmentFolder, number: int, attempts: list[Attempt]) -> bool:
    """Work on a fragment: a ledger with these attempts, published."""
    local = folder.path / f"local-{number}.sqlite"
    with Ledger(local) as ledger:
        ledger.record(attempts, [])
    return folder.publish(local, number)


def attempts_in(paths: DataPaths) -> list[tuple[str, float]]:
    return query(paths.attempts, "SELECT address, started_at FROM attempts ORDER BY id")


def test_every_row_is_in_one_fragment_with_its_family_and_whatever_requests_its_address() -> None:
    """At any size; and which rows go together does not depend on their order."""
    rng = random.Random(3)
    hosts = [f"farm{n}.staticflickr.com" for n in range(9)] + [f"site{n}.example" for n in range(40)]
    urls = [f"http://{rng.choice(hosts)}/{n}.jpg" for n in range(600)]
    fallbacks = [rng.choice(urls) if rng.random() < 0.2 else None for _ in urls]
    table = table_of(urls, fallbacks)
    parts = cut(table, parse_rows(table), most_rows=50)
    assert sorted(row for part in parts for row in part) == list(range(600))
    assert max(map(len, parts)) <= 150
    where = {row: number for number, part in enumerate(parts) for row in part}
    for number, part in enumerate(parts):
        assert part.tolist() == sorted(part), number  # by record_id
    small = [row for row in range(600) if not fallbacks[row] and "site" in urls[row] and urls[row] not in fallbacks]
    families: dict[str, set[int]] = {}
    for row in small:
        families.setdefault(host_family(urls[row].split("/")[2]), set()).add(where[row])
    assert {len(found) for found in families.values()} == {1}
    for row, fallback in enumerate(fallbacks):
        if fallback and not fallbacks[urls.index(fallback)]:
            assert where[row] == where[urls.index(fallback)]
    order = list(range(600))
    rng.shuffle(order)
    shuffled = table.iloc[order].reset_index(drop=True)
    again = {frozenset(order[row] for row in part) for part in cut(shuffled, parse_rows(shuffled), most_rows=50)}
    assert again == {frozenset(part.tolist()) for part in parts}


def test_no_address_is_in_two_fragments_whoever_shares_it() -> None:
    """X falls back to Y, another row lists X alone, and Z falls back to Y: each such group stays whole."""
    urls, fallbacks = list[str](), list[str | None]()
    for n in range(40):
        x, y, z = (f"http://{name}{n}.example/1.jpg" for name in "xyz")
        urls += [x, x, z]
        fallbacks += [y, None, y]
    table = table_of(urls, fallbacks)
    for most_rows in (4, 7, 30):
        parts = cut(table, parse_rows(table), most_rows)
        requested = [{*table["url"].iloc[part], *table["fallback_url"].iloc[part].dropna()} for part in parts]
        assert sum(map(len, requested)) == 120
        assert max(map(len, parts)) <= most_rows


def test_no_fragment_has_more_rows_than_it_may() -> None:
    """Families that are nearly as large as a fragment, and one that is larger."""
    urls = [f"http://site{n // 19}.example/{n}.jpg" for n in range(570)] + [f"http://x.example/{n}" for n in range(95)]
    table = table_of(urls)
    assert max(map(len, cut(table, parse_rows(table), most_rows=20))) <= 20


def test_the_first_commit_of_a_fragment_counts(paths: DataPaths) -> None:
    """Who comes second is told so, and leaves nothing behind."""
    folder = FragmentFolder.make(paths)
    assert commit(folder, 4, [attempt(1)])
    assert not commit(folder, 4, [attempt(2)])
    folder.absorb(4, paths.attempts)
    assert folder.commits() == [] and not folder.has_commit(4)
    assert not commit(folder, 4, [attempt(3)])  # nor who comes after that was added, until the run is over
    absorb_left(paths)
    assert attempts_in(paths) == [("http://h.example/1", 0.0)]
    assert not paths.fragments.exists()


def test_a_link_whose_answer_was_lost_is_ones_own(paths: DataPaths, monkeypatch) -> None:
    """NFS may repeat it, and then say that the name exists: the commit counts, so its files must stay."""
    folder, link = FragmentFolder.make(paths), os.link

    def repeated(*names: Path) -> None:
        link(*names)
        link(*names)

    monkeypatch.setattr("curator.fetch.fragments.folder.os.link", repeated)
    assert commit(folder, 0, [attempt(1)])
    assert not commit(folder, 0, [attempt(2)])
    assert folder.commits() == [0] and not list(folder.path.glob(".tmp*"))


@pytest.mark.parametrize("first", ["short", "long"])
def test_of_what_two_fragments_learnt_of_a_host_the_later_holds(paths: DataPaths, first: str) -> None:
    """The wait that ends later, and the robots.txt that came later, whichever is added first."""
    folder, now = FragmentFolder.make(paths), time.time()
    for number, name in enumerate([first, "long" if first == "short" else "short"]):
        ends, moment = (now + 86_400.0, now - 5.0) if name == "long" else (now + 5.0, now - 60.0)
        local = folder.path / f"local-{number}.sqlite"
        with Ledger(local) as ledger:
            notes = [
                HostWait("h.example", now, ends, 429),
                RobotsText("http://h.example/robots.txt", moment, name.encode()),
            ]
            ledger.record([], [], notes)
        folder.publish(local, number)
        folder.absorb(number, paths.attempts)
    with Ledger(paths.attempts) as ledger:
        known = ledger.notes(now)
    assert known.robots == {"http://h.example/robots.txt": b"long"}
    assert [round(wait.not_before - now) for wait in known.waits] == [86_400]


def test_a_commit_is_added_once_though_the_command_dies_before_it_removes_it(paths: DataPaths) -> None:
    """What is there already, by its address and moment, is not added again; what a fragment started from neither."""
    with Ledger(paths.attempts) as ledger:
        ledger.record([attempt(1, 1.0, "timeout")], [])
    folder = FragmentFolder.make(paths)
    folder.put(0, table_of(["http://h.example/1"]), paths.attempts, ["http://h.example/1"])
    with Ledger(folder.known(0)) as ledger:
        assert ledger.states(["http://h.example/1"], 2, 1)[0].tries == 1
        ledger.record([attempt(1, 2.0)], [])
    folder.publish(folder.known(0), 0)
    copy = folder.commit(0).read_bytes()
    folder.absorb(0, paths.attempts)
    folder.commit(0).write_bytes(copy)
    absorb_left(paths)
    assert attempts_in(paths) == [("http://h.example/1", 1.0), ("http://h.example/1", 2.0)]
    assert not paths.fragments.exists()


def test_who_still_works_for_a_run_that_is_over_cannot_commit(paths: DataPaths) -> None:
    """Its folder has another name by then; what was committed before is added."""
    folder = FragmentFolder.make(paths)
    commit(folder, 0, [attempt(1)])
    local = paths.folder / "late.sqlite"
    with Ledger(local) as ledger:
        ledger.record([attempt(2)], [])
    absorb_left(paths)
    with pytest.raises(DiskError):
        folder.publish(local, 1)
    assert attempts_in(paths) == [("http://h.example/1", 0.0)]


def test_a_damaged_commit_is_named(paths: DataPaths) -> None:
    """One paragraph; the ledger stays as it was."""
    folder = FragmentFolder.make(paths)
    commit(folder, 0, [attempt(1)])
    folder.commit(0).write_bytes(b"no ledger" * 100)
    with pytest.raises(StateError, match=r"000000\.commit\.sqlite is damaged"):
        folder.absorb(0, paths.attempts)


def order_of(paths: DataPaths, folder: FragmentFolder) -> Order:
    recipe, remembered = Recipe("balls", ("ball",), ()), Remembered({}, ())
    return Order(0, 0, folder, recipe, paths, FetchOptions(), remembered, made_by(), 60.0)


def test_a_machine_whose_clock_differs_is_refused(paths: DataPaths) -> None:
    """It would record other times, and misread what hosts ask for."""
    order = order_of(paths, FragmentFolder.make(paths))
    refuse("here", order, MOST_CLOCK_S - 1)
    with pytest.raises(StateError, match=r"The clock of the machine there differs by 3,600 seconds .* Set it"):
        refuse("there", order, -3600.0)


def test_a_machine_that_does_not_see_the_data_folder_is_refused(paths: DataPaths) -> None:
    """As every machine must."""
    order = order_of(paths, FragmentFolder(Path("/nowhere/fragments")))
    with pytest.raises(StateError, match=r"does not see /nowhere/fragments\. Every machine must have the data folder"):
        refuse("there", order, 0.0)


def test_a_full_disk_of_a_worker_is_reported_and_nothing_is_committed(paths: DataPaths, monkeypatch) -> None:
    """The report says on which machine, and that it is the disk."""
    folder = FragmentFolder.make(paths)
    folder.put(0, table_of(["ftp://h.example/1"]), paths.attempts, [])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("curator.fetch.fragments.folder.shutil.copyfile", full)
    report = work(order_of(paths, folder), lambda *_: Granted({}, {}, {}), clock=time.time)
    assert report.is_disk and "No space left on device" in report.problem
    assert folder.commits() == []


def test_what_workers_left_is_forgotten_too(paths: DataPaths) -> None:
    """A command that died left a commit: `forget` adds it first, so that no later fetch brings its address back."""
    folder = FragmentFolder.make(paths)
    commit(folder, 0, [attempt(1)])
    remove_everything(paths, [], [])
    with Ledger(paths.attempts) as ledger:
        assert ledger.count_outcomes() == {"gone": 1}
    assert not paths.fragments.exists()


def test_addresses_of_more_than_two_gigabytes_are_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a column has places of 64 bits, and that of a few fallbacks has not."""
    urls = [f"http://h{number % 3}.example/{number}.jpg" for number in range(60)]
    table = table_of(urls, [None] * 50 + urls[:10]).assign(local_path=None)
    halves = catalog.conform(table)
    halves = pd.concat([halves.iloc[:30], halves.iloc[30:]], ignore_index=True)
    usual = cut(table, parse_rows(table), most_rows=20)
    monkeypatch.setattr(catalog, "MOST_BYTES", 1_000)
    rows = parse_rows(halves)
    assert [str(column.type) for column in rows.addresses(halves)] == ["large_string"] * 2
    assert list(map(list, cut(halves, rows, most_rows=20))) == list(map(list, usual))
