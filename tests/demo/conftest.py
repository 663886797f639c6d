"""One small world and one server for all tests of this folder: drawing takes two seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curator.demo.listing import World
from curator.demo.server import Served, serve
from curator.demo.world import LEAST_N_PER_LABEL, build_world


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(seed=3, n_per_label=LEAST_N_PER_LABEL)


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with serve(world, port=0) as server:
        yield server
