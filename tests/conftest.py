"""Fixtures that several folders of tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import Transfer
from curator.observe.workers import render
from tests.fuzz.rounds import FULL, count
from tests.nursery import observers_are_forked

# In `make test` the same examples each time, so that only a change of the code can fail it; in `make torture` new ones.
# A slow machine is no fault, in neither.
settings.register_profile("here", derandomize=not FULL, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

# Tests start hundreds of Pythons: each would compile the whole package where nobody may keep what was compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

observers_are_forked()  # a start of their Python would cost more than most tests


@pytest.fixture
def resolve(monkeypatch):
    """Have libcurl's name server give these addresses for a name, as a server that rebinds names would."""

    def to(*entries):
        configure = Transfer._configure

        def with_names(self, settings):
            configure(self, settings)
            self.handle.setopt(pycurl.RESOLVE, list(entries))

        monkeypatch.setattr(Transfer, "_configure", with_names)

    return to


@pytest.fixture(autouse=True)
def nothing_idle() -> Iterator[None]:
    """Stop the processes that a test rendered in: the next one gets new ones, with its own environment."""
    yield
    with render._PROCESSES._lock:
        idle, render._PROCESSES._idle = render._PROCESSES._idle, []
    for one in idle:
        one.worker.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Count for `make torture` the tests that bear its mark."""
    report = yield
    mark = item.get_closest_marker("torture")
    if mark and mark.args and call.when == "call" and not report.skipped:
        count(mark.args[0], 1, int(report.passed))
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for the tests of a file."""
    browsing = pytest.importorskip("tests.review.browsing")
    if browsing.CHROMIUM is None:
        pytest.skip("no chromium on the PATH (Debian: apt install chromium)")
    with browsing.playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=browsing.CHROMIUM, args=list(browsing.ARGUMENTS))
        yield launched
        launched.close()
