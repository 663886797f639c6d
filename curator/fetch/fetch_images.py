"""Fetch the images of a catalog: many transfers at once, politely, each in the ledger, so that a killed run resumes.

>>> import tempfile
>>> from pathlib import Path
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> table = fetch_images(catalog.conform(pd.DataFrame({"url": ["ftp://h.example/1", None]})), project)
>>> table["drop_reason"].tolist()
['unsupported-scheme', 'malformed-url']
"""

from __future__ import annotations

import gc
import selectors
import time
from contextlib import suppress

import pandas as pd

from curator import catalog as catalog
from curator.errors import CuratorError, DiskError
from curator.events import FetchFinished, FetchStarted
from curator.fetch.committer import Committer
from curator.fetch.engine import Engine
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.network.curl_loop import noticed_interrupts
from curator.fetch.outcomes import read_outcomes
from curator.fetch.plan import FetchOptions, Plan, make_plan
from curator.fetch.row_addresses import parse_rows
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.manifests.tombstones import read_tombstones
from curator.observe.workers.pool import ObserverPool
from curator.store.image_files import recover
from curator.store.paths import DataPaths as DataPaths

_DEFAULTS = FetchOptions()


def fetch_images(table: pd.DataFrame, project: Project, options: FetchOptions = _DEFAULTS) -> pd.DataFrame:
    """Settle every row of a catalog: download what the ledger does not know, observe it, store it, record it.

    Args:
        table: a catalog; ``url``, ``fallback_url`` and ``local_path`` are read.
        project: its recipe says how to download (``fetch``) and what is decoded (``quality.max_pixels``).
        options: what the caller chooses beside the recipe.

    Returns:
        The same rows in the same order, fetched columns filled (except those that
        :func:`curator.fetch.outcomes.with_pictures` adds), those that failed dropped in stage ``fetched``; if all was
        settled before, nothing is requested.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was finished is recorded first.
        DiskError: the disk refused a write; what was recorded stays.
        StateError: the ledger is damaged or was written by a newer version.
    """
    rows = parse_rows(table)
    with Ledger(project.paths.attempts) as ledger:
        recover(project.paths, ledger.knows_file)  # the temporary files that a killed run left
        try:
            plan = make_plan(table, rows, ledger, project, options)
            project.emit(FetchStarted(plan.n_images, plan.n_settled))
            if plan.has_work():
                _run(plan, ledger, project)
        except DiskError:
            with suppress(CuratorError, OSError):  # what is left is the next run's affair
                recover(project.paths, ledger.knows_file)
            raise
        project.emit(FetchFinished())
    del plan  # and what holds it in circles: all addresses would stay in memory beside all outcomes
    gc.collect()
    return read_outcomes(table, project, rows)


def _run(plan: Plan, ledger: Ledger, project: Project) -> None:
    max_pixels = project.recipe.quality.max_pixels
    with (
        noticed_interrupts() as interrupted,
        selectors.DefaultSelector() as selector,
        Committer(ledger, project.paths, max_pixels) as committer,
    ):
        forgotten = frozenset(map(bytes.fromhex, read_tombstones(project.paths.forgotten)["content"]))
        remembered = ledger.notes(time.time())
        for wait in remembered.waits:
            committer.add_note(wait)
        engine = Engine(plan, project, committer, selector, forgotten, remembered)
        with ObserverPool(project.paths, max_pixels, selector, engine.note_observed) as observers:
            observers.start()
            try:
                engine.run(observers, interrupted)
            finally:
                engine.downgrades.tell(project.emit)
