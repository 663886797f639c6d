"""Request the JSON answers of a server's API, one at a time, and wait as long as it wants between two tries.

>>> api = JsonApi("https://example.org/w/api.php", "wikimedia", ListingContext(labels=(), cache_dir=Path()))
>>> api.address_of({"action": "query", "gcmtitle": "Category:Rugby union"})
'https://example.org/w/api.php?action=query&gcmtitle=Category%3ARugby+union'
"""

from __future__ import annotations

import json
import selectors
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path as Path
from time import sleep
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode, urlsplit

from curator.errors import SourceError
from curator.events import MetadataRead, Noted
from curator.fetch.network.content_coding import CodingError, undo
from curator.fetch.network.curl_loop import CurlLoop
from curator.fetch.policy import seconds_to_wait
from curator.reasons import RETRIED
from curator.sources.base import ListingContext as ListingContext
from curator.sources.budget import budget
from curator.sources.reading import resume
from curator.sources.reading.http import BrokenOffError, StreamedAnswer
from curator.sources.reading.json_text import DECODER, without_halves
from curator.sources.reading.sending import Sent as Sent
from curator.text import Text

Answered = TypeVar("Answered")

MOST_BYTES = 64 << 20
"""An answer of more is none that an API sends."""

MOST_BUSY = 10
"""So often in a row a server may answer that it is busy."""

LONGEST_WAIT_S = 300.0
"""A server that wants to be left alone for longer is asked again by the next run."""

_TOLD_WAIT_S = 5.0
_PIECE_BYTES = 1 << 20


class Later(NamedTuple):
    """Why an answer is none yet, and the least seconds to wait; a server that is only busy may say so often."""

    why: str
    wait_s: float
    is_busy: bool = True


class Reply(NamedTuple):
    """A whole answer: its body, the seconds that it wants to be left alone, and its entity tag, if it states one."""

    body: bytes
    wait_s: float
    etag: str


class RefusedError(SourceError):
    """An API refuses a request: ``status`` is that of its answer."""

    def __init__(self, message: str, hint: Text, status: int) -> None:
        super().__init__(message, hint)
        self.status = status


class JsonApi:
    """The answers of one address, for one source, over one connection: a request is made once the last is answered.

    Used as a context, which closes the connection.

    Args:
        address: of the API, without parameters.
        name: the source's name in messages.
        headers: further lines of each request, such as a token; no message holds them.
        hints: what to do when the server refuses this request, and when it does not let us in (401, 403).
        pause_s: seconds between two requests.
        follows: whether redirects are followed, which are requests of their own.
    """

    def __init__(
        self,
        address: str,
        name: str,
        context: ListingContext,
        headers: Sequence[str] = (),
        hints: tuple[str, str] = ("", ""),
        pause_s: float = 0.0,
        follows: bool = True,
    ) -> None:
        self.address, self.host = address, urlsplit(address).netloc.rpartition("@")[2]
        self._name, self._context, self._hints = name, context, hints
        self._headers = ["Accept-Encoding: gzip", *headers]
        self._opened = ExitStack()
        self._loop: CurlLoop | None = None
        self._pause_s, self._follows = pause_s, follows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        self._loop = None

    def address_of(self, parameters: Mapping[str, str]) -> str:
        """Return the address of one request."""
        return f"{self.address}?{urlencode(parameters)}" if parameters else self.address

    def ask(
        self, parameters: Mapping[str, str], reading: str, is_busy: Callable[[Any], str] = lambda answer: ""
    ) -> Any:
        """Return what the API answers: a value of JSON.

        Args:
            reading: what progress is reported of.
            is_busy: says of an answer with status 200 why it means to ask again later, if it does.

        Raises:
            SourceError: the server refuses, is busy for too long, or answers with no JSON.
        """
        return self._until_answered(lambda: self._ask_once(parameters, reading, is_busy))

    def send(self, sent: Sent, reading: str = "") -> Reply:
        """Bring something to the address, and return what it answers; a server may get it more than once.

        Raises:
            SourceError: the server refuses, or is busy for too long.
        """
        return self._until_answered(lambda: self._request(self.address, reading, sent))

    def _until_answered(self, attempt: Callable[[], tuple[Answered, Later | None]]) -> Answered:
        """Try, and wait as long as the server wants between two tries, until it has answered."""
        n_failed = n_busy = 0
        while True:
            budget().time()
            value, later = attempt()
            if later is None:
                return value
            n_failed, n_busy = n_failed + (not later.is_busy), n_busy + later.is_busy
            if n_failed > self._context.fetch.retries or n_busy > MOST_BUSY:
                times = n_failed + n_busy
                raise self._refused(later.why + (f", {times} times in a row" if times > 1 else ""))
            self._wait(later, n_failed + n_busy)

    def _ask_once(
        self, parameters: Mapping[str, str], reading: str, is_busy: Callable[[Any], str]
    ) -> tuple[Any, Later | None]:
        reply, later = self._request(self.address_of(parameters), reading)
        if later is not None:
            return None, later
        value = self.parsed(reply.body)
        why = is_busy(value)
        return value, Later(why, reply.wait_s) if why else None

    def _request(self, url: str, reading: str, sent: Sent | None = None) -> tuple[Reply, Later | None]:
        nothing = Reply(b"", 0.0, "")
        if self._loop is None:
            selector = self._opened.enter_context(selectors.DefaultSelector())
            self._loop = self._opened.enter_context(CurlLoop(selector, n_idle=1))
        elif self._pause_s:
            sleep(self._pause_s)
        try:
            answer = StreamedAnswer(
                url, self._context.fetch, self._headers, loop=self._loop, follows=self._follows, sent=sent
            )
        except BrokenOffError as error:
            return nothing, self._broken(error)
        try:
            body = self._body(answer, reading)
        except BrokenOffError as error:
            return nothing, self._broken(error)
        finally:
            answer.close()
        asked_s = answer.verdict.wait_s or seconds_to_wait(answer.header("retry-after"), answer.header("date")) or 0.0
        if answer.status == 200 or (sent and 200 < answer.status < 300):
            return Reply(body, asked_s, answer.header("etag")), None
        what = f"answered {answer.status} {resume.PHRASES.get(answer.status, '')}".strip()
        if answer.verdict.reason in RETRIED:
            return nothing, Later(what, asked_s, is_busy=bool(answer.header("retry-after")) or answer.status == 429)
        refused = self._refused(what + _said(body), self._hints[answer.status in (401, 403)])
        raise RefusedError(refused.message, refused.hint, answer.status)

    def _broken(self, error: BrokenOffError) -> Later:
        if error.reason not in RETRIED:
            raise self._refused(f"could not be reached ({error})") from error
        return Later(f"could not be reached ({error})", 0.0, is_busy=False)

    def _body(self, answer: StreamedAnswer, reading: str) -> bytes:
        most, pieces, n_bytes = min(MOST_BYTES, budget().max_bytes), [], 0
        while piece := answer.read(_PIECE_BYTES):
            pieces.append(piece)
            n_bytes += len(piece)
            self._context.emit(MetadataRead(reading, len(piece)))
            if n_bytes > most:
                raise self._refused(f"answered with more than {most:,} bytes")
        try:
            return undo(b"".join(pieces), answer.codings, most)
        except CodingError as error:
            raise self._refused(f"answered with what cannot be read ({error})") from error

    def parsed(self, body: bytes) -> Any:
        """Return the value of JSON that a body states.

        Raises:
            SourceError: it states none.
        """
        try:
            return DECODER.decode(without_halves(body.decode("utf-8-sig")))
        except (ValueError, RecursionError) as error:
            what = "a web page (HTML)" if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "what is no JSON"
            raise self._refused(f"answered with {what}") from error

    def _wait(self, later: Later, times: int) -> None:
        """Wait as long as the server wants, and longer each time."""
        wait_s = min(max(later.wait_s, resume.BACKOFF_S * 2 ** (times - 1)), LONGEST_WAIT_S)
        if later.wait_s > LONGEST_WAIT_S:
            raise self._refused(f"{later.why}, and wants to be left alone for {later.wait_s:,.0f} seconds")
        if wait_s >= _TOLD_WAIT_S:
            self._context.emit(Noted(f"{self._name}: {self.host} {later.why}: waiting {wait_s:,.0f} seconds"))
        sleep(wait_s)

    def _refused(self, what: str, hint: str = "") -> SourceError:
        return SourceError(f"{self.host} {what}.", hint or self._hints[0])


def _said(body: bytes) -> str:
    """Return what an error says of itself, if it is a text for a person and no page.

    >>> _said(b'{"error": "Invalid username or password."}'), _said(b"<html>")
    (' (Invalid username or password)', '')
    """
    text = body[:2000].decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            answer = json.loads(text)
            found = answer.get("error") or answer.get("message", "")
        except ValueError:
            return ""
        text = found if isinstance(found, str) else str(found.get("info", "")) if isinstance(found, dict) else ""
    words = " ".join(text.split()).rstrip(".")
    return f" ({words[:200]})" if words and not words.startswith("<") else ""
