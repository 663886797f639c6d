"""Politeness and patience, host by host, on a clock that the tests turn."""

from __future__ import annotations

import gc
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.fetch.policy import Verdict
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.schedule import Schedule
from curator.reasons import Drop
from tests.fuzz.rounds import examples

FINE = Verdict(None, http_status=200)
GONE = Verdict(Drop.GONE, "HTTP 404", 404)
SILENT = Verdict(Drop.TIMEOUT, "no whole answer in time")


def throttled(wait_s=None):
    """Give a 429 with the wait that it asks for."""
    return Verdict(Drop.RATE_LIMITED, "HTTP 429", 429, wait_s)


def schedule_of(hosts, **manners):
    """Queue one task for each entry of ``hosts``, the number of its host."""
    return Schedule(np.arange(len(hosts)), np.array(hosts), Politeness(**manners), random.Random(0))


def start_all(schedule, now):
    """Start what may be started."""
    started = []
    while (task := schedule.next_task(now)) is not None:
        started.append(task)
    return started


def finish_all(schedule, tasks, verdict, now, started=0.0):
    """End requests with one verdict."""
    for task in tasks:
        schedule.finished(task, verdict, now, started)


def test_a_host_begins_with_two_requests_and_gains_one_an_answer_up_to_per_host():
    """Slow start: trust grows with answers, a 404 too, and stops at the limit."""
    schedule = schedule_of([0] * 100, per_host=4)
    in_flight = start_all(schedule, 0.0)
    widths = [len(in_flight)]
    for step in range(1, 6):
        task = in_flight.pop(0)
        finish_all(schedule, [task], FINE if step % 2 else GONE, float(step))
        in_flight += start_all(schedule, float(step))
        widths.append(len(in_flight))
    assert widths == [2, 3, 4, 4, 4, 4]


def test_delay_keeps_requests_to_one_host_apart():
    """With a delay of two seconds one request starts every two seconds; another host is not held up."""
    schedule = schedule_of([0, 0, 0, 1], delay_s=2.0)
    assert sorted(start_all(schedule, 0.0)) == [0, 3]
    assert start_all(schedule, 1.9) == []
    assert schedule.wake_time() == 2.0
    assert start_all(schedule, 2.0) == [1]


def test_a_host_that_never_answers_holds_up_nobody():
    """Its two requests hang; the hundred of another host are all served meanwhile."""
    schedule = schedule_of([0] * 100 + [1] * 100)
    served, hanging = 0, set()
    for now in range(1000):
        for task in start_all(schedule, float(now)):
            if task < 100:
                hanging.add(task)
            else:
                served += 1
                schedule.finished(task, FINE, float(now), float(now))
    assert served == 100
    assert len(hanging) == 2


def test_retry_after_is_honoured_by_the_whole_host():
    """No request to it before the time it asked for."""
    schedule = schedule_of([0] * 10)
    task, other = start_all(schedule, 0.0)
    schedule.finished(task, throttled(30.0), 1.0, 0.0)
    schedule.finished(other, FINE, 2.0, 0.0)
    assert start_all(schedule, 30.9) == []
    assert len(start_all(schedule, 31.0)) == 1


def test_throttling_raises_the_delay_and_answers_lower_it_again():
    """After two 429 the requests are half a second apart; after many answers they are not."""
    schedule = schedule_of([0] * 200, per_host=1)
    now = 0.0
    for _ in range(2):
        (task,) = start_all(schedule, now)
        schedule.finished(task, throttled(5.0), now, now)
        now += 5.0
    (task,) = start_all(schedule, now)
    schedule.finished(task, FINE, now, now)
    assert start_all(schedule, now + 0.4) == []
    starts = 0
    while starts < 60:
        now += 0.5
        for task in start_all(schedule, now):
            starts += 1
            schedule.finished(task, FINE, now, now)
    first, second = start_all(schedule, now + 1.0), start_all(schedule, now + 1.02)
    assert len(first) == 1
    schedule.finished(first[0], FINE, now + 1.01, now + 1.0)
    assert second == []
    assert len(start_all(schedule, now + 1.02)) == 1


def test_a_wait_beyond_patience_gives_the_host_up_for_this_run():
    """A day is not waited for: the rest of the queue gets the host's own failure as its reason."""
    schedule = schedule_of([0, 0, 0, 1])
    started = start_all(schedule, 0.0)
    assert len(started) == 3
    schedule.finished(0, throttled(86400.0), 1.0, 0.0)
    assert schedule.wake_time() == 0.0
    assert schedule.abandoned(10) == [(2, throttled(86400.0))]
    assert schedule.abandoned(10) == []
    assert schedule.wake_time() is None
    schedule.finished(1, FINE, 1.0, 0.0)
    assert start_all(schedule, 1e6) == []
    assert schedule.n_queued == 0


def test_the_breaker_opens_lets_one_through_and_closes_on_an_answer():
    """Five failures in a row: a pause, then one request only; its answer lets the others follow."""
    schedule = schedule_of([0] * 50, breaker_s=8.0)
    now = 0.0
    failures = 0
    while failures < 5:
        now += 1.0
        for task in start_all(schedule, now):
            failures += 1
            schedule.finished(task, SILENT, now, now)
    assert start_all(schedule, now + 7.9) == []
    (probe,) = start_all(schedule, now + 8.0)
    schedule.finished(probe, FINE, now + 8.1, now + 8.0)
    assert len(start_all(schedule, now + 8.1)) == 2


def test_a_dead_host_is_given_up_after_some_pauses_and_the_run_ends():
    """Eight requests are enough to know; the thousands that wait are not asked one by one."""
    schedule = schedule_of([0] * 5000)
    asked, now = 0, 0.0
    while schedule.n_queued and not (abandoned := schedule.abandoned(10_000)):
        for task in start_all(schedule, now):
            asked += 1
            schedule.finished(task, SILENT, now, now)
        now += 0.5
    assert asked == 8
    assert len(abandoned) == 5000 - 8
    assert {verdict.reason for _, verdict in abandoned} == {Drop.TIMEOUT}
    assert now < 10
    assert schedule.n_queued == 0


def test_what_was_in_flight_when_the_breaker_opened_is_no_failed_probe():
    """Sixty-four requests that fail together are one fault, not sixty."""
    schedule = Schedule(np.arange(200), np.zeros(200, int), Politeness(), random.Random(0), {0: 64})
    finish_all(schedule, start_all(schedule, 0.0), FINE, 0.1)
    for step in range(70):
        for task in start_all(schedule, 0.2 + step / 1000)[:1]:
            schedule.finished(task, FINE, 0.2 + step / 1000, 0.2)
    in_flight = start_all(schedule, 0.3)
    finish_all(schedule, in_flight, SILENT, 5.0, started=0.3)
    assert schedule.abandoned(1000) == []


def test_a_bulk_host_has_a_limit_of_its_own():
    """Where a source says so, a host takes more than the rest."""
    schedule = Schedule(np.arange(400), np.zeros(400, int), Politeness(per_host=4), random.Random(0), {0: 64})
    in_flight = start_all(schedule, 0.0)
    for _ in range(100):
        schedule.finished(in_flight.pop(0), FINE, 1.0, 0.0)
        in_flight += start_all(schedule, 1.0)
    assert len(in_flight) == 64


def test_a_task_that_is_to_be_tried_again_waits_and_goes_first():
    """Not before its time, and then before what has never been asked."""
    schedule = schedule_of([0] * 5, per_host=1)
    (task,) = start_all(schedule, 0.0)
    schedule.finished(task, GONE, 0.5, 0.0)
    schedule.retry(task, 3.0)
    assert start_all(schedule, 1.0) == [1]
    assert schedule.n_queued == 4
    schedule.finished(1, FINE, 3.5, 1.0)
    assert start_all(schedule, 3.5)[0] == task


def test_large_and_small_hosts_are_begun_by_turns():
    """Neither does the largest host wait for a thousand small ones, nor they for it."""
    schedule = schedule_of([0] * 50 + list(range(1, 1001)), per_host=100, first_window=100)
    first = [schedule.next_task(0.0) for _ in range(40)]
    assert 10 <= sum(task < 50 for task in first) <= 30


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_every_task_is_handed_out_once_or_given_up(hosts, chance):
    """Whatever the hosts do, nothing is lost, nothing is asked twice unasked for, and the work ends."""
    schedule = schedule_of(hosts, per_host=3)
    seen, in_flight, now = [], [], 0.0
    for _ in range(20_000):
        in_flight += [(task, now) for task in start_all(schedule, now)]
        seen += [task for task, _ in schedule.abandoned(7)]
        if in_flight:
            task, started = in_flight.pop(chance.randrange(len(in_flight)))
            seen.append(task)
            schedule.finished(task, chance.choice([FINE, GONE, SILENT, throttled(1.0)]), now, started)
        if not in_flight and not schedule.n_queued:
            break
        now += chance.random()
    assert sorted(seen) == list(range(len(hosts)))


def seconds_of(n):
    """CPU seconds to hand out and finish n addresses of n / 10 hosts, free of the collector's pauses."""
    schedule = schedule_of(list(np.random.default_rng(0).integers(0, n // 10, n)))
    gc.collect()
    gc.disable()
    begin, asked = time.process_time(), 0
    while (task := schedule.next_task(0.0)) is not None:
        asked += 1
        schedule.finished(task, FINE, 0.0, 0.0)
    seconds = time.process_time() - begin
    gc.enable()
    assert asked == n
    return seconds


@pytest.mark.slow
def test_the_work_of_an_address_does_not_grow_with_their_number():
    """Eight times the addresses take about eight times as long, not sixty-four: the best of three tries of each."""
    few, many = (min(seconds_of(n) for _ in range(3)) for n in (20_000, 160_000))
    assert many < 24 * few
