"""Manners that outlive a run: robots.txt, and hosts that asked to be left alone."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

from curator.fetch.ledger.diagnosis import host_report
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import MAX_WAIT_S, HostWait
from curator.fetch.network.identity import MOST_REDIRECTS
from curator.reasons import Drop
from tests.ledger_file import query

DAY_S = 86400.0


@pytest.fixture
def obedient(shelf):
    """A data folder whose recipe says robots = true."""
    shelf.settings = replace(shelf.settings, robots=True)
    return shelf


def asked(lab, *urls):
    """Count the requests that the lab got for these URLs."""
    counts = lab.counts()
    return [counts.get(url, 0) for url in urls]


def change(shelf, sql):
    """Change a ledger between two runs."""
    query(shelf.paths.attempts, sql)


def test_robots_txt_is_asked_once_and_followed(lab, listed, obedient, reasons):
    """What is disallowed is not asked for and has its reason; a second run asks nothing and says the same."""
    robots, *urls = (lab.url("robots-some", path) for path in ("/robots.txt", "/1.jpg", "/private/2.jpg", "/3.jpg"))
    before = asked(lab, robots)[0]
    table = obedient.fetch(listed(urls))
    assert reasons(table) == [None, Drop.ROBOTS_DISALLOWED, None]
    assert table["drop_detail"].tolist()[1] == "robots.txt of its host disallows this address"
    assert asked(lab, robots, *urls) == [before + 1, 1, 0, 1]
    assert obedient.fetch(listed(urls)).equals(table)
    assert asked(lab, robots, *urls) == [before + 1, 1, 0, 1]


def test_robots_txt_holds_for_a_day(lab, listed, obedient):
    """A later run on the same host asks for it again only when it is old, or comes from the future."""
    robots = lab.url("robots-some", "/robots.txt")
    before = asked(lab, robots)[0]
    for number, change_by in enumerate(("+ 0", "- 80000", "- 80000", "+ 300000")):
        obedient.fetch(listed([lab.url("robots-some", f"/day-{number}.jpg")]))
        change(obedient, f"UPDATE robots SET asked_at = asked_at {change_by}")
    obedient.fetch(listed([lab.url("robots-some", "/day-last.jpg")]))
    assert asked(lab, robots)[0] - before == 3


def test_without_the_key_nobody_is_asked_for_robots_txt(lab, listed, shelf, reasons):
    """A recipe's addresses were chosen by people; what was left out is asked for once the key is gone."""
    urls = [lab.url("robots-some", "/private/off.jpg")]
    robots = lab.url("robots-some", "/robots.txt")
    before = asked(lab, robots)
    assert reasons(shelf.fetch(listed(urls), settings=replace(shelf.settings, robots=True))) == [Drop.ROBOTS_DISALLOWED]
    assert reasons(shelf.fetch(listed(urls), retry="failed")) == [None]
    assert asked(lab, robots)[0] == before[0] + 1


def test_where_robots_txt_cannot_be_had_nothing_of_the_host_is_asked_for(lab, listed, obedient, reasons):
    """503 and silence are no permission, and no other host waits for them; a later run may ask again."""
    down = [lab.url("robots-down", f"/down-{n}.jpg") for n in range(5)]
    silent = [lab.url("robots-silent", f"/silent-{n}.jpg") for n in range(5)]
    fine = [lab.url("fine", f"/obedient-{n}.jpg") for n in range(5)]
    table = obedient.fetch(listed([*down, *silent, *fine]))
    assert reasons(table) == [Drop.SERVER_ERROR] * 5 + [Drop.TIMEOUT] * 5 + [None] * 5
    assert table["drop_detail"].tolist()[0] == "robots.txt: HTTP 503"
    assert asked(lab, *down, *silent) == [0] * 10
    assert (
        reasons(obedient.fetch(listed(down), settings=replace(obedient.settings, robots=False), retry="failed"))
        == [None] * 5
    )


def test_a_long_robots_txt_counts_by_its_beginning_whatever_max_bytes(lab, listed, obedient, reasons):
    """500 KiB are read (RFC 9309, 2.5), though more are announced than any image may have; images keep their limit."""
    urls = [lab.url("robots-long", path) for path in ("/long.jpg", "/private/long.jpg")]
    urls += [lab.url("robots-long-error", "/long.jpg"), lab.url("robots-some", "/small.jpg")]
    table = obedient.fetch(listed(urls), settings=replace(obedient.settings, max_bytes=20_000))
    assert reasons(table) == [None, Drop.ROBOTS_DISALLOWED, Drop.SERVER_ERROR, None]
    few = replace(obedient.settings, max_bytes=100)
    assert reasons(obedient.fetch(listed([lab.url("robots-some", "/few.jpg")]), settings=few)) == [Drop.TOO_MANY_BYTES]


def test_a_robots_txt_is_followed_to_another_host(lab, listed, obedient, reasons):
    """Its rules are those of the host that was asked (RFC 9309, 2.3.1.2)."""
    urls = [lab.url("robots-moved", path) for path in ("/moved.jpg", "/private/moved.jpg")]
    assert reasons(obedient.fetch(listed(urls))) == [None, Drop.ROBOTS_DISALLOWED]


def test_where_a_redirect_leads_robots_txt_is_asked_and_followed(lab, listed, obedient, reasons):
    """Once for each host, before anything else there; what is forbidden there is not asked for."""
    targets = [lab.url("robots-some", path) for path in ("/led-1.jpg", "/private/led-2.jpg", "/led-3.jpg")]
    targets += [lab.url("robots-down", "/led-4.jpg"), lab.url("fine", "/led-5.jpg"), "file:///etc/passwd"]
    urls = [lab.url("signpost", f"/?{target}") for target in targets]
    robots = lab.url("robots-some", "/robots.txt")
    before = asked(lab, robots)[0]
    table = obedient.fetch(listed(urls))
    expected = [None, Drop.ROBOTS_DISALLOWED, None, Drop.SERVER_ERROR, None, Drop.UNSUPPORTED_SCHEME]
    assert reasons(table) == expected
    assert table["final_url"].tolist()[0] == targets[0]
    assert table["drop_detail"].tolist()[1] == "robots.txt of the host that it redirects to disallows it"
    assert table["drop_detail"].tolist()[3] == "robots.txt: HTTP 503"
    assert asked(lab, robots, *targets[:5]) == [before + 1, 1, 0, 1, 0, 1]
    assert max(asked(lab, *urls)) <= 3
    assert obedient.fetch(listed(urls)).equals(table)


def test_a_redirect_to_another_host_each_time_ends(lab, listed, obedient, reasons):
    """However many hosts it names, whose rules nobody knows yet."""
    url = lab.url("wander", "/about.jpg")
    assert reasons(obedient.fetch(listed([url, lab.url("fine", "/beside.jpg")]))) == [Drop.REDIRECT_LOOP, None]
    assert asked(lab, url)[0] <= MOST_REDIRECTS + 1


def test_a_host_that_a_redirect_leads_to_is_left_alone_for_itself(lab, listed, obedient, reasons):
    """The wait that its robots.txt asks for is not counted against the host that led there."""
    urls = [lab.url("signpost", f"/?{lab.url('retry-after-hours', '/led.jpg')}"), lab.url("signpost", "/?/b.jpg")]
    assert reasons(obedient.fetch(listed(urls)))[0] == Drop.RATE_LIMITED
    assert query(obedient.paths.attempts, "SELECT * FROM waits") == []


def test_retry_after_is_remembered_by_the_next_run(lab, listed, shelf, reasons):
    """A host that asked for a day is not asked early, however often curator is started; then it is."""
    urls = [lab.url("retry-after-hours", f"/remembered-{n}.jpg") for n in range(4)]
    host = lab.bases["retry-after-hours"].removeprefix("http://")
    table = shelf.fetch(listed(urls))
    assert reasons(table) == [Drop.RATE_LIMITED] * 4
    first = sum(asked(lab, *urls))
    assert 1 <= first <= 2
    assert shelf.fetch(listed(urls), retry="failed").equals(table)
    assert sum(asked(lab, *urls)) == first
    report = host_report(shelf.paths).set_index("host").loc[host]
    assert report["advice"].startswith("throttled: it asked to be left alone until ")
    change(shelf, f"UPDATE waits SET noted_at = noted_at - {DAY_S}, not_before = not_before - {DAY_S}")
    shelf.fetch(listed(urls), retry="failed")
    assert sum(asked(lab, *urls)) > first


def test_a_short_wait_that_is_remembered_is_waited_for(lab, listed, shelf, reasons):
    """A restart within the wait asks when it is over, and not before."""
    url = lab.url("fine", "/short-wait.jpg")
    host = lab.bases["fine"].removeprefix("http://")
    now = time.time()
    with Ledger(shelf.paths.attempts) as ledger:
        ledger.record([], [], [HostWait(host, now, now + 1.0, 429)])
    assert reasons(shelf.fetch(listed([url]))) == [None]
    ((started_at,),) = query(shelf.paths.attempts, "SELECT started_at FROM attempts")
    assert started_at >= now + 0.95


def test_a_wall_clock_that_jumps_by_years_does_no_harm(lab, listed, shelf, reasons, monkeypatch):
    """Back and forth within a run, between its retries and its waits: the same table as ever, and a run that ends."""
    clock, jumps = time.time, itertools.cycle([0.0, 1e9, -1e9, 3e9])
    monkeypatch.setattr("time.time", lambda: max(0.0, clock() + next(jumps)))
    settings = replace(shelf.settings, robots=True)
    urls = [lab.url("fine", f"/jump-{n}.jpg") for n in range(20)]
    urls += [lab.url("status-once", f"/500/jump-{n}.jpg") for n in range(3)]
    urls += [lab.url("retry-after-seconds", "/jump.jpg"), lab.url("status", "/404/jump.jpg"), lab.url("silent")]
    table = shelf.fetch(listed(urls), settings=settings)
    assert reasons(table) == [None] * 24 + [Drop.GONE, Drop.TIMEOUT]
    before = asked(lab, *urls)
    assert shelf.fetch(listed(urls), settings=settings).equals(table)
    assert asked(lab, *urls) == before


@pytest.mark.parametrize(
    ("now", "remaining_s"),
    [(1000.0, 3600.0), (2800.0, 1800.0), (4600.0, 0.0), (9e9, 0.0), (-9e9, 3600.0), (0.0, 3600.0)],
)
def test_a_clock_that_jumps_never_makes_a_wait_longer_than_was_asked_for(now, remaining_s):
    """Set back by years it counts from now on; set forward it is over."""
    wait = HostWait("h.example", 1000.0, 4600.0, 429)
    assert wait.remaining_s(now) == remaining_s
    assert wait.counted_from(now).remaining_s(now + 3600.0) == 0.0


def test_a_host_cannot_ask_to_be_left_alone_for_ever():
    """After a week it is asked again."""
    wait = HostWait("h.example", 0.0, 1e12, 429)
    assert wait.remaining_s(10.0) == MAX_WAIT_S
