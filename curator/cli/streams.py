"""Standard input, output and errors that are closed or that nobody reads: their place is taken by nothing.

A file that is opened while one of them is closed would get its number, and with it what is printed.

>>> open_streams()
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def open_streams() -> None:
    """Open each of the three that is closed, before any other file is opened."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            if (opened := os.open(os.devnull, os.O_RDWR)) != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def silence_streams() -> None:
    """Let what is still printed go nowhere: whoever read it has gone."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
        with suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
