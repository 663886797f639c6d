"""Fixtures that several folders of tests share."""

from __future__ import annotations

import locale
import logging
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import Transfer
from curator.observe.workers import render, start
from curator.pipeline.judging import evidence
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


def whole_process() -> dict[str, Any]:
    """Return what of this process a test might leave changed to the tests after it."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE)
    return {
        "the working folder": Path.cwd(),
        "signal handlers": {one.name: signal.getsignal(one) for one in signals},
        "blocked signals": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "the limit of memory": resource.getrlimit(resource.RLIMIT_AS),
        "sys.path": [*sys.path],
        "the recursion limit": sys.getrecursionlimit(),
        "sys.excepthook": sys.excepthook,
        "the sockets' timeout": socket.getdefaulttimeout(),
        "logging": logging.root.manager.disable,
        "start_process": start.start_process,
        "the language": locale.setlocale(locale.LC_ALL),
    }


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Fail a test that leaves the process changed; stop those that it rendered in: the next one starts its own."""
    process, variables = whole_process(), dict(os.environ)
    yield
    with render._PROCESSES._lock:
        idle, render._PROCESSES._idle = render._PROCESSES._idle, []
    for one in idle:
        one.worker.stop()
    changed = [what for what, now in whole_process().items() if now != process[what]]
    # Libraries set variables of their own when they are first imported; what was there stays as it was.
    names = {name for name in os.environ if name.startswith(("CURATOR_", "PYTHON"))} | variables.keys()
    changed += sorted(name for name in names - {"PYTEST_CURRENT_TEST"} if os.environ.get(name) != variables.get(name))
    os.chdir(process["the working folder"])
    assert not changed, f"the test left changed: {', '.join(changed)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Count for `make torture` the tests that bear its mark."""
    report = yield
    mark = item.get_closest_marker("torture")
    if mark and mark.args and call.when == "call" and not report.skipped:
        count(mark.args[0], 1, int(report.passed))
    return report


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes that are no text by their argument: packed a second later, they would be another test to a worker."""
    return argname if isinstance(val, bytes) and not all(32 <= one < 127 for one in val) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests of each, for `make test-shuffled`: none may depend on those before it."""
    if seed := os.environ.get("CURATOR_TEST_ORDER"):
        chance = random.Random(seed)
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            files.setdefault(item.path, []).append(item)
        for tests in files.values():
            chance.shuffle(tests)
        items[:] = [item for file in chance.sample([*files], len(files)) for item in files[file]]


@pytest.fixture
def with_network() -> None:
    """Let dedupe choose pairs by what a network sees, too."""


@pytest.fixture(autouse=True)
def without_network(request: pytest.FixtureRequest, nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose the pairs to compare by hashes and points, as without the extra ``embed``; else a test says so."""
    if "with_network" not in request.fixturenames:
        monkeypatch.setattr(evidence, "open_network", lambda settings, base_dir: None)


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
