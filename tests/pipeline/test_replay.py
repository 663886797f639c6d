"""A manifest alone rebuilds the data set elsewhere, as far as the web still has it, and says what it has not."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curator import catalog
from curator.catalog import Stage
from curator.errors import StateError
from curator.inspect.diff import changed_settings, compare_manifests, with_causes
from curator.inspect.verify import Verification, verify_files
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.manifests.settings import FetchSettings
from curator.manifests.tombstones import append_tombstones, digest, read_tombstones
from curator.pipeline import run_stages as pipeline
from curator.pipeline.replay import Replay, replay_manifest
from tests.small_worlds import picture, small_project

LOCAL = FetchSettings(allow_private_hosts=True, timeout_s=60, retries=0)


class Host(BaseHTTPRequestHandler):
    """Serves what a dict holds; a missing path is 404."""

    pages: dict[str, bytes]

    def do_GET(self) -> None:
        body = self.pages.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> dict[str, bytes]:
    """The pictures that the web has."""
    found = {}
    for index, label in enumerate(("rugby", "soccer")):
        for number in range(8):
            found[f"/{label}/{number}.jpg"] = as_jpeg(picture(1000 * index + number))
    return found


def as_jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture
def project(tmp_path: Path, pages: dict[str, bytes]) -> Iterator[Project]:
    """A data set of eight pictures a label, fetched from a server that is still up."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (Host,), {"pages": pages}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = [f"http://127.0.0.1:{server.server_port}{path},{path.split('/')[1]}" for path in pages]
    listed = tmp_path / "list.csv"
    listed.write_text("url,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    source = f'[[sources]]\nkind = "url-list"\npath = "{listed.as_posix()}"\n'
    rest = '[balance]\nper_class = "max"\n[fetch]\nallow_private_hosts = true\n'
    project = small_project(tmp_path, f'name = "small"\nlabels = ["rugby", "soccer"]\n{source}{rest}')
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    yield project
    server.shutdown()
    server.server_close()


def replayed(project: Project, root: Path, accept_similar: bool = False) -> Replay:
    return replay_manifest(project.paths.manifest, root, LOCAL, accept_similar)


def path_of(project: Project, place: int) -> str:
    """The path on the server of the manifest's n-th image."""
    url = read_manifest(project.paths.manifest)["url"].iloc[place]
    return "/" + url.split("/", 3)[3]


def test_an_unchanged_web_gives_the_same_manifest_byte_for_byte(project: Project, tmp_path: Path) -> None:
    """Another folder, the same bytes: manifest, split, folders; and every file verifies."""
    before = project.paths.manifest.read_bytes()
    done = replayed(project, tmp_path / "elsewhere")
    assert done.is_whole
    assert done.paths.manifest.read_bytes() == before
    assert project.paths.manifest.read_bytes() == before
    assert verify_files(done.paths) == Verification(16, ())


def test_each_fate_is_told_apart(project: Project, pages: dict[str, bytes], tmp_path: Path) -> None:
    """Gone, the same picture in other bytes, another picture, and a page instead of a picture."""
    gone, resaved, other, page = (path_of(project, place) for place in range(4))
    original = Image.open(io.BytesIO(pages[resaved]))
    del pages[gone]
    pages[resaved] = as_jpeg(original, quality=80)
    pages[other] = as_jpeg(picture(9999))
    pages[page] = b"<html>Sorry</html>"
    done = replayed(project, tmp_path / "elsewhere")
    assert done.images["fate"].tolist()[:4] == ["gone", "similar", "changed", "changed"]
    assert done.images["reason"].tolist()[0] == "gone"
    assert done.images["reason"].tolist()[3] == "not-an-image"
    assert done.counts() == {"same": 12, "similar": 1, "changed": 2, "gone": 1, "unreached": 0, "no-address": 0}
    new, old = read_manifest(done.paths.manifest), read_manifest(project.paths.manifest)
    assert new["record_id"].tolist() == old["record_id"].tolist()[4:]
    assert new["split"].tolist() == old["split"].tolist()[4:]


def test_similar_pictures_are_accepted_when_asked_for(
    project: Project, pages: dict[str, bytes], tmp_path: Path
) -> None:
    """They come with their new hash and their old side."""
    path = path_of(project, 5)
    pages[path] = as_jpeg(Image.open(io.BytesIO(pages[path])), quality=80)
    done = replayed(project, tmp_path / "elsewhere", accept_similar=True)
    assert done.is_whole
    new, old = read_manifest(done.paths.manifest), read_manifest(project.paths.manifest)
    changes = compare_manifests(old, new)
    assert [(change.kind, change.record_id) for change in changes] == [("replaced", old["record_id"].iloc[5])]
    assert new["split"].tolist() == old["split"].tolist()
    assert verify_files(done.paths) == Verification(16, ())


def test_a_second_replay_takes_what_came_back(project: Project, pages: dict[str, bytes], tmp_path: Path) -> None:
    """It asks for nothing that it has, and never touches the manifest given."""
    before = project.paths.manifest.read_bytes()
    assert replayed(project, tmp_path / "elsewhere").is_whole
    kept = dict(pages)
    pages.clear()
    assert replayed(project, tmp_path / "elsewhere").is_whole
    assert len(kept) == 16
    assert project.paths.manifest.read_bytes() == before


def test_link_rot_is_counted_by_host(project: Project, pages: dict[str, bytes], tmp_path: Path) -> None:
    """One row a host, in a file beside the new manifest."""
    del pages[path_of(project, 0)]
    done = replayed(project, tmp_path / "elsewhere")
    (row,) = pd.read_csv(done.paths.folder / "link-rot.csv").to_dict("records")
    assert (row["host"], row["images"], row["same"], row["gone"]) == ("127.0.0.1", 16, 15, 1)
    fates = pd.read_csv(done.paths.folder / "replay.csv")
    assert fates["fate"].tolist() == ["gone"] + ["same"] * 15


def test_where_the_first_address_is_dead_the_fallback_is_asked(
    project: Project, pages: dict[str, bytes], tmp_path: Path
) -> None:
    """As the fetch did: the manifest carries both addresses, and the report says that another host served the image."""
    rows = read_manifest(project.paths.manifest)
    second = rows["url"].str.replace("127.0.0.1", "localhost")
    dead = rows["url"].where(rows.index > 0, "http://127.0.0.1:" + rows["url"][0].split(":")[2].split("/")[0] + "/none")
    manifest = tmp_path / "other" / "manifest.csv"
    manifest.parent.mkdir()
    manifest.write_text(manifest_text(rows.assign(url=dead, fallback_url=second)), encoding="utf-8")
    done = replay_manifest(manifest, tmp_path / "elsewhere", LOCAL)
    assert done.is_whole
    assert done.paths.manifest.read_bytes() == manifest.read_bytes()
    (row,) = pd.read_csv(done.paths.folder / "link-rot.csv").to_dict("records")
    assert (row["host"], row["same"], row["elsewhere"]) == ("127.0.0.1", 16, 1)


def test_a_manifest_without_the_newer_columns_is_replayed(project: Project, tmp_path: Path) -> None:
    """One from before ``fallback_url`` reads as if none was known."""
    manifest = tmp_path / "other" / "manifest.csv"
    manifest.parent.mkdir()
    read_manifest(project.paths.manifest).drop(columns="fallback_url").to_csv(manifest, index=False)
    assert replay_manifest(manifest, tmp_path / "elsewhere", LOCAL).is_whole


def test_nothing_left_is_an_error_that_says_where_to_look(
    project: Project, pages: dict[str, bytes], tmp_path: Path
) -> None:
    """No empty data set is written."""
    pages.clear()
    with pytest.raises(StateError, match=r"replay\.csv says why"):
        replayed(project, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "small-replay" / "manifest.csv").exists()


def test_a_manifest_all_forgotten_is_told_before_anything_is_asked(project: Project, tmp_path: Path) -> None:
    """The message names the tombstones; nothing is written."""
    rows = read_manifest(project.paths.manifest)
    append_tombstones(project.paths.manifest.parent / "forgotten.jsonl", {"address": map(digest, rows["url"])})
    with pytest.raises(StateError, match=r"was forgotten(.|\n)*forgotten\.jsonl"):
        replayed(project, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_what_its_maker_forgot_goes_along(project: Project, tmp_path: Path) -> None:
    """What is mirrored, pushed or forgotten of the new data set knows it too."""
    rows = read_manifest(project.paths.manifest)
    append_tombstones(project.paths.manifest.parent / "forgotten.jsonl", {"address": [digest(rows["url"][0])]})
    done = replayed(project, tmp_path / "elsewhere")
    assert read_tombstones(done.paths.forgotten) == read_tombstones(project.paths.forgotten)
    assert done.paths.forgotten.is_relative_to(tmp_path / "elsewhere")
    replayed(project, tmp_path / "elsewhere")
    assert len(done.paths.forgotten.read_text().splitlines()) == 1


def test_local_files_have_no_address(project: Project, tmp_path: Path) -> None:
    """An image of a folder cannot be fetched by anyone else, and is told so."""
    rows = read_manifest(project.paths.manifest)
    rows.loc[0, "url"] = None
    manifest = tmp_path / "other" / "manifest.csv"
    manifest.parent.mkdir()
    rows.to_csv(manifest, index=False)
    done = replay_manifest(manifest, tmp_path / "elsewhere", LOCAL)
    assert done.images["fate"].tolist() == ["no-address"] + ["same"] * 15


def test_a_difference_is_told_with_its_cause(project: Project, tmp_path: Path) -> None:
    """Removed: the catalog's drop; moved: the setting that changed; relabelled and added are found too."""
    old_path = tmp_path / "old" / "manifest.csv"
    old_path.parent.mkdir()
    old_path.write_bytes(project.paths.manifest.read_bytes())
    old_path.with_suffix(".json").write_bytes(project.paths.made_with.read_bytes())
    pipeline.decide(project, Stage.SPLIT, {"split": {"seed": 3}, "balance": {"per_class": 6}}, resplit=True)
    table = pipeline.decide(
        project, Stage.SPLIT, {"split": {"seed": 3}, "balance": {"per_class": 6}}, resplit=True
    ).table
    old, new = read_manifest(old_path), read_manifest(project.paths.manifest)
    settings = changed_settings(old_path, project.paths.manifest)
    changes = with_causes(compare_manifests(old, new), table, [], settings)
    removed = [change for change in changes if change.kind == "removed"]
    assert len(removed) == 4
    assert {change.cause for change in removed} == {"surplus: beyond 6 a label"}
    moved = [change for change in changes if change.kind == "moved"]
    assert moved and {change.cause for change in moved} == {"seed was 0, is 3"}
    assert len(catalog.kept(table)) == 12


def test_a_relabelled_image_is_matched_by_its_content() -> None:
    """Under another label an image has another record id; it is still the same image."""
    old = pd.DataFrame({"record_id": ["x-1", "x-2"], "sha256": ["1", "2"], "label": ["a", "a"], "split": ["train"] * 2})
    new = pd.DataFrame({"record_id": ["x-9", "x-3"], "sha256": ["1", "3"], "label": ["b", "a"], "split": ["train"] * 2})
    found = [(change.kind, change.record_id, change.before, change.after) for change in compare_manifests(old, new)]
    assert found == [
        ("added", "x-3", "", "a train"),
        ("removed", "x-2", "a train", ""),
        ("relabelled", "x-9", "a", "b"),
    ]
