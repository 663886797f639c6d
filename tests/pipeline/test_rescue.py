"""What a web archive has of dead addresses comes back: the same bytes, else the same picture, and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

from curator import catalog
from curator.catalog import Stage
from curator.cli.app import app
from curator.errors import SourceError, StateError
from curator.events import Event, ImageFetched, Warned, WorkAdvanced
from curator.export.data_card import card_text
from curator.export.export import FORMATS
from curator.export.material import Material
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt, Lookup
from curator.fetch.plan import FetchOptions
from curator.inspect.status import read_status
from curator.inspect.verify import verify_files
from curator.inspect.why import find_stories
from curator.manifests.made_with import MadeWith
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.settings import FetchSettings
from curator.pipeline import run_stages as pipeline
from curator.pipeline.forget import forget
from curator.pipeline.replay import Replay, replay_manifest
from curator.pipeline.rescue import Rescuer
from curator.sources.reading import json_api
from curator.sources.web_archive import capture_index
from curator.sources.web_archive.captures import Capture, rank_captures, read_captures
from curator.store.catalog_files import read_catalog, read_record, write_catalog
from tests.fake_archive import Archive, Captured, served
from tests.real_archive import pywb
from tests.small_webs import serving
from tests.small_worlds import picture, recipe_text, small_project, write_folder

GAP_S = 0.02


class Web:
    """A site: what it serves by path, and how often each was requested."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.base = ""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = web.pages.get(self.path)
                web.asked.append(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def as_jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def photo(number: int, quality: int = 90) -> bytes:
    return as_jpeg(picture(5000 + number), quality)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Project]]:
    """A data set of sixteen photographs, each in a folder of its own, fetched while all were there."""
    web, root = Web(), tmp_path_factory.mktemp("rescue")
    web.pages = {f"/{'rugby' if number < 8 else 'soccer'}/{number}/a.jpg": photo(number) for number in range(16)}
    with serving(web.handler()) as port:
        web.base = f"http://127.0.0.1:{port}"
        lines = [f"{web.base}{path},{path.split('/')[1]}" for path in web.pages]
        (root / "list.csv").write_text("url,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
        project = project_of(root, root / "list.csv")
        pipeline.fetch(project)
        pipeline.decide(project, Stage.SPLIT, {})
        yield web, project


def project_of(root: Path, listed: Path, more: str = "") -> Project:
    source = f'[[sources]]\nkind = "url-list"\npath = "{listed.as_posix()}"\n'
    rest = f'[balance]\nper_class = "max"\n[fetch]\nallow_private_hosts = true\nretries = 0\n{more}'
    return small_project(root, f'name = "small"\nlabels = ["rugby", "soccer"]\n{source}{rest}')


@pytest.fixture
def web(world: tuple[Web, Project]) -> Iterator[Web]:
    """The site, which is as it was again after each test."""
    whole = dict(world[0].pages)
    yield world[0]
    world[0].pages = whole


@pytest.fixture
def project(world: tuple[Web, Project]) -> Project:
    return world[1]


@pytest.fixture(params=["wayback", "pywb"])
def dialects(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap that a test can wait for; that it is a second is a test of its own."""
    assert capture_index.LEAST_GAP_S == 1.0
    monkeypatch.setattr(capture_index, "LEAST_GAP_S", GAP_S)


def settings(archive: Archive, **more: Any) -> FetchSettings:
    contact = "mailto:ann@h.example"
    made = {"allow_private_hosts": True, "retries": 0, "rescue": True, "contact": contact, "timeout_s": 60.0}
    return FetchSettings(archive=archive.index, **(made | more))


def replayed(project: Project, root: Path, fetch: FetchSettings, **more: Any) -> Replay:
    return replay_manifest(project.paths.manifest, root, fetch, **more)


def captured(web: Web, number: int, body: bytes, moment: str = "20110301120000", **more: Any) -> Captured:
    label = "rugby" if number < 8 else "soccer"
    return Captured(f"{web.base}/{label}/{number}/a.jpg", moment, body, **more)


def fates(done: Replay) -> dict[int, str]:
    """Each photograph's fate, by its number."""
    return {int(url.split("/")[4]): fate for url, fate in zip(done.images["url"], done.images["fate"], strict=True)}


def test_each_dead_address_gets_what_the_archive_has_and_never_a_wrong_byte(
    web: Web, project: Project, tmp_path: Path, dialects: str
) -> None:
    """The same bytes are recognised before they are downloaded; pages, redirects and other pictures are refused."""
    archive = Archive(dialect=dialects)
    for number in (0, 1, 2, 3, 5, 6, 7, 8):
        del web.pages[f"/{'rugby' if number < 8 else 'soccer'}/{number}/a.jpg"]
    web.pages["/soccer/9/a.jpg"] = b"<html>This photo is no longer available</html>"
    web.pages["/soccer/10/a.jpg"], web.pages["/soccer/11/a.jpg"] = photo(99), photo(11, quality=80)
    archive.captures = [
        captured(web, 0, photo(0)),
        captured(web, 0, photo(77), "20120301120000"),  # not requested: the one before has the bytes
        captured(web, 0, b"<html>gone</html>", "20130301120000", kind="text/html"),
        captured(web, 1, photo(1, quality=80)),
        captured(web, 2, photo(88)),
        captured(web, 3, b"<html>gone</html>", kind="text/html; charset=utf-8"),
        captured(web, 3, b"", "20120301120000", status=302),
        captured(web, 5, photo(5), lie=photo(66)),
        captured(web, 6, photo(6), lie=b""),  # it redirects, out of the archive
        captured(web, 7, b"<html>said to be a picture</html>"),
        captured(web, 9, photo(9)),
        captured(web, 10, photo(10)),
        captured(web, 11, photo(11, quality=60)),  # not requested: it is no nearer than what is there
    ]
    began = time.monotonic()
    with served(archive):
        done = replayed(project, tmp_path, settings(archive))
        similar = replayed(project, tmp_path, settings(archive), accept_similar=True)
    found = fates(done)
    expected = dict.fromkeys((2, 3, 5, 6, 7, 8), "gone") | {0: "same", 1: "similar", 11: "similar"}
    assert found == dict.fromkeys(range(16), "same") | expected
    paths = [one.partition(archive.base.rpartition(":")[0])[2] for one in archive.downloads()]
    wanted = [0, 1, 2, 5, 6, 7, 9, 10]
    assert sorted(int(path.split("/")[2]) for path in paths) == wanted, "one capture each, also in the second run"
    assert {int(one.split("/")[4]) for one in archive.lookups()} == {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11}
    # politeness: who asks, one request at a time and never two within the gap, no page named
    assert {one.agent.partition("(")[2] for one in archive.seen} == {"+mailto:ann@h.example)"}
    assert (archive.most_at_once, {one.referer for one in archive.seen}) == (1, {None})
    assert time.monotonic() - began >= (len(archive.seen) - 1) * GAP_S
    # what is written
    table = read_manifest(done.paths.manifest)
    assert verify_files(done.paths).findings == ()
    rescued = read_manifest(similar.paths.manifest).dropna(subset="archive_url").set_index("url")
    assert sorted(int(url.split("/")[4]) for url in rescued.index) == [0, 1, 9, 10]
    row = rescued.loc[f"{web.base}/rugby/0/a.jpg"]
    assert row["archive_url"] == f"{archive.place}20110301120000id_/{web.base}/rugby/0/a.jpg"
    assert (row["archived_at"], row["sha256"] in set(table["sha256"])) == ("2011-03-01T12:00:00Z", True)
    told = pd.read_csv(done.paths.replayed_images)
    details = {int(url.split("/")[4]): detail for url, detail in zip(told["url"], told["detail"], strict=True)}
    host = urlsplit(archive.base).netloc
    assert details[2] == f"HTTP 404; none of 1 capture at {host} is it"
    assert details[8] == details[3] == f"HTTP 404; {host} has no capture of it"
    (hosts,) = pd.read_csv(done.paths.link_rot).to_dict("records")
    assert (hosts["images"], hosts["rescued"], hosts["elsewhere"]) == (16, 4, 0)


def test_a_rescue_that_was_killed_repeats_nothing(web: Web, project: Project, tmp_path: Path) -> None:
    """Not a lookup that was answered, and no download that was observed; once all is there, nothing."""
    archive = Archive(captures=[captured(web, number, photo(number)) for number in range(8)])
    for number in range(8):
        del web.pages[f"/rugby/{number}/a.jpg"]
    left, had = [0], list[str]()

    def stop(event: Event) -> None:
        is_capture = isinstance(event, ImageFetched) and "id_/" in event.url
        left[0] -= is_capture or isinstance(event, WorkAdvanced)
        if left[0] == 0:
            raise KeyboardInterrupt
        had.extend([event.url.removeprefix(archive.place)] if is_capture else [])

    with served(archive):
        for n, n_lookups in ((3, 3), (2, 5), (6, 8)):
            left[0] = n
            with pytest.raises(KeyboardInterrupt):
                replayed(project, tmp_path, settings(archive), emit=stop)
            assert len(archive.lookups()) == n_lookups
        left[0] = -1
        assert replayed(project, tmp_path, settings(archive), emit=stop).is_whole
        n_seen = len(archive.seen)
        assert replayed(project, tmp_path, settings(archive), emit=stop).is_whole
    assert len(archive.seen) == n_seen
    assert len(set(archive.lookups())) == len(archive.lookups()) == 8
    assert len(had) == 8
    assert [archive.downloads().count(one) for one in had[:2]] == [1, 1]


def test_a_fetch_takes_dead_addresses_from_the_archive_and_says_so(web: Web, tmp_path: Path) -> None:
    """Nobody knows their bytes: what was captured first is taken as it was captured, and no notice for a picture.

    Status, why, the data card and the manifest name what was rescued; forgotten, nothing of it is left.
    """
    web.pages = {f"/rugby/{number}/a.jpg": photo(number) for number in range(2)}
    web.pages["/rugby/6/a.jpg"] = b"<html>gone</html>"
    notice = as_jpeg(picture(424242))
    later = [captured(web, number, notice, "20150101000000") for number in (2, 3, 4, 5)]
    archive = Archive(captures=[captured(web, 2, photo(2)), captured(web, 3, photo(3)), *later])
    archive.captures += [captured(web, 4, b"GIF89a", "20100101000000"), captured(web, 6, photo(6), lie=photo(7))]
    lines = [f"{web.base}/rugby/{number}/a.jpg,rugby" for number in range(7)]
    (tmp_path / "list.csv").write_text("url,label\n" + "\n".join(lines), encoding="utf-8")
    with served(archive):
        project = project_of(tmp_path, tmp_path / "list.csv", f'rescue = true\narchive = "{archive.index}"\n')
        project = replace(project, recipe=replace(project.recipe, labels=("rugby",)))
        pipeline.fetch(project)
        n_seen = len(archive.seen)
        table = pipeline.fetch(project).table.set_index("url")
    assert len(archive.seen) == n_seen, "a second fetch asks for nothing"
    numbered = {int(url.split("/")[4]): row for url, row in table.iterrows()}
    kept = {number for number, row in numbered.items() if pd.isna(row["drop_reason"])}
    assert kept == {0, 1, 2, 3}
    assert [numbered[number]["archived_at"] for number in (1, 2)] == [pd.NA, "2011-03-01T12:00:00Z"]
    assert sorted(one.partition("id_/")[0] for one in archive.downloads()) == [
        "20100101000000",
        *["20110301120000"] * 3,
    ]
    pipeline.decide(project, Stage.SPLIT, {})
    host = urlsplit(archive.base).netloc
    assert f"2 images are captures of {host}: their addresses are dead" in map(str, read_status(project).news)
    capture = f"{archive.place}20110301120000id_/{web.base}/rugby/2/a.jpg"
    (story,) = find_stories(project, f"{web.base}/rugby/2/a.jpg")
    assert f"  archive  {capture}, captured 2011-03-01T12:00:00Z" in story.lines
    assert [one["address"] for one in story.facts["attempts"]] == [f"{web.base}/rugby/2/a.jpg", capture]
    rows = read_manifest(project.paths.manifest)
    card = card_text(Material("small", rows, tmp_path, MadeWith()), FORMATS[0], None)
    assert f"2 of the images are captures of a web archive ({host.partition(':')[0]})" in card
    forget(project, f"{web.base}/rugby/2/a.jpg")
    with Ledger(project.paths.attempts) as ledger:
        assert ledger.lookups(archive.index, [f"{web.base}/rugby/2/a.jpg"]) == {}
        assert list(ledger.requests(capture)) == []
        assert len(ledger.lookups(archive.index, [f"{web.base}/rugby/3/a.jpg"])) == 1


@pytest.mark.parametrize("asked_s", [3600, 7])
def test_an_archive_that_wants_to_be_left_alone_is(
    web: Web, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_s: int
) -> None:
    """A long Retry-After ends the lookups, and the next run keeps to it; a short one is waited for."""
    slept, told = list[float](), list[Event]()
    monkeypatch.setattr(json_api, "sleep", slept.append)
    archive = Archive(captures=[captured(web, 0, photo(0)), captured(web, 1, photo(1))])
    del web.pages["/rugby/0/a.jpg"], web.pages["/rugby/1/a.jpg"]
    archive.answers = [(429, {"Retry-After": str(asked_s)})]
    with served(archive):
        done = replayed(project, tmp_path, settings(archive), emit=told.append)
        if asked_s == 7:
            assert done.is_whole and 7 in slept
            return
        assert (done.counts()["gone"], len(archive.seen)) == (2, 1)
        replayed(project, tmp_path, settings(archive), emit=told.append)
    assert len(archive.seen) == 1
    warned = [str(event.message) for event in told if isinstance(event, Warned)]
    assert "wants to be left alone for 3,600 seconds" in warned[0] and "more seconds" in warned[1]


@pytest.mark.parametrize(("status", "n_looked_up"), [(403, 2), (301, 1)])
def test_an_index_that_refuses_one_address_is_asked_for_the_next(
    web: Web, project: Project, tmp_path: Path, status: int, n_looked_up: int
) -> None:
    """403 is what an archive says of a site that it does not show; a redirect is not followed, and ends the lookups."""
    archive, told = Archive(captures=[captured(web, number, photo(number)) for number in (0, 1)]), list[Event]()
    del web.pages["/rugby/0/a.jpg"], web.pages["/rugby/1/a.jpg"]
    archive.answers = [(status, {"Location": "/elsewhere"} if status == 301 else {})]
    with served(archive):
        done = replayed(project, tmp_path, settings(archive), emit=told.append)
    assert (done.n_rescued, len(archive.lookups())) == (n_looked_up - 1, n_looked_up)
    assert len(archive.seen) == n_looked_up + done.n_rescued
    warned = [str(event.message) for event in told if isinstance(event, Warned)]
    assert warned == [] if status == 403 else "answered 301" in warned[0]


def test_what_the_archive_must_not_hear_or_is_not_asked(web: Web, project: Project, tmp_path: Path) -> None:
    """Off by default; addresses inside a network are not told; robots.txt is followed if the recipe says so."""
    archive = Archive(captures=[captured(web, 0, photo(0))], robots="User-agent: *\nDisallow: /cdx")
    del web.pages["/rugby/0/a.jpg"]
    with served(archive):
        assert replayed(project, tmp_path / "off", settings(archive, rescue=False)).counts()["gone"] == 1
        assert archive.seen == []
        told = list[Event]()
        replayed(project, tmp_path / "robots", settings(archive, robots=True), emit=told.append)
        assert [one.path for one in archive.seen] == ["/robots.txt"]
        assert any("robots.txt disallows" in str(event.message) for event in told if isinstance(event, Warned))
        archive.robots = "User-agent: *\nDisallow: /private"
        assert replayed(project, tmp_path / "allowed", settings(archive, robots=True)).is_whole
        assert archive.seen[1].path == "/robots.txt"
        archive.seen.clear()
        with pytest.raises(StateError):  # this machine is private, and so is the archive
            replayed(project, tmp_path / "private", settings(archive, allow_private_hosts=False))
    assert archive.seen == []
    hosts = ["photos.example", "10.0.0.1", "nas", "nas.local", "localhost", "[::1]", "127.1", "["]
    hosts += ["h.localdomain", "H.LocalDomain.", "h.private", "ann@photos.example"]
    assert [capture_index.may_be_told(f"http://{host}/a.jpg", False) for host in hosts] == [True, *[False] * 11]
    assert capture_index.may_be_told("http://photos.example/12@N00/a.jpg", False)


def test_addresses_of_one_folder_are_looked_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request a folder; if its answer is cut, what it may lack is asked for alone."""
    site = "http://h.example/f"
    archive = Archive(captures=[Captured(f"{site}/{n}.jpg", f"201{n}0101000000", bytes([n])) for n in range(6)])
    archive.captures += [
        Captured(f"{site}/A.jpg", "20110101000000", b"upper"),
        Captured(f"{site}/a.jpg", "20100101000000", b"a"),
    ]
    wanted = [f"{site}/{name}.jpg" for name in (0, 1, 2, 3, 4, 9, "a")]
    for most, n_requests in ((1000, 1), (3, 6)):
        monkeypatch.setattr(capture_index, "MOST_LINES", most)
        archive.seen.clear()
        fetch = FetchSettings(allow_private_hosts=True)
        found: dict[str, list[Capture]] = {}
        with (
            served(archive),
            capture_index.CaptureIndex(
                replace(fetch, archive=archive.index), lambda event: None, lambda note: None
            ) as index,
        ):
            for answer in index.look_up(wanted):
                found |= answer
        assert {address: len(some) for address, some in found.items()} == dict.fromkeys(wanted, 1) | {wanted[5]: 0}
        assert [one.original for one in found[f"{site}/a.jpg"]] == [f"{site}/a.jpg"]
        assert len(archive.lookups()) == n_requests


def looked_up(archive: Archive, addresses: list[str], told: list[Event]) -> dict[str, list[Capture]]:
    """What an index answers; a SourceError is told as the others are."""
    found: dict[str, list[Capture]] = {}
    fetch = FetchSettings(allow_private_hosts=True, retries=0, archive=archive.index)
    with capture_index.CaptureIndex(fetch, told.append, lambda note: None) as index:
        try:
            for answer in index.look_up(addresses):
                found |= answer
        except SourceError as error:
            told.append(Warned(error.text))
    return found


REFUSED = (403, {})
HIDDEN = (403, {}, b"org.archive.wayback.exception.AdministrativeAccessControlException: Blocked Site Error")
NOTHING = (404, {}, b'{"message": "No Captures found for: http://h.example/"}')


@pytest.mark.parametrize(
    ("hosts", "answers", "n_found", "n_requests", "said"),
    [
        ("a" * 50, [REFUSED] * 50, 0, 3, "403 Forbidden for a.example, 3 times in a row"),
        ("abcdefgh", [REFUSED] * 8, 0, 4, "answered 403"),
        ("aabbaaa", [REFUSED, *[NOTHING] * 6], 6, 7, ""),
        ("abcdefgh", [HIDDEN] * 7, 1, 8, ""),
        ("abcdefgh", [NOTHING] * 8, 8, 8, ""),
        ("abcdefgh", [(404, {})] * 8, 0, 4, "answered 404"),
    ],
    ids=["a host", "all hosts", "one address", "hidden sites", "nothing", "no index"],
)
def test_a_refusal_is_no_answer_and_ends_soon(
    hosts: str, answers: list[Any], n_found: int, n_requests: int, said: str
) -> None:
    """Of a host that is refused the rest waits for another run; four hosts refused in a row end the lookups."""
    told = list[Event]()
    with served(Archive(answers=list(answers))) as archive:
        found = looked_up(archive, [f"http://{host}.example/{n}/a.jpg" for n, host in enumerate(hosts)], told)
    warned = [str(event.message) for event in told if isinstance(event, Warned)]
    assert (len(found), len(archive.seen), len(warned)) == (n_found, n_requests, bool(said))
    assert all(said in one for one in warned)


FOR_EVER = {
    "rate limit": ((429, {}), "answered 429"),
    "error": ((500, {}), "answered 500"),
    "busy": ((503, {}), "answered 503"),
    "forbidden": ((403, {}), "answered 403"),
    "page": ((200, {}, b"<!doctype html><html>Sorry"), "answered with a web page"),
    "text": ((200, {}, b"Service temporarily unavailable"), "answered with what is no"),
}


@pytest.mark.parametrize("what", FOR_EVER)
def test_an_index_that_refuses_for_ever_is_left_soon(
    web: Web, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """One paragraph says so, few requests are made, and the rest of the replay is as without an archive."""
    answer, said = FOR_EVER[what]
    monkeypatch.setattr(json_api, "sleep", lambda seconds: None)
    archive, told = Archive(captures=[captured(web, 0, photo(0))], answers=[answer] * 1_000), list[Event]()
    for path in [*web.pages][:6]:
        del web.pages[path]
    n_whole = len(web.pages)
    with served(archive):
        done = replayed(project, tmp_path, settings(archive), emit=told.append)
    warned = [str(event.message) for event in told if isinstance(event, Warned)]
    assert len(warned) == 1 and said in warned[0] and "\n" not in warned[0]
    assert len(archive.seen) <= 15 and done.n_rescued == 0 and done.counts()["gone"] == 6
    assert sum(done.counts().values()) == n_whole + 6


def test_what_an_answer_for_a_folder_lacks_is_asked_for_alone(monkeypatch: pytest.MonkeyPatch, dialects: str) -> None:
    """A folder may be refused, and what an answer that was cut ends with may have more, a page or not."""
    site = "http://h.example/f"
    archive = Archive(dialect=dialects, answers=[REFUSED])
    archive.captures = [Captured(f"{site}/{name}.jpg", f"{year}0101000000", bytes([year - 2000]), kind)
                        for name, year, kind in (("0", 2015, "image/jpeg"), ("a", 2010, "image/jpeg"),
                                                 ("a", 2011, "text/html"), ("a", 2012, "image/jpeg"),
                                                 ("A", 2013, "image/jpeg"))]  # fmt: skip
    wanted = [f"{site}/{name}.jpg" for name in ("0", "a", "A")]
    with served(archive):
        whole = looked_up(archive, wanted, [])
        assert [one.rpartition("/")[2] for one in archive.lookups()] == ["", "0.jpg", "a.jpg", "A.jpg"]
        monkeypatch.setattr(capture_index, "MOST_LINES", 3)
        archive.seen.clear()
        monkeypatch.setattr(Archive, "look_up", with_all_of_one(Archive.look_up))
        assert looked_up(archive, wanted, []) == whole
    assert [one.rpartition("/")[2] for one in archive.lookups()] == ["", "a.jpg", "A.jpg"]
    assert [len(whole[one]) for one in wanted] == [1, 2, 1]


def with_all_of_one(look_up: Callable[..., list[Captured]]) -> Callable[..., list[Captured]]:
    """Cut what is found of a folder alone."""

    def whole(archive: Archive, query: dict[str, list[str]]) -> list[Captured]:
        return look_up(archive, query if "matchType" in query else query | {"limit": ["1000"]})

    return whole


def rescued(
    archive: Archive, root: Path, rows: list[dict[str, str]], notes: list[Any], userinfo: dict[str, str]
) -> Any:
    """What a rescue makes of dead rows, after some attempts and lookups."""
    project = project_of(root, root / "list.csv")
    with Ledger(project.paths.attempts) as ledger:
        attempts = [one for one in notes if isinstance(one, Attempt)]
        ledger.record(attempts, [], [one for one in notes if not isinstance(one, Attempt)])
    project = replace(project, recipe=replace(project.recipe, fetch=settings(archive)))
    dropped = {"drop_stage": "fetched", "drop_reason": "gone", "drop_detail": "HTTP 404"}
    listed = {"label": "rugby", "source": "list", "kind": "url-list", "tier": 0}
    table = catalog.conform(
        pd.DataFrame([{"record_id": f"x-{n}", **row, **listed, **dropped} for n, row in enumerate(rows)])
    )
    return Rescuer(project, FetchOptions("failed")).rescue_dead(table, userinfo)


def test_each_address_of_a_row_is_told_or_not_by_itself(tmp_path: Path) -> None:
    """What answered 403 is not looked up because its fallback is dead, nor a fallback that somebody signs in at."""
    a, b, c, d, e = (f"http://h.example/{name}/1.jpg" for name in "abcde")
    notes = [Attempt(one, "h.example", 0.0, 0.1, "gone", 404) for one in (b, c, d)]
    notes += [Attempt(a, "h.example", 0.0, 0.1, "forbidden", 403)]
    rows = [{"url": a, "fallback_url": b}, {"url": c, "fallback_url": d}, {"url": e}]
    with served(Archive()) as archive:
        rescued(archive, tmp_path, rows, notes, {d: "ann:s3cret", e: "ann:s3cret"})
    assert archive.lookups() == [b, c]


@pytest.mark.parametrize("n_before", [1, 2])
def test_a_notice_is_known_by_what_was_looked_up_before(tmp_path: Path, n_before: int) -> None:
    """Three addresses of a family of hosts have it, whichever call of a fetch looked them up."""
    with served(Archive()) as archive:
        site, notice = f"{archive.base}/f", as_jpeg(picture(424242))
        archive.captures = [Captured(f"{site}/2.jpg", "20110301120000", notice)]
        sha1 = hashlib.sha1(notice, usedforsecurity=False).hexdigest()
        texts = {n: json.dumps([["20110301120000", f"{site}/{n}.jpg", sha1]]) for n in range(n_before)}
        notes = [Lookup(archive.index, f"{site}/{n}.jpg", 0.0, text) for n, text in texts.items()]
        notes += [Lookup("http://other.example/cdx", f"{site}/9.jpg", 0.0, texts[0])]
        table = rescued(archive, tmp_path, [{"url": f"{site}/2.jpg"}], notes, {})
    assert (len(archive.downloads()), table["archive_url"].notna().sum()) == ((1, 1) if n_before == 1 else (0, 0))


def test_of_similar_captures_the_latest_is_taken_without_a_sha1_too(web: Web, project: Project, tmp_path: Path) -> None:
    """Behind a similar capture the same bytes are looked for; if they are not there, it stays."""
    qualities = {"20110301120000": 80, "20120301120000": 70, "20130301120000": 60}
    archive = Archive(captures=[captured(web, 0, photo(0, q), moment) for moment, q in qualities.items()])
    del web.pages["/rugby/0/a.jpg"]
    manifest = tmp_path / "old" / "manifest.csv"
    manifest.parent.mkdir()
    read_manifest(project.paths.manifest).drop(columns="sha1").to_csv(manifest, index=False)
    with served(archive):
        done = replay_manifest(manifest, tmp_path, settings(archive), accept_similar=True)
    assert [one[:4] for one in archive.downloads()] == ["2013", "2012", "2011"]
    assert list(done.images["archived_at"].dropna()) == ["2013-03-01T12:00:00Z"]


def test_the_hint_counts_what_an_archive_would_be_asked_for(project: Project) -> None:
    """A dead host, not one that refuses or that is only slow today."""
    fates = {"gone": "gone", "dns": "unreached", "not-an-image": "changed"}
    others = {"forbidden": "gone", "robots-disallowed": "gone", "timeout": "unreached", "opted-out": "changed"}
    images = pd.DataFrame((fates | others).items(), columns=["reason", "fate"])
    assert Replay(project.paths, images, 0).n_lost == len(fates)


def test_whatever_an_index_answers_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no index is refused in a sentence; what says nothing finds nothing."""
    bad = {
        b"<html>busy</html>": "a web page",
        b"{": "no JSON",
        b'{"a": 1': "no JSON",
        b'"text"': "no index",
        b"[1": "no JSON",
    }
    answers: dict[bytes, str] = {**bad, **dict.fromkeys((b"[[1, 2], 3]", b'{"timestamp": 1}\n', b"[]", b""), "")}
    with served(Archive()) as archive:
        fetch = FetchSettings(allow_private_hosts=True, archive=archive.index)
        with capture_index.CaptureIndex(fetch, lambda event: None, lambda note: None) as index:
            for answer, problem in answers.items():
                monkeypatch.setattr(Archive, "lines", lambda self, found, answer=answer: answer)
                with pytest.raises(SourceError, match=problem) if problem else nullcontext():
                    assert list(index.look_up(["http://h.example/a.jpg"])) == [{"http://h.example/a.jpg": []}]


def test_lines_of_an_index_that_cannot_be_are_refused() -> None:
    """No digest, no time, another scheme, a revisit: nothing of these could be verified."""
    good = {
        "timestamp": "20110301120000",
        "original": "http://h.example/a",
        "mimetype": "image/png",
        "statuscode": "200",
    }
    good["digest"] = "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    bad = [
        ("digest", "-"),
        ("digest", "0" * 32),
        ("timestamp", "20111301120000"),
        ("timestamp", "2011"),
        ("original", "ftp://h/a"),
    ]
    bad += [
        ("mimetype", "warc/revisit"),
        ("statuscode", "-"),
        ("mimetype", "text/html"),
        ("original", "http://h.example/a b"),
        ("original", "http://[::/a.jpg"),
        ("original", "http://h.example/a#\ud800"),
        ("original", "http://h.example/a\x1b]0;"),
        ("original", "http://h.example/a#top"),
        ("original", "http://ann:s3cret@h.example/a"),
    ]
    assert len(read_captures([good])) == len(read_captures([good | {"original": "http://h.example/12@N00/ä"}])) == 1
    assert [read_captures([good | {name: value}]) for name, value in bad] == [[]] * len(bad)


def test_captures_are_tried_in_order() -> None:
    """The wanted bytes first, then each other content once: the latest for a manifest, the first for a list."""
    captures = [
        Capture(f"20{year}0101000000", "http://h.example/a", sha1)
        for year, sha1 in ((10, "a"), (11, "b"), (12, "b"), (13, "c"))
    ]
    order = {True: ["b12", "b11", "c13", "a10"], False: ["b11", "b12", "a10", "c13"]}
    for latest_first, expected in order.items():
        ranked = rank_captures(captures, "b", latest_first=latest_first)
        assert [one.sha1 + one.time[2:4] for one in ranked] == expected
    assert [one.sha1 for one in rank_captures(captures, None, latest_first=False)] == ["a", "b", "c"]


@pytest.mark.skipif("CURATOR_PYWB" not in os.environ, reason="make test-archive installs pywb, and runs this")
def test_a_real_archive_server_returns_what_is_the_same_and_nothing_else(
    web: Web, project: Project, tmp_path: Path
) -> None:
    """It holds captures: identical ones are recognised before download, wrong bytes and soft 404s are refused."""
    for number in range(7):
        del web.pages[f"/rugby/{number}/a.jpg"]
    html = {"body": b"<html>Not found</html>", "kind": "text/html"}
    captures = [
        captured(web, 0, photo(0)),
        captured(web, 0, photo(70), "20120301120000"),
        captured(web, 0, moment="20130301120000", **html),
        captured(web, 1, photo(1, quality=80)),
        captured(web, 2, photo(72)),
        captured(web, 3, **html),
        captured(web, 4, b"", status=302),
        captured(web, 5, b"<html>said to be a picture</html>"),
        captured(web, 6, photo(6))._replace(address=f"{web.base}/rugby/6/A.jpg"),  # pywb takes it for the same
    ]
    with pywb(Path(os.environ["CURATOR_PYWB"]), tmp_path, captures) as archive:
        fetch = FetchSettings(allow_private_hosts=True, retries=0, rescue=True, archive=archive.index, timeout_s=60)
        done = replayed(project, tmp_path / "data", fetch)
        downloads, lookups = archive.requests("id_/"), archive.requests("/cdx.*rugby")
        replayed(project, tmp_path / "data", fetch)
        assert (archive.requests("id_/"), archive.requests("/cdx.*rugby")) == (downloads, lookups)
    expected = {0: "same", 1: "similar", 2: "gone", 3: "gone", 4: "gone", 5: "gone", 6: "gone"}
    assert fates(done) == dict.fromkeys(range(16), "same") | expected
    assert [path.split("/")[-2] for path in sorted(downloads)] == ["0", "1", "2", "5"]
    assert downloads[0].startswith("/mine/20110301120000id_/") and len(lookups) == 7
    assert verify_files(done.paths).findings == ()


def test_the_sha1_of_each_image_is_kept_filled_in_and_verified(tmp_path: Path) -> None:
    """Beside the SHA-256, from the stored files where a catalog of an older version has none; `verify` compares it."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 3), "max"))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    rows, text = read_manifest(project.paths.manifest), project.paths.manifest.read_text("utf-8")
    stored = [project.paths.image(one, "jpeg").read_bytes() for one in rows["sha256"]]
    assert list(rows["sha1"]) == [hashlib.sha1(data, usedforsecurity=False).hexdigest() for data in stored]
    fetched = project.paths.catalog(Stage.FETCHED)
    older = catalog.with_columns(read_catalog(fetched), {"sha1": pa.nulls(len(rows))})
    write_catalog(fetched, older, read_record(fetched))
    pipeline.decide(project, Stage.SPLIT, {})
    assert project.paths.manifest.read_text("utf-8") == text
    project.paths.manifest.write_text(text.replace(rows["sha1"][0], "0" * 40), "utf-8")
    (finding,) = [one for one in verify_files(project.paths).findings if one.record_id]
    assert (finding.record_id, finding.problem) == (rows["record_id"][0], "its bytes differ from the manifest's SHA-1")
    before = pd.read_csv(io.StringIO(text), dtype=str).drop(columns="sha1")
    before.to_csv(project.paths.manifest, index=False)
    assert read_manifest(project.paths.manifest)["sha1"].isna().all()
    assert not [one for one in verify_files(project.paths).findings if one.record_id]


def test_the_command_line_offers_and_reports_it(web: Web, project: Project, tmp_path: Path) -> None:
    """Without the option it says what the option would do; with it, what came."""
    archive, recipe = Archive(captures=[captured(web, 0, photo(0))]), tmp_path / "recipe.toml"
    del web.pages["/rugby/0/a.jpg"]
    with served(archive):
        text = (project.recipe.path or Path()).read_text("utf-8")
        recipe.write_text(text + f'archive = "{archive.index}"\n', "utf-8")
        words = ["replay", str(project.paths.manifest), "--recipe", str(recipe), "--data", str(tmp_path / "data")]
        offered = CliRunner().invoke(app, words)
        assert "`--rescue` looks 1 lost address up in a web archive" in " ".join(offered.output.split())
        done = CliRunner().invoke(app, [*words, "--rescue"])
        assert "1 image of these came from a web archive" in " ".join(done.output.split())
        facts = json.loads(CliRunner().invoke(app, [*words, "--rescue", "--json", "--quiet"]).stdout)
    assert (facts["rescued"], facts["same"], offered.exit_code, done.exit_code) == (1, 16, 1, 0)
