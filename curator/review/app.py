"""The addresses of the page and what answers each; everything stands below ``/<token>/``.

>>> sorted(PAGE_FILES)
['', 'review.css', 'review.js']
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from curator.errors import CuratorError
from curator.observe.thumbnails import MEDIA_TYPE, PICTURE_PX, encode_small, thumbnail
from curator.review.guard import SECURITY_HEADERS, Guard
from curator.review.query import Query
from curator.review.session import ReviewSession, StaleError

PAGE_FILES = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
}
MOST_BODY_BYTES = 16_384
MOST_REASON_LETTERS = 500
_PICTURE = re.compile(r"(?P<sha256>[0-9a-f]{64})\.(?P<format>[a-z0-9]{1,8})")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "no-store"}


def make_app(session: ReviewSession, guard: Guard) -> ASGIApp:
    """Make the application: the routes, behind the guard."""
    at = f"/{guard.token}"
    routes = [Route(f"{at}/{name}", partial(_page_file, *found)) for name, found in PAGE_FILES.items()]
    routes += [
        Route(f"{at}/about", _answers(lambda request: session.about())),
        Route(f"{at}/select", _answers(lambda request: session.select(Query.parse(request.query_params)))),
        Route(f"{at}/rows", _answers(partial(_rows, session))),
        Route(f"{at}/next", _answers(partial(_next, session))),
        Route(f"{at}/row/{{record_id}}", _answers(partial(_row, session))),
        Route(f"{at}/decide", partial(_decide, session), methods=["POST"]),
        Route(f"{at}/thumbnails/{{name}}", _answers(partial(_thumbnail, session))),
        Route(f"{at}/pictures/{{name}}", _answers(partial(_picture, session))),
    ]
    return GuardedApp(Starlette(routes=routes), guard)


class GuardedApp:
    """An application behind :class:`Guard`, with the security headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it with 403."""
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


def _answers(work: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Do the work of a request in a thread; tell what goes wrong as JSON with the fitting status."""

    async def endpoint(request: Request) -> Response:
        try:
            result = await run_in_threadpool(work, request)
        except StaleError as error:
            return JSONResponse({"error": str(error)}, 410, _FRESH)
        except CuratorError as error:
            return JSONResponse({"error": str(error)}, 500, _FRESH)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400, _FRESH)
        return result if isinstance(result, Response) else JSONResponse(result, headers=_FRESH)

    return endpoint


async def _page_file(name: str, media_type: str, request: Request) -> Response:
    data = files("curator.review").joinpath("page", name).read_bytes()
    return Response(data, media_type=media_type, headers={"Cache-Control": "no-cache"})


def _rows(session: ReviewSession, request: Request) -> dict[str, Any]:
    number, offset, limit = (_number(request, name) for name in ("selection", "offset", "limit"))
    return session.rows(number, offset, limit)


def _next(session: ReviewSession, request: Request) -> dict[str, Any]:
    after = int(request.query_params.get("after", "-1"))
    return {"index": session.next_undecided(_number(request, "selection"), after)}


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text.isdecimal():
        raise ValueError(f"{name} must be a number")
    return int(text)


def _row(session: ReviewSession, request: Request) -> dict[str, Any]:
    row = session.row(request.path_params["record_id"])
    if row is None:
        raise HTTPException(404)
    return row


async def _decide(session: ReviewSession, request: Request) -> Response:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise HTTPException(413)
    return await _answers(partial(_write_decision, session, body))(request)


def _write_decision(session: ReviewSession, body: bytes, request: Request) -> dict[str, Any]:
    facts = json.loads(body)
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise ValueError("a decision is a JSON object of texts")
    unknown = set(facts) - {"record_id", "decision", "new_label", "reason"}
    if unknown or "record_id" not in facts or "decision" not in facts:
        raise ValueError("a decision has record_id, decision, and perhaps new_label and reason")
    facts["reason"] = " ".join(facts.get("reason", "").split())[:MOST_REASON_LETTERS]
    return session.decide(**facts)


def _thumbnail(session: ReviewSession, request: Request) -> Response:
    sha256, image_format = _picture_name(request)
    return _as_picture(thumbnail(session.project.paths, sha256, image_format))


def _picture(session: ReviewSession, request: Request) -> Response:
    sha256, image_format = _picture_name(request)
    return _as_picture(encode_small(session.project.paths.image(sha256, image_format), PICTURE_PX))


def _picture_name(request: Request) -> tuple[str, str]:
    found = _PICTURE.fullmatch(request.path_params["name"])
    if not found:
        raise HTTPException(404)
    return found["sha256"], found["format"]


def _as_picture(data: bytes | None) -> Response:
    if data is None:
        raise HTTPException(404)
    return Response(data, media_type=MEDIA_TYPE, headers=_FOREVER)
