r"""End a command once all is done that is done at exit: to take apart what it imported would take a twentieth of it.

>>> import subprocess
>>> script = "from curator.cli.leaving import leaving_at_once\nwith leaving_at_once(): print('said', end=''); exit(3)"
>>> done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
>>> done.stdout, done.returncode
('said', 3)
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Have the process end with the exit code that the block ends with, after all that others do at exit.

    Threads are waited for, and whatever registers within the block (:mod:`atexit`) is called first. After any other
    exception than ``SystemExit`` with a number Python ends as ever: it has something to print.
    """
    codes: list[int] = []

    def leave() -> None:
        if codes:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(codes[0])

    atexit.register(leave)  # called last, as it is the first to register
    try:
        yield
    except SystemExit as end:
        if isinstance(end.code, int) or end.code is None:
            codes.append(end.code or 0)
        raise
