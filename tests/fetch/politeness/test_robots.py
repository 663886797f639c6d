"""robots.txt as RFC 9309 has it: which rules count, what an answer means, and who waits for it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import RobotsText
from curator.fetch.policy import Verdict
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.robots import MAX_TEXT_BYTES, read_rules, robots_url, text_of_answer
from curator.fetch.politeness.robots_gate import RecentlyUsed, RobotsGate
from curator.fetch.politeness.schedule import Schedule
from curator.reasons import Drop

FINE = Verdict(None, http_status=200)


def allows(text, path):
    """Tell whether a robots.txt allows a path."""
    return read_rules(text.encode()).allows(f"http://h.example{path}")


@pytest.mark.parametrize(
    ("text", "allowed", "forbidden"),
    [
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", ["/b", "/a/b", "/a/bc"], ["/a", "/ab", "/a/c"]),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", ["/a/b"], ["/a/c"]),
        ("User-agent: *\nDisallow: /a\nAllow: /a", ["/a"], []),
        ("User-agent: *\nDisallow: /*.gif$", ["/a.gif?b", "/a.jpg"], ["/a.gif", "/b/c.gif"]),
        ("User-agent: *\nDisallow: /*/private/", ["/private/a"], ["/x/private/a"]),
        ("User-agent: *\nDisallow: /\n\nUser-agent: imageset-curator\nDisallow: /x", ["/a"], ["/x"]),
        ("User-agent: ImageSet-Curator\nDisallow: /", [], ["/a"]),
        ("User-agent: other\nDisallow: /", ["/a"], []),
        ("User-agent: other\nUser-agent: imageset-curator\nDisallow: /x", ["/a"], ["/x"]),
        (
            "User-agent: imageset-curator\nDisallow: /x\n\nUser-agent: imageset-curator\nDisallow: /y",
            ["/a"],
            ["/x", "/y"],
        ),
        ("User-agent: *\nDisallow:", ["/a"], []),
        ("User-agent: *\nDisallow: /f\u00fcnf", ["/fun"], ["/f%C3%BCnf.jpg"]),
        ("\ufeffUser-agent: *\nDisallow: /a", ["/b"], ["/a"]),
        ("<!DOCTYPE html><html>Not found</html>", ["/a"], []),
        ("", ["/a"], []),
        ("User-agent: *\r\nDisallow: /a # a comment\r\n", ["/b"], ["/a"]),
    ],
)
def test_rules_are_those_of_rfc_9309(text, allowed, forbidden):
    """The longest match decides, allow wins a tie, wildcards work, and our own group goes before that of all."""
    assert [path for path in allowed if not allows(text, path)] == []
    assert [path for path in forbidden if allows(text, path)] == []


def test_only_the_first_500_kib_count():
    """A rule beyond that is not read; one before it is."""
    filler = "# " + "x" * 97 + "\n"
    text = "User-agent: *\nDisallow: /early\n" + filler * (MAX_TEXT_BYTES // 100) + "Disallow: /late\n"
    assert not allows(text, "/early")
    assert allows(text, "/late")


@pytest.mark.parametrize(("line", "delay_s"), [("2.5", 2.5), ("0", 0.0), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0)])
def test_crawl_delay_is_read_and_nonsense_is_none(line, delay_s):
    """Only a number above nought slows anything down."""
    assert read_rules(f"User-agent: *\nCrawl-delay: {line}\n".encode()).delay_s == delay_s


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (FINE, b"body"),
        (Verdict(Drop.OPTED_OUT, "X-Robots-Tag: noai", 200), b"body"),
        (Verdict(Drop.GONE, "HTTP 404", 404), b""),
        (Verdict(Drop.FORBIDDEN, "HTTP 403", 403), b""),
        (Verdict(Drop.REDIRECT_LOOP, "too many redirects"), b""),
        (Verdict(Drop.RATE_LIMITED, "HTTP 429", 429), None),
        (Verdict(Drop.SERVER_ERROR, "HTTP 503", 503), None),
        (Verdict(Drop.TIMEOUT, "no whole answer in time"), None),
        (Verdict(Drop.DNS, "the host name did not resolve"), None),
    ],
)
def test_an_answer_means_rules_none_or_not_now(verdict, text):
    """4xx: all is allowed; 429, 5xx and silence: nothing, for now."""
    assert text_of_answer(verdict, b"body") == text


def test_each_scheme_host_and_port_has_its_own():
    """Passwords are no part of it."""
    assert robots_url("http://u:p@h.example:81/a?b") == "http://h.example:81/robots.txt"


class Gated:
    """A schedule whose tasks go through a gate; ``asked`` is what went over the wire."""

    def __init__(self, hosts, retries=1, **manners):
        self.schedule = Schedule(np.arange(len(hosts)), np.array(hosts), Politeness(**manners), random.Random(0))
        self.hosts, self.asked, self.refused, self.notes = hosts, [], [], []
        self.gate = RobotsGate(
            {}, self.schedule, retries, random.Random(0), self.notes.append, lambda task, _: self.refused.append(task)
        )

    def start_all(self, now):
        """Start what may be started."""
        started = []
        while (task := self.schedule.next_task(now)) is not None:
            url = self.gate.pass_on(task, f"http://h{self.hosts[task]}.example/{task}.jpg", now)
            if url is not None:
                started.append((task, url.rpartition("/")[2]))
        self.asked += [name for _, name in started]
        return started


def test_robots_txt_goes_first_and_only_its_host_waits():
    """While one host is silent about its rules the other is served; then its tasks come, the forbidden ones never."""
    gated = Gated([0, 0, 0, 1, 1, 1])
    first = dict(gated.start_all(0.0))
    assert sorted(first.values()) == ["robots.txt", "robots.txt"]
    quick = next(task for task in first if task >= 3)
    gated.gate.note_answer(quick, FINE, b"User-agent: *\nDisallow: /4.jpg", 1.0)
    assert [name for _, name in gated.start_all(1.0)] == ["3.jpg", "5.jpg"]
    assert gated.refused == [4]
    slow = next(task for task in first if task < 3)
    gated.gate.note_answer(slow, Verdict(Drop.GONE, "HTTP 404", 404), b"", 9.0)
    assert [name for _, name in gated.start_all(9.0)] == ["0.jpg", "1.jpg"]
    assert [note.url for note in gated.notes] == ["http://h1.example/robots.txt", "http://h0.example/robots.txt"]


def test_many_forbidden_addresses_cost_no_time_even_with_a_crawl_delay():
    """What is not asked for needs no pause."""
    gated = Gated([0] * 1000)
    ((task, _),) = gated.start_all(0.0)
    gated.gate.note_answer(task, FINE, b"User-agent: *\nDisallow: /\nCrawl-delay: 10", 1.0)
    assert gated.start_all(11.0) == []
    assert len(gated.refused) == 1000
    assert gated.schedule.n_queued == 0


def test_what_is_forbidden_leaves_nothing_behind_in_the_schedule():
    """A host waits once, not once for each address that was not asked for; and it still waits between two requests."""
    gated = Gated([0] * 1000, delay_s=10.0)
    ((task, _),) = gated.start_all(0.0)
    gated.gate.note_answer(task, FINE, b"User-agent: *\nDisallow: /\nAllow: /50", 1.0)
    assert [name for _, name in gated.start_all(10.0)] == ["50.jpg"]
    assert len(gated.schedule._waiting) == 1
    assert gated.start_all(19.9) == []
    assert [name for _, name in gated.start_all(20.0)] == ["500.jpg"]


def test_crawl_delay_keeps_requests_apart_the_first_one_too():
    """Ten seconds after robots.txt comes the first image, ten seconds later the second."""
    gated = Gated([0] * 3, delay_s=1.0)
    ((task, _),) = gated.start_all(0.0)
    gated.gate.note_answer(task, FINE, b"User-agent: *\nCrawl-delay: 10", 1.0)
    assert gated.start_all(10.9) == []
    assert len(gated.start_all(11.0)) == 1
    assert gated.start_all(20.9) == []
    assert len(gated.start_all(21.0)) == 1


def test_a_host_without_an_answer_is_tried_again_and_then_left_out_of_this_run():
    """All its tasks are given up with the failure as their reason; none was asked for."""
    gated = Gated([0] * 50, retries=1)
    now = 0.0
    while not (given_up := gated.schedule.abandoned(100)):
        for task, _ in gated.start_all(now):
            gated.gate.note_answer(task, Verdict(Drop.SERVER_ERROR, "HTTP 503", 503), b"", now)
        now += 1.0
        assert now < 100
    assert gated.asked == ["robots.txt"] * 2
    assert len(given_up) == 50
    assert {(verdict.reason, verdict.detail) for _, verdict in given_up} == {
        (Drop.SERVER_ERROR, "robots.txt: HTTP 503")
    }
    assert gated.notes == []


@pytest.mark.parametrize("wait_s", [3600.0, float("inf")])
def test_a_host_that_wants_to_be_left_alone_for_long_is_left_out_of_this_run(wait_s):
    """The run does not sleep until a robots.txt may be asked for again, however many tries are left."""
    gated = Gated([0] * 50, retries=3)
    ((task, _),) = gated.start_all(0.0)
    gated.gate.note_answer(task, Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, wait_s), b"", 1.0)
    assert gated.start_all(1.0) == []
    assert len(gated.schedule.abandoned(100)) == 50
    assert gated.asked == ["robots.txt"]


def test_a_short_wait_for_robots_txt_is_waited_for():
    """Asked again when the host said, not before."""
    gated = Gated([0] * 50, retries=3)
    ((task, _),) = gated.start_all(0.0)
    gated.gate.note_answer(task, Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, 60.0), b"", 1.0)
    assert gated.start_all(60.9) == []
    assert [name for _, name in gated.start_all(61.0)] == ["robots.txt"]


def test_memory_is_bounded_however_many_hosts_send_however_much():
    """Packed texts and parsed rules go when their bytes add up; what was used last stays, and the newest always."""
    kept = RecentlyUsed(1000)
    for number in range(100):
        kept.put(str(number), number, 300)
        assert kept.get("0") == 0
    assert [name for name in map(str, range(100)) if kept.get(name) is not None] == ["0", "98", "99"]
    kept.put("99", "large", 5000)
    assert (kept.get("0"), kept.get("98"), kept.get("99")) == (None, None, "large")
    kept.put("99", "small", 10)
    kept.put("1", 1, 990)
    assert (kept.get("99"), kept.get("1")) == ("small", 1)


def test_a_host_whose_rules_had_to_go_is_asked_for_them_again(monkeypatch):
    """Rules that were only unpacked are read anew; a text that is gone is asked for; the verdicts are the same."""
    monkeypatch.setattr("curator.fetch.politeness.robots_gate._MOST_PARSED_BYTES", 1)
    monkeypatch.setattr("curator.fetch.politeness.robots_gate.MOST_TEXT_BYTES", 1)
    gated = Gated([0, 0, 1, 1])
    first = dict(gated.start_all(0.0))
    one, other = sorted(first)
    gated.gate.note_answer(one, FINE, b"User-agent: *\nDisallow: /1.jpg", 1.0)
    gated.gate.note_answer(other, FINE, b"User-agent: *\nDisallow: /3.jpg", 1.0)
    for now in (2.0, 3.0, 4.0, 5.0):
        for task, name in gated.start_all(now):
            if name == "robots.txt":
                gated.gate.note_answer(task, FINE, b"User-agent: *\nDisallow: /1.jpg\nDisallow: /3.jpg", now)
    assert gated.refused == [1, 3] or gated.refused == [3, 1]
    assert sorted(name for name in gated.asked if name != "robots.txt") == ["0.jpg", "2.jpg"]
    assert gated.asked.count("robots.txt") > 2


def test_the_latest_texts_of_earlier_runs_are_read_up_to_a_limit(tmp_path, monkeypatch):
    """However many a ledger holds."""
    monkeypatch.setattr("curator.fetch.ledger.ledger.MOST_TEXT_BYTES", 25)
    with Ledger(tmp_path / "attempts.sqlite") as ledger:
        ledger.record([], [], [RobotsText(f"http://h{n}.example/robots.txt", 1000.0 + n, bytes(10)) for n in range(5)])
        found = ledger.notes(2000.0).robots
    assert list(found) == ["http://h3.example/robots.txt", "http://h4.example/robots.txt"]
