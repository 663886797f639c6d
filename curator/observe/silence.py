"""Silence for what decoders say past their caller: Pillow's warnings and its log, libtiff's lines on standard error.

What matters of it becomes a flaw; on a terminal it would tear a command's progress.

>>> with silence("tiff"):
...     warnings.warn("Truncated File Read")
...     _ = os.write(2, b"TIFFFillStrip: Read error")
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import AbstractContextManager, ExitStack

# If a program has set up no logging, Python prints Pillow's log of broken files to standard error; this stops that.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class _Shared:
    """A silence that all threads share: the first one enters it, the last one leaves it.

    Two that entered and left it in turn could restore each other's silence for good.
    """

    def __init__(self) -> None:
        self._lock, self._n_within, self._open = threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_within:
                self._open = ExitStack()
                self.begin(self._open)
            self._n_within += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_within -= 1
            if not self._n_within:
                self._open.close()

    def begin(self, until: ExitStack) -> None:
        """Be silent until the stack is closed."""
        raise NotImplementedError


class _Warnings(_Shared):
    def begin(self, until: ExitStack) -> None:
        until.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")


class _StandardError(_Shared):
    def begin(self, until: ExitStack) -> None:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error to silence
            return
        until.callback(os.close, kept)
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:  # no further file can be opened, which is no fault of the picture
            return
        until.callback(os.dup2, kept, 2)
        os.dup2(nowhere, 2)
        os.close(nowhere)


class _Both:
    def __enter__(self) -> None:
        _warnings.__enter__()
        _standard_error.__enter__()

    def __exit__(self, *_: object) -> None:
        _standard_error.__exit__()
        _warnings.__exit__()


_warnings, _standard_error, _both = _Warnings(), _StandardError(), _Both()


def silence(image_format: str) -> AbstractContextManager[None]:
    """Return what discards Python's warnings while a file of this format is decoded, in all threads.

    But for JPEG and PNG, also what libraries write to file descriptor 2 by themselves; what this program writes there
    meanwhile is lost too.
    """
    return _warnings if image_format in ("jpeg", "png") else _both
