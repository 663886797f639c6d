"""The bytes of one URL as a stream that survives a cut connection: it asks for the rest, and only of the same version.

>>> issubclass(ResumedStream, io.RawIOBase)
True

What a server says of the version of a file, so that no two versions are put together.

>>> Version('"v1"', "", 10).differs_from(Version('"v2"', "", 10))
True
"""

from __future__ import annotations

import email.utils
import hashlib
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
import urllib3

from curator.errors import SourceError
from curator.manifests.recipe import FetchSettings

if TYPE_CHECKING:
    import requests

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
BACKOFF_S = 1.0
LONGEST_WAIT_S = 60.0
_BLOCK_BYTES = 1 << 20


class ResumedStream(io.RawIOBase):
    """A raw, readable stream over one URL; ``version`` is known once it is made.

    The session is the stream's own: closing one closes the other. A connection that breaks is opened again with
    ``Range`` and ``If-Range``. A server that answers with the whole file is read past what is known already; where it
    states no version, only if that part has the same SHA-256.

    Raises:
        SourceError: the server refused, or it broke off too often without getting on.
        VersionChangedError: the file changed between two connections.
    """

    def __init__(
        self, url: str, session: requests.Session, settings: FetchSettings, on_bytes: Callable[[int], None]
    ) -> None:
        super().__init__()
        self.url, self._session, self._settings, self._on_bytes = url, session, settings, on_bytes
        self._offset, self._since_cut, self._failures = 0, 0, 0
        self._response = self._connect()
        self.version = version_of(self._response)
        self._prefix = None if self.version.validator else hashlib.sha256()

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer``, over cuts if need be; fewer bytes only at the end of the file, and then 0."""
        view, n_bytes = memoryview(buffer).cast("B"), 0
        while n_bytes < len(view) and (data := self._read_some(len(view) - n_bytes)):
            view[n_bytes : n_bytes + len(data)] = data
            n_bytes += len(data)
        return n_bytes

    def close(self) -> None:
        """Close the connection and the session."""
        if not self.closed:
            self._session.close()
        super().close()

    def _read_some(self, n_bytes: int) -> bytes:
        while True:
            try:
                data = bytes(self._response.raw.read(n_bytes, decode_content=False))
                if data or self.version.total_bytes in (None, self._offset):
                    break
                raise urllib3.exceptions.ProtocolError("the connection ended early")
            except (urllib3.exceptions.HTTPError, OSError) as error:
                self._reconnect(error)
        self._offset += len(data)
        self._since_cut += len(data)
        self._failures = 0 if self._since_cut >= _BLOCK_BYTES else self._failures
        if self._prefix is not None:
            self._prefix.update(data)
        self._on_bytes(len(data))
        return data

    def _reconnect(self, error: Exception) -> None:
        self._response.close()
        self._since_cut = 0
        while True:
            self._count_failure(f"broke off after {self._offset:,} bytes ({_plain(error)})", "")
            self._response = self._connect()
            try:
                self._continue_from_offset()
                return
            except (urllib3.exceptions.HTTPError, OSError) as again:
                error = again

    def _connect(self) -> requests.Response:
        while True:
            headers = self._range_headers() if self._offset else {}
            timeouts = (self._settings.timeout_s, self._settings.timeout_s)
            try:
                response = self._session.get(self.url, headers=headers, stream=True, timeout=timeouts)
            except requests.RequestException as error:
                if not isinstance(error, requests.ConnectionError | requests.Timeout):
                    raise SourceError(f"{self.url} could not be read ({_plain(error)}).") from error
                self._count_failure(f"could not be reached ({_plain(error)})", "")
                continue
            if response.status_code == 200 or (self._offset and response.status_code in (206, 416)):
                return response
            self._refuse_or_wait(response)

    def _refuse_or_wait(self, response: requests.Response) -> None:
        response.close()
        answer = f"answered {response.status_code} {response.reason or ''}".strip()
        if response.status_code not in RETRYABLE:
            raise SourceError(f"{self.url} {answer}.")
        self._count_failure(answer, response.headers.get("Retry-After", ""))

    def _count_failure(self, what: str, retry_after: str) -> None:
        self._failures += 1
        if self._failures > self._settings.retries:
            times = f", {self._failures} times in a row" if self._failures > 1 else ""
            raise SourceError(f"{self.url} {what}{times}.")
        backoff_s = BACKOFF_S * 2 ** (self._failures - 1)
        time.sleep(min(max(backoff_s, _seconds(retry_after)), LONGEST_WAIT_S))

    def _range_headers(self) -> dict[str, str]:
        validator = self.version.validator
        return {"Range": f"bytes={self._offset}-", "If-Range": validator} if validator else {}

    def _continue_from_offset(self) -> None:
        response = self._response
        if response.status_code == 416 or self.version.differs_from(version_of(response)):
            raise self._changed()
        if response.status_code == 206:
            ranged = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if ranged is None or int(ranged[1]) != self._offset:
                raise SourceError(f"{self.url} answered with another part than was asked for.")
        else:
            self._skip_known_part()

    def _skip_known_part(self) -> None:
        if version_of(self._response).validator != self.version.validator:
            raise self._changed()
        digest, left = hashlib.sha256(), self._offset
        while left:
            data = self._response.raw.read(min(left, _BLOCK_BYTES), decode_content=False)
            if not data:
                raise urllib3.exceptions.ProtocolError("the connection ended early")
            digest.update(data)
            left -= len(data)
        if self._prefix is not None and digest.digest() != self._prefix.digest():
            raise self._changed()

    def _changed(self) -> VersionChangedError:
        return VersionChangedError(f"{self.url} changed at its server while it was read.", "Run the command again.")


def _seconds(retry_after: str) -> float:
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0


def _plain(error: BaseException) -> str:
    """Find the short cause at the bottom of a nest of wrapped network errors."""
    while True:
        inner = next(
            (part for part in (*error.args, getattr(error, "reason", None)) if isinstance(part, Exception)), None
        )
        if inner is None or inner is error:
            break
        error = inner
    text = str(getattr(error, "strerror", None) or error).strip()
    return text.rsplit(": ", 1)[-1][:200] or type(error).__name__


CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""The header of a partial answer: its first byte, and the size of the whole file (RFC 9110, 14.4)."""


class VersionChangedError(SourceError):
    """The file was replaced at its server while it was read: what was read so far belongs to the old version."""


@dataclass(frozen=True)
class Version:
    """What tells one version of a file from another; empty or None where the server does not say."""

    etag: str
    last_modified: str
    total_bytes: int | None

    @property
    def validator(self) -> str:
        """What ``If-Range`` may carry: a strong entity tag, else the date (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def differs_from(self, other: Version) -> bool:
        """Tell whether anything that both state is different."""
        pairs = (
            (self.etag, other.etag),
            (self.last_modified, other.last_modified),
            (self.total_bytes, other.total_bytes),
        )
        return any(a != b for a, b in pairs if a and b)


def version_of(response: requests.Response) -> Version:
    """Read a response's version: the size is of the whole file, also where only a part was sent."""
    headers = response.headers
    ranged = CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    total = ranged[2] if ranged else headers.get("Content-Length", "") if response.status_code == 200 else ""
    return Version(headers.get("ETag", ""), headers.get("Last-Modified", ""), int(total) if total.isdigit() else None)
