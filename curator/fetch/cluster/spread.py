"""Calls of one pure function on the workers of a cluster, its results in the order of its arguments.

A worker that dies costs its calls only, which are made again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from curator.errors import CuratorError, StateError
from curator.fetch.cluster.connection import open_ray
from curator.fetch.cluster.orders import differences, made_by
from curator.manifests.settings import EngineSettings

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")

_MOST_DEATHS = 100
_AHEAD = 2
"""Calls a core whose results may wait to be taken."""


class Spread:
    """A cluster that calls functions of modules of curator.

    Raises:
        CuratorError: see :func:`curator.fetch.cluster.connection.open_ray`.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._ray = open_ray(settings)
        self._call = self._ray.remote(num_cpus=1, max_retries=_MOST_DEATHS)(_call)

    @property
    def n_cores(self) -> int:
        """Cores that the cluster has."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(
        self, function: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]
    ) -> Iterator[Result]:
        """Call a function with ``shared``, which every machine gets once, and each of the parts.

        Raises:
            CuratorError: a machine is refused, or a call failed.
        """
        place, ours = self._ray.put(shared), made_by()
        waiting: deque[Any] = deque()
        for part in parts:
            waiting.append(self._call.remote(ours, function, place, part))
            if len(waiting) > _AHEAD * self.n_cores:
                yield self._get(waiting.popleft())
        while waiting:
            yield self._get(waiting.popleft())

    def _get(self, one: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(one)
        except errors.RayTaskError as error:
            cause = error.cause or error
            if isinstance(cause, CuratorError):
                raise type(cause)(str(cause)) from error
            text = str(cause).strip().splitlines()[-1]
            raise CuratorError(
                f"A worker of the cluster failed: {text}.", "Run again, or without the cluster."
            ) from error
        except errors.RayError as error:
            hint = "What was finished is kept; run again."
            raise CuratorError("The workers of the Ray cluster died again and again.", hint) from error


def _call(ours: Mapping[str, str], function: Callable[[Any, Any], Any], shared: Any, part: Any) -> Any:
    if found := differences(ours, made_by()):
        raise StateError(f"A machine of the cluster has {found}.", "Install the same versions on every machine.")
    return function(shared, part)
