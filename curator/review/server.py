"""Serve the page until Ctrl-C, on 127.0.0.1 unless somebody wants it elsewhere; each address begins with a token.

>>> with listen(0) as listener:
...     listener.getsockname()[0]
'127.0.0.1'
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.observe.thumbnails import MEDIA_TYPE, large_picture, thumbnail
from curator.review.batches import ConflictError
from curator.review.guard import Guard, GuardedApp
from curator.review.network import names_of
from curator.review.query import Query
from curator.review.service import ReviewService, StaleError

TOKEN_BYTES = 18
MODULES = (
    *(
        "address",
        "decide",
        "dialogs",
        "dom",
        "grid",
        "keys",
        "label_keys",
        "large",
        "layout",
        "like",
        "map",
        "map_shapes",
        "marks",
        "pairs",
        "panel",
    ),
    *("review", "server", "state"),
)
"""The page's JavaScript, each a module; there is no build step."""
PAGE_FILES = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    **{f"{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in MODULES},
}
MOST_BODY_BYTES, MOST_BATCH_BYTES = 16_384, 1_048_576
MOST_REASON_LETTERS = 500
_PICTURE = re.compile(r"(?P<sha256>[0-9a-f]{64})\.(?P<format>[a-z0-9]{1,8})")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_ROWS = ("selection", "offset", "limit")
_FRESH = {"Cache-Control": "no-store"}


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Listen on an address of this machine; port 0 takes a free one.

    Raises:
        CuratorError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        hint = "Give another one with --port, or none: then a free one is taken."
        if port == 0 or isinstance(error, socket.gaierror):
            hint = "Give an address of this machine with --host, such as 0.0.0.0: every one of them."
        raise CuratorError(f"Cannot listen on port {port} of {host}: {error.strerror}.", hint) from error
    return listener


def serve_review(
    project: Project, who: str, port: int, announce: Callable[[str, int], None], host: str = "127.0.0.1"
) -> int:
    """Serve until the process is interrupted.

    Args:
        who: the name that decisions bear.
        port: 0 takes a free one.
        announce: called with the page's address and the number of images, as soon as the page can be opened.
        host: the address to listen on; any but 127.0.0.1 lets others on the network open the page who have the token.

    Returns:
        The number of decisions at the end.

    Raises:
        StateError: nothing was fetched yet, or the reviews file is damaged.
    """
    service = ReviewService(project, who)
    n_images = service.about()["n"]
    service.log.latest()
    with listen(port, host) as listener:
        guard = Guard(secrets.token_urlsafe(TOKEN_BYTES), listener.getsockname()[1], names_of(host))
        config = uvicorn.Config(make_app(service, guard), log_level="warning", access_log=False, lifespan="off")
        announce(f"http://{guard.hosts[0]}/{guard.token}/", n_images)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return len(service.log.latest())


def make_app(service: ReviewService, guard: Guard) -> ASGIApp:
    """Make the application: the routes, behind the guard."""
    at = f"/{guard.token}"
    endpoint = partial(_endpoint, service.project.option)
    routes = [Route(f"{at}/{name}", partial(_page_file, *found)) for name, found in PAGE_FILES.items()]
    routes += [
        Route(f"{at}/about", endpoint(lambda request: service.about())),
        Route(f"{at}/select", endpoint(lambda request: service.select(Query.parse(request.query_params)))),
        Route(f"{at}/rows", endpoint(lambda request: service.rows(*map(partial(_number, request), _ROWS)))),
        Route(f"{at}/points", endpoint(lambda request: service.points(_number(request, "selection")))),
        Route(f"{at}/next", endpoint(partial(_next, service))),
        Route(f"{at}/row/{{record_id}}", endpoint(partial(_row, service))),
        Route(f"{at}/decide", partial(_post, service, _write_decision, MOST_BODY_BYTES), methods=["POST"]),
        Route(f"{at}/decide-all", partial(_post, service, _write_batch, MOST_BATCH_BYTES), methods=["POST"]),
        Route(f"{at}/thumbnails/{{name}}", endpoint(partial(_picture, thumbnail, service.project))),
        Route(f"{at}/pictures/{{name}}", endpoint(partial(_picture, large_picture, service.project))),
    ]
    return GuardedApp(Starlette(routes=routes), guard)


def _endpoint(option: str, work: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint that does its work in a thread and responds to an error with JSON and a status that fits.

    Args:
        option: what a command that an error proposes needs to mean the data set.
    """

    async def respond(request: Request) -> Response:
        try:
            result = await run_in_threadpool(work, request)
        except CuratorError as error:
            status = {StaleError: 410, ConflictError: 409}.get(type(error), 500)
            return JSONResponse({"error": error.spelled(option)}, status, _FRESH)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400, _FRESH)
        return result if isinstance(result, Response) else JSONResponse(result, headers=_FRESH)

    return respond


async def _page_file(name: str, media_type: str, request: Request) -> Response:
    data = files("curator.review").joinpath("page", name).read_bytes()
    return Response(data, media_type=media_type, headers={"Cache-Control": "no-cache"})


def _next(service: ReviewService, request: Request) -> dict[str, Any]:
    after = int(request.query_params.get("after", "-1"))
    return {"index": service.next_undecided(_number(request, "selection"), after)}


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text.isdecimal():
        raise ValueError(f"{name} must be a number")
    return int(text)


def _row(service: ReviewService, request: Request) -> dict[str, Any]:
    row = service.row(request.path_params["record_id"])
    if row is None:
        raise HTTPException(404)
    return row


async def _post(
    service: ReviewService, write: Callable[..., dict[str, Any]], most_bytes: int, request: Request
) -> Response:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise HTTPException(413)
    return await _endpoint(service.project.option, partial(write, service, body))(request)


def _write_decision(service: ReviewService, body: bytes, request: Request) -> dict[str, Any]:
    facts = json.loads(body)
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise ValueError("a decision is a JSON object of texts")
    unknown = set(facts) - {"record_id", "decision", "new_label", "reason", "seen"}
    if unknown or "record_id" not in facts or "decision" not in facts:
        raise ValueError("a decision has record_id, decision, and perhaps new_label, reason and seen")
    facts["reason"] = " ".join(facts.get("reason", "").split())[:MOST_REASON_LETTERS]
    return service.decide(**facts)


def _write_batch(service: ReviewService, body: bytes, request: Request) -> dict[str, Any]:
    """Decide about many images, about two that are compared, or take such a batch back."""
    facts = json.loads(body)
    names = set(facts) if isinstance(facts, dict) else set()
    whole = {name: facts[name] for name in names & {"selection", "version", "undo"}}
    texts = {name: facts[name] for name in names & {"decision", "new_label", "reason"}}
    if any(type(value) is not int for value in whole.values()) or any(type(one) is not str for one in texts.values()):
        raise ValueError("selection, version and undo are whole numbers; decision, new_label and reason are texts")
    if names == {"undo"}:
        return service.undo_batch(whole["undo"])
    if names == {"kept", "dropped", "version"}:
        return service.decide_pair(_names(facts["kept"]), _names(facts["dropped"]), whole["version"])
    if not {"selection", "ranges", "version", "decision"} <= names <= {*whole, *texts, "ranges"} - {"undo"}:
        raise ValueError("a batch has selection, ranges, version, decision, and perhaps new_label and reason")
    texts["reason"] = " ".join(texts.get("reason", "").split())[:MOST_REASON_LETTERS]
    return service.decide_all(whole["selection"], facts["ranges"], whole["version"], **texts)


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(name, str) for name in value):
        raise ValueError("kept and dropped are lists of record ids")
    return value


def _picture(encode: Callable[..., bytes | None], project: Project, request: Request) -> Response:
    found = _PICTURE.fullmatch(request.path_params["name"])
    max_pixels = project.recipe.quality.max_pixels
    data = encode(project.paths, found["sha256"], found["format"], max_pixels) if found else None
    if data is None:
        raise HTTPException(404)
    return Response(data, media_type=MEDIA_TYPE, headers=_FOREVER)
