"""Here the observing processes are started as everywhere outside the tests: each is a new Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curator.observe.workers import start
from tests.nursery import observers_are_started


@pytest.fixture(scope="module", autouse=True)
def new_pythons() -> Iterator[None]:
    """See above."""
    before = observers_are_started()
    yield
    start.start_process = before
