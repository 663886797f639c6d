"""Work a plan off: the engine, the observing processes and the thread that commits, together.

One machine does it here with a plan of all rows, and each worker of a cluster with that of its fragment.
"""

from __future__ import annotations

import selectors
import time

from curator.fetch.committer import Committer
from curator.fetch.engine import Engine
from curator.fetch.fragments.terms import ALONE, Terms
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Remembered
from curator.fetch.network.curl_loop import noticed_interrupts
from curator.fetch.plan import Plan
from curator.manifests.project import Project
from curator.manifests.tombstones import read_tombstones
from curator.observe.workers.pool import ObserverPool


def run_plan(
    plan: Plan, ledger: Ledger, project: Project, terms: Terms = ALONE, remembered: Remembered | None = None
) -> None:
    """Request, observe, store and record what a plan names.

    Args:
        remembered: what previous runs learnt of hosts; None: what the ledger says of them.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the terms said so; what was finished is recorded first.
        DiskError: the disk refused a write; what was recorded stays.
        LostLeasesError: see :meth:`curator.fetch.politeness.leases.Leases.check`.
    """
    max_pixels = project.recipe.quality.max_pixels
    with (
        noticed_interrupts() as interrupted,
        selectors.DefaultSelector() as selector,
        Committer(ledger, project.paths, max_pixels, terms.held) as committer,
    ):
        forgotten = frozenset(map(bytes.fromhex, read_tombstones(project.paths.forgotten)["content"]))
        remembered = remembered or ledger.notes(time.time())
        for wait in remembered.waits:
            committer.add_note(wait)
        engine = Engine(plan, project, committer, selector, forgotten, remembered, terms)
        with ObserverPool(project.paths, max_pixels, selector, engine.note_observed, terms.n_observers) as observers:
            observers.start()
            try:
                engine.run(observers, lambda: interrupted() or terms.is_over())
            finally:
                if terms.take_downgrades:
                    terms.take_downgrades(engine.downgrades)
                else:
                    engine.downgrades.tell(project.emit)
