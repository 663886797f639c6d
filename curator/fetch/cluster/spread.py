"""Calls of one pure function on the workers of a cluster, its results in the order of its arguments.

A worker that dies costs its calls only, which are made again.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from curator.errors import CuratorError, DiskError, StateError, StoreError
from curator.events import Listener, ignore
from curator.fetch.cluster.connection import lacking, open_ray
from curator.fetch.cluster.orders import NO_FOLDER, NOBODY, PATIENCE_S, differences, made_by
from curator.manifests.settings import EngineSettings
from curator.store.beneath import list_names
from curator.store.image_store import store_of
from curator.store.paths import STORE
from curator.store.shards.index_copies import INDEX, is_index
from curator.store.whole_files import disk_errors, temporary_beside

Result = TypeVar("Result")

Terms = tuple[Mapping[str, str], Path]
"""What every machine must have installed, see :func:`curator.fetch.cluster.orders.made_by`; and a file it must see."""

_MOST_DEATHS = 100
_AHEAD = 2
"""Calls a core whose results may wait to be taken."""


class Spread:
    """A cluster that calls functions of modules of curator.

    Args:
        folder: what every machine must see at this path.
        emit: is told if no machine begins.

    Raises:
        CuratorError: see :func:`curator.fetch.cluster.connection.open_ray`.
    """

    def __init__(self, settings: EngineSettings, folder: Path, emit: Listener = ignore) -> None:
        self._folder, self._emit, self._is_told = folder.absolute(), emit, False
        self._ray = open_ray(settings)
        self._call = self._ray.remote(num_cpus=1, max_retries=_MOST_DEATHS)(_call)

    @property
    def n_cores(self) -> int:
        """Cores that the cluster has."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def put(self, value: Any) -> Any:
        """Keep a value on the cluster while what is returned is held: as an argument it stands for the value."""
        return self._ray.put(value)

    def map(self, function: Callable[..., Result], shared: Any, parts: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        """Call a function with ``shared``, which every machine gets once, and the arguments of each of the parts.

        A machine gets what :meth:`put` has kept when it works on a part that names it, and once.

        Raises:
            CuratorError: a machine is refused, or a call failed.
            DiskError: the disk refuses.
        """
        waiting: deque[Any] = deque()
        with _mark(self._folder) as mark:
            place, terms = self.put(shared), (made_by(), mark)
            try:
                for part in parts:
                    waiting.append(self._call.remote(terms, function, place, *part))
                    if len(waiting) > _AHEAD * self.n_cores:
                        yield self._get(waiting.popleft())
                while waiting:
                    yield self._get(waiting.popleft())
            finally:
                for one in waiting:
                    self._ray.cancel(one)

    def _get(self, one: Any) -> Any:
        errors = self._ray.exceptions
        try:
            if not self._is_told and not self._ray.wait([one], timeout=PATIENCE_S)[0]:
                self._emit(NOBODY)
            self._is_told = True  # of this command: once is enough, and who has answered is there
            return self._ray.get(one)
        except errors.RayTaskError as error:
            cause = error.cause or error
            if isinstance(cause, CuratorError):
                raise cause from error
            if found := lacking(error):
                raise found from error
            text = str(cause).strip().splitlines()[-1]
            raise CuratorError(
                f"A worker of the cluster failed: {text}.", "Run again, or without the cluster."
            ) from error
        except errors.RayError as error:
            hint = "What was finished is kept; run again."
            raise CuratorError("The workers of the Ray cluster died again and again.", hint) from error


@contextmanager
def _mark(folder: Path) -> Iterator[Path]:
    """Put a file into a folder by which a machine knows that it sees this one, and not another of the same name."""
    mark = temporary_beside(folder / "seen")
    with disk_errors(mark):
        mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def refuse(node: str, terms: Terms) -> None:
    """Refuse to work on a machine where it would not be the same work as elsewhere.

    Raises:
        StateError: what is installed differs, or the data folder is not there.
    """
    ours, mark = terms
    if found := differences(ours, made_by()):
        message = f"The machine {node} of the cluster has {found}."
        raise StateError(message, "Install the same versions on every machine, then run again.")
    if not mark.exists():
        raise StateError(f"The machine {node} of the cluster does not see {mark.parent}.", NO_FOLDER)
    if url := _unseen_store(mark):
        hint = "Every machine needs the same keys and AWS_ENDPOINT_URL; what file:/// names must be one disk for all."
        raise StateError(f"The machine {node} of the cluster does not see what is in the object store {url}.", hint)


@cache
def _unseen_store(mark: Path) -> str:
    """Name the object store of the folder that a mark is in, if it has none here of the indexes that are known of it.

    Raises:
        StoreError: it refused or cannot be reached.
    """
    if (store := store_of(mark.parent)) is None:
        return ""
    known = set(filter(is_index, list_names(mark.parent / STORE)))
    seen = {name.rpartition("/")[2] for name in store.objects.sizes(INDEX)} if known else set()
    return store.place.url if known and known.isdisjoint(seen) else ""


def _call(terms: Terms, function: Callable[..., Any], shared: Any, *part: Any) -> Any:
    refuse(node := socket.gethostname(), terms)
    try:
        return function(shared, *part)
    except (DiskError, StateError, StoreError) as error:
        raise type(error)(f"On the machine {node}: {error.message}", error.hint) from error
