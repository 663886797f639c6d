"""The work on fragments as tasks of Ray: hand it out, take what is done, and what a person is told if that fails."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from curator.errors import CuratorError
from curator.fetch.cluster.connection import lacking
from curator.fetch.cluster.desk import Desk
from curator.fetch.cluster.orders import Order, Report
from curator.fetch.cluster.work import work
from curator.fetch.politeness.leases import LostLeasesError

_EXCHANGE_S = 8.0
"""How long a worker waits for an answer of the desk: less than its leases hold."""


class LostWorkerError(Exception):
    """A worker died, or its machine did, before it could report."""


class Cluster:
    """The desk of one fetch and the fragments that are worked on.

    Args:
        ray: the module, connected: :func:`curator.fetch.cluster.connection.open_ray`.
        desk: the arguments of :class:`curator.fetch.cluster.desk.Desk`.
    """

    def __init__(self, ray: Any, desk: Sequence[Any]) -> None:
        self._ray = ray
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._desk = ray.remote(num_cpus=0, max_restarts=0, scheduling_strategy=here)(Desk).remote(*desk)
        self._work = ray.remote(num_cpus=1, max_retries=0)(_work_remotely)
        self._orders: dict[Any, Order] = {}

    @property
    def n_running(self) -> int:
        """How many fragments are being worked on, or wait for a machine."""
        return len(self._orders)

    def room(self) -> int:
        """Return how many more fragments to hand out: some wait always, so that no machine does."""
        n_cpus = int(self._ray.cluster_resources().get("CPU", 0))
        return n_cpus + max(1, n_cpus // 8) - len(self._orders)

    def start(self, order: Order) -> None:
        """Hand out a fragment."""
        self._orders[self._work.remote(order, self._desk)] = order

    def finished(self, timeout_s: float) -> list[tuple[Order, Report | LostWorkerError]]:
        """Take what was finished, waiting for it for ``timeout_s`` at most.

        Raises:
            CuratorError: a machine of the cluster has no curator, or its work failed in a way nobody foresaw.
        """
        if not self._orders:
            return []
        ready, _ = self._ray.wait(list(self._orders), num_returns=len(self._orders), timeout=timeout_s)
        return [(self._orders.pop(one), self._report(one)) for one in ready]

    def take_events(self) -> dict[str, list[Any]]:
        """Take what workers told since the last call."""
        events: dict[str, list[Any]] = self._ask(self._desk.take_events.remote())
        return events

    def stop(self) -> None:
        """Tell all workers to end."""
        self._ask(self._desk.stop.remote())

    def drop_all_but(self, processes: Set[str]) -> None:
        """Take back the fragments that none of these works on: they have not begun."""
        for one in [one for one, order in self._orders.items() if order.process not in processes]:
            self._ray.cancel(one)
            del self._orders[one]

    def close(self) -> None:
        """End all that still runs for this fetch."""
        for one in self._orders:
            self._ray.cancel(one, force=True)
        self._ray.kill(self._desk)

    def _ask(self, answer: Any) -> Any:
        try:
            return self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            raise _lost_cluster() from error

    def _report(self, one: Any) -> Report | LostWorkerError:
        errors = self._ray.exceptions
        try:
            report: Report = self._ray.get(one)
        except errors.RuntimeEnvSetupError as error:
            raise CuratorError(f"A machine of the cluster could not start a worker: {error}.") from error
        except errors.RayTaskError as error:
            if found := lacking(error):
                raise found from error
            if isinstance(error.cause, (errors.RayError, LostLeasesError, KeyboardInterrupt)):
                return LostWorkerError(str(error))
            text = str(error.cause or error).strip().splitlines()[-1]
            hint = "What was committed is kept; run again, or without the cluster."
            raise CuratorError(f"A worker of the cluster failed: {text}.", hint) from error
        except errors.RayError as error:
            return LostWorkerError(str(error))
        return report


def _work_remotely(order: Order, desk: Any) -> Report:
    import ray

    def exchange(process: str, asked: Any, events: Any) -> Any:
        return ray.get(desk.exchange.remote(process, asked, events), timeout=_EXCHANGE_S)

    return work(order, exchange, lambda: float(ray.get(desk.clock.remote())))


def _lost_cluster() -> CuratorError:
    hint = "What its workers committed is kept; start it again, then run again."
    return CuratorError("The Ray cluster does not answer any more.", hint)
