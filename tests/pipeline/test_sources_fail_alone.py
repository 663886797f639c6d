"""Whatever a source's lists hold and however their server answers, the others are listed, and a warning names it."""

from __future__ import annotations

import ast
import json
import random
import re
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curator.errors import CuratorError, RecipeError
from curator.events import Event, SourceListed, Warned
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.pipeline.acquire import Listing, _list_tier
from curator.sources.reading import json_api, resume
from curator.sources.reading.http import StreamedAnswer
from curator.sources.registry import source_kinds
from curator.sources.url_list.url_list_source import UrlList
from curator.store.paths import DataPaths
from tests.fuzz.rounds import sample, seeds
from tests.small_worlds import write_folder

pytestmark = pytest.mark.torture("a source that fails in some way, beside two that list on")

LIST = b"url,label\nhttp://h.example/1.jpg,rugby\nhttp://h.example/2.jpg,soccer\n"
HEADS = {
    "retry-after": b"503 x\r\nRetry-After: \xb2\r\nContent-Length: 0",
    "retry-after-long": b"503 x\r\nRetry-After: " + b"9" * 5000 + b"\r\nContent-Length: 0",
    "length-negative": b"200 x\r\nContent-Length: -5",
    "length-superscript": b"200 x\r\nContent-Length: \xb2\xb3",
    "length-huge": b"200 x\r\nContent-Length: " + b"9" * 6000,
    "range-odd": b"206 x\r\nContent-Range: bytes \xb2-9/" + b"9" * 5000,
    "redirect-bracket": b"302 x\r\nLocation: http://[::1\r\nContent-Length: 0",
    "redirect-bytes": b"302 x\r\nLocation: \xff\xfe\x80\r\nContent-Length: 0",
    "redirect-idn": b"302 x\r\nLocation: http://\xc2\xb2\xe3\x80\x82\xff/\r\nContent-Length: 0",
    "redirect-port": b"302 x\r\nLocation: http://h.example:99999999999999999999/\r\nContent-Length: 0",
    "header-long": b"200 x\r\nX-Long: " + b"a" * 200_000,
    "coding-odd": b"200 x\r\nContent-Encoding: gzip, gzip, \xb2, br",
    "status-odd": b"999999 \xff",
    "date-odd": b"503 x\r\nRetry-After: Thu, 99 Foo 99999 99:99:99 GMT\r\nDate: \xff\r\nContent-Length: 0",
    "no-head": b"",
}
FILES = {
    "surrogate.jsonl": b'{"url": "http://h.example/\\ud800.jpg", "label": "\\udfff"}\n',
    "surrogate-keys.jsonl": b'{"\\ud800": "http://h.example/1.jpg", "label\\udfff": "rugby"}\n',
    "deep.json": b"[" * 200_000,
    "number.json": b'[{"url": ' + b"9" * 1_000_000 + b', "label": 1e999}]',
    "number.jsonl": b'{"url": ' + b"9" * 100_000 + b', "label": true}\n',
    "nul.csv": b"url,label\n\0,\0\n",
    "empty.parquet": b"PAR1PAR1",
    "cut.csv.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "none.xlsx": b"PK\x05\x06" + b"\0" * 18,
    "annotations.json": b'{"images": [{"id": [1]}], "annotations": [{"image_id": {}}], "categories": [1]}',
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server that answers each path with the head of that name and a list."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def handle(self) -> None:
            name = self.rfile.readline().split(b" ")[1].decode().strip("/").removesuffix(".csv")
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            if head := HEADS.get(name):
                self.wfile.write(b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n" + LIST)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def listed_beside(tmp_path: Path, source: str) -> tuple[list[str], int]:
    """List a source between two good ones; the warnings about it, and how many images the good ones gave."""
    good = write_folder(tmp_path / "good", 2)
    path = tmp_path / "manifests" / "mixed" / "recipe.toml"
    folders = [f'[[sources]]\nkind = "folder"\nname = "good {n}"\npath = "{good}"\n' for n in (1, 2)]
    text = f"""
name = "mixed"
labels = ["rugby", "soccer"]
{folders[0]}
[[sources]]
{source}
name = "odd one"
{folders[1]}
[fetch]
allow_private_hosts = true
retries = 0
timeout_s = 20.0
contact = "ann@h.example"
"""
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    events: list[Event] = []
    recipe = parse_recipe(text, source_kinds(), path)
    project = Project(recipe, DataPaths(tmp_path / "data", path.parent, "mixed"), emit=events.append)
    listing = Listing()
    for tier in range(4):
        _list_tier(project, listing, tier, recipe.labels, refresh=False)
    done = [event.source for event in events if isinstance(event, SourceListed)]
    assert done.count("good 1") == done.count("good 2") == 1
    failed = "odd one" not in done
    warnings = [str(event.message) for event in events if isinstance(event, Warned)]
    assert not failed or any("odd one" in warning for warning in warnings)
    return warnings, len(listing.table[listing.table["source"] != "odd one"])


@pytest.mark.parametrize("name", HEADS)
def test_an_odd_answer(name: str, address: str, tmp_path: Path) -> None:
    """To the request for a list."""
    warnings, n = listed_beside(tmp_path, f'kind = "url-list"\npath = "{address}/{name}.csv"')
    assert n == 8 and not any("report this" in warning for warning in warnings), warnings


@pytest.mark.parametrize("name", FILES)
def test_an_odd_file(name: str, tmp_path: Path) -> None:
    """As a table, and as annotations."""
    (tmp_path / name).write_bytes(FILES[name])
    for number, source in enumerate(('kind = "url-list"', 'kind = "coco"')):
        (tmp_path / str(number)).mkdir()
        warnings, n = listed_beside(tmp_path / str(number), f'{source}\npath = "{tmp_path / name}"')
        assert n == 8 and not any("report this" in warning for warning in warnings), warnings


def test_links_that_lead_in_a_circle(tmp_path: Path) -> None:
    """As a folder and as a table."""
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    for number, kind in enumerate(("folder", "url-list", "coco")):
        (tmp_path / str(number)).mkdir()
        try:
            warnings, n = listed_beside(tmp_path / str(number), f'kind = "{kind}"\npath = "{loop}"')
        except RecipeError as error:  # a path that leads nowhere is a mistake in the recipe
            assert "loop.csv" in str(error)
        else:
            assert n == 8 and warnings and not any("report this" in warning for warning in warnings), warnings


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), ValueError("\x1b[31m"), OSError(5, "I/O error")]
)
def test_an_error_that_nobody_thought_of(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a warning, which says where it was raised; a full disk and Ctrl-C end the fetch."""
    raised: list[BaseException] = [error]

    def fail(*_: object) -> None:
        raise raised[-1]

    monkeypatch.setattr(UrlList, "list_rows", fail)
    source = 'kind = "url-list"\npath = "http://127.0.0.1:1/x.csv"'
    warnings, n = listed_beside(tmp_path, source)
    assert n == 8 and len(warnings) == 1
    assert ("report this" in warnings[0]) is isinstance(error, ValueError)
    for number, of_all in enumerate((OSError(28, "No space left on device"), KeyboardInterrupt())):
        raised.append(of_all)
        (tmp_path / str(number)).mkdir()
        with pytest.raises((OSError, KeyboardInterrupt, CuratorError)):
            listed_beside(tmp_path / str(number), source)


@pytest.mark.parametrize("seed", seeds(20))
def test_damaged_lists_of_every_kind(seed: int, tmp_path: Path) -> None:
    """Bytes of good lists, some of them changed, removed or repeated."""
    rng = random.Random(seed)
    coco = {"images": [{"id": 1, "file_name": "1.jpg", "coco_url": "http://h/1.jpg"}]}
    coco |= {"annotations": [{"image_id": 1, "category_id": 1}], "categories": [{"id": 1, "name": "rugby"}]}  # type: ignore[dict-item]
    rows = [{"url": f"http://h.example/{n}.jpg", "label": "rugby", "labels": ["a"]} for n in range(5)]
    good = {
        "t.csv": LIST,
        "t.json": json.dumps(rows).encode(),
        "t.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows),
        "c.json": json.dumps(coco).encode(),
    }
    name = rng.choice(sorted(good))
    body = bytearray(good[name])
    for _ in range(rng.choice([1, 3, 20])):
        at = rng.randrange(len(body))
        odd = rng.choice(
            [b"\0", b"\xff\xfe", b'"', b"\n", b"{", b"[", b"\\ud800", b"9" * 5000, b"", b",", b"null", b"\x1b["]
        )
        body[at : at + rng.choice([0, 1, 5])] = odd
    (tmp_path / name).write_bytes(bytes(body))
    kind = "coco" if name == "c.json" else "url-list"
    warnings, n = listed_beside(tmp_path, f'kind = "{kind}"\npath = "{tmp_path / name}"')
    assert n == 8 and not any("report this" in warning for warning in warnings), warnings


ASKED = {
    "imagenet": 'synsets = { rugby = ["n00470966"], soccer = ["n00478262"] }',
    "open-images": 'classes = { rugby = ["Rugby"], soccer = ["/m/0dpm1v"] }',
    "url-list": 'path = "http://h.example/list.csv"',
    "coco": 'path = "http://h.example/instances.json"',
    "wikimedia": 'categories = { rugby = ["Rugby"] }\nsearch = { soccer = ["soccer"] }',
    "captions": 'path = "http://h.example/cc.tsv"\nwords = { rugby = ["rugby"], soccer = ["soccer"] }',
    "huggingface": 'repo = "a/b"',
    "inaturalist": 'taxa = { rugby = ["Ardea"], soccer = ["Ciconiidae"] }',
    "flickr": 'search = { rugby = ["rugby"], soccer = ["soccer"] }',
}
"""Every source that asks a server, with what it wants to know."""
ODD = [
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "x" * 70_000,
    "\ud800",
    "http://[",
    "\x1b[31m",
    [],
    {},
    [[None]],
    {"": 1},
    "rugby",
]


def words_of(kind: str) -> list[str]:
    """Names that a source's code has, many of which its server uses."""
    files = Path(sys.modules[source_kinds()[kind].__module__].__file__ or "").parent.glob("*.py")
    found = {
        one.value for file in files for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Constant)
    }
    return sorted(one for one in found if isinstance(one, str) and re.fullmatch(r"[A-Za-z_]{2,20}", one))


def odd_json(words: list[str], rng: random.Random, depth: int = 5) -> object:
    """A value of JSON with these names at chance places, and odd values in it."""
    if not depth or rng.random() < 0.15:
        return rng.choice([*ODD, 1, "1", "http://h.example/1.jpg", "2020-01-01", "CC0"])
    if rng.random() < 0.3:
        return [odd_json(words, rng, depth - 1) for _ in range(rng.choice([1, 2]))]
    return {word: odd_json(words, rng, depth - 1) for word in rng.sample(words, min(len(words), 6))}


@pytest.fixture
def answered(address: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have every request for a list go to one path of the server, whatever was asked for."""
    ask = StreamedAnswer.__init__
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    monkeypatch.setattr(json_api, "sleep", lambda seconds: None)
    monkeypatch.setenv("FLICKR_API_KEY", "0" * 32)

    def to(name: str) -> None:
        def instead(self: StreamedAnswer, url: str, *rest: Any, **more: Any) -> None:
            ask(self, f"{address}/{name}", *rest, **more)

        monkeypatch.setattr(StreamedAnswer, "__init__", instead)

    return to


def test_each_source_that_asks_a_server_is_tried() -> None:
    """Those that read this disk alone are not."""
    assert {*ASKED, "folder", "video"} == {*source_kinds()}


ODD_ANSWERS = {
    "wikimedia": b'{"query": {"pages": []}, "continue": {"gcmcontinue": "\\ud800", "continue": "gcmcontinue||"}}',
    "huggingface": b'{"default": {"train": []}, "other": {"train": ["http://h.example/1.parquet"]}}',
}
"""Halves of surrogate pairs in what is to be sent back; a data set without files."""


@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_an_answer_that_chance_seldom_makes(
    kind: str, answered: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is a warning like the others."""
    body = ODD_ANSWERS[kind]
    monkeypatch.setitem(HEADS, "json", b"200 x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answered("json")
    warnings, n = listed_beside(tmp_path, f'kind = "{kind}"\n{ASKED[kind]}')
    assert n == 8 and warnings and not any("report this" in warning for warning in warnings), warnings


@pytest.mark.parametrize("kind", ASKED)
def test_each_source_whose_server_answers_oddly(
    kind: str, answered: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads of every kind, and bodies of JSON that has the right names at the wrong places."""
    words = words_of(kind)
    names = sample([*HEADS], 4, kind)
    for seed in seeds(6):
        body = json.dumps(odd_json(words, random.Random(f"{kind} {seed}"))).encode()
        monkeypatch.setitem(HEADS, f"json-{seed}", b"200 x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        names.append(f"json-{seed}")
    for name in names:
        answered(name)
        (tmp_path / name).mkdir()
        warnings, n = listed_beside(tmp_path / name, f'kind = "{kind}"\n{ASKED[kind]}')
        assert n == 8 and not any("report this" in warning for warning in warnings), (name, warnings)
