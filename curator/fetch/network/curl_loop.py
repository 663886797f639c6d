"""Many transfers at once through libcurl's multi interface, driven by a selector that others may share.

>>> finished = []
>>> with selectors.DefaultSelector() as selector, CurlLoop(selector) as loop:
...     loop.start(Transfer(FetchSettings(allow_private_hosts=True)), 7, "http://127.0.0.1:1/a.jpg")
...     while not (done := loop.finished()):
...         loop.wait(1.0)
>>> [(transfer.task, errno == pycurl.E_COULDNT_CONNECT) for transfer, errno, error in done]
[(7, True)]
"""

from __future__ import annotations

import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import Transfer
from curator.manifests.settings import FetchSettings as FetchSettings

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class CurlLoop:
    """Transfers in flight. Every key of the selector holds a callable that takes the event mask.

    Args:
        n_idle: connections kept for later requests.

    Attributes:
        active: the transfers in flight by their handle, oldest first.
    """

    def __init__(self, selector: selectors.BaseSelector, n_idle: int = 16) -> None:
        self._selector = selector
        self._due: float | None = None
        self._watched: dict[int, int] = {}  # descriptor to events: querying the selector takes longer than epoll itself
        self.active: dict[pycurl.Curl, Transfer] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, n_idle)

    def __enter__(self) -> CurlLoop:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()
        self._multi.close()

    def start(self, transfer: Transfer, task: int, url: str, referer: str = "") -> None:
        """Start a request, which names the page ``referer`` if one is given."""
        transfer.begin(task, url, time.monotonic(), referer)
        self.active[transfer.handle] = transfer
        self._multi.add_handle(transfer.handle)

    def abort(self) -> None:
        """Break off every transfer in flight."""
        for handle in self.active:
            self._multi.remove_handle(handle)
        self.active.clear()

    def wait(self, timeout_s: float) -> None:
        """Wait for events of any kind, for ``timeout_s`` seconds at most, and serve them."""
        if self._due is not None:
            timeout_s = max(0.0, min(timeout_s, self._due - time.monotonic()))
        for key, mask in self._selector.select(timeout_s):
            key.data(mask)
        if self._due is not None and self._due <= time.monotonic():
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def finished(self) -> list[tuple[Transfer, int, str]]:
        """Take the transfers that have ended, each with libcurl's error number (0: none) and text."""
        ended: list[tuple[Transfer, int, str]] = []
        n_left = 1
        while n_left:
            n_left, good, bad = self._multi.info_read()
            ended += [(self._take(handle), 0, "") for handle in good]
            ended += [(self._take(handle), errno, error) for handle, errno, error in bad if not self._goes_on(handle)]
        return ended

    def _take(self, handle: pycurl.Curl) -> Transfer:
        self._multi.remove_handle(handle)
        return self.active.pop(handle)

    def _goes_on(self, handle: pycurl.Curl) -> bool:
        """Let a request that was broken off at a redirect go on there."""
        transfer = self.active[handle]
        if not transfer.goes_to:
            return False
        self._multi.remove_handle(handle)
        transfer.go_on(time.monotonic())
        self._multi.add_handle(handle)
        return True

    def _watch(self, what: int, descriptor: int, multi: Any, data: Any) -> None:
        if what == pycurl.POLL_REMOVE:
            if self._watched.pop(descriptor, 0):
                self._selector.unregister(descriptor)
            return
        events, before = _EVENTS[what], self._watched.get(descriptor, 0)
        self._watched[descriptor] = events
        if not before:
            self._selector.register(descriptor, events, partial(self._serve, descriptor))
        elif before != events:
            self._selector.modify(descriptor, events, partial(self._serve, descriptor))

    def _set_timer(self, timeout_ms: int) -> None:
        self._due = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    def _serve(self, descriptor: int, mask: int) -> None:
        if descriptor not in self._watched:  # closed by an event of the same batch
            return
        wants = (pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0) | (
            pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
        )
        self._multi.socket_action(descriptor, wants)


@contextmanager
def noticed_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C was pressed; a second Ctrl-C interrupts at once, as ever.

    An exception raised within libcurl's callbacks would be swallowed, so that the loop looks at moments of its own.
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
