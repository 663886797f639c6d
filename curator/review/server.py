"""Serve the page on 127.0.0.1 until Ctrl-C, and nowhere else.

>>> with listen(0) as listener:
...     listener.getsockname()[0]
'127.0.0.1'
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable

import uvicorn

from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.review.app import make_app
from curator.review.guard import Guard
from curator.review.session import ReviewSession

TOKEN_BYTES = 18


def listen(port: int) -> socket.socket:
    """Listen on 127.0.0.1; port 0 takes a free one.

    Raises:
        CuratorError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        hint = "Give another one with --port, or none: then a free one is taken."
        raise CuratorError(f"Cannot listen on port {port}: {error.strerror}.", hint) from error
    return listener


def serve_review(project: Project, who: str, port: int, announce: Callable[[str, int], None]) -> int:
    """Serve until the process is told to end.

    Args:
        who: the name that decisions bear.
        port: 0 takes a free one.
        announce: told the page's address and the number of images, as soon as the page can be opened.

    Returns:
        The number of decisions that stand at the end.

    Raises:
        StateError: nothing was fetched yet, or the reviews file is damaged.
    """
    session = ReviewSession(project, who)
    n_images = session.about()["n"]
    session.log.standing()
    with listen(port) as listener:
        guard = Guard(secrets.token_urlsafe(TOKEN_BYTES), listener.getsockname()[1])
        config = uvicorn.Config(make_app(session, guard), log_level="warning", access_log=False, lifespan="off")
        announce(f"http://127.0.0.1:{guard.port}/{guard.token}/", n_images)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return len(session.log.standing())
