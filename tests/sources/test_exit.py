"""A process that listed from Arrow's threads ends with its own exit code: it waits until they have let go."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import curator

N_EXITS = int(os.environ.get("CURATOR_EXITS", "2"))
"""Runs of the command line; under load, one of 13 was aborted before (3 of 40 with three busy processes beside)."""

HOLDER = """
import io, threading, time
from curator.sources.reading.lend import lend

def hold(lent):
    time.sleep(0.5)
    print("given back", flush=True)

threading.Thread(target=hold, args=[lend(io.BytesIO())], daemon=True).start()
"""


def test_the_interpreter_waits_for_a_thread_that_holds_a_lent_stream() -> None:
    """A thread that needs the interpreter while it ends would abort the process (SIGABRT)."""
    done = subprocess.run([sys.executable, "-c", HOLDER], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout) == (0, "given back\n"), done.stderr


def test_every_stream_of_pythons_that_arrow_reads_is_lent() -> None:
    """What Arrow opens in curator/ is a path, a stream that was lent, or memory whose return is awaited.

    A compressed stream is read by the thread that asks for its bytes, and held by no other.
    """
    opened = [
        (path.name, argument)
        for path in Path(curator.__file__).parent.rglob("*.py")
        for argument in re.findall(
            r"(?=(?:open_csv|(?<!pd[.])read_csv|(?<!CompressedInputStream[(]pa[.])PythonFile|py_buffer)\(\s*([\w.]+\(?))",
            path.read_text("utf-8"),
        )
    ]
    opened = [one for one in opened if one[0] != "blocks.py"]  # looked at by the thread that asks, and by no reader
    assert {argument for _, argument in opened} == {"lend(", "pa.py_buffer(", "await_return("}, opened


def test_a_listing_that_failed_ends_with_exit_code_2(tmp_path: Path) -> None:
    """Two lists without a column `url`: a refusal, not an abort."""
    folder = tmp_path / "manifests" / "x"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        lines = (f"http://e.example/{name}{n}.jpg,{'ab'[n % 2]}\n" for n in range(50))
        (folder / f"{name}.csv").write_text("uurl,label\n" + "".join(lines))
    sources = "".join(f'[[sources]]\nkind = "url-list"\npath = "{name}.csv"\n' for name in ("one", "two"))
    (folder / "recipe.toml").write_text(f'name = "x"\nlabels = ["a", "b"]\n{sources}')
    command = [sys.executable, "-m", "curator", "fetch", "--plan", "--recipe", "x"]
    for _ in range(N_EXITS):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode == 2, done.stderr
