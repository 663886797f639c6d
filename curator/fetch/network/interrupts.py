"""Notice Ctrl-C at a moment of our choosing: libcurl's callbacks would swallow an exception raised within them.

>>> with noticed_interrupts() as interrupted:
...     interrupted()
False
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticed_interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed; a second Ctrl-C interrupts at once, as ever.

    Outside the main thread Ctrl-C never arrives, and the function is always false.
    """
    seen = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield seen.is_set
        return

    def notice(number: int, frame: FrameType | None) -> None:
        seen.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, notice)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)
