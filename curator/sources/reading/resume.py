"""The bytes of one URL as a stream that survives a cut connection: it requests the rest, and only of the same version.

>>> issubclass(ResumedStream, io.RawIOBase)
True
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from curator.errors import SourceError
from curator.manifests.settings import FetchSettings
from curator.reasons import RETRIED, Drop
from curator.sources.budget import budget
from curator.sources.reading.http import CONTENT_RANGE, BrokenOffError, StreamedAnswer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BACKOFF_S = 1.0
LONGEST_WAIT_S = 60.0
_BLOCK_BYTES = 1 << 20
_TOO_EARLY = "the connection ended early"
PHRASES = {one.value: one.phrase for one in HTTPStatus}
"""What a status means, in the words of the standard."""


class VersionChangedError(SourceError):
    """The file was replaced at its server while it was read: what was read so far belongs to the old version."""


class ResumedStream(io.RawIOBase):
    """A raw, readable stream over one URL; ``version``, ``codings`` and ``says_its_end`` are known once it is made.

    A connection that breaks is opened again with ``Range`` and ``If-Range``. If the server answers with the whole file,
    what is known already is read past; if it states no version, only if that part has the same SHA-256.

    Args:
        url: an http or https address.
        settings: as for :class:`StreamedAnswer`; after ``retries`` failures in a row the stream gives up.
        headers: further lines of each request.

    Raises:
        SourceError: the server refused, or it broke off too often without getting on.
        VersionChangedError: the file changed between two connections.
    """

    def __init__(self, url: str, settings: FetchSettings, headers: Sequence[str] = ()) -> None:
        super().__init__()
        self.url, self._settings, self._headers = url, settings, headers
        self._offset, self._since_cut, self._failures = 0, 0, 0
        self._budget = budget()
        self._answer = self._connect()
        self.version, self.codings = self._answer.version, self._answer.codings
        self.says_its_end = self._answer.says_its_end
        self._prefix = None if self.version.validator else hashlib.sha256()

    def readable(self) -> bool:
        """Return that this stream can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer``, over cuts if need be; fewer bytes only at the end of the file, and then 0."""
        view, n_bytes = memoryview(buffer).cast("B"), 0
        while n_bytes < len(view) and (data := self._read_some(len(view) - n_bytes)):
            view[n_bytes : n_bytes + len(data)] = data
            n_bytes += len(data)
        return n_bytes

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._answer.close()
        super().close()

    def _read_some(self, n_bytes: int) -> bytes:
        while True:
            self._budget.time()
            try:
                data = self._answer.read(n_bytes)
            except BrokenOffError as error:
                self._reconnect(str(error))
                continue
            if data or self.version.total_bytes in (None, self._offset):
                break
            self._reconnect(_TOO_EARLY)
        self._offset += len(data)
        self._since_cut += len(data)
        self._failures = 0 if self._since_cut >= _BLOCK_BYTES else self._failures
        if self._prefix is not None:
            self._prefix.update(data)
        return data

    def _reconnect(self, cause: str) -> None:
        self._since_cut = 0
        while True:
            self._answer.close()
            self._count_failure(f"broke off after {self._offset:,} bytes ({cause})")
            self._answer = self._connect()
            try:
                self._continue_from_offset()
                return
            except BrokenOffError as error:
                cause = str(error)

    def _connect(self) -> StreamedAnswer:
        validator = self.version.validator if self._offset else ""
        headers = [f"Range: bytes={self._offset}-", f"If-Range: {validator}"] if validator else []
        while True:
            try:
                answer = StreamedAnswer(self.url, self._settings, [*headers, *self._headers])
            except BrokenOffError as error:
                if error.reason not in RETRIED:
                    raise SourceError(f"{self.url} could not be read ({error}).") from error
                self._count_failure(f"could not be reached ({error})")
                continue
            if answer.status == 200 or (self._offset and answer.status in (206, 416)):
                return answer
            answer.close()
            status = f"answered {answer.status} {PHRASES.get(answer.status, '')}".strip()
            if answer.verdict.reason not in RETRIED:
                raise SourceError(f"{self.url} {status}.")
            self._count_failure(status, answer.verdict.wait_s or 0.0)

    def _count_failure(self, what: str, wait_s: float = 0.0) -> None:
        self._failures += 1
        if self._failures > self._settings.retries:
            times = f", {self._failures} times in a row" if self._failures > 1 else ""
            raise SourceError(f"{self.url} {what}{times}.")
        time.sleep(min(max(BACKOFF_S * 2 ** (self._failures - 1), wait_s), LONGEST_WAIT_S))

    def _continue_from_offset(self) -> None:
        """Check the answer to the rest; of one that begins at the file's start, read past what is known."""
        answer = self._answer
        is_other = self.version.differs_from(answer.version) or answer.codings != self.codings
        if answer.status == 416 or is_other:
            raise self._changed()
        if answer.status == 206:
            ranged = CONTENT_RANGE.fullmatch(answer.header("content-range"))
            if ranged is None or int(ranged[1]) != self._offset:
                raise SourceError(f"{self.url} answered with another part than was requested.")
            return
        if answer.version.validator != self.version.validator:
            raise self._changed()
        digest, left = hashlib.sha256(), self._offset
        while left:
            data = answer.read(min(left, _BLOCK_BYTES))
            if not data:
                raise BrokenOffError(Drop.INCOMPLETE, _TOO_EARLY)
            digest.update(data)
            left -= len(data)
        if self._prefix is not None and digest.digest() != self._prefix.digest():
            raise self._changed()

    def _changed(self) -> VersionChangedError:
        return VersionChangedError(f"{self.url} changed at its server while it was read.", "Run the command again.")
