"""Processes started ahead are taken, or stopped; nobody else's Ctrl-C ends them."""

from __future__ import annotations

import os
import selectors
import signal

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.observe.workers import start as observer_processes
from curator.observe.workers.pool import ObserverPool, serve
from curator.observe.workers.start import start_process, started_ahead, stop_process, take_process
from curator.store.paths import DataPaths

LIMIT_S = 240.0


@pytest.fixture
def started(monkeypatch):
    """Record each process that is started."""
    processes = []

    def start():
        process, channel = start_process()
        processes.append(process)
        return process, channel

    monkeypatch.setattr(observer_processes, "start_process", start)
    return processes


def test_those_that_nobody_took_are_stopped(started):
    """One of two is taken and lives on; also where the block ends in an error the other is gone."""
    with pytest.raises(RuntimeError), started_ahead(2):
        taken = take_process()
        raise RuntimeError
    assert [process.poll() is None for process in started] == [True, False]
    stop_process(*taken)


def test_a_pool_takes_what_was_started_ahead(started, tmp_path):
    """It starts none of its own while there are some, and what it takes observes."""
    done = []
    with started_ahead(1), selectors.DefaultSelector() as selector:
        paths = DataPaths(tmp_path, tmp_path, "balls")
        with ObserverPool(paths, 1000, selector, done.append, n_workers=1) as pool:
            pool.submit(7, [b"<html>"])
            while not done:
                serve(selector, LIMIT_S)
    assert [result.job for result in done] == [7]
    assert [process.poll() is None for process in started] == [False]


def test_an_interrupt_while_it_starts_does_not_end_it(started):
    """Ctrl-C at the terminal reaches every process there; only the one that a person sees answers it."""
    process, channel = observer_processes.start_process()
    os.kill(process.pid, signal.SIGINT)
    channel.settimeout(LIMIT_S)
    assert channel.recv(8) == bytes(8)
    stop_process(process, channel)


def test_a_fetch_that_fails_leaves_no_process(started, tmp_path, monkeypatch):
    """They are started before the recipe is read, and stopped where there is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(observer_processes, "count_cores", lambda: 2)
    assert CliRunner().invoke(app, ["fetch"]).exit_code == 2
    assert [process.poll() is None for process in started] == [False, False]


def test_a_plan_starts_no_process(started, tmp_path, monkeypatch):
    """It observes nothing."""
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["fetch", "--plan"])
    assert started == []
