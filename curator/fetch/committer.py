"""Write what was fetched, many images at a time, in a thread: hash, sync the files, write the ledger, name the files.

One sync serves a whole group, and the network goes on meanwhile. The order makes a kill or a power cut harmless at any
instant; :mod:`curator.store.image_files` says why.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> with Ledger(paths.attempts) as ledger, Committer(ledger, paths, max_pixels=1) as committer:
...     committer.add(Attempt("http://h.example/a.jpg", "h.example", 0.0, 0.1, "gone", 404))
>>> with Ledger(paths.attempts) as ledger:
...     ledger.states(["http://h.example/a.jpg"], retries=2, max_pixels=1)[0].outcome
'gone'
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path as Path

from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt, Note, Observed
from curator.observe.observation import Sighting, hash_sightings
from curator.observe.workers.replies import is_stored
from curator.store.image_files import Unnamed, name_files, sync_files
from curator.store.paths import DataPaths

INTERVAL_S = 0.2
"""The least time between two groups: what a kill can cost, beside the transfers in flight."""


@dataclass
class _Group:
    attempts: list[Attempt] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    files: list[Unnamed] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Committer:
    """A thread that commits groups; leaving the block commits what is left and raises what went wrong.

    Args:
        held: takes the files that someone else is to name later; None: they are named once the ledger has them.

    Raises:
        DiskError, StateError: from :meth:`check` or the end of the block, if a commit failed.
    """

    def __init__(self, ledger: Ledger, paths: DataPaths, max_pixels: int, held: list[Unnamed] | None = None) -> None:
        self._ledger, self._paths, self._max_pixels, self._held = ledger, paths, max_pixels, held
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._group = _Group()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def __enter__(self) -> Committer:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        if kind is None:
            self.check()

    @property
    def n_waiting(self) -> int:
        """Attempts added and not yet taken for a commit."""
        return len(self._group.attempts)

    def add(self, attempt: Attempt | None, sighting: Sighting | None = None, file: Unnamed | None = None) -> None:
        """Add one attempt, what was seen of what it brought, and the file to be named."""
        with self._lock:
            if attempt is not None:
                self._group.attempts.append(attempt)
            if sighting is not None:
                self._group.sightings.append(sighting)
            if file is not None:
                self._group.files.append(file)

    def add_note(self, note: Note) -> None:
        """Add what was learnt about a host."""
        with self._lock:
            self._group.notes.append(note)

    def check(self) -> None:
        """Raise what went wrong in the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._closing.wait(INTERVAL_S):
                self._commit()
            self._commit()
        except BaseException as error:  # carried to the thread that calls check
            self._error = error

    def _commit(self) -> None:
        with self._lock:
            group, self._group = self._group, _Group()
        if group != _Group():
            if group.files:
                sync_files(self._paths.images, (file.path for file in group.files))
            hashed = hash_sightings(group.sightings)
            observed = [Observed(one, self._max_pixels, is_stored(one)) for one in hashed]
            self._ledger.record(group.attempts, observed, group.notes)
            if self._held is None:
                name_files(group.files)
            else:
                self._held += group.files
