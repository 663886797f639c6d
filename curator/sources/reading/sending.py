"""What a request brings to its server: bytes in memory, or a part of a file, read as they are sent.

>>> sent = Sent.of("POST", "application/json", b'{"a": 1}')
>>> sent.n_bytes, sent.read(1, 3)
(8, b'"a"')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curator.fetch.network.libcurl import pycurl


@dataclass(frozen=True)
class Sent:
    """The body of a request.

    Attributes:
        method: such as ``POST``.
        kind: its media type; empty: none is stated.
        n_bytes: its size.
        read: given an offset and a number of bytes, returns so many of it, or fewer at its end.
    """

    method: str
    kind: str
    n_bytes: int
    read: Callable[[int, int], bytes]

    @classmethod
    def of(cls, method: str, kind: str, data: bytes) -> Sent:
        """Return a body that is in memory."""
        return cls(method, kind, len(data), lambda offset, n: data[offset : offset + n])

    @property
    def headers(self) -> list[str]:
        """The lines of the request that state it; the server is not asked whether it wants the body."""
        return ["Expect:", *([f"Content-Type: {self.kind}"] if self.kind else [])]

    def prepare(self, handle: pycurl.Curl) -> None:
        """Make a handle of libcurl send this; it may start anew, when a connection that was kept turns out closed."""
        place = 0

        def read(n: int) -> bytes | int:
            nonlocal place
            try:
                data = self.read(place, n)
            except OSError:
                return int(pycurl.READFUNC_ABORT)
            place += len(data)
            return data

        def seek(offset: int, origin: int) -> int:
            nonlocal place
            place = offset if origin == 0 else self.n_bytes + offset
            return int(pycurl.SEEKFUNC_OK)

        handle.setopt(pycurl.UPLOAD, True)
        handle.setopt(pycurl.CUSTOMREQUEST, self.method)
        handle.setopt(pycurl.INFILESIZE_LARGE, self.n_bytes)
        handle.setopt(pycurl.READFUNCTION, read)
        handle.setopt(pycurl.SEEKFUNCTION, seek)
