"""Fetch the images of a catalog: many transfers at once, politely, each in the ledger, so that a killed run resumes.

>>> import tempfile
>>> from pathlib import Path
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> table = fetch_images(catalog.conform(pa.table({"url": ["ftp://h.example/1", None]})), project)
>>> table["drop_reason"].to_pylist()
['unsupported-scheme', 'malformed-url']
"""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from curator import catalog
from curator.catalog import Table
from curator.errors import CuratorError, DiskError
from curator.events import FetchFinished, FetchStarted
from curator.fetch.fragments.folder import absorb_left
from curator.fetch.fragments.run_plan import run_plan
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.outcomes import read_outcomes
from curator.fetch.plan import CHUNK_ROWS, FetchOptions, Plan, make_plan
from curator.fetch.row_addresses import RowAddresses, parse_rows
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.store.image_files import recover
from curator.store.paths import DataPaths as DataPaths

if TYPE_CHECKING:
    import pandas as pd

_DEFAULTS = FetchOptions()


def fetch_images(table: Table, project: Project, options: FetchOptions = _DEFAULTS) -> Table:
    """Settle every row of a catalog: download what the ledger does not know, observe it, store it, record it.

    Args:
        table: a catalog; ``url``, ``fallback_url`` and ``local_path`` are read.
        project: its recipe says how to download (``fetch``) and what is decoded (``quality.max_pixels``).
        options: what the caller chooses beside the recipe.

    Returns:
        The same rows in the same order, fetched columns filled (but for what
        :func:`curator.fetch.outcomes.with_pictures` adds), those that failed dropped in stage ``fetched``.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was finished is recorded first.
        DiskError: the disk refused a write; what was recorded stays.
        StateError: the ledger is damaged, or of a newer version.
        CuratorError: the recipe's engine is ray, and there is no cluster, or a machine of it is refused.
    """
    rows = parse_rows(table)
    was_left = absorb_left(project.paths)
    with Ledger(project.paths.attempts) as ledger:
        recover(project.paths, ledger.stored_format)  # the temporary files that a killed run left
        try:
            plan = make_plan(table, rows, ledger, project, options)
            project.emit(FetchStarted(plan.n_images, plan.n_settled))
            if project.recipe.engine.kind == "ray" and len(plan.requests):
                _fetch_on_cluster(table, rows, ledger, project, plan, was_left)
                plan = make_plan(table, rows, ledger, project, replace(options, retry="none"))
            if plan.has_work():
                run_plan(plan, ledger, project)
        except DiskError:
            with suppress(CuratorError, OSError):  # what is left is the next run's affair
                recover(project.paths, ledger.stored_format)
            raise
        project.emit(FetchFinished())
    del plan  # and what holds it in circles: many addresses would stay in memory beside their outcomes
    if len(table) > CHUNK_ROWS:
        gc.collect()
    return read_outcomes(table, project, rows)


def _fetch_on_cluster(
    table: pd.DataFrame | pa.Table,
    rows: RowAddresses,
    ledger: Ledger,
    project: Project,
    plan: Plan,
    was_left: bool,
) -> None:
    """Have the workers of a cluster fetch; one machine starts without what that takes."""
    from curator.fetch.cluster.fetch_fragments import fetch_fragments
    from curator.fetch.politeness.governor import LEASE_S

    table = catalog.from_arrow(table) if isinstance(table, pa.Table) else table
    fetch_fragments(table, rows, ledger, project, plan, rest_s=LEASE_S if was_left else 0.0)
    recover(project.paths, ledger.stored_format)  # what workers left that died
