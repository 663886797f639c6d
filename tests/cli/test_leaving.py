"""A command leaves at once, but loses nothing that is done at exit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import atexit, sys, threading, time
from curator.cli.leaving import leaving_at_once

with leaving_at_once():
    threading.Thread(target=lambda: (time.sleep(0.2), print("a thread"))).start()
    atexit.register(print, "at exit")
    print("all is done")
    {end}
"""


def run(end: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT.format(end=end)], capture_output=True, text=True)


@pytest.mark.parametrize(("end", "code"), [("sys.exit()", 0), ("sys.exit(0)", 0), ("sys.exit(130)", 130)])
def test_what_is_done_at_exit_is_done_before(end: str, code: int) -> None:
    """Threads end, what others have registered is called, and what was printed arrives."""
    done = run(end)
    assert done.stdout.splitlines() == ["all is done", "a thread", "at exit"]
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("end", ["1 / 0", "sys.exit('a text')", "raise KeyboardInterrupt"])
def test_what_python_has_to_print_is_printed(end: str) -> None:
    """A traceback, or a text, and Python's own exit code."""
    done = run(end)
    assert done.returncode != 0
    assert done.stderr
    assert done.stdout.splitlines() == ["all is done", "a thread", "at exit"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_cannot_be_printed_is_no_success() -> None:
    """As without."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(end="sys.exit(0)")], stdout=full, stderr=subprocess.DEVNULL
        )
    assert done.returncode != 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [["--help"], ["status", "--help"], ["--version"]])
def test_help_that_cannot_be_printed_is_told_in_a_line(options: list[str]) -> None:
    """No traceback."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "curator", *options], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["error: Nothing can be printed here: No space left on device."]


def test_a_program_that_runs_a_command_ends_as_it_wants() -> None:
    """The command line may be called by one that goes on after it."""
    code = """
import sys
from curator.cli.app import main
sys.argv = ["curator", "--version"]
try:
    main()
except SystemExit:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 7
