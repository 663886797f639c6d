"""Small servers on this machine that tests fetch from: pictures made here, answered as each test says."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.small_worlds import picture


class PictureHandler(BaseHTTPRequestHandler):
    """Answers with pictures, and keeps the terminal clean; a test adds ``do_GET``."""

    def send_picture(self) -> None:
        """Send the picture that is asked for as ``/<number>.jpg``."""
        stream = io.BytesIO()
        picture(int(self.path[1:-4])).save(stream, "JPEG", quality=90)
        self.send_body(200, stream.getvalue())

    def send_body(self, status: int, body: bytes = b"") -> None:
        """Send a status and a body."""
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of a request."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a free port of this machine until the block ends, and give the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()
