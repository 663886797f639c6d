"""Fetch over a cluster: cut what is to be requested into fragments, hand them out, add to the ledger what comes back.

Which rows are fetched was decided before, as on one machine; what a worker does with each is what one machine does. A
fragment whose worker died is handed out again; of one that was late the rest is cut into new ones.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import CuratorError, DiskError
from curator.events import Event, FetchFailed, ImageFetched
from curator.fetch.attempts import Downgrades
from curator.fetch.cluster.connection import open_ray
from curator.fetch.cluster.orders import NOBODY, PATIENCE_S, Order, Report, made_by
from curator.fetch.cluster.ray_cluster import Cluster, LostWorkerError
from curator.fetch.fragments.cut import Rows, cut
from curator.fetch.fragments.folder import COLUMNS, FragmentFolder, absorb_left
from curator.fetch.fragments.unsettled import unsettled_rows
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Remembered, State
from curator.fetch.plan import FetchOptions, Plan
from curator.fetch.politeness.hosts import Politeness
from curator.fetch.politeness.leases import host_of_url, usual_name
from curator.fetch.row_addresses import RowAddresses, parse_rows
from curator.manifests.project import Project
from curator.text import plural

MOST_ROWS = 2_000
"""Rows of a fragment: what a worker that dies can cost."""

CUT_S = 60.0
"""After which a fragment is cut: the rest of it may be another worker's."""

_LEAST_ROWS = 64
_MOST_DEATHS = 10
_WAIT_S = 0.2
_SELDOM = 30
_LAST_WAIT_S = 20.0


def fetch_fragments(
    table: pd.DataFrame, rows: RowAddresses, ledger: Ledger, project: Project, plan: Plan, rest_s: float = 0.0
) -> None:
    """Settle the addresses of a catalog that are to be requested.

    Args:
        table: the catalog, ``rows`` its addresses.
        ledger: the data set's; what is settled in it is not requested.
        plan: what one machine would request.
        rest_s: how long nothing is requested: workers of a run that was killed may still be at it.

    Raises:
        CuratorError: there is no cluster, or a machine of it is refused.
        DiskError: the disk of a machine refused; what was committed is in the ledger.
        KeyboardInterrupt: Ctrl-C; what was finished is in the ledger.
    """
    fetch, limits = project.recipe.fetch, {usual_name(name): n for name, n in plan.options.host_limits.items()}
    ray = open_ray(project.recipe.engine)
    requested = _requested(table, rows, plan)
    if not len(requested):
        return
    cluster = Cluster(ray, (fetch.per_host, limits, min(fetch.delay_s, Politeness.max_wait_s), fetch.robots, rest_s))
    run = _Run(project.absolute(), ledger, cluster, plan.options)
    try:
        run.run(table.iloc[requested][list(COLUMNS)])
    finally:
        cluster.close()
        absorb_left(project.paths)  # nobody can commit any more
        run.downgrades.tell(project.emit)


def _requested(table: pd.DataFrame, rows: RowAddresses, plan: Plan) -> Rows:
    """Find the rows with something to request; what is no web address is for this machine to read."""
    wanted = plan.addresses.take(pa.array(plan.requests))
    either = pc.or_(*(pc.is_in(column, value_set=wanted) for column in rows.addresses(table)))
    return np.flatnonzero(either.to_numpy(zero_copy_only=False) & (rows.hosts >= 0))


class _Run:
    """The fragments of one fetch: those that wait, those that are worked on, what was told of them."""

    def __init__(self, project: Project, ledger: Ledger, cluster: Cluster, options: FetchOptions) -> None:
        self._project, self._ledger, self._cluster = project, ledger, cluster
        self.folder = FragmentFolder.make(project.paths)
        self.downgrades = Downgrades()
        recipe = replace(project.recipe, sources=(), path=None)
        options = replace(options, retry="none", host_limits=dict(options.host_limits))
        self._order = Order(-1, 0, self.folder, recipe, project.paths, options, Remembered({}, ()), made_by(), CUT_S)
        self._waiting: deque[Order] = deque()
        self._rows: dict[int, pd.DataFrame] = {}
        self._n_cut = 0
        self._robots: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self._remember_at = 0.0
        self._n_told = Counter[str]()
        self._told_before = Counter[int]()
        self._remarks: set[str] = set()
        self._heard: set[str] = set()
        self._begun_at = time.monotonic()

    def run(self, table: pd.DataFrame) -> None:
        """Work until every row is settled."""
        most_rows = min(MOST_ROWS, max(_LEAST_ROWS, len(table) // (2 * max(1, self._cluster.room()))))
        self._cut(table, most_rows)
        try:
            while self._waiting or self._cluster.n_running:
                self._hand_out()
                self._take(_WAIT_S)
        except BaseException:
            self._end()
            raise

    def _cut(self, table: pd.DataFrame, most_rows: int) -> None:
        for positions in cut(table, parse_rows(table), most_rows):
            self._rows[self._n_cut] = table.iloc[positions]
            self._waiting.append(replace(self._order, number=self._n_cut))
            self._n_cut += 1

    def _remember(self) -> None:
        """Read what was learnt of hosts, by fragments that were added too; seldom, as there may be much of it."""
        if (began := time.monotonic()) >= self._remember_at:
            remembered = self._ledger.notes(time.time())
            self._order = replace(self._order, remembered=remembered._replace(robots={}))
            self._robots.clear()
            for url, text in remembered.robots.items():
                self._robots[host_of_url(url)][url] = text
            self._remember_at = time.monotonic() + _SELDOM * (time.monotonic() - began)

    def _hand_out(self) -> None:
        if self._waiting and self._cluster.room() > 0:
            self._remember()
        for _ in range(min(self._cluster.room(), len(self._waiting))):
            order = self._waiting.popleft()
            rows = self._rows[order.number]
            addresses = [one for name in ("url", "fallback_url") for one in rows[name].dropna()]
            known = [one for one, state in zip(addresses, self._states(addresses), strict=True) if state.tries]
            self.folder.put(order.number, rows, self._project.paths.attempts, known)
            userinfo = self._order.options.userinfo
            own = {one: userinfo[one] for one in addresses if one in userinfo} if userinfo else {}
            hosts = set(map(host_of_url, addresses)) if self._robots else set()
            robots = {url: text for host in hosts & self._robots.keys() for url, text in self._robots[host].items()}
            remembered = self._order.remembered._replace(robots=robots)  # those of all hosts would take long to send
            order = replace(order, options=replace(order.options, userinfo=own), remembered=remembered)
            self._cluster.start(order)

    def _take(self, timeout_s: float) -> None:
        """Take what was finished and what was told; raise what went wrong when all that is good is added."""
        done = self._cluster.finished(timeout_s)
        for process, events in self._cluster.take_events().items():
            self._heard.add(process)
            self._tell(process, events)
        if not self._heard and not done and time.monotonic() > self._begun_at + PATIENCE_S:
            self._tell(self._order.process, [NOBODY])
        problems = [problem for order, report in done if (problem := self._settle(order, report))]
        if problems:
            first = problems[0]
            message = f"On the machine {first.node}: {first.problem}" if first.is_disk else first.problem
            raise (DiskError if first.is_disk else CuratorError)(message, first.hint)

    def _settle(self, order: Order, report: Report | LostWorkerError) -> Report | None:
        """Add to the ledger what a fragment brought, and cut the rest of it anew; return the report of a problem."""
        if isinstance(report, Report):
            self._tell(order.process, report.events)
            self.downgrades.add(report.downgrades)
        if self.folder.has_commit(order.number):
            self.folder.absorb(order.number, self._project.paths.attempts)
            rows = self._rows.pop(order.number)
            rest = rows.iloc[unsettled_rows(rows, parse_rows(rows), self._ledger, self._project.recipe.fetch.retries)]
            if len(rest):
                self._cut(rest, max(_LEAST_ROWS, -(-len(rest) // 2)))
        elif isinstance(report, LostWorkerError):
            self._told_before[order.number] = max(self._told_before[order.number], self._n_told[order.process])
            if order.execution >= _MOST_DEATHS:
                n = plural(len(self._rows[order.number]), "image")
                message = f"{plural(order.execution + 1, 'worker')} in a row died at the same {n}."
                raise CuratorError(message, "Ray's logs say why; want of memory is the usual cause. Then run again.")
            self._waiting.append(replace(order, execution=order.execution + 1))
        return report if isinstance(report, Report) and report.problem else None

    def _end(self) -> None:
        """Let all workers end; what they committed is added later."""
        self._waiting.clear()
        self._cluster.drop_all_but(self._heard)
        with suppress(CuratorError):  # one is on its way already
            self._cluster.stop()
        until = time.monotonic() + _LAST_WAIT_S
        while self._cluster.n_running and time.monotonic() < until:
            with suppress(CuratorError):
                self._cluster.finished(_WAIT_S)

    def _tell(self, process: str, events: Iterable[Event]) -> None:
        """Pass events on: an image once, though its fragment be begun anew; a remark once, though many make it."""
        number = int(process.partition("/")[0])
        for event in events:
            if isinstance(event, ImageFetched | FetchFailed):
                self._n_told[process] += 1
                if self._n_told[process] > self._told_before[number]:
                    self._project.emit(event)
            elif repr(event) not in self._remarks:
                self._remarks.add(repr(event))
                self._project.emit(event)

    def _states(self, addresses: list[str]) -> list[State]:
        recipe = self._project.recipe
        return self._ledger.states(addresses, recipe.fetch.retries, recipe.quality.max_pixels)
