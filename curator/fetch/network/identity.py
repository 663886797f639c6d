"""How this program presents itself to every server, for images and for lists alike, and how far it follows one.

>>> user_agent("https://example.org/crawl").split(" ", 1)[1]
'(+https://example.org/crawl)'
"""

from __future__ import annotations

from curator import __version__

AGENT = "imageset-curator"
"""The product name in the User-Agent, which ``robots.txt`` and ``X-Robots-Tag`` may address."""

MOST_REDIRECTS = 8
"""So many redirects of one request are followed."""


def user_agent(contact: str) -> str:
    """Name this program and whom to write to."""
    return f"{AGENT}/{__version__} ({f'+{contact}' if contact else 'builds labelled image data sets'})"
