"""Request each host's robots.txt before anything else of it, and let through what that allows.

A task whose host's rules are not known yet keeps its place in the host's window, so that only this host waits. If an
answer leads to another host, that one's robots.txt counts too: the request is broken off, and made again once the rules
are known. The rules that were used last are kept, up to a number of bytes: who fills them cannot fill the memory.

>>> kept = RecentlyUsed[str](most_bytes=100)
>>> kept.put("a", "first", 60), kept.put("b", "second", 60)
(None, None)
>>> kept.get("a"), kept.get("b")
(None, 'second')
"""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from curator.fetch.ledger.schema import MOST_TEXT_BYTES, RobotsText
from curator.fetch.network.identity import MOST_REDIRECTS
from curator.fetch.policy import Verdict, backoff_s
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.robots import Rules, read_rules, robots_url, text_of_answer
from curator.fetch.politeness.schedule import Schedule
from curator.reasons import RETRIED, Drop

_MOST_PARSED_BYTES = 1 << 22
"""Texts whose rules are held: these take up to 80 times as much memory."""

_LEAST_BYTES = 100
"""What the shortest text counts as."""


class RobotsGate:
    """The rules of all hosts of a run.

    Args:
        known: texts that still hold: the address of the robots.txt to its zlib bytes.
        retries: further tries if a robots.txt cannot be had.
        note: takes each text that came.
        refuse: takes each task that is not allowed.
    """

    def __init__(
        self,
        known: Mapping[str, bytes],
        schedule: Schedule,
        retries: int,
        rng: random.Random,
        note: Callable[[RobotsText], None],
        refuse: Callable[[int, Verdict], None],
    ) -> None:
        self._schedule, self._retries, self._rng = schedule, retries, rng
        self._note, self._refuse = note, refuse
        self._texts = RecentlyUsed[bytes](MOST_TEXT_BYTES)
        self._parsed = RecentlyUsed[Rules](_MOST_PARSED_BYTES)
        for robots, packed in known.items():
            self._texts.put(robots, packed, len(packed) + _LEAST_BYTES)
        self._waiting: defaultdict[str, list[int]] = defaultdict(list)
        self._led_on: defaultdict[str, list[int]] = defaultdict(list)
        self._n_led_on: Counter[int] = Counter()
        self._unknowable: dict[str, Verdict] = {}
        self._requesting: dict[int, str] = {}
        self._failures: defaultdict[str, int] = defaultdict(int)

    def pass_on(self, task: int, url: str, now: float) -> str | None:
        """Return what to request for a task that was just started: its ``url``, a robots.txt first, or nothing now."""
        robots = robots_url(url)
        if rules := self._rules(robots):
            self._schedule.slow_down(task, rules.delay_s, now)
            if rules.allows(url):
                return url
            self._schedule.withdraw(task, now)
            self._refuse(task, Verdict(Drop.ROBOTS_DISALLOWED, "robots.txt of its host disallows this address"))
            return None
        self._waiting[robots].append(task)
        return self._request(task, robots)

    def may_follow(self, task: int, url: str) -> bool:
        """Return whether a task may follow a redirect to ``url``: the rules there are known, and allow it."""
        rules = self._rules(robots_url(url))
        return rules is not None and rules.allows(url)

    def lead_on(self, task: int, url: str, now: float) -> str | Verdict | None:
        """Decide about a task whose request was broken off because it was redirected to ``url``.

        Returns:
            The robots.txt there, to be requested; why the task is over; or nothing if it comes again by itself.
        """
        robots = robots_url(url)
        self._n_led_on[task] += 1
        if self._n_led_on[task] > MOST_REDIRECTS:
            return Verdict(Drop.REDIRECT_LOOP, "another host each time")
        if rules := self._rules(robots):
            if not rules.allows(url):
                return Verdict(Drop.ROBOTS_DISALLOWED, "robots.txt of the host that it redirects to disallows it")
            self._schedule.retry(task, now)
            return None
        if robots in self._unknowable:
            return self._unknowable[robots]
        self._led_on[robots].append(task)
        return self._request(task, robots)

    def is_requesting_elsewhere(self, task: int) -> bool:
        """Return whether the request in the place of ``task`` is for the robots.txt of a host that it was led to."""
        return task in self._led_on[self._requesting[task]] if task in self._requesting else False

    def is_requesting(self, task: int) -> bool:
        """Return whether the request in the place of ``task`` is for a robots.txt."""
        return task in self._requesting

    def note_answer(self, task: int, verdict: Verdict, body: bytes, now: float) -> None:
        """Learn what came for a robots.txt; the tasks that wait for it are handed out again."""
        robots = self._requesting.pop(task)
        text, wait_s, is_over = text_of_answer(verdict, body), 0.0, False
        own, led_on = self._waiting.pop(robots, []), self._led_on.pop(robots, [])
        if text is not None:
            packed = zlib.compress(text)
            self._note(RobotsText(robots, time.time(), packed))
            self._texts.put(robots, packed, len(packed) + _LEAST_BYTES)
            self._parsed.put(robots, read_rules(text), len(text) + _LEAST_BYTES)
        else:
            self._failures[robots] += 1
            wait_s = max(verdict.wait_s or 0.0, backoff_s(self._failures[robots], self._rng))
            will_pass = verdict.reason in RETRIED and (verdict.wait_s or 0.0) <= Politeness.max_wait_s
            is_over = not will_pass or self._failures[robots] > self._retries
        if is_over:
            reason, detail = verdict.reason or Drop.BAD_RESPONSE, f"robots.txt: {verdict.detail}"
            self._unknowable[robots] = Verdict(reason, detail, verdict.http_status, verdict.wait_s)
        for waiting in led_on:
            self._schedule.retry(waiting, now if is_over else now + wait_s)
        if own and (rules := self._rules(robots)):
            self._schedule.slow_down(own[0], rules.delay_s, now)
        for waiting in reversed(own):
            self._schedule.put_back(waiting, now, wait_s, verdict if text is None else None)
        if own and robots in self._unknowable:
            self._schedule.give_up(own[0], self._unknowable[robots], now)

    def _request(self, task: int, robots: str) -> str | None:
        if robots in self._requesting.values():
            return None
        self._requesting[task] = robots
        return robots

    def _rules(self, robots: str) -> Rules | None:
        """Return the rules of a robots.txt, or None if it must be requested."""
        rules = self._parsed.get(robots)
        if rules is None and (packed := self._texts.get(robots)) is not None:
            text = zlib.decompress(packed)
            rules = read_rules(text)
            self._parsed.put(robots, rules, len(text) + _LEAST_BYTES)
        return rules


Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """Values by name; beyond ``most_bytes`` those go that were not used for longest. The newest always stays."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._n_bytes = most_bytes, 0
        self._values: dict[str, tuple[Value, int]] = {}

    def get(self, name: str) -> Value | None:
        """Return a value, or None if it is not kept."""
        if found := self._values.pop(name, None):
            self._values[name] = found
        return found and found[0]

    def put(self, name: str, value: Value, n_bytes: int) -> None:
        """Keep a value that takes ``n_bytes``, in the place of the one that had this name."""
        self._n_bytes += n_bytes - self._values.pop(name, (None, 0))[1]
        self._values[name] = value, n_bytes
        while self._n_bytes > self._most_bytes and len(self._values) > 1:
            oldest = next(iter(self._values))
            self._n_bytes -= self._values.pop(oldest)[1]
