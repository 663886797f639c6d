r"""What a robots.txt allows this program: RFC 9309, read from the answer that its host returned. Pure.

The rules are matched by Protego: the longest match decides, ``*`` and ``$`` have their meaning, groups are chosen by
our product token. (The standard library's ``urllib.robotparser`` takes the first match and knows no ``*``.)

>>> rules = read_rules(b"User-agent: *\nDisallow: /\nAllow: /photos/\nCrawl-delay: 2")
>>> rules.allows("http://h.example/photos/1.jpg"), rules.allows("http://h.example/1.jpg"), rules.delay_s
(True, False, 2.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

from curator.fetch.network.identity import AGENT
from curator.fetch.policy import Verdict
from curator.reasons import Drop

MAX_TEXT_BYTES = 500 * 1024
"""How much of a robots.txt is read (RFC 9309, 2.5)."""

FRESH_S = 24 * 3600.0
"""How long an answer holds (RFC 9309, 2.4)."""


@dataclass(frozen=True)
class Rules:
    """What one robots.txt says to this program."""

    parsed: Protego
    delay_s: float
    """Least seconds between two requests, as ``Crawl-delay`` says; 0 if it does not."""

    def allows(self, url: str) -> bool:
        """Return whether ``url``, an address of the host that the rules are of, may be requested."""
        return bool(self.parsed.can_fetch(url, AGENT))


def read_rules(text: bytes) -> Rules:
    """Read a robots.txt; what is no rule, such as a web page, forbids nothing."""
    parsed = Protego.parse(text[:MAX_TEXT_BYTES].decode("utf-8", "replace").lstrip("\ufeff"))
    delay_s = parsed.crawl_delay(AGENT) or 0.0
    return Rules(parsed, delay_s if math.isfinite(delay_s) and delay_s > 0 else 0.0)


def robots_url(url: str) -> str:
    """Name the robots.txt that speaks for an address.

    >>> robots_url("https://h.example:8443/a/b.jpg?c")
    'https://h.example:8443/robots.txt'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def text_of_answer(verdict: Verdict, body: bytes) -> bytes | None:
    """Return the text that holds after an answer; None if none came, and all is forbidden meanwhile.

    A client error (4xx) and a loop of redirects mean that there are no rules; 429, which asks for fewer requests, does
    not (RFC 9309, 2.3.1).
    """
    status = verdict.http_status
    if verdict.reason == Drop.REDIRECT_LOOP:
        return b""
    if status is None or status == 429 or not 200 <= status < 500:
        return None
    return body[:MAX_TEXT_BYTES] if status < 300 else b""
