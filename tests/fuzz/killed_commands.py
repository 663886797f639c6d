"""Run commands in children that are harmed before their n-th disk operation; a parent that has imported all forks them.

A disk operation is what Python's audit hook reports as one, a write, sync or cut of an open file, and each statement
that writes to the ledger; of a command's own process and of those that observe for it. A harm is a signal to it; the
name of an error that the disk answers from then on, to all of them, or once (``EIO``); or ``STOP``: another command
runs on the same data set meanwhile. Run as a program, it reads one job a line on standard input and answers each with
one line.

A child costs what it does, not what a start costs: the parent imports what a child has imported, and has the commands
built; observing processes are forked as in all tests; and dedupe's network is a small one, as networks write no file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import importlib
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OPERATIONS = frozenset(
    ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

READS = re.compile(r"\s*(?:SELECT|WITH|PRAGMA \w+$)")

REFUSED = {
    "ENOSPC": OPERATIONS - {"os.remove", "os.rmdir", "os.rename"} | {"write"},
    "EROFS": OPERATIONS | {"write"},
    "EMFILE": frozenset(),
    "EIO": OPERATIONS | {"write"},
}
"""What each error of a disk hinders, beside opening a file: what is removed or renamed needs no space."""


LONGEST_S = 300
"""How long a command may take before it counts as hung."""
WATCHED = "CURATOR_TEST_WATCHED"
"""The variable that tells an observing process where its command counts: a file that both map, and a pipe."""


class Counter:
    """Counts the disk operations of a command and its observing processes, and harms it before the n-th (0: never).

    Args:
        harm: what happens.
        shared: a file of three numbers that all map: how many there were, before which, whether the disk is failing.
        bell: a pipe on which an observing process, which may send no signal, tells its command that the time has come.
        command: whose process this is, if it observes.
    """

    def __init__(self, harm: str, shared: str, bell: str, command: int = 0) -> None:
        self.harm, self.command = harm, command
        self.file = os.open(shared, os.O_RDWR)
        self.map = mmap.mmap(self.file, _STATE.size)
        self.bell = os.open(bell, os.O_WRONLY)
        self.lock = threading.RLock()

    def step(self, what: str) -> None:
        """Count one; refuse it if it meets a disk that fails.

        Raises:
            OSError: it does.
        """
        is_struck = is_refused = False
        with self.lock:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            n, limit, is_failing = _STATE.unpack(self.map[:])
            n += 1
            if n == limit and self.harm in REFUSED:
                is_failing = True
            elif n == limit:
                is_struck = True
            if is_failing and (what == "open" or what in REFUSED[self.harm]):
                is_failing, is_refused = self.harm != "EIO", True
            self.map[:] = _STATE.pack(n, limit, is_failing)
            fcntl.flock(self.file, fcntl.LOCK_UN)
        if is_struck:
            self.strike()
        if is_refused:
            code = getattr(errno, self.harm)
            raise OSError(code, os.strerror(code))

    def strike(self) -> None:
        """Send the command its signal; an observing process asks it to do so, and ends with it."""
        if not self.command:
            os.kill(os.getpid(), getattr(signal, f"SIG{self.harm}"))
            return
        _WRITE(self.bell, b"!")
        while self.limit:
            if not Path(f"/proc/{self.command}").exists():
                os._exit(0)
            time.sleep(0.001)

    @property
    def limit(self) -> int:
        """Before which operation it is harmed, 0 afterwards."""
        return int(_STATE.unpack(self.map[:])[1])

    @property
    def n(self) -> int:
        """How many there were."""
        return int(_STATE.unpack(self.map[:])[0])

    @property
    def is_failing(self) -> bool:
        """Whether the disk is."""
        return bool(_STATE.unpack(self.map[:])[2])

    def hush(self) -> None:
        """Harm no more."""
        self.map[:] = _STATE.pack(self.n, 0, False)

    def listen(self, bell: int) -> None:
        """Be harmed when an observing process says so."""
        while os.read(bell, 1):
            os.kill(os.getpid(), getattr(signal, f"SIG{self.harm}"))
            self.hush()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count an audited event that changes the disk: not to make a folder that is there, or remove what is not."""
        if event in OPERATIONS:
            if event not in ("os.mkdir", "os.remove") or is_there(arguments) == (event == "os.remove"):
                self.step(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self.step("open")

    def watch(self) -> None:
        """Count from now on, in this process and its threads."""
        sys.addaudithook(self.hear)
        for name in ("write", "writev", "pwrite", "fsync", "ftruncate"):
            setattr(os, name, self._counted(getattr(os, name)))

    def watch_ledger(self) -> None:
        """Count its statements, too."""
        from curator.fetch.ledger import ledger

        connect = ledger.connect

        def connected(*arguments: Any) -> Any:
            connection = connect(*arguments)
            connection.set_trace_callback(self._statement)
            connection.set_progress_handler(lambda: self.is_failing, 1)
            return connection

        ledger.connect = connected

    def _statement(self, text: str) -> None:
        """Count one that writes; an error raised here goes nowhere, but a true answer above ends the statement."""
        if not READS.match(text):
            self.step("statement")

    def _counted(self, function: Any) -> Any:
        def counted(descriptor: int, *arguments: Any) -> Any:
            if descriptor > 2:
                self.step("write")
            return function(descriptor, *arguments)

        return counted


_STATE = struct.Struct("=3q")
_WRITE = os.write


def is_there(arguments: tuple[Any, ...]) -> bool:
    """Return whether what an event is about exists: its first argument is a name, its last the folder or -1."""
    try:
        os.lstat(arguments[0], dir_fd=None if arguments[-1] < 0 else arguments[-1])
    except OSError:
        return False
    return True


def counter_of(job: dict[str, Any], listening: int, bell: int) -> Counter:
    """Make what counts for a command in this process, and tell the observing processes that it will start."""
    shared = os.memfd_create("count")
    os.write(shared, _STATE.pack(0, job["limit"], False))
    paths = [f"/proc/{os.getpid()}/fd/{one}" for one in (shared, bell)]
    os.environ[WATCHED] = json.dumps([job["harm"], *paths, os.getpid()])
    counter = Counter(job["harm"], *paths)
    if job["limit"] and job["harm"] not in REFUSED:
        threading.Thread(target=counter.listen, args=(listening,), daemon=True).start()
    return counter


def watch_observer() -> None:
    """Count in an observing process, if its command is watched; before it is confined."""
    if watched := os.environ.get(WATCHED):
        Counter(*json.loads(watched)).watch()


def live(job: dict[str, Any], command: Any, report: int, pipe: tuple[int, int]) -> None:
    """Be a child: run a command in a folder, and report the number of operations if it comes to its end."""
    signal.alarm(LONGEST_S)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores both
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(job["folder"])
    silence, said = os.open(os.devnull, os.O_RDWR), os.memfd_create("said")
    for stream, instead in enumerate((silence, silence, said)):
        os.dup2(instead, stream)
    known, code = {*sys.modules}, 0
    counter = counter_of(job, *pipe)
    counter.watch()
    counter.watch_ledger()
    try:
        command(list(job["words"]), prog_name="curator")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 70
    n = counter.n
    counter.hush()
    told = os.pread(said, 1 << 16, 0).decode(errors="replace")
    imported = sorted({*sys.modules} - known - {"__mp_main__"})
    os.write(report, json.dumps({"n": n, "code": code, "said": told[-2000:], "imported": imported}).encode())
    os._exit(0)


def serve() -> None:
    """Fork a child for each job that comes in."""
    import cv2  # noqa: F401  it sets a variable when it is first imported
    import typer

    from curator.cli.app import app
    from tests import nursery

    nursery.observers_are_forked()
    os.environ[nursery.OBSERVERS] = nursery.Parent("observers").address
    use_small_network()
    command = typer.main.get_command(app)
    for line in sys.stdin:
        job = json.loads(line)
        told = raised(job, {"folder": job["folder"], "words": job["meanwhile"], "limit": 0, "harm": ""}, command)
        for name in told.pop("imported", ()):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        print(json.dumps(told), flush=True)


def use_small_network() -> None:
    """Have dedupe see with a network that is the mean colours of an image's corners and middle."""
    import numpy as np

    from curator.embed.embedder import Embedder
    from curator.pipeline.judging import evidence

    def look(image: Any) -> Any:
        return np.asarray(image[::16, ::16].reshape(-1), np.float32)

    network = Embedder("small", "5" * 64, "bytes", 64, 48, look)
    evidence.open_network = lambda settings, base_dir: network


def raised(job: dict[str, Any], meanwhile: dict[str, Any], command: Any) -> dict[str, Any]:
    """Have a child do a job, and another one ``meanwhile`` if it stops; report how both ended.

    It returns when the observing processes have ended, too: they hold the other end of the bell.
    """
    reading, writing = os.pipe()
    listening, bell = os.pipe()
    gc.freeze()
    child = os.fork()
    if not child:
        live(job, command, writing, (listening, bell))
    os.close(writing)
    os.close(bell)
    status, second = os.waitpid(child, os.WUNTRACED)[1], {}
    if os.WIFSTOPPED(status):
        second = {"second": raised(meanwhile, meanwhile, command)}
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, 0)[1]
    with os.fdopen(reading, "rb") as told, os.fdopen(listening, "rb") as ended:
        answer = json.loads(told.read() or b"{}")
        ended.read()
    return {"status": os.waitstatus_to_exitcode(status), **second, **answer}


class Nursery:
    """The parent, as its user sees it."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "CURATOR_RECIPE": "small", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(Path(__file__))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
        )

    def run(
        self, folder: Path, words: Sequence[str], limit: int = 0, harm: str = "KILL", meanwhile: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Run a command, and report how it ended.

        Returns:
            ``status``: 0, or which signal ended it; ``n`` its operations, ``code`` its exit code and what it ``said``
            on standard error, if it came to its end; ``second`` the same of the command ``meanwhile``, if that ran.
        """
        job = {"folder": str(folder), "words": [*words], "limit": limit, "harm": harm, "meanwhile": [*meanwhile]}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the parent."""
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    serve()
