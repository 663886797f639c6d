"""Silence for libraries that write to the process's standard error themselves, past Python.

>>> with no_stderr():
...     _ = os.write(2, b"TIFFFillStrip: Read error")
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Where a program has set up no logging, Python prints Pillow's log of broken files to standard error; this stops that.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_one_at_a_time = threading.Lock()  # two at once could put each other's silence back for good


@contextmanager
def no_stderr() -> Iterator[None]:
    """Send the process's standard error (file descriptor 2) nowhere for a while; all threads' output to it is lost."""
    with _one_at_a_time:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error to silence
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
