"""No host has more requests in flight than its limit, whoever asks, dies or comes late."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from curator.fetch.policy import Verdict
from curator.fetch.politeness.governor import Asked, Governor, Granted
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.lease_gate import LeaseGate
from curator.fetch.politeness.leases import Leases, LostLeasesError
from curator.fetch.politeness.robots_gate import RobotsGate
from curator.fetch.politeness.schedule import Schedule
from curator.reasons import Drop


def test_the_sum_of_what_is_in_flight_never_passes_the_limit() -> None:
    """Processes that ask, take, give back, lose answers and die, at random, on three hosts."""
    rng, now = random.Random(7), 0.0
    governor = Governor(per_host=5, limits={"c": 2}, lease_s=10.0)
    processes: dict[str, tuple[Counter[str], dict[str, int], float]] = {}
    most = Counter[str]()
    for step in range(4000):
        now += rng.random() * 0.4
        if len(processes) < 4:
            processes[f"p{step}"] = Counter(), {}, now + 8.0
        name = rng.choice(list(processes))
        in_flight, granted, until = processes[name]
        if rng.random() < 0.02 or now > until:  # it dies, or its leases end before they do at the governor
            del processes[name]
            continue
        for host in list(in_flight):
            in_flight[host] = rng.randint(0, in_flight[host])
        held = {host: max(in_flight[host], rng.randint(0, n)) for host, n in granted.items()}
        answer = governor.exchange(name, Asked({h: n for h, n in held.items() if n}, set(rng.sample("abc", 2))), now)
        if rng.random() < 0.9:
            held = dict(answer.most)
        processes[name] = in_flight, held, now + 8.0
        for host, n in held.items():
            in_flight[host] = rng.randint(min(in_flight[host], n), n)
        for host in "abc":
            n = sum(one[host] for one, _, ends in processes.values() if ends > now)
            assert n <= (2 if host == "c" else 5)
            most[host] = max(most[host], n)
    assert most == {"a": 5, "b": 5, "c": 2}


def test_a_dead_process_loses_its_leases_after_a_while() -> None:
    """Until then nobody gets them: its requests may still be under way."""
    governor = Governor(per_host=3, lease_s=10.0)
    governor.exchange("dead", Asked(wanted={"h"}), 0.0)
    assert governor.exchange("other", Asked(wanted={"h"}), 9.9).most == {"h": 0}
    assert governor.exchange("other", Asked(wanted={"h"}), 10.0).most == {"h": 3}


def test_who_was_taken_for_dead_and_comes_back_ends() -> None:
    """A machine that slept, and its clock with it, believes that it holds what another one has by now."""
    governor = Governor(per_host=3, lease_s=10.0)
    now = [0.0]
    with Leases(lambda asked: governor.exchange("slept", asked, now[0])) as leases:
        until(lambda: leases.take("h"))
        now[0] = 10.0
        assert governor.exchange("other", Asked(wanted={"h"}), now[0]).most == {"h": 3}
        until(lambda: is_lost(leases))
    assert governor.exchange("slept", Asked({"h": 3}, {"h"}), 11.0) == Granted({}, {}, {}, is_lost=True)
    assert governor.exchange("other", Asked({"h": 3}, {"h"}), 11.0).share == {}  # nobody else waits


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.002)


def is_lost(leases: Leases) -> bool:
    try:
        leases.check()
    except LostLeasesError:
        return True
    return False


def test_a_host_with_a_delay_is_one_process_alone_and_rests_in_between() -> None:
    """A crawl-delay can only be kept by one; the next begins that much later than the last could have."""
    governor = Governor(per_host=3)
    governor.exchange("one", Asked(wanted={"h"}), 0.0)
    governor.exchange("one", Asked(held={"h": 3}, delays={"h": 5.0}), 1.0)
    assert governor.exchange("two", Asked(wanted={"h"}), 1.1).most == {"h": 0}
    governor.exchange("one", Asked(), 2.0)
    assert governor.exchange("two", Asked(wanted={"h"}), 6.9).most == {"h": 0}
    assert governor.exchange("two", Asked(wanted={"h"}), 7.0).most == {"h": 3}


def test_of_two_that_hold_a_host_the_later_one_gives_it_up_when_a_delay_is_learnt() -> None:
    """Both read the robots.txt; from then on one of them goes on."""
    governor = Governor(per_host=4)
    governor.exchange("one", Asked(wanted={"h"}), 0.0)
    governor.exchange("one", Asked(held={"h": 2}), 0.1)
    governor.exchange("two", Asked(wanted={"h"}), 0.2)
    assert governor.exchange("one", Asked(held={"h": 2}, delays={"h": 1.0}), 0.3).share == {}
    assert governor.exchange("two", Asked(held={"h": 2}), 0.4).share == {"h": 0}


def test_where_rules_come_first_a_host_is_one_process_alone_until_they_are_read() -> None:
    """Else two would request more than a crawl-delay allows before they know of it."""
    governor = Governor(per_host=4, rules_first=True)
    governor.exchange("one", Asked(wanted={"h"}), 0.0)
    governor.exchange("one", Asked(held={"h": 1}), 0.1)
    assert governor.exchange("two", Asked(wanted={"h"}), 0.2).most == {"h": 0}
    governor.exchange("one", Asked(held={"h": 1}, delays={"h": 0.0}), 0.3)
    assert governor.exchange("two", Asked(wanted={"h"}), 0.4).most == {"h": 3}


def test_what_one_learns_of_a_host_the_others_are_told_once() -> None:
    """And how long is left of it; who learnt it is not told."""
    governor, wait = Governor(per_host=4), Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, 60.0)
    governor.exchange("one", Asked(wanted={"h"}), 0.0)
    assert governor.exchange("one", Asked(held={"h": 2}, troubles={"h": wait}), 0.0).troubles == {}
    told = governor.exchange("two", Asked(wanted={"h"}), 10.0).troubles
    assert told["h"].wait_s == pytest.approx(50.0) and told["h"].http_status == 429
    assert governor.exchange("two", Asked(wanted={"h"}), 11.0).troubles == {}
    assert governor.exchange("three", Asked(wanted={"h"}), 61.0).troubles == {}


@pytest.mark.parametrize("waits", [(100.0, 0.5), (0.5, 100.0)])
def test_of_two_waits_the_one_that_ends_later_holds(waits: tuple[float, float]) -> None:
    """Also if the shorter one comes from a process that was not told of the longer one yet."""
    governor = Governor(per_host=4)
    for name in "ab":
        governor.exchange(name, Asked(wanted={"h"}), 0.0)
    told = []
    for name, wait_s in zip("ab", waits, strict=True):
        wait = Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, wait_s)
        told.append(governor.exchange(name, Asked({"h": 1}, troubles={"h": wait}), 0.0).troubles)
    told += [governor.exchange(name, Asked(wanted={"h"}), 1.0).troubles for name in "abc"]
    found = [round(one["h"].wait_s or 0) if one else None for one in told]
    assert found == ([None, None, None, 99, 99] if waits[0] > 1 else [None, None, 99, None, 99])


def test_nothing_is_granted_while_workers_of_a_killed_run_may_request() -> None:
    """They heard of another governor, and end by themselves."""
    governor = Governor(per_host=4, opens_at=10.0)
    assert governor.exchange("a", Asked(wanted={"h"}), 9.9).most == {"h": 0}
    assert governor.exchange("a", Asked(wanted={"h"}), 10.0).most == {"h": 4}


def test_a_host_that_was_given_up_is_for_the_whole_fetch() -> None:
    """Whoever comes to it later leaves it alone, hours after."""
    governor = Governor(per_host=4)
    governor.exchange("a", Asked(troubles={"h": Verdict(Drop.TIMEOUT, "silent", None, math.inf)}), 0.0)
    ((_, verdict),) = governor.exchange("b", Asked(wanted={"h"}), 9_999.0).troubles.items()
    schedule = Schedule(np.arange(5), np.zeros(5, int), Politeness(), random.Random(0))
    schedule.hold(0, verdict, 0.0)
    assert schedule.next_task(0.0) is None
    assert {verdict.reason for _, verdict in schedule.abandoned(9)} == {Drop.TIMEOUT}


class Told(SimpleNamespace):
    """Leases that grant all, or what ``free`` says of a host, and keep what was reported."""

    def __init__(self) -> None:
        super().__init__(leases=self, reported=[], reserved=[], free=lambda host: True)

    def take(self, number: int) -> bool:
        return True

    def give(self, number: int) -> None:
        pass

    def name(self, number: int) -> str:
        return "a.example"

    def slow_down(self, host: object, delay_s: float) -> None:
        pass

    def report(self, number: int, verdict: Verdict) -> None:
        self.reported.append((number, verdict.http_status, verdict.wait_s))

    def reserve(self, task: int, host: str) -> bool:
        self.reserved.append((task, host))
        return bool(self.free(host))

    def release(self, task: int) -> None:
        pass


def test_others_are_told_what_came_for_a_robots_txt() -> None:
    """The wait that its answer asks for, and that the host is given up."""
    leases = Told()
    schedule = Schedule(np.arange(9), np.zeros(9, int), Politeness(), random.Random(0), leases=leases)
    gate = RobotsGate({}, schedule, 1, random.Random(0), lambda note: None, lambda task, verdict: None)
    for now in (0.0, 12.0):
        task = schedule.next_task(now)
        assert gate.pass_on(task, f"http://a.example/{task}", now) == "http://a.example/robots.txt"
        gate.note_answer(task, Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, 12.0), b"", now)
    assert leases.reported == [(0, 429, 12.0), (0, 429, 12.0), (0, 429, math.inf)]


def test_a_redirect_now_and_then_makes_no_other_request_wait_for_its_target() -> None:
    """Only of a host that leads on often, and as long as it does."""
    leases = Told()
    schedule = Schedule(np.arange(9), np.zeros(9, int), Politeness(), random.Random(0), leases=leases)
    gate = LeaseGate(None, leases, schedule, [0] * 200)

    def request(task: int, is_led: bool) -> int:
        leases.reserved.clear()
        assert gate.pass_on(task, "http://a.example/1", 0.0)
        n_before = len(leases.reserved)
        if is_led:
            gate.may_follow(task, "http://b.example/1")
        gate.note_end(task)
        return n_before

    assert sum(request(task, task % 20 == 0) for task in range(100)) == 0
    assert [request(task, True) for task in range(100, 106)] == [0, 0, 1, 1, 1, 1]
    assert sum(request(task, task % 2 == 0) for task in range(106, 146)) == 40
    assert request(150, False) == 1
    assert sum(request(task, False) for task in range(160, 200)) < 9


def test_an_answer_that_comes_too_late_renews_nothing() -> None:
    """Others may have had what was granted in between."""
    leases = Leases(lambda asked: Granted({}, {}, {}), lease_s=1.0)  # which end here before they begin
    with leases, pytest.raises(LostLeasesError):
        leases._thread.join(10)
        assert not leases._thread.is_alive()
        leases._holds_until = time.monotonic() + 60
        leases.check()


def test_leases_end_here_before_they_end_there() -> None:
    """Who hears nothing of the governor stops by itself."""

    def dead(asked: Asked) -> Granted:
        raise TimeoutError("nobody answers")

    with Leases(dead, lease_s=3.0) as leases:
        limit = time.monotonic() + 30
        with pytest.raises(LostLeasesError, match="lost touch with the others of its cluster"):
            while time.monotonic() < limit:
                leases.check()
                time.sleep(0.005)
