"""Lists over HTTP; apart from :mod:`curator.sources.reading.read`, so that a command that asks no server starts fast.

>>> ask_size("http://127.0.0.1:9/list.txt", FetchSettings()) is None  # a private address: nobody is asked
True
"""

from __future__ import annotations

from collections.abc import Callable

import requests

from curator.errors import SourceError
from curator.manifests.recipe import FetchSettings
from curator.sources.reading.http import open_session
from curator.sources.reading.resume import ResumedStream, version_of

_PROBE_TIMEOUT_S = 10.0


def open_stream(url: str, settings: FetchSettings, on_bytes: Callable[[int], None]) -> ResumedStream:
    """Open the bytes of ``url``; ``on_bytes`` is told how many each read transferred.

    Raises:
        SourceError: the server refused, or cannot be reached.
    """
    return ResumedStream(url, open_session(settings), settings, on_bytes)


def ask_size(url: str, settings: FetchSettings) -> int | None:
    """Ask how many bytes reading ``url`` would transfer; None where nobody says. Never raises."""
    try:
        with open_session(settings) as session:
            return _probe(session, url)
    except (requests.RequestException, SourceError):
        return None


def _probe(session: requests.Session, url: str) -> int | None:
    with session.head(url, timeout=_PROBE_TIMEOUT_S, allow_redirects=True) as response:
        size = version_of(response).total_bytes
    if size is not None or response.status_code in (404, 410):
        return size
    headers = {"Range": "bytes=0-0"}
    with session.get(url, headers=headers, timeout=_PROBE_TIMEOUT_S, stream=True) as response:
        return version_of(response).total_bytes
