"""What a fetch that is at work, or was interrupted, has done so far: its listing joined to what the ledger knows.

>>> import tempfile
>>> from curator.store.paths import DataPaths
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> find_unfinished(project) is None
True
>>> count_so_far(catalog.conform(pd.DataFrame({"url": ["http://h.example/1", "http://h.example/2"]})))
{'listed': 2, 'kept': 0, 'dropped': {}, 'waiting': 2}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path as Path
from typing import Any

import pandas as pd

from curator import catalog
from curator.catalog import BoolArray, Drop, Stage
from curator.decide.quality import drop_poor_images
from curator.errors import DiskError
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import OK
from curator.fetch.outcomes import read_outcomes
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.store.catalog_files import read_catalog
from curator.store.lock import find_holder
from curator.text import Command, Text, plural


@dataclass(frozen=True)
class Unfinished:
    """A fetch that is not finished.

    Attributes:
        since: when it began, seconds since 1970; None if an earlier version began it.
        is_running: whether a process is at it now.
        outcomes: addresses in the ledger by what came of them, ``ok`` or a drop reason.
        table: what it has listed, with what is known of each row; None if it has not listed anything.
    """

    since: float | None
    is_running: bool
    outcomes: dict[str, int]
    table: pd.DataFrame | None

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable form."""
        facts = {"since": self.began(), "is_running": self.is_running, "outcomes": self.outcomes}
        return facts | ({} if self.table is None else {**count_so_far(self.table), "stored": count_stored(self.table)})

    def began(self) -> str:
        """Return when it began (UTC), as text; nothing if that is not known."""
        return "" if self.since is None else f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def in_words(self) -> Text:
        """Say how far it is, and what to do."""
        began = f" that began {self.began()}" if self.since else ""
        if self.table is None:
            n, n_ok = sum(self.outcomes.values()), self.outcomes.get(OK, 0)
            far = f"{plural(n, 'address', 'addresses')} tried before, {n_ok:,} good" if n else "still at the lists"
        else:
            so_far = count_so_far(self.table)
            n_dropped, n_stored = sum(so_far["dropped"].values()), count_stored(self.table)
            far = f"of {so_far['listed']:,} listed, {so_far['kept']:,} kept ({plural(n_stored, 'file')} stored)"
            far += f", {n_dropped:,} dropped, {so_far['waiting']:,} not settled yet"
        if self.is_running:
            return f"a fetch{began} is at work: {far}"
        return (f"a fetch{began} is not finished: {far}; to go on, run ", Command("fetch"))


def find_unfinished(project: Project) -> Unfinished | None:
    """Find out how far the fetch is that is at work or was interrupted; None if the last one was finished.

    Only reads, also while another process writes.

    Raises:
        StateError: the ledger is damaged, or a catalog.
    """
    paths = project.paths
    if not paths.attempts.exists():
        return None
    try:
        with Ledger(paths.attempts, to_read=True) as ledger:
            since = ledger.unfinished_since()
            outcomes = {} if since is None and paths.catalog(Stage.FETCHED).exists() else ledger.count_outcomes()
    except DiskError:  # an old ledger in a folder that may not be written
        return None
    if since is None and not outcomes:
        return None
    holder, table = find_holder(paths.lock), None
    if paths.catalog(Stage.LISTED).exists():
        listed = read_catalog(paths.catalog(Stage.LISTED))
        table = drop_poor_images(read_outcomes(listed, project), project.recipe.quality)
    return Unfinished(since, holder is not None and holder.get("command") == "fetch", outcomes, table)


def is_waiting(table: pd.DataFrame) -> BoolArray:
    """Return whether each row of an unfinished fetch is not settled yet: bool, shape (rows,)."""
    return catalog.is_kept(table) & table["sha256"].isna().to_numpy(dtype=bool)


def count_so_far(table: pd.DataFrame) -> dict[str, Any]:
    """Count as :func:`curator.catalog.counts`, and ``waiting``: listed = kept + dropped + waiting."""
    counted, n_waiting = catalog.counts(table), int(is_waiting(table).sum())
    return {**counted, "kept": counted["kept"] - n_waiting, "waiting": n_waiting}


def count_stored(table: pd.DataFrame) -> int:
    """Count the distinct files that the store has of these rows."""
    unstored = [str(reason) for reason in Drop if not reason.traits.is_stored]
    return int(table["sha256"][~table["drop_reason"].isin(unstored).to_numpy(dtype=bool)].nunique())
