"""Proxies: the environment's are ignored, the recipe's is used and told of, and its password is written nowhere."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.errors import CuratorError, RecipeError
from curator.fetch.ledger.history import count_through_proxy
from curator.fetch.network.guard import is_private_name, proxy_addresses
from curator.inspect.status import read_status
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.settings import FetchSettings
from curator.pipeline import run_stages as pipeline
from curator.sources.reading.http import StreamedAnswer
from curator.sources.registry import source_kinds
from curator.store.paths import DataPaths
from tests.ledger_file import query
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import picture

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SECRET = "s3cret-word"


@dataclass
class Proxy:
    """A proxy on this machine that answers everything itself, and what it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    signed_in: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def drawing(text: str) -> bytes:
    """A picture unlike that of another text."""
    stream = io.BytesIO()
    picture(zlib.crc32(text.encode())).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A running proxy."""
    made = Proxy()

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            made.asked.append(self.path)
            made.signed_in.add(self.headers.get("Proxy-Authorization", ""))
            body = LISTS.get(self.path) or drawing(self.path)
            self.send_response(302 if "?to=" in self.path else 200)
            self.send_header("Location", self.path.partition("?to=")[2])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as made.port:
        yield made


LISTS = {
    f"http://lists.example/{label}.txt": "".join(f"http://photos.example/{label}/{n}.jpg\n" for n in range(6)).encode()
    for label in ("rugby", "soccer")
}


@pytest.fixture
def through(proxy: Proxy, tmp_path: Path) -> Project:
    """A project whose lists and photos come through a proxy that asks who one is."""
    path = tmp_path / "manifests" / "far" / "recipe.toml"
    text = f"""
name = "far"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
name = "first"
path = "http://lists.example/rugby.txt"
label = "rugby"
[[sources]]
kind = "url-list"
name = "second"
path = "http://lists.example/soccer.txt"
label = "soccer"
[fetch]
proxy = "http://ann:{SECRET}@127.0.0.1:{proxy.port}"
[balance]
per_class = "max"
"""
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return Project(parse_recipe(text, source_kinds(), path), DataPaths(tmp_path / "data", path.parent, "far"))


def test_proxies_of_the_environment_are_ignored(proxy, lab, listed, shelf, reasons, monkeypatch):
    """Neither images nor lists are asked through them."""
    for name in VARIABLES:
        monkeypatch.setenv(name, proxy.address)
    assert reasons(shelf.fetch(listed([lab.url("fine", "/unproxied.jpg")]))) == [None]
    assert StreamedAnswer(lab.url("fine", "/unproxied.jpg"), shelf.settings).status == 200
    assert proxy.asked == []


def test_no_proxy_of_the_environment_gets_round_the_recipes_proxy(proxy, listed, shelf, monkeypatch):
    """What the recipe says holds for every host."""
    monkeypatch.setenv("no_proxy", "*")
    shelf.fetch(listed(["http://photos.example/1.jpg"]), settings=replace(shelf.settings, proxy=proxy.address))
    assert proxy.asked == ["http://photos.example/1.jpg"]


def test_only_the_proxys_own_address_is_exempt(proxy, lab, listed, shelf, reasons):
    """A proxy on this machine is used; what is plainly private is not even asked of it."""
    careful = FetchSettings(proxy=proxy.address, timeout_s=30.0, retries=0)
    private = ["http://127.0.0.1/1.jpg", "http://localhost:80/1.jpg", "http://[::1]/1.jpg", "http://2130706433/1.jpg"]
    table = shelf.fetch(listed(["http://photos.example/1.jpg", *private, lab.url("fine")]), settings=careful)
    assert reasons(table) == [None, *["private-address"] * 5]
    assert proxy.asked == ["http://photos.example/1.jpg"]
    direct = shelf.fetch(listed([proxy.address + "/2.jpg"]), settings=replace(careful, proxy=""))
    assert reasons(direct) == ["private-address"]


@pytest.mark.parametrize("robots", [False, True])
def test_a_redirect_to_what_is_plainly_private_is_not_asked_of_the_proxy(proxy, listed, shelf, reasons, robots):
    """It would fetch it for us; a redirect to another host is followed. Where private hosts are allowed, so is this."""
    careful = FetchSettings(proxy=proxy.address, timeout_s=30.0, retries=0, robots=robots)
    inside = ["http://169.254.169.254/latest/1.jpg", "http://localhost/1.jpg", "//0x7f.1/1.jpg"]
    urls = [f"http://photos.example/?to={target}" for target in [*inside, "http://other.example/1.jpg"]]
    table = shelf.fetch(listed(urls), settings=careful)
    assert reasons(table) == [*["private-address"] * 3, None]
    assert table["drop_detail"].tolist()[:3] == ["169.254.169.254", "localhost", "0x7f.1"]
    assert not [url for url in proxy.asked if url.startswith(("http://169.", "http://localhost", "http://0x7f"))]
    allowed = replace(careful, allow_private_hosts=True, robots=False)
    assert reasons(shelf.fetch(listed(urls[:1]), settings=allowed, retry="failed")) == [None]


def test_lists_that_are_plainly_private_are_not_asked_of_the_proxy(proxy):
    """The recipe's own list addresses obey the same rule."""
    careful = FetchSettings(proxy=proxy.address)
    inside = "http://169.254.169.254/latest/meta-data/"
    for url in (inside, f"http://lists.example/?to={inside}"):
        with pytest.raises(CuratorError, match=r"169\.254\.169\.254.* that is not public"):
            StreamedAnswer(url, careful)
    assert inside not in proxy.asked
    found = StreamedAnswer("http://lists.example/rugby.txt", careful)
    assert found.read(1000) == LISTS["http://lists.example/rugby.txt"]


@pytest.mark.parametrize(
    ("host", "private"), [("0x7f.1", True), ("10.1", True), ("a.localhost", True), ("8.8.8.8", False)]
)
def test_private_names_are_known_however_they_are_spelt(host, private):
    """Numbers that a resolver takes for addresses are judged as these."""
    assert is_private_name(host) is private


def test_status_says_that_addresses_were_not_verified(through, proxy):
    """After a fetch through a proxy, and not before."""
    assert count_through_proxy(through.paths) == 0
    pipeline.fetch(through)
    assert set(query(through.paths.attempts, "SELECT ip FROM attempts")) == {("via 127.0.0.1",)}
    told = [news for news in read_status(through).news if "proxy" in news]
    assert told == ["12 images came through a proxy: the addresses that it requested were not verified to be public"]


def test_the_password_is_written_nowhere(through, proxy, tmp_path):
    """It signs in, and stands in the recipe alone: in no catalog, manifest, ledger, report or folder."""
    pipeline.fetch(through)
    pipeline.decide(through, Stage.SPLIT, {})
    expected = "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()
    assert proxy.signed_in == {expected}
    assert '"proxy": "http://***@127.0.0.1' in through.paths.made_with.read_text(encoding="utf-8")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "recipe.toml"]
    assert len(files) > 20
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_second_fetch_is_skipped_though_the_password_is_hidden(through):
    """Hiding changes nothing of what a stage was made from."""
    assert not pipeline.fetch(through).skipped
    assert pipeline.fetch(through).skipped


def test_errors_do_not_tell_the_password():
    """Neither one about an unknown proxy nor one about a recipe that says it wrongly."""
    with pytest.raises(CuratorError, match=r"http://\*\*\*@no-such-host\.invalid:1 has no address") as unknown:
        proxy_addresses(f"http://ann:{SECRET}@no-such-host.invalid:1")
    text = f'name = "x"\nlabels = ["a", "b"]\n[fetch]\nproxy = ["http://ann:{SECRET}@proxy.example:1"]\n'
    with pytest.raises(RecipeError, match="proxy must be text") as wrong:
        parse_recipe(text, source_kinds())
    assert SECRET not in str(unknown.value) + str(wrong.value)
