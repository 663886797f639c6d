"""What the index of a web archive says of an address: its captures, and which of them may be the picture. Pure.

The index is a CDX server, as https://github.com/internetarchive/wayback/tree/master/wayback-cdx-server and
https://pywb.readthedocs.io/en/latest/manual/cdxserver_api.html document it. Its ``digest`` is the SHA-1 of what was
captured, in base32, so that the same bytes are recognised before they are downloaded.

>>> line = {"timestamp": "20110301120000", "url": "http://www.h.example:80/a.jpg", "mime": "image/jpeg",
...         "status": "200", "digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"}
>>> [capture] = read_captures([line, line | {"mime": "text/html"}, line | {"status": "302"}])
>>> capture.sha1, capture.shown_time, capture.shows("https://h.example/a.jpg")
('da39a3ee5e6b4b0d3255bfef95601890afd80709', '2011-03-01T12:00:00Z', True)
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

_BYTES = ("application/octet-stream", "binary/octet-stream", "application/x-unknown", "unk", "")
"""Types of captures whose bytes nobody has named: they may be a picture."""
_PORTS = {"http": 80, "https": 443}


class Capture(NamedTuple):
    """One capture: when (14 digits, UTC), of which address, and the SHA-1 of its bytes (40 hex)."""

    time: str
    original: str
    sha1: str

    @property
    def moment(self) -> datetime:
        """When it was made."""
        return datetime.strptime(self.time, "%Y%m%d%H%M%S").replace(tzinfo=UTC)

    @property
    def shown_time(self) -> str:
        """When it was made, as the manifest has it."""
        return f"{self.moment:%Y-%m-%dT%H:%M:%SZ}"

    def shows(self, address: str) -> bool:
        """Return whether it is of this very address: an archive takes some that differ in case for one."""
        return address_key(self.original) == address_key(address)


def read_captures(answer: Sequence[Any]) -> list[Capture]:
    """Read the captures that may be a picture, oldest first, of each content of an address the first.

    Refused are captured errors and redirects (a status other than 200), pages and other texts, which is what a dead
    address mostly serves, and what has no digest, so that nobody could say whether it came as it was captured.

    Args:
        answer: the lines of an index: objects, or a header and arrays as the Internet Archive's server has them.
    """
    found = sorted(filter(None, map(_read_capture, _as_objects(answer))), reverse=True)
    first = {(one.sha1, *address_key(one.original)): one for one in found}
    return sorted(first.values())


def last_address(answer: Sequence[Any]) -> str | None:
    """Return the address of an answer's last line, whatever that captured; None if the line states none.

    >>> last_address([["original", "statuscode"], ["http://h.example/a", "200"], ["http://h.example/b", "302"]])
    'http://h.example/b'
    """
    ends = [answer[0], answer[-1]] if answer and isinstance(answer[0], list) else answer[-1:]
    return next((_original_of(line) or None for line in _as_objects(ends)), None)


def _original_of(line: Mapping[str, Any]) -> str:
    return str(line.get("original") or line.get("url") or "")


def _as_objects(answer: Sequence[Any]) -> Iterable[Mapping[str, Any]]:
    if answer and isinstance(answer[0], list):
        header = [str(name) for name in answer[0]]
        return [dict(zip(header, line, strict=False)) for line in answer[1:] if isinstance(line, list)]
    return [line for line in answer if isinstance(line, dict)]


def _read_capture(line: Mapping[str, Any]) -> Capture | None:
    time, digest = str(line.get("timestamp", "")), str(line.get("digest", "")).removeprefix("sha1:")
    original = _original_of(line)
    status, kind = str(line.get("statuscode") or line.get("status")), line.get("mimetype", line.get("mime"))
    kind = str(kind or "").lower().partition(";")[0].strip()
    if status != "200" or not (kind.startswith("image/") or kind in _BYTES):
        return None
    if not _is_plain(original) or not re.fullmatch("[A-Za-z2-7]{32}", digest):
        return None
    try:
        capture = Capture(time, original, base64.b32decode(digest.upper()).hex())
        return capture if re.fullmatch("[0-9]{14}", time) and capture.moment else None
    except (ValueError, binascii.Error):
        return None


def _is_plain(original: str) -> bool:
    """Return whether it may stand in a manifest: no archive has a reason to state a password, fragment or control."""
    is_web = re.fullmatch(r"https?://[^\s#]+", original, re.IGNORECASE) and address_key(original)[0]
    return bool(is_web) and original.isprintable() and "@" not in urlsplit(original).netloc


def address_key(address: str) -> tuple[str, str]:
    """Return what two addresses of one file have alike: http or https, ``www.`` and how a character is escaped vary.

    >>> address_key("https://www.H.example/a%20b.jpg?x") == address_key("http://h.example:80/a b.jpg?x")
    True
    >>> address_key("http://h.example/a.jpg") == address_key("http://h.example/A.jpg")
    False
    """
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:  # it is like itself alone
        return "", address
    host = re.sub(r"^www\d*\.", "", (parts.hostname or "").rstrip("."))
    host += f":{port}" if port not in (None, _PORTS["http"], _PORTS["https"]) else ""
    return host, unquote(parts.path or "/") + (f"?{unquote(parts.query)}" if parts.query else "")


def rank_captures(captures: Iterable[Capture], sha1: str | None, *, latest_first: bool) -> list[Capture]:
    """Order captures as they are to be tried: those of the wanted bytes, then each other content once.

    Args:
        sha1: of the wanted bytes, 40 hex; None: nobody knows it.
        latest_first: the latest one is nearest to a manifest; the first one to a list, as an address is dead after it
            was listed and a notice takes the place of a picture, never the other way round.
    """
    ordered = sorted(captures, reverse=latest_first)
    others = {one.sha1: one for one in reversed(ordered) if one.sha1 != sha1}
    return [one for one in ordered if one.sha1 == sha1] + list(reversed(others.values()))
