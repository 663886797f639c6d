"""Run commands in children that are harmed before their n-th disk operation; a parent that has imported all forks them.

A disk operation is what Python's audit hook reports as one, a write, sync or cut of an open file, and each statement to
the ledger. A harm is a signal; the name of an error that the disk answers from then on, or once (``EIO``); or ``STOP``:
another command runs on the same data set meanwhile. Run as a program, it reads one job a line on standard input and
answers each with one line.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OPERATIONS = frozenset(
    ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


REFUSED = {
    "ENOSPC": OPERATIONS - {"os.remove", "os.rmdir", "os.rename"} | {"write"},
    "EROFS": OPERATIONS | {"write"},
    "EMFILE": frozenset(),
    "EIO": OPERATIONS | {"write"},
}
"""What each error of a disk hinders, beside opening a file: what is removed or renamed needs no space."""


class Counter:
    """Counts the disk operations of this process, and harms it before the n-th (0: never)."""

    def __init__(self, n_before: int, harm: str) -> None:
        self.n, self.limit, self.harm, self.is_failing = 0, n_before, harm, False

    def step(self, what: str) -> None:
        """Count one; refuse it if it meets a disk that fails.

        Raises:
            OSError: it does.
        """
        self.n += 1
        if self.n == self.limit and self.harm in REFUSED:
            self.is_failing = True
        elif self.n == self.limit:
            os.kill(os.getpid(), getattr(signal, f"SIG{self.harm}"))
        if self.is_failing and (what == "open" or what in REFUSED[self.harm]):
            self.is_failing = self.harm != "EIO"
            code = getattr(errno, self.harm)
            raise OSError(code, os.strerror(code))

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count an audited event that changes the disk."""
        if event in OPERATIONS:
            self.step(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self.step("open")

    def watch(self) -> None:
        """Count from now on, in this process and its threads."""
        sys.addaudithook(self.hear)
        for name in ("write", "pwrite", "fsync", "ftruncate"):
            setattr(os, name, self._counted(getattr(os, name)))
        from curator.fetch.ledger import ledger

        connect = ledger.connect

        def connected(*arguments: Any) -> Any:
            connection = connect(*arguments)
            connection.set_trace_callback(self._statement)
            connection.set_progress_handler(lambda: self.is_failing, 1)
            return connection

        ledger.connect = connected

    def _statement(self, text: str) -> None:
        """Count a statement; an error that is raised here goes nowhere, but a true answer above ends the statement."""
        self.step("statement")

    def _counted(self, function: Any) -> Any:
        def counted(descriptor: int, *arguments: Any) -> Any:
            if descriptor > 2:
                self.step("write")
            return function(descriptor, *arguments)

        return counted


def live(job: dict[str, Any], report: int) -> None:
    """Be a child: run a command in a folder, and report the number of operations if it comes to its end."""
    from curator.cli.app import app

    os.chdir(job["folder"])
    silence, said = os.open(os.devnull, os.O_RDWR), os.memfd_create("said")
    for stream, instead in enumerate((silence, silence, said)):
        os.dup2(instead, stream)
    counter = Counter(job["limit"], job["harm"])
    counter.watch()
    code = 0
    try:
        app(list(job["words"]), prog_name="curator")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 70
    n, counter.limit, counter.is_failing = counter.n, 0, False
    told = os.pread(said, 1 << 16, 0).decode(errors="replace")
    os.write(report, json.dumps({"n": n, "code": code, "said": told[-2000:]}).encode())
    os._exit(0)


def serve() -> None:
    """Fork a child for each job that comes in."""
    import curator.dataset
    import curator.export.export
    import curator.inspect.status
    import curator.pipeline.forget
    import curator.pipeline.replay
    import curator.pipeline.run_stages
    import curator.progress
    import curator.report.gallery
    import curator.sources.registry  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        told = raised(job, {"folder": job["folder"], "words": job["meanwhile"], "limit": 0, "harm": ""})
        print(json.dumps(told), flush=True)


def raised(job: dict[str, Any], meanwhile: dict[str, Any]) -> dict[str, Any]:
    """Have a child do a job, and another one ``meanwhile`` if it stops; report how both ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        live(job, writing)
    os.close(writing)
    status, second = os.waitpid(child, os.WUNTRACED)[1], {}
    if os.WIFSTOPPED(status):
        second = {"second": raised(meanwhile, meanwhile)}
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, 0)[1]
    told = os.read(reading, 1 << 16)
    os.close(reading)
    return {"status": os.waitstatus_to_exitcode(status), **second, **json.loads(told or b"{}")}


class Nursery:
    """The parent, as its user sees it."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "CURATOR_RECIPE": "small"}
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
