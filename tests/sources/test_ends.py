"""A list whose server does not say where it ends is used, and not kept as if it were whole."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from curator.errors import SourceError
from curator.events import Warned
from curator.manifests.settings import FetchSettings
from curator.sources.base import ListingContext
from curator.sources.coco.coco_source import Coco
from curator.sources.url_list.url_list_source import UrlList

CSV = b"url,label\nhttp://h.example/1.jpg,ball\nhttp://h.example/22.jpg,ball\n"
COCO = json.dumps(
    {
        "images": [{"id": 1, "coco_url": "http://h.example/1.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 5}],
        "categories": [{"id": 5, "name": "ball"}],
    }
).encode()


@dataclass
class Served:
    """What the server writes after the request, and how often it was asked."""

    answer: bytes = b""
    base: str = ""
    asked: list[bytes] = field(default_factory=list)


@pytest.fixture
def served() -> Iterator[Served]:
    """A server that writes bytes and closes the connection."""
    made = Served()

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def handle(self) -> None:
            made.asked.append(self.rfile.readline().split()[0])
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(made.answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        made.base = f"http://127.0.0.1:{server.server_address[1]}"
        yield made
        server.shutdown()


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n", True),
    ],
)
@pytest.mark.parametrize("kind", ["table", "coco"])
def test_a_list_that_may_lack_its_end_is_read_again_by_the_next_run(
    served: Served, tmp_path: Path, head: bytes, is_kept: bool, kind: str
) -> None:
    """Twice in one run it is read once; the next run reads it again, and lists what was cut off before."""
    told: list[object] = []
    settings = FetchSettings(allow_private_hosts=True, retries=0, timeout_s=60)
    context = ListingContext(("ball",), tmp_path / "cache", tmp_path, settings, told.append)
    whole = CSV if kind == "table" else COCO
    name = "list.csv" if kind == "table" else "list.json"
    source = (UrlList if kind == "table" else Coco)(path=f"{served.base}/{name}")
    n_whole = 2 if kind == "table" else 1

    def listed(body: bytes, context: ListingContext, n_times: int = 1) -> int:
        served.answer = head.replace(b"%d", str(len(body)).encode()) + b"\r\n" + body
        for _ in range(n_times):
            n = len(source.list_images(0, ["ball"], context))
        return n

    first = CSV[:-12] if kind == "table" and not is_kept else whole
    n_first = listed(first, context, 2)
    assert served.asked == [b"GET"]
    assert sum("does not say where it ends" in str(one.message) for one in told if isinstance(one, Warned)) == (
        0 if is_kept else 1
    )
    again = replace(context, fresh=set(), doubted=set())
    assert listed(whole, again) == n_whole >= n_first
    assert served.asked == [b"GET"] * (1 if is_kept else 2)
    if kind == "coco" and not is_kept:  # a cut one is no JSON: it is not kept either
        for body, context in ((COCO[:-9], replace(again, fresh=set())), (COCO, replace(again, fresh=set()))):
            if body != COCO:
                with pytest.raises(SourceError):
                    listed(body, context)
            else:
                assert listed(body, context) == 1
