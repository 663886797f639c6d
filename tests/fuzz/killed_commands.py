"""Run commands in children that are killed before their n-th disk operation; a parent that has imported all forks them.

A disk operation is what Python's audit hook reports as one, a write, sync or cut of an open file, and each statement to
the ledger. Run as a program, it reads one job a line on standard input and answers each with one line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OPERATIONS = frozenset(
    ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Counter:
    """Counts the disk operations below a folder, and ends the process before the last that it may do."""

    def __init__(self, limit: int) -> None:
        self.n, self.limit = 0, limit

    def step(self) -> None:
        """Count one."""
        self.n += 1
        if self.n == self.limit:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count an audited event that changes the disk."""
        if event in OPERATIONS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES):
            self.step()

    def watch(self) -> None:
        """Count from now on, in this process and its threads."""
        sys.addaudithook(self.hear)
        for name in ("write", "pwrite", "fsync", "ftruncate"):
            setattr(os, name, self._counted(getattr(os, name)))
        from curator.fetch.ledger import ledger

        connect = ledger.connect

        def connected(*arguments: Any) -> Any:
            connection = connect(*arguments)
            connection.set_trace_callback(lambda statement: self.step())
            return connection

        ledger.connect = connected

    def _counted(self, function: Any) -> Any:
        def counted(descriptor: int, *arguments: Any) -> Any:
            if descriptor > 2:
                self.step()
            return function(descriptor, *arguments)

        return counted


def live(folder: str, words: Sequence[str], limit: int, report: int) -> None:
    """Be a child: run a command in a folder, and report the number of operations if it comes to its end."""
    from curator.cli.app import app

    os.chdir(folder)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    counter = Counter(limit)
    counter.watch()
    code = 0
    try:
        app(list(words), prog_name="curator")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        code = 70
    n, counter.limit = counter.n, -1
    os.write(report, json.dumps({"n": n, "code": code}).encode())
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
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            live(job["folder"], job["words"], job["limit"], writing)
        os.close(writing)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = os.read(reading, 4096)
        os.close(reading)
        print(json.dumps({"status": status, **json.loads(told or b"{}")}), flush=True)


class Nursery:
    """The parent, as its user sees it."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "CURATOR_RECIPE": "small"}
        command = [sys.executable, str(Path(__file__))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
        )

    def run(self, folder: Path, words: Sequence[str], limit: int = 0) -> dict[str, Any]:
        """Run a command; ``status`` is -9 if it was killed, else ``n`` is its operations and ``code`` its exit code."""
        self.process.stdin.write(json.dumps({"folder": str(folder), "words": list(words), "limit": limit}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the parent."""
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    serve()
