"""When a request names the page that shows its image: after a host answered 403 without it, and from then on.

Some hosts serve a picture only to who comes from its page. The page is the one that the list names; why this is no
disguise, and what is never sent, is argued in docs/decisions/0014-cookies-and-referer.md.

>>> referer_for("http://h.example/photo/1#top", "http://img.h.example/1.jpg", may_be_private=False)
'http://h.example/photo/1'
>>> referer_for("https://h.example/photo/1", "http://img.h.example/1.jpg", may_be_private=False)  # would leak
''
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from curator.addresses import request_url
from curator.fetch.network.guard import name_private_host
from curator.fetch.policy import Verdict
from curator.reasons import Drop

MOST_IN_VAIN = 3
"""So many requests with a ``Referer`` are answered 403 too before a host is asked for no more in this run."""

_MOST_CHARACTERS = 2_000


class Referers:
    """What each request is to name as its page.

    Args:
        page_of: returns the page that the list names for an address, by the address's number; None if it names none.
        hosts: those that served a picture to such a request before.
        may_be_private: whether pages on private hosts may be named.
    """

    def __init__(self, page_of: Callable[[int], str | None], hosts: Collection[str], may_be_private: bool) -> None:
        self._page_of, self._may_be_private = page_of, may_be_private
        self._hosts, self._in_vain = set(hosts), Counter[str]()
        self._with: set[int] = set()
        self._without: set[int] = set()

    def choose(self, task: int, host: str, url: str) -> str:
        """Return what a request for ``url``, made for the address ``task`` of ``host``, is to name; mostly nothing."""
        if task in self._without or not (task in self._with or host in self._hosts):
            return ""
        return self._referer(task, url)

    def is_worth_another(self, task: int, host: str, url: str, sent: str, verdict: Verdict) -> bool:
        """Learn from an answer; return whether to request the address again, this time with a ``Referer`` or without.

        Args:
            sent: what the request named.
        """
        if sent:
            if verdict.reason is None:
                self._hosts.add(host)
            elif verdict.http_status == 403:
                self._in_vain[host] += 1
            elif verdict.reason == Drop.UNSUPPORTED_SCHEME:  # a redirect from https to http, which it must not follow
                self._without.add(task)
                return True
            return False
        gave_up = host not in self._hosts and self._in_vain[host] >= MOST_IN_VAIN
        if verdict.http_status != 403 or task in self._without or gave_up or not self._referer(task, url):
            return False
        self._with.add(task)
        return True

    def _referer(self, task: int, url: str) -> str:
        page = self._page_of(task)
        return referer_for(page, url, self._may_be_private) if page else ""


def referer_for(page: str, url: str, may_be_private: bool) -> str:
    """Return what a request for ``url`` may name as the page that it comes from (RFC 9110, 10.1.3); nothing if nothing.

    Never a page with a name or password, none on a private host, and none of https to http.
    """
    try:
        named = request_url(page)
        parts = urlsplit(named)
        is_web = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        leaks = parts.scheme.lower() == "https" and not url.lower().startswith("https:")
        is_private = not may_be_private and bool(name_private_host(named))
    except ValueError:
        return ""
    return "" if not is_web or leaks or is_private or parts.username or len(named) > _MOST_CHARACTERS else named
