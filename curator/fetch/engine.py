"""Download, observe and record: one loop that drives the network, the observing processes and the ledger."""

from __future__ import annotations

import random
import selectors
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from curator.events import FetchFailed, ImageFetched, Noted
from curator.fetch.attempts import Downgrades, attempt_of
from curator.fetch.committer import Committer
from curator.fetch.crash_watch import CrashWatch
from curator.fetch.fragments.terms import ALONE, Terms
from curator.fetch.ledger.schema import OK, Attempt, HostWait, Remembered
from curator.fetch.local_files import attempt_file, path_of_file
from curator.fetch.network.curl_loop import CurlLoop
from curator.fetch.network.guard import name_private_host, proxy_addresses
from curator.fetch.network.room import has_room, idle_for, room_for
from curator.fetch.network.transfer import Transfer, WaryTransfer
from curator.fetch.plan import Plan
from curator.fetch.policy import FALLBACK_STATUSES, Verdict, backoff_s, blames_host, settings_behind
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.lease_gate import LeaseGate
from curator.fetch.politeness.leases import HostLeases
from curator.fetch.politeness.referers import Referers
from curator.fetch.politeness.robots_gate import RobotsGate
from curator.fetch.politeness.schedule import Schedule
from curator.manifests.project import Project
from curator.observe.workers.pool import ObservedFile, ObserverPool
from curator.reasons import RETRIED, Drop

_MAX_WAIT_S, _REST_S = 0.5, 0.002
_MAX_BACKLOG, _MAX_BACKLOG_BYTES, _MAX_UNCOMMITTED = 256, 64_000_000, 20_000
_DRAIN_S = 5.0
"""How long the observers may take after Ctrl-C to finish what is downloaded."""


class Engine:
    """One run over a plan, which it does not change: which requests were made since is its own.

    Args:
        plan: what is to be requested, read and observed again.
        project: its recipe says how to download; its listener hears of each image.
        selector: what the observers' sockets and libcurl's are registered with.
        forgotten: the SHA-256 (32 bytes) of contents that must not come back.
        remembered: what previous runs learnt about hosts.
        terms: what differs where the plan is one of many.
    """

    def __init__(
        self,
        plan: Plan,
        project: Project,
        committer: Committer,
        selector: selectors.BaseSelector,
        forgotten: frozenset[bytes],
        remembered: Remembered,
        terms: Terms = ALONE,
    ) -> None:
        settings = project.recipe.fetch
        self._plan, self._settings = plan, settings
        self._tries, self._settled = plan.tries.copy(), plan.settled.copy()
        self._forgotten = forgotten
        self._committer, self._emit = committer, project.emit
        self._rng = random.Random(0)  # noqa: S311 -- jitter is no secret
        self._is_late = terms.is_late
        self._leases = HostLeases(terms.leases, plan.host_names.to_pylist()) if terms.leases else None
        self._schedule = self._make_schedule(remembered)
        robots = (
            RobotsGate(remembered.robots, self._schedule, settings.retries, self._rng, committer.add_note, self._refuse)
            if settings.robots
            else None
        )
        self._gate = LeaseGate(robots, self._leases, self._schedule, plan.host_of) if self._leases else robots
        may_be_private = settings.allow_private_hosts
        self._referers = (
            Referers(plan.page, remembered.referer_hosts, may_be_private) if plan.pages is not None else None
        )
        self._behind = settings_behind(settings)
        self._connections = room_for(settings.connections)
        if self._connections < settings.connections:
            self._emit(Noted(f"the limit of open files allows {self._connections} connections (raise it: `ulimit -n`)"))
        self._loop = CurlLoop(selector, idle_for(self._connections))
        self._crashes, self.downgrades = CrashWatch(), Downgrades()
        self._idle: list[Transfer] = []
        self._exempt = proxy_addresses(settings.proxy)
        self._files = deque(map(int, plan.files))
        self._stale = deque(enumerate(plan.stale, len(plan.addresses)))
        self._attempts: dict[int, Attempt] = {}

    def _make_schedule(self, remembered: Remembered) -> Schedule:
        """Queue the requests; hosts that asked a previous run to be left alone are."""
        names, known = self._plan.host_names.to_pylist(), self._plan.options.host_limits
        politeness = Politeness(per_host=self._settings.per_host, delay_s=self._settings.delay_s)
        limits = {number: known[name] for number, name in enumerate(names) if name in known}
        self._settled[self._plan.requests] = True  # will be: no other's fallback queues it again
        schedule = Schedule(self._plan.requests, self._plan.host_of, politeness, self._rng, limits, self._leases)
        waiting = {wait.host: wait for wait in remembered.waits}
        for number, name in enumerate(names if waiting else ()):
            if name in waiting:
                schedule.hold(number, waiting[name].verdict(time.time()), time.monotonic())
        return schedule

    def run(self, observers: ObserverPool, interrupted: Callable[[], bool]) -> None:
        """Work until all is settled.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was downloaded is observed and recorded first.
            DiskError: the disk is full; what is recorded stays.
        """
        with self._loop as loop:
            while not interrupted() and (
                self._may_start() or loop.active or observers.n_jobs or self._files or self._stale
            ):
                self._schedule.heed_others(time.monotonic())
                self._feed(observers)
                if observers.have_plenty:  # what comes meanwhile is served together, with fewer wake-ups
                    time.sleep(_REST_S)
                wake = self._schedule.wake_time() if self._committer.n_waiting < _MAX_UNCOMMITTED else None
                loop.wait(_MAX_WAIT_S if wake is None else max(0.0, min(_MAX_WAIT_S, wake - time.monotonic())))
                for transfer, errno, error in loop.finished():
                    self._note_finished(transfer, errno, error, observers)
                room = max(0, _MAX_UNCOMMITTED - self._committer.n_waiting)
                for task, verdict in self._schedule.abandoned(min(room, 1000)):
                    self._refuse(task, verdict)
                observers.check()
                self._discard(observers)
                self._committer.check()
            if interrupted():
                loop.abort()
                limit = time.monotonic() + _DRAIN_S
                while observers.n_jobs and time.monotonic() < limit:
                    loop.wait(_MAX_WAIT_S)
                    observers.check()
                raise KeyboardInterrupt

    def _may_start(self) -> bool:
        return bool(self._schedule.n_queued) and not self._is_late()

    def note_observed(self, result: ObservedFile) -> None:
        """Record an image that the observers are done with."""
        attempt = self._attempts.pop(result.job, None)
        if attempt is not None and result.sighting is None:
            self._record(attempt._replace(outcome=result.reason, detail=result.problem))
            return
        if result.sighting is None:
            return
        observation = result.sighting.observation
        if attempt is not None:
            sha256 = bytes.fromhex(observation.sha256)
            if sha256 in self._forgotten:  # neither the bytes are kept nor their hash
                if result.file is not None:
                    Path(result.file.path).unlink()
                self._record(attempt._replace(outcome=Drop.FORGOTTEN, detail="this content was forgotten"))
                return
            attempt = attempt.brought(observation.n_bytes, sha256)
            if verdict := self._crashes.note(int(self._plan.host_of[result.job]), observation.flaw):
                self._schedule.give_up(result.job, verdict, time.monotonic())
            address, flaw = attempt.address, observation.flaw
            self._emit(FetchFailed(address, flaw) if flaw else ImageFetched(address, observation.n_bytes))
        self._committer.add(attempt, result.sighting, result.file)

    def _feed(self, observers: ObserverPool) -> None:
        """Start as much as the connections, the observers and the ledger can take."""
        while self._stale and self._observers_keep_up(observers):
            observers.submit(*self._stale.popleft())
        while self._files and self._observers_keep_up(observers):
            number = self._files.popleft()
            attempt = attempt_file(self._plan.address(number), self._settings.max_bytes)
            if attempt.outcome == OK:
                self._attempts[number] = attempt
                observers.submit(number, path_of_file(attempt.address))
            else:
                self._record(attempt)
        now, active, connections = time.monotonic(), self._loop.active, self._connections
        while (
            self._may_start()
            and self._observers_keep_up(observers)
            and (len(active) < connections or has_room([one.started for one in active.values()], now, connections))
        ):
            task = self._schedule.next_task(now)
            if task is None:
                return
            self._start(task, now)

    def _discard(self, observers: ObserverPool) -> None:
        """Leave what came from a host that was given up for its files unlooked at."""
        if given_up := self._crashes.given_up:
            hosts = self._plan.host_of
            for job in observers.discard(lambda job: job in self._attempts and int(hosts[job]) in given_up):
                verdict = given_up[int(hosts[job])]
                self._record(self._attempts.pop(job)._replace(outcome=str(verdict.reason), detail=verdict.detail))

    def _observers_keep_up(self, observers: ObserverPool) -> bool:
        behind = observers.n_jobs >= _MAX_BACKLOG or observers.n_bytes >= _MAX_BACKLOG_BYTES
        return not behind and self._committer.n_waiting < _MAX_UNCOMMITTED

    def _start(self, task: int, now: float) -> None:
        verdict = None
        try:
            url = self._plan.request_url(task)
            through_proxy = self._exempt and not self._settings.allow_private_hosts
            if through_proxy and (host := name_private_host(url)):  # a proxy would fetch private addresses for us
                verdict = Verdict(Drop.PRIVATE_ADDRESS, host)
        except ValueError as error:
            url, verdict = "", Verdict(Drop.MALFORMED_URL, str(error))
        if verdict is not None:
            self._schedule.finished(task, verdict, now, now)
            self._refuse(task, verdict)
        elif wanted := self._gate.pass_on(task, url, now) if self._gate else url:
            self._begin(task, wanted)

    def _begin(self, task: int, url: str) -> None:
        if self._idle:
            transfer = self._idle.pop()
        elif self._gate or self._exempt:
            transfer = WaryTransfer(self._settings, self._exempt, self._gate, self._plan.options.redirects)
        else:
            transfer = Transfer(self._settings, follows=self._plan.options.redirects)
        referer = ""
        if self._referers and not (self._gate and self._gate.is_requesting(task)):
            referer = self._referers.choose(task, self._plan.host(task), url)
        self._loop.start(transfer, task, url, referer)

    def _note_finished(self, transfer: Transfer, errno: int, error: str, observers: ObserverPool) -> None:
        task, now = transfer.task, time.monotonic()
        self._idle.append(transfer)
        if isinstance(self._gate, LeaseGate):
            self._gate.note_end(task)
        is_rules = self._gate is not None and self._gate.is_requesting(task)
        if transfer.lacks_descriptors and self._connections > 1 and not is_rules:  # go on with fewer
            self._connections //= 2
            self._schedule.finished(task, Verdict(None), now, transfer.started)
            self._schedule.retry(task, now)
            return
        if self._gate and transfer.leads_to:  # request the robots.txt there before anything else
            self._schedule.finished(task, Verdict(None), now, transfer.started)
            outcome = self._gate.lead_on(task, transfer.leads_to, now)
            if isinstance(outcome, Verdict):
                self._refuse(task, outcome)
            elif outcome is not None:
                self._begin(task, outcome)
            return
        verdict, content = transfer.result(errno, error)
        if verdict.wait_s and blames_host(verdict) and not (self._gate and self._gate.is_requesting_elsewhere(task)):
            self._committer.add_note(HostWait.requested_by(self._plan.host(task), time.time(), verdict))
        if self._gate and is_rules:
            self._gate.note_answer(task, verdict, b"".join(content), now)
            return
        self._schedule.finished(task, verdict, now, transfer.started)
        address, host = self._plan.address(task), self._plan.host(task)
        attempt = attempt_of(transfer, verdict, address, host, self._settings, self._behind)
        if verdict.reason is None and (transfer.left_https or attempt.final_url):
            self.downgrades.note(attempt, left_https=transfer.left_https)
        if self._is_worth_another(transfer, verdict):
            self._committer.add(attempt._replace(superseded=True))
            self._schedule.retry(task, now)
        elif verdict.reason is None:
            self._attempts[task] = attempt
            observers.submit(task, content)
        else:
            self._note_failure(task, attempt, verdict, now)

    def _is_worth_another(self, transfer: Transfer, verdict: Verdict) -> bool:
        """Return whether the same request is to be made again, naming its page or not."""
        if not self._referers or not (transfer.referer or verdict.http_status == 403):
            return False
        task = transfer.task
        host, url = self._plan.host(task), self._plan.request_url(task)
        return self._referers.is_worth_another(task, host, url, transfer.referer, verdict)

    def _note_failure(self, task: int, attempt: Attempt, verdict: Verdict, now: float) -> None:
        self._tries[task] += 1
        tries = int(self._tries[task])
        if verdict.reason in RETRIED and tries <= self._settings.retries:
            self._committer.add(attempt)
            self._schedule.retry(task, now + backoff_s(tries, self._rng))
            return
        after = [one for one in self._plan.fallbacks_of(task) if not self._settled[one]]
        if verdict.http_status in FALLBACK_STATUSES and after:
            self._settled[after] = True  # will be, and must not be queued twice
            self._committer.add(attempt)
            for fallback in after:
                self._schedule.retry(fallback, now)
            return
        self._record(attempt)

    def _record(self, attempt: Attempt) -> None:
        self._committer.add(attempt)
        self._emit(FetchFailed(attempt.address, attempt.outcome))

    def _refuse(self, task: int, verdict: Verdict) -> None:
        """Record an address that no request is made for."""
        address, host = self._plan.address(task), self._plan.host(task)
        outcome, status = str(verdict.reason), verdict.http_status
        attempt = Attempt(address, host, time.time(), 0.0, outcome, status, detail=verdict.detail, asked=False)
        self._record(attempt._replace(settings=self._behind.get(Drop(outcome))))
