"""Passwords in the addresses of images sign in, and stand in no catalog, ledger, manifest, export or page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from curator.catalog import Stage, conform, kept
from curator.events import Event, Warned
from curator.export.export import FORMATS, export_dataset
from curator.inspect import why
from curator.inspect.forecast.probe import probe
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions, plan_listing
from curator.pipeline.forget import forget
from curator.report.build import build_report
from curator.sources.base import listed_rows
from curator.sources.userinfo import take_userinfo
from curator.text import spell
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import small_project

SECRET = "s3cret-w@rd"
WRITTEN = SECRET.encode(), SECRET.replace("@", "%40").encode(), base64.b64encode(f"ann:{SECRET}".encode())
N_IMAGES = 12


@dataclass
class Gallery:
    """A server that shows its pictures only to who signs in; ``/moved`` redirects to the other name of this machine."""

    port: int = 0
    signed_in: set[tuple[str, str]] = field(default_factory=set)


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    """A running gallery."""
    made = Gallery()
    want = "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            host = self.headers["Host"].split(":")[0]
            made.signed_in.add((host, self.headers.get("Authorization", "")))
            if self.path == "/moved.jpg":
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{made.port}/99.jpg")
                self.end_headers()
                return
            known = self.headers.get("Authorization") == want or host == "localhost"
            if known:
                self.send_picture()
            else:
                self.send_body(401)

    with serving(Handler) as made.port:
        yield made


@pytest.fixture
def told() -> list[Event]:
    """What the project emits."""
    return []


@pytest.fixture
def project(tmp_path: Path, gallery: Gallery, told: list[Event]) -> Project:
    """A project whose list names one password in every address but one."""
    names = [*(f"{number}.jpg" for number in range(N_IMAGES)), "moved.jpg"]
    signed = f"http://ann:{SECRET}@127.0.0.1:{gallery.port}"
    rows = [f"{signed}/{name},{('rugby', 'soccer')[n % 2]},{signed}/page\n" for n, name in enumerate(names)]
    rows.append(f"http://127.0.0.1:{gallery.port}/77.jpg,soccer,\n")
    (tmp_path / "urls.csv").write_text("url,label,landing_url\n" + "".join(rows))
    text = f"""
name = "small"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
path = "{(tmp_path / "urls.csv").as_posix()}"
[fetch]
allow_private_hosts = true
retries = 0
[balance]
per_class = "max"
"""
    return replace(small_project(tmp_path, text), emit=told.append)


def holders(folder: Path) -> list[str]:
    """Name the files that hold the password in any form."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "urls.csv"]
    return [path.name for path in files if any(form in contents(path) for form in WRITTEN)]


def contents(path: Path) -> bytes:
    """Read a file; a Parquet file's bytes are packed."""
    return str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()


def test_the_password_signs_in_and_is_written_and_told_nowhere(
    project: Project, gallery: Gallery, told: list[Event], tmp_path: Path
) -> None:
    """In no file but the list itself, in no event and no story; who lists it is warned; other hosts are not told."""
    table = pipeline.fetch(project).table
    assert kept(table)["url"].tolist() and set(table["http_status"].dropna()) == {200, 401}
    assert len(kept(table)) == N_IMAGES + 1
    assert {who for host, who in gallery.signed_in if host == "localhost"} == {""}
    pipeline.decide(project, Stage.SPLIT, {})
    build_report(project)
    for form in FORMATS:
        export_dataset(project, form)
    assert holders(tmp_path) == []
    stories = [why.find_stories(project, url) for url in table["url"]]
    assert SECRET not in repr(told) + repr(stories)
    (warning,) = (spell(event.message) for event in told if isinstance(event, Warned))
    assert warning.startswith("url-list: 13 addresses hold a name or a password.")


def test_a_lost_file_is_fetched_again_and_a_new_password_makes_no_new_image(
    project: Project, gallery: Gallery, tmp_path: Path
) -> None:
    """The list says how to sign in, each time anew; names of images do not depend on it."""
    before = pipeline.fetch(project).table
    for path in project.paths.images.rglob("*.jpg"):
        path.unlink()
    text = (tmp_path / "urls.csv").read_text()
    (tmp_path / "urls.csv").write_text(text.replace(f"{SECRET}@127", "wrong@127", 1))
    after = pipeline.fetch(project).table
    assert after["record_id"].tolist() == before["record_id"].tolist()
    assert len(kept(after)) == N_IMAGES
    assert len(list(project.paths.images.rglob("*.jpg"))) == N_IMAGES


def test_a_probe_signs_in_too(project: Project) -> None:
    """It asks as the fetch does."""
    forecast = probe(project, plan_listing(project, AcquireOptions(everything=True)), 14, AcquireOptions())
    assert sum(stratum.n_ok for stratum, _ in forecast.strata) == N_IMAGES + 1


def test_what_the_manifest_names_can_be_forgotten_and_stays_away(project: Project) -> None:
    """By its address, which holds no password there; the list may name it with one for ever."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    url = read_manifest(project.paths.manifest)["url"].iloc[0]
    assert forget(project, url).n_listed == 1
    table = pipeline.fetch(project).table
    assert (table["drop_reason"] == "forgotten").sum() == 1
    assert url not in set(table["url"].dropna())


@pytest.mark.parametrize(
    ("listed", "url", "userinfo"),
    [
        ("http://ann:b@h.example/1.jpg", "http://h.example/1.jpg", "ann:b"),
        ("http://ann@h.example/1.jpg", "http://h.example/1.jpg", "ann"),
        ("HTTPS://ann:b@c@h.example:81", "HTTPS://h.example:81", "ann:b@c"),
        ("http://h.example/12@N00/1.jpg", "http://h.example/12@N00/1.jpg", None),
        ("http://h.example?who=ann@h.example", "http://h.example?who=ann@h.example", None),
        ("ann@h.example", "ann@h.example", None),
        (None, None, None),
    ],
)
def test_only_what_stands_before_the_host_is_taken_out(listed: str, url: str, userinfo: str | None) -> None:
    """An @ elsewhere is part of the address."""
    rows = {"label": ["a"], "key": ["1"], "url": [listed], "fallback_url": [listed], "author_url": [listed]}
    table, found = take_userinfo(listed_rows("url-list", "web", 0, rows))
    assert [table[name].tolist()[0] for name in ("url", "fallback_url", "author_url")] == [url or pd.NA] * 3
    assert found == ({url: userinfo} if userinfo else {})


def test_of_two_passwords_for_one_address_the_first_counts() -> None:
    """It is listed once, under one name."""
    urls = ["http://ann:1@h.example/a", "http://bob:2@h.example/a"]
    table = listed_rows("url-list", "web", 0, {"label": ["a", "a"], "key": urls, "url": urls})
    clean, found = take_userinfo(table)
    assert clean["url"].tolist() == ["http://h.example/a"]
    assert found == {"http://h.example/a": "ann:1"}
    both = conform(pd.concat([table, table.assign(record_id="b", url=urls[1])], ignore_index=True))
    assert take_userinfo(both)[1] == {"http://h.example/a": "ann:1"}
