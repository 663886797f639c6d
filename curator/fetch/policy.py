"""What an answer means: good, worth another try, or out with a reason; and how long to wait. Pure.

>>> judge(Answer(http_status=503, headers=(b"Retry-After: 7",)), honour_noai=True)
Verdict(reason=<Drop.SERVER_ERROR: 'server-error'>, detail='HTTP 503', http_status=503, wait_s=7.0)
>>> judge(Answer(http_status=200, headers=(b"X-Robots-Tag: noai",)), honour_noai=True).reason.value
'opted-out'
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from curator.fetch.network.identity import AGENT
from curator.fetch.network.libcurl import pycurl
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop, Eases
from curator.text import hide_in_address

FALLBACK_STATUSES = (403, 404, 410)
"""The answers after which the fallback address of an image is requested."""

_BY_ERROR = {
    pycurl.E_UNSUPPORTED_PROTOCOL: (Drop.UNSUPPORTED_SCHEME, "redirected to something other than http or https"),
    pycurl.E_URL_MALFORMAT: (Drop.MALFORMED_URL, "libcurl cannot read this address"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (Drop.DNS, "the proxy's name did not resolve"),
    pycurl.E_COULDNT_RESOLVE_HOST: (Drop.DNS, "the host name did not resolve"),
    pycurl.E_COULDNT_CONNECT: (Drop.REFUSED, "no connection could be made"),
    pycurl.E_PARTIAL_FILE: (Drop.INCOMPLETE, "fewer bytes came than were announced"),
    pycurl.E_OPERATION_TIMEDOUT: (Drop.TIMEOUT, "no whole answer in time"),
    pycurl.E_TOO_MANY_REDIRECTS: (Drop.REDIRECT_LOOP, "too many redirects"),
    pycurl.E_GOT_NOTHING: (Drop.RESET, "the connection was closed without an answer"),
    pycurl.E_SEND_ERROR: (Drop.RESET, "the connection broke"),
    pycurl.E_RECV_ERROR: (Drop.RESET, "the connection broke"),
    pycurl.E_FILESIZE_EXCEEDED: (Drop.TOO_MANY_BYTES, "more than max_bytes"),
    pycurl.E_SSL_CONNECT_ERROR: (Drop.TLS, "no TLS connection could be made"),
    pycurl.E_PEER_FAILED_VERIFICATION: (Drop.TLS, "the certificate is not valid for this host"),
    pycurl.E_SSL_CIPHER: (Drop.TLS, "no common cipher"),
}
_BY_STATUS = {
    **dict.fromkeys((404, 410), Drop.GONE),
    **dict.fromkeys((401, 403, 451), Drop.FORBIDDEN),
    408: Drop.TIMEOUT,
    429: Drop.RATE_LIMITED,
}
_HTTP2_STREAM = 92
_BAD_RESPONSE_TEXTS = ("HTTP/0.9", "chunk", "header", "in response", "in HTTP response")
_SILENT_AGENTS = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought; ``errno`` and ``error`` are libcurl's, ``headers`` the lines of the last response.

    ``refusal`` is why a redirect was not followed; the request was broken off for it.
    """

    errno: int = 0
    error: str = ""
    http_status: int = 0
    headers: Sequence[bytes] = ()
    refused_address: str | None = None
    refusal: tuple[Drop, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means: ``reason`` is None if it is good; ``wait_s`` is what ``Retry-After`` asks for.

    ``http_status`` is that of a whole answer: an answer cut short has none, because how much of it came is chance.
    ``opt_out`` is what a good answer says against use for AI, which is not honoured.
    """

    reason: Drop | None
    detail: str | None = None
    http_status: int | None = None
    wait_s: float | None = None
    opt_out: str | None = field(default=None, repr=False)


def judge(answer: Answer, honour_noai: bool) -> Verdict:
    """Return what an answer means. The detail of a verdict depends on the answer alone, never on timing."""
    if answer.errno:
        return _judge_error(answer)
    status = answer.http_status
    if 200 <= status < 300:
        directive = opt_out(answer.headers)
        if honour_noai and directive:
            return Verdict(Drop.OPTED_OUT, f"X-Robots-Tag: {directive}", status)
        return Verdict(None, None, status, opt_out=directive)
    waits, dates = (header_values(answer.headers, name) for name in (b"retry-after", b"date"))
    wait_s = seconds_to_wait(waits[-1], dates[0] if dates else "") if waits else None
    return replace(verdict_of_status(status), wait_s=wait_s)


def verdict_of_status(status: int) -> Verdict:
    """Return what a status that is no success means.

    >>> verdict_of_status(410)
    Verdict(reason=<Drop.GONE: 'gone'>, detail='HTTP 410', http_status=410, wait_s=None)
    """
    reason = _BY_STATUS.get(status, Drop.SERVER_ERROR if 500 <= status < 600 else Drop.HTTP_ERROR)
    return Verdict(reason, f"HTTP {status}", status)


def _judge_error(answer: Answer) -> Verdict:
    if answer.refused_address is not None and answer.errno in (pycurl.E_COULDNT_CONNECT, pycurl.E_OPERATION_TIMEDOUT):
        return Verdict(Drop.PRIVATE_ADDRESS, answer.refused_address)
    if answer.refusal is not None:
        return Verdict(*answer.refusal)
    is_bad = any(text in answer.error for text in _BAD_RESPONSE_TEXTS)
    if is_bad and answer.errno in (pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_RECV_ERROR):
        return Verdict(Drop.BAD_RESPONSE, answer.error)
    if answer.errno == _HTTP2_STREAM:
        return Verdict(Drop.RESET, "the HTTP/2 stream broke")
    return Verdict(*_BY_ERROR.get(answer.errno, (Drop.BAD_RESPONSE, answer.error)))


def seconds_to_wait(retry_after: str, date: str = "") -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3): seconds, or a date as from the answer's ``Date``; None if neither.

    Our clock counts only for an answer without a ``Date``: it may be wrong.

    >>> seconds_to_wait("120"), seconds_to_wait("Thu, 01 Jan 2026 00:01:00 GMT", date="Thu, 01 Jan 2026 00:00:00 GMT")
    (120.0, 60.0)
    >>> seconds_to_wait("soon"), seconds_to_wait("")
    (None, None)
    """
    text = retry_after.strip()
    if text.isdecimal():
        return float(text)
    then = _read_date(text)
    return None if then is None else max(0.0, (then - (_read_date(date) or datetime.now(UTC))).total_seconds())


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def blames_host(verdict: Verdict) -> bool:
    """Return whether a failure speaks against its whole host, so that a circuit breaker should count it."""
    by_reason = verdict.reason is not None and verdict.reason.traits.blames_host
    return by_reason or verdict.http_status in (429, 502, 503, 504)


def settings_behind(fetch: FetchSettings) -> dict[Drop, str]:
    """Return, for each reason that depends on settings of ``[fetch]``, those as they are: what the ledger records.

    >>> settings_behind(FetchSettings(max_bytes=1000))[Drop.TOO_MANY_BYTES]
    '{"max_bytes": 1000}'
    """
    values = {**vars(fetch), "proxy": hide_in_address(fetch.proxy)}
    named = {reason: [name for name, _ in reason.traits.settings if name in values] for reason in Drop}
    return {reason: json.dumps({name: values[name] for name in names}) for reason, names in named.items() if names}


def is_eased(reason: Drop, recorded: str | None, fetch: FetchSettings) -> bool:
    """Return whether a setting has changed, since a reason was given, so that the image may come in now.

    Args:
        recorded: the settings that it was given under, as :func:`settings_behind` states them; what it does not say,
            as in a ledger of an earlier version, had its default.

    >>> is_eased(Drop.TOO_MANY_BYTES, '{"max_bytes": 1000}', FetchSettings(max_bytes=2000))
    True
    >>> [is_eased(Drop.OPTED_OUT, None, FetchSettings(honour_noai=honour)) for honour in (True, False)]
    [False, True]
    """
    before = {**vars(FetchSettings()), **json.loads(recorded or "{}")}
    now = {**vars(fetch), "proxy": hide_in_address(fetch.proxy)}
    return any(lets_in(way, before[name], now[name]) for name, way in reason.traits.settings if name in now)


def lets_in(way: Eases, before: Any, now: Any) -> bool:
    """Return whether a setting that was ``before`` and is ``now`` has changed in the way that lets images in."""
    if way in (Eases.ON, Eases.OFF):  # the reason is never given under this value
        return bool(now) == (way == Eases.ON)
    if way == Eases.OTHER:
        return bool(now != before)
    return bool(now > before if way == Eases.MORE else now < before)


def backoff_s(tries: int, rng: random.Random) -> float:
    """Return the seconds to wait after the ``tries``-th failure in a row: exponential, up to 60, with full jitter.

    Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return rng.uniform(0, min(60.0, 2.0 ** max(tries - 1, 0)))


def opt_out(headers: Sequence[bytes]) -> str | None:
    """Find the first directive against use for AI in ``X-Robots-Tag``, if it speaks to all or to this program.

    >>> opt_out([b"X-Robots-Tag: otherbot: noai"]), opt_out([b"x-robots-tag: noindex, NoImageAI"])
    (None, 'noimageai')
    """
    for value in header_values(headers, b"x-robots-tag"):
        agent = re.match(r"\s*([\w-]+)\s*:\s*", value)
        if agent and agent[1].lower() not in _SILENT_AGENTS:
            if agent[1].lower() != AGENT:
                continue
            value = value[agent.end() :]
        for directive in value.lower().split(","):
            if directive.strip() in ("noai", "noimageai", "noml"):
                return directive.strip()
    return None


def header_values(headers: Sequence[bytes], name: bytes) -> list[str]:
    """List the values of the header ``name`` (lower case) in the order in which they came."""
    prefix = name + b":"
    if prefix not in b"".join(headers).lower():  # of most answers: the quickest look at all lines
        return []
    n = len(prefix)
    return [line[n:].strip().decode("latin-1") for line in headers if line[:n].lower() == prefix]
