"""The password in a source's own address is used, and written and told nowhere."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.pipeline import run_stages as pipeline
from curator.sources.reading.places import file_name
from tests.small_worlds import recipe_text, small_project, write_folder

SECRET = "s3cret-word"


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[int]:
    """The port of a server that gives its list only to who signs in; the list names a dead address."""
    want = "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == want and self.path == "/list.csv"
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(b"url,label\nhttp://127.0.0.1:1/x.jpg,rugby\n" if known else b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("page", ["list.csv", "gone.csv"])
def test_no_file_and_no_message_holds_the_password(tmp_path: Path, lists: int, page: str) -> None:
    """Catalogs, kept lists, manifest and events, where the list is given and where it is refused."""
    source = f'[[sources]]\nkind = "url-list"\npath = "http://ann:{SECRET}@127.0.0.1:{lists}/{page}"'
    fetch = "[fetch]\nallow_private_hosts = true\nretries = 0\ntimeout_s = 30.0"
    text = recipe_text(write_folder(tmp_path / "photos", 4), "max", more=f"{source}\n{fetch}")
    told: list[str] = []
    project = replace(small_project(tmp_path, text), emit=lambda event: told.append(repr(event)))
    table = pipeline.fetch(project).table
    assert ("url-list" in set(table["source"])) == (page == "list.csv")
    pipeline.decide(project, Stage.SPLIT, {})
    assert "http://***@127.0.0.1" in project.paths.made_with.read_text()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "recipe.toml"]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert told and SECRET not in "".join(told)


def test_a_place_without_a_file_name_is_shown_by_its_host_alone() -> None:
    """Progress bars name what is read."""
    assert file_name(f"https://ann:{SECRET}@lists.example/?wnid=n1") == "lists.example"
