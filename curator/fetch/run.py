"""The network: many transfers at once, politely, and a ledger of each, so that a killed run goes on where it was."""

from __future__ import annotations

import gc
import selectors
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

import pandas as pd

from curator.errors import CuratorError, DiskError
from curator.events import FetchFinished, FetchStarted, Listener, ignore
from curator.fetch.committer import Committer
from curator.fetch.engine import Engine
from curator.fetch.ledger.diagnosis import host_report
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.network.interrupts import noticed_interrupts
from curator.fetch.outcomes import read_outcomes, with_pictures
from curator.fetch.plan import Plan, Retry, make_plan
from curator.fetch.politeness.host_notes import read_notes
from curator.manifests.recipe import FetchSettings, QualitySettings
from curator.manifests.tombstones import read_tombstones
from curator.observe.workers.pool import ObserverPool
from curator.store.image_files import recover
from curator.store.paths import DataPaths

__all__ = ["Retry", "fetch_images", "host_report", "read_outcomes", "with_pictures"]


def fetch_images(
    table: pd.DataFrame,
    fetch: FetchSettings,
    quality: QualitySettings,
    paths: DataPaths,
    *,
    retry: Retry = "none",
    bulk_hosts: Mapping[str, int] | None = None,
    userinfo: Mapping[str, str] | None = None,
    emit: Listener = ignore,
) -> pd.DataFrame:
    """Settle every row of a catalog: download what the ledger does not know, observe it, store it, record it.

    Args:
        table: a catalog; ``url``, ``fallback_url`` and ``local_path`` are read.
        fetch: how to download.
        quality: its ``max_pixels`` limits what is decoded.
        paths: the data set's files.
        retry: which failures to ask for again: ``failed`` those that may have passed, ``all`` all of them.
        bulk_hosts: requests in flight for hosts that allow more than ``per_host``.
        userinfo: who signs in, with which password (``user:password``), by address; recorded nowhere.
        emit: told of progress.

    Returns:
        The same rows in the same order, fetched columns filled (but for those that :func:`with_pictures` gives),
        those that failed dropped in stage ``fetched``; where all was settled before, nothing is asked.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was finished is recorded first.
        DiskError: the disk refused a write; what was recorded stays.
        StateError: the ledger is damaged or was written by a newer version.
    """
    with Ledger(paths.attempts) as ledger, _recovered(paths, ledger):
        plan = replace(make_plan(table, ledger, fetch, quality, paths, retry), userinfo=userinfo or {})
        emit(FetchStarted(plan.n_images, plan.n_settled))
        if plan.has_work():
            _run(plan, ledger, fetch, quality, paths, bulk_hosts or {}, emit)
        emit(FetchFinished())
    del plan  # and what holds it in circles: all addresses would stand in memory beside all outcomes
    gc.collect()
    return read_outcomes(table, paths, fetch)


@contextmanager
def _recovered(paths: DataPaths, ledger: Ledger) -> Iterator[None]:
    """Deal with the temporary files that a killed run left and, where the disk is full, with those of this one."""
    recover(paths, ledger.knows_file)
    try:
        yield
    except DiskError:
        with suppress(CuratorError, OSError):  # what is left is the next run's affair
            recover(paths, ledger.knows_file)
        raise


def _run(
    plan: Plan,
    ledger: Ledger,
    fetch: FetchSettings,
    quality: QualitySettings,
    paths: DataPaths,
    bulk_hosts: Mapping[str, int],
    emit: Listener,
) -> None:
    with (
        noticed_interrupts() as interrupted,
        selectors.DefaultSelector() as selector,
        Committer(ledger, paths, quality.max_pixels) as committer,
    ):
        forgotten = frozenset(map(bytes.fromhex, read_tombstones(paths.forgotten)["content"]))
        remembered = read_notes(ledger.query, time.time())
        for wait in remembered.waits:
            committer.add_note(wait)
        engine = Engine(plan, fetch, bulk_hosts, selector, committer, emit, forgotten, remembered)
        with ObserverPool(paths, quality.max_pixels, selector, engine.note_observed) as observers:
            observers.start()
            engine.run(observers, interrupted)
