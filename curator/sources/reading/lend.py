"""Lend what is Python's to Arrow, whose threads may hold it for a moment after Arrow has returned what it read.

Such a thread needs the interpreter to let go of a stream or function. One that asks for it while the interpreter ends
is ended in the midst of C++, which aborts the whole process: so the interpreter waits, at its exit, until all is given
back.

>>> lent = lend(io.BytesIO(b"four"))
>>> lent.read(2), lent.closed, is_all_given_back()
(b'fo', False, False)
>>> del lent
>>> is_all_given_back()
True
"""

from __future__ import annotations

import atexit
import gc
import io
import time
import weakref
from typing import Any

LONGEST_WAIT_S = 10.0
"""A read that a server keeps waiting, of a run that was interrupted, ends later or never."""

_LENT: dict[int, weakref.ref[Any]] = {}


class _Lent:
    """The stream, as an object that nobody but the borrower holds."""

    def __init__(self, stream: io.IOBase | Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lend(stream: io.IOBase | Any) -> Any:
    """Return the stream in a form whose return is awaited at exit; keep no reference to it."""
    return await_return(_Lent(stream))


def await_return(thing: Any) -> Any:
    """Return a function or memory view that Arrow is handed, and await at exit that nobody holds it any more."""
    key = id(thing)
    _LENT[key] = weakref.ref(thing, lambda _: _LENT.pop(key, None))
    return thing


def is_all_given_back() -> bool:
    """Say whether nothing is lent."""
    return not _LENT


@atexit.register
def _await_all() -> None:
    if not is_all_given_back():
        gc.collect()  # an error that was reported may hold a reader still
    limit = time.monotonic() + LONGEST_WAIT_S
    while not is_all_given_back() and time.monotonic() < limit:
        time.sleep(0.001)
