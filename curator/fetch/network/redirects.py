"""Where a redirect leads, so that this program and libcurl read it alike. Pure.

What a server sends as ``Location`` may be read in several ways: ``http:/127.0.0.1/`` is a path to one library and a
host to another. Only what all read alike is left to libcurl; all else is judged, and then requested, in the one form
that :func:`curator.addresses.request_url` gives it, or refused.

>>> Redirects("http://h.example/a/b.jpg").follow(b"/c.jpg")
('http://h.example/c.jpg', True)
>>> Redirects("http://h.example/a/b.jpg").follow(b"http://127.0.0.%31/")
('http://127.0.0.1/', False)
>>> Redirects("http://h.example/a/b.jpg").follow(b"http:///127.0.0.1/")
Traceback (most recent call last):
    ...
curator.fetch.network.redirects.RefusedRedirectError: redirected to an address that cannot be read (no host)
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from curator.addresses import request_url, with_userinfo
from curator.fetch.network.identity import MOST_REDIRECTS
from curator.reasons import Drop

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN_PATH = re.compile(r"(?:/(?![/.]|%2[Ee])|[A-Za-z0-9._~:?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")


class RefusedRedirectError(Exception):
    """A redirect that is not followed."""

    def __init__(self, reason: Drop, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Redirects:
    """The redirects of one request, from ``url``, an address made by :func:`curator.addresses.request_url`."""

    def __init__(self, url: str) -> None:
        self._url, self._n, self._location = url, 0, b""
        self._host, self._userinfo = _origin(url)

    def next_answer(self) -> None:
        """Note that another answer begins, which may lead somewhere again."""
        self._location = b""

    def follow(self, location: bytes, keeps_https: bool = False) -> tuple[str, bool]:
        """Return where a ``Location`` leads, and whether libcurl is sure to read it so.

        Args:
            keeps_https: whether a request to an address of http is refused.

        Raises:
            RefusedRedirectError: it leads to nothing that can be requested, or there were too many.
        """
        if self._location not in (b"", location):
            raise RefusedRedirectError(Drop.BAD_RESPONSE, "redirected to two addresses at once")
        self._location, self._n = location, self._n + 1
        if self._n > MOST_REDIRECTS:
            raise RefusedRedirectError(Drop.REDIRECT_LOOP, "too many redirects")
        try:
            text = location.decode("utf-8")
        except UnicodeDecodeError:
            text = location.decode("latin-1")
        has_scheme = _SCHEME.match(text)
        if has_scheme and has_scheme[0].lower() not in ("http:", "https:"):
            raise RefusedRedirectError(Drop.UNSUPPORTED_SCHEME, "redirected to something other than http or https")
        try:
            target = request_url(text if has_scheme else urljoin(self._url, text))
        except ValueError as error:
            detail = f"redirected to an address that cannot be read ({error})"
            raise RefusedRedirectError(Drop.MALFORMED_URL, detail) from error
        if keeps_https and target.startswith("http:"):
            raise RefusedRedirectError(Drop.UNSUPPORTED_SCHEME, "redirected from https to http")
        is_plain = text.partition("#")[0] in (target, target.removesuffix("/")) or (
            text.startswith("/") and bool(_PLAIN_PATH.fullmatch(text.partition("#")[0]))
        )
        self._url = target
        host, userinfo = _origin(target)
        if not is_plain and self._userinfo and not userinfo and host == self._host:  # as libcurl does
            target = with_userinfo(target, self._userinfo)
        return target, is_plain


def _origin(url: str) -> tuple[str, str]:
    """Return scheme and host of an address, and who signs in there."""
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{host.lower()}", userinfo
