"""Who may use the page: only a browser on this machine that has the address with the token.

A page from elsewhere could make a browser send requests here (CSRF), or resolve its own name to 127.0.0.1 (DNS
rebinding): see https://owasp.org/www-community/attacks/csrf. So the token is in the path, Host and Origin must be
ours, and what changes something needs the token in a header too, which no foreign page can send.

>>> guard = Guard("secret", 8000)
>>> guard.refusal("GET", "/secret/", {"host": "127.0.0.1:8000"}) is None
True
>>> guard.refusal("GET", "/secret/", {"host": "evil.example:8000"})
'the Host is not this server'
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN_HEADER = "x-curator-token"  # noqa: S105 - a header's name
SAFE_METHODS = ("GET", "HEAD")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Guard:
    """The rules for one server: its token and port."""

    token: str = field(repr=False)
    port: int
    names: tuple[str, ...] = ("127.0.0.1", "localhost")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names, with the port, under which a browser reaches the server."""
        return tuple(f"{name}:{self.port}" for name in self.names)

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Return why a request is refused; None if it is not. Names of headers are in lower case."""
        if headers.get("host", "").lower() not in self.hosts:
            return "the Host is not this server"
        if "origin" in headers and headers["origin"].lower() not in [f"http://{host}" for host in self.hosts]:
            return "the Origin is not this server"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "the request comes from another site"
        if not self._is_token(path.split("/")[1] if "/" in path else ""):
            return "the address lacks the token; open the address that the command printed"
        if method not in SAFE_METHODS and not self._is_token(headers.get(TOKEN_HEADER, "")):
            return "the token is not in the header"
        return None

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode("utf-8", "replace"), self.token.encode())


class GuardedApp:
    """An application behind :class:`Guard`, with the security headers on every response."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or refuse it with 403."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._guard.refusal(scope["method"], scope["path"], headers)

        async def send_safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        app = Response(f"Refused: {refusal}.\n", 403, media_type="text/plain") if refusal else self._app
        return await app(scope, receive, send_safely)
