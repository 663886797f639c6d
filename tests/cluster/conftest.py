"""A cluster of three nodes on this machine. Skips where Ray is not installed: `make test-cluster` has it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.counting_web import counting_web

SKIPPED = "Ray is not installed: run `make test-cluster`"


@dataclass
class Nodes:
    """A head, whose one job is to know the others, and nodes that work."""

    cluster: Any
    working: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, n_cpus: int = 1, **named: Any) -> None:
        before = signal.getsignal(signal.SIGTERM)
        self.working.append(self.cluster.add_node(num_cpus=n_cpus, object_store_memory=100_000_000, **named))
        signal.signal(signal.SIGTERM, before)  # this process is no node

    def kill(self, number: int) -> None:
        """Kill a node with all its processes, as a machine that loses its power does."""
        self.cluster.remove_node(self.working.pop(number), allow_graceful=False)


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    """Three nodes; the first is where the command runs, and works too."""
    ray = pytest.importorskip("ray", reason=SKIPPED)
    cluster = pytest.importorskip("ray.cluster_utils", reason=SKIPPED).Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False},
    )
    found = Nodes(cluster)
    try:
        found.add()
        found.add()
        yield found
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def make_web() -> Iterator[Any]:
    """Make a small web that is served until the test ends."""
    with ExitStack() as webs:
        yield lambda *given, **named: webs.enter_context(counting_web(*given, **named))
