"""Processes started ahead are taken, or stopped; nobody else's Ctrl-C ends them."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.observe.workers import start as observer_processes
from curator.observe.workers.confine import SECCOMP, possible
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


FORKED = """
import json, os, sys
from pathlib import Path
from curator.observe.workers import start
assert start.may_fork()
with start.one_thread():
    from curator.observe.workers.forked import fork_process
    from curator.observe.workers.main import REQUEST
os.environ["OMP_NUM_THREADS"] = "7"
secret = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
with start.started_ahead(2, fork_process):
    process, channel = start.take_process()
    assert (channel.recv(8), process.poll()) == (bytes(8), None)
    opened = sorted(int(one) for one in os.listdir(f"/proc/{process.pid}/fd"))
    nothing = os.readlink(f"/proc/{process.pid}/fd/0")
    n_threads = len(os.listdir(f"/proc/{process.pid}/task"))
    os.kill(process.pid, 2)
    channel.sendall(b'["", "", 1000]\\n' + REQUEST.pack(0, 0, 6) + b"<html>")
    assert b"not-an-image" in channel.recv(1000)
    status = Path(f"/proc/{process.pid}/status").read_text()
    process.kill()
    process.wait()
    other, _ = start._ahead[0]
    ended = [process.poll(), other.poll()]
    print(json.dumps([len(opened), nothing, n_threads, "Seccomp:\\t2" in status, ended, start.may_fork()]))
print(other.poll())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none is forked")
def test_what_is_forked_has_nothing_of_its_parent_but_the_modules(tmp_path):
    """Nothing open but its socket and what it prints to, no thread, no input; it is confined, and no Ctrl-C ends it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    script = [sys.executable, "-c", FORKED, str(tmp_path / "secret")]
    said = subprocess.run(script, capture_output=True, text=True, env=environment, check=False)
    assert said.stderr == ""
    confined = "true" if SECCOMP in possible() else "false"
    assert said.stdout.splitlines() == [f'[4, "/dev/null", 1, {confined}, [0, null], false]', "0"]


FETCH = """
import os, signal, sys
from curator.cli.app import app
from curator.observe.workers import start
start.count_cores = lambda: int(sys.argv[1])
signal.signal(signal.SIGCHLD, getattr(signal, sys.argv[2]))
children, fork = [], os.fork
def noted():
    child = fork()
    if child:
        children.append(child)
    return child
os.fork = noted
try:
    app(["fetch"])
except SystemExit as end:
    gone = [not os.path.exists(f"/proc/{child}") for child in children]
    print(end.code, gone)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none is forked")
@pytest.mark.parametrize(("n_cores", "handling"), [(1, "SIG_DFL"), (6, "SIG_IGN")])
def test_a_fetch_forks_one_a_core_and_leaves_none(tmp_path, n_cores, handling):
    """It does so before it looks for a recipe, and ends them where there is none; whoever ignored that children end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FETCH, str(n_cores), handling]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert said.stdout == f"2 {[True] * n_cores}\n"


IGNORED = """
import os, select, signal
from curator.observe.workers import start
with start.one_thread():
    from curator.observe.workers.forked import fork_process
process, channel = fork_process()
end = os.pidfd_open(process.pid)
os.kill(process.pid, signal.SIGKILL)
select.select([end], [], [])
print(os.path.exists(f"/proc/{process.pid}"))
start.stop_process(process, channel)
print(os.path.exists(f"/proc/{process.pid}"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none is forked")
def test_the_number_of_a_child_that_died_is_kept_whatever_was_inherited(tmp_path):
    """Where SIGCHLD is ignored the kernel would give it to a stranger, whom the end of the fetch would kill."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, sys.executable, "-c", IGNORED]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert (said.stdout, said.stderr) == ("True\nFalse\n", "")
