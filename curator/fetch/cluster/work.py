"""Work on one fragment, on a worker: the same plan and the same engine as on one machine, with leases.

The fragment's ledger lies on this machine's own disk until it is whole; it counts once it is published. Files of the
store have temporary names until then, so that no file has a final name that no ledger knows.
"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from curator.errors import CuratorError, DiskError, StateError
from curator.events import Event
from curator.fetch.attempts import Downgrades
from curator.fetch.cluster.orders import MOST_CLOCK_S, NO_FOLDER, Order, Report, differences, made_by
from curator.fetch.cluster.scratch import scratch_folder
from curator.fetch.fragments.run_plan import run_plan
from curator.fetch.fragments.terms import Terms
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.plan import make_plan
from curator.fetch.politeness.governor import Asked, Granted
from curator.fetch.politeness.leases import Leases, LostLeasesError
from curator.fetch.row_addresses import parse_rows
from curator.manifests.project import Project
from curator.store.image_files import Unnamed, name_files
from curator.store.whole_files import disk_errors

Exchange = Callable[[str, Asked, Sequence[Event]], Granted]
"""See :meth:`curator.fetch.cluster.desk.Desk.exchange`."""


def work(order: Order, exchange: Exchange, clock: Callable[[], float]) -> Report:
    """Work on a fragment and publish what came of it.

    Args:
        exchange: asks the desk.
        clock: returns the time of the machine that gave the order, in seconds since 1970.
    """
    node, told, downgrades = socket.gethostname(), _Told(), Downgrades()
    try:
        refuse(node, order, clock() - time.time())
        with Leases(lambda asked: exchange(order.process, asked, told.take())) as leases:
            _work(order, leases, told.add, downgrades)
    except LostLeasesError:  # as if this worker had died
        raise
    except CuratorError as error:
        return Report(node, told.take(), downgrades, error.message, error.hint, isinstance(error, DiskError))
    return Report(node, told.take(), downgrades)


def refuse(node: str, order: Order, ahead_s: float) -> None:
    """Refuse to work where it would not be the same work as elsewhere.

    Args:
        ahead_s: by how much the clock of the machine that gave the order is ahead of the one here.

    Raises:
        StateError: what is installed differs, the clock does, or the data folder is not there.
    """
    if found := differences(order.made_by, made_by()):
        message = f"The machine {node} of the cluster has {found}."
        raise StateError(message, "Install the same versions on every machine, then run again.")
    if abs(ahead_s) > MOST_CLOCK_S:
        message = f"The clock of the machine {node} differs by {abs(ahead_s):,.0f} seconds from the one here."
        raise StateError(message, "Set it (with NTP, for instance), then run again.")
    if not order.folder.path.is_dir():
        message = f"The machine {node} of the cluster does not see {order.folder.path}."
        raise StateError(message, NO_FOLDER)


def _work(order: Order, leases: Leases, emit: Callable[[Event], None], downgrades: Downgrades) -> None:
    until, project = time.monotonic() + order.most_seconds, Project(order.recipe, order.paths, emit)
    held: list[Unnamed] = []
    terms = Terms(
        leases,
        is_late=lambda: time.monotonic() > until,
        is_over=lambda: leases.stopped,
        n_observers=1,
        take_downgrades=downgrades.add,
        held=held,
    )
    table = order.folder.read(order.number)
    with scratch_folder() as scratch:
        path, known = scratch / "ledger.sqlite", order.folder.known(order.number)
        with disk_errors(path):
            if known.exists():
                shutil.copyfile(known, path)
        try:
            with Ledger(path) as ledger:
                plan = make_plan(table, parse_rows(table), ledger, project, order.options)
                run_plan(plan, ledger, project, terms, order.remembered)
        except KeyboardInterrupt:
            if not leases.stopped:
                raise
        finish(order, path, held)


def finish(order: Order, ledger: Path, held: Sequence[Unnamed]) -> None:
    """Publish a fragment's ledger, and name its files; or remove them if another one's came first."""
    if order.folder.publish(ledger, order.number):
        name_files(held)
    else:
        for file in held:
            Path(file.path).unlink(missing_ok=True)


class _Told:
    """The events that were not handed over yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)

    def take(self) -> tuple[Event, ...]:
        with self._lock:
            events, self._events = self._events, []
        return tuple(events)
