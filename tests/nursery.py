"""Fork the processes that tests want, from parents that have imported what these need: starting a Python costs most.

A process of the tests has two parents, started when they are first wanted: one forks the observing processes, the other
``curator`` with words. A child gets a folder, an environment and standard streams of its own, as a new Python does, and
runs the same function. What is about the start itself starts it as a person does: tests/observe/workers does, and so
does every test that calls :mod:`subprocess`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OBSERVERS = "CURATOR_TEST_OBSERVERS"
"""The variable that tells a command's process where the parent of the observing processes listens."""

_MOST_BYTES = 1 << 20
_AT_START = ("PYTHON", "LD_")
"""Beginnings of variables that act while a Python starts: a child that is forked comes too late for them."""

_BEGAN: dict[str, str] = {}
"""Those of this process when its first test began."""

_CAN_FORK = sys.platform == "linux"


class Forked:
    """A child of another process, with what :class:`subprocess.Popen` has of it that is used here."""

    def __init__(self, pid: int) -> None:
        self.pid, self._handle = pid, os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return None while it runs."""
        return 0 if select.select([self._handle], [], [], 0)[0] else None

    def kill(self) -> None:
        """Kill it, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> int:
        """Return when it has ended."""
        select.select([self._handle], [], [])
        return 0

    def __del__(self) -> None:
        os.close(self._handle)


class Parent:
    """A process that forks children; see :func:`serve`."""

    def __init__(self, kind: str) -> None:
        self.address = f"curator-{kind}-{os.getpid()}-{secrets.token_hex(8)}"
        command = [sys.executable, "-P", str(Path(__file__)), kind, self.address]
        more = {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
        if kind == "observers":
            from curator.observe.workers.start import _ONE_THREAD

            more |= _ONE_THREAD
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | more, cwd="/"
        )
        self.process.stdout.read(1)  # it listens
        atexit.register(self.close, os.getpid())

    def close(self, owner: int) -> None:
        """End it and wait for that, in the process that started it."""
        if os.getpid() == owner:
            self.process.stdin.close()
            self.process.wait()


@functools.cache
def _parent(kind: str, owner: int) -> Parent:
    return Parent(kind)


def _may_fork(environment: Mapping[str, str]) -> bool:
    """Return whether a new Python would start in this environment as the parents did."""
    return _CAN_FORK and _at_start(environment) == _BEGAN


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_START)}


def _ask(address: str, job: dict[str, Any], descriptors: Sequence[int]) -> socket.socket:
    """Have a child made that gets these descriptors; what it is said of it comes on the socket."""
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asking.connect("\0" + address)
    socket.send_fds(asking, [json.dumps(job).encode("utf-8", "surrogateescape")], [*descriptors])
    return asking


def start_observer(start: Any) -> tuple[Any, socket.socket]:
    """Do what ``curator.observe.workers.start.start_process`` does, which is ``start``, with a child that is forked."""
    if not _may_fork(os.environ):
        return start()
    address = os.environ.get(OBSERVERS) or _parent("observers", os.getpid()).address
    ours, theirs = socket.socketpair()
    with theirs, _ask(address, {"environment": dict(os.environ)}, [theirs.fileno(), 1, 2]) as asking:
        return Forked(int(asking.recv(_MOST_BYTES))), ours


def observers_are_forked() -> None:
    """Have this process fork the observing processes from now on, where the system can."""
    from curator.observe.workers import start

    _BEGAN.update(_at_start(os.environ))
    if _CAN_FORK:
        start.start_process = functools.partial(start_observer, start.start_process)


def observers_are_started() -> Any:
    """Undo :func:`observers_are_forked`; return what to set ``start_process`` to afterwards."""
    from curator.observe.workers import start

    before = start.start_process
    if isinstance(before, functools.partial):
        start.start_process = before.args[0]
    return before


def run_curator(*words: str, cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own, with nothing on its standard input; return what it printed."""
    everything = {**os.environ, **environment}
    if not _may_fork(everything):
        command = [sys.executable, "-m", "curator", *words]
        return subprocess.run(command, cwd=cwd, env=everything, capture_output=True, text=True, check=False)
    observers = _parent("observers", os.getpid()).address
    job = {"words": words, "folder": str(cwd), "environment": everything | {OBSERVERS: observers}}
    out, err = (os.memfd_create(name) for name in ("out", "err"))
    try:
        with _ask(_parent("commands", os.getpid()).address, job, [out, err]) as asking:
            code = int(asking.recv(_MOST_BYTES))
        printed = [os.pread(one, os.fstat(one).st_size, 0).decode() for one in (out, err)]
    finally:
        os.close(out)
        os.close(err)
    return subprocess.CompletedProcess(["curator", *words], code, *printed)


def serve(kind: str, address: str) -> None:
    """Be a parent until nobody holds the other end of standard input; returns in each child that has ended its work."""
    (_import_observers if kind == "observers" else _import_commands)()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind("\0" + address)
    listening.listen(64)
    gc.collect()
    gc.freeze()
    os.write(1, b".")
    while listening in select.select([listening, 0], [], [])[0]:
        asking, _ = listening.accept()
        with asking:
            data, descriptors, _, _ = socket.recv_fds(asking, _MOST_BYTES, 8)
            child = os.fork()
            if not child:
                listening.close()
                job = json.loads(data.decode("utf-8", "surrogateescape"))
                (observe if kind == "observers" else command)(job, descriptors, asking)
                return
            if kind == "observers":
                asking.send(str(child).encode())
        for one in descriptors:
            os.close(one)
        _wait(os.WNOHANG)
    _wait(0)
    os._exit(0)


def _wait(how: int) -> None:
    """Wait for the children that have ended, or for all."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def observe(job: dict[str, Any], descriptors: Sequence[int], asking: socket.socket) -> None:
    """Be an observing process; in a folder of nobody's, so that a relative path in a request fails."""
    from curator.observe.workers.main import main
    from tests.fuzz.killed_commands import watch_observer

    asking.close()
    channel, *streams = descriptors
    _be_new(job["environment"], streams)
    watch_observer()
    main([str(channel)])


def command(job: dict[str, Any], descriptors: Sequence[int], asking: socket.socket) -> None:
    """Fork a command, wait for its end, and send its exit code."""
    if child := os.fork():
        status = os.waitpid(child, 0)[1]
        asking.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    asking.close()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.chdir(job["folder"])
    _be_new(job["environment"], descriptors)
    observers_are_forked()
    sys.argv = ["curator", *job["words"]]
    from curator.cli.app import start

    start()


def _be_new(environment: dict[str, str], streams: Sequence[int]) -> None:
    """Have the environment, and standard output and error, that a new process would have."""
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, instead in enumerate((nothing, *streams)):
        os.dup2(instead, number)
        os.close(instead)


def _import_observers() -> None:
    import curator.observe.workers.main  # noqa: F401
    import tests.fuzz.killed_commands  # noqa: F401


def _import_commands() -> None:
    import curator.cli.app
    import curator.cli.terminal
    import curator.dataset
    import curator.export.export
    import curator.inspect.decide_stage
    import curator.inspect.status
    import curator.inspect.verify
    import curator.inspect.why
    import curator.pipeline.acquire
    import curator.pipeline.forget
    import curator.pipeline.run_stages
    import curator.progress
    import curator.sources.registry

    for name in curator.cli.app.COMMANDS:
        curator.cli.app.load(name)


if __name__ == "__main__":
    serve(*sys.argv[1:])
