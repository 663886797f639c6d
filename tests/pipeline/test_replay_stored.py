"""A replay takes from the object store what that has, asks the web for the rest, and keeps its own images there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from curator.catalog import Stage
from curator.cli.app import app
from curator.errors import StateError, StoreError
from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.settings import FetchSettings, StoreSettings
from curator.manifests.tombstones import append_tombstones
from curator.pipeline import replay_stored
from curator.pipeline import run_stages as pipeline
from curator.pipeline.replay import Replay, replay_manifest
from curator.sources.web_archive import capture_index
from curator.store.image_store import store_of
from curator.store.shards.commit import forget_images
from tests.fake_archive import Archive, Captured, served
from tests.pipeline.test_replay import as_jpeg
from tests.s3_server import s3_server
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import picture, recipe_text, small_project, write_folder

LOCAL = FetchSettings(allow_private_hosts=True, timeout_s=60, retries=0)


@dataclass
class Web:
    """What a host has, and how often each page was asked for."""

    pages: dict[str, bytes]
    asked: Counter[str] = field(default_factory=Counter)
    address: str = ""


@pytest.fixture
def web() -> Iterator[Web]:
    """Sixteen pictures of two labels."""
    pages = {
        f"/{label}/{number}.jpg": as_jpeg(picture(1000 * index + number))
        for index, label in enumerate(("rugby", "soccer"))
        for number in range(8)
    }
    web = Web(pages)

    class Host(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            web.asked[self.path] += 1
            self.send_body(200 if self.path in web.pages else 404, web.pages.get(self.path, b""))

    with serving(Host) as port:
        web.address = f"http://127.0.0.1:{port}"
        yield web


@pytest.fixture(params=["s3", "a folder"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An object store: moto's, and a folder."""
    if request.param == "a folder":
        pytest.importorskip("obstore")
        yield f"file://{tmp_path}/bucket"
        return
    with s3_server(monkeypatch):
        yield "s3://pictures/sets"


def in_store(tmp_path: Path, web: Web, url: str) -> Project:
    """A data set of the web's pictures, all in the store, none on the disk."""
    lines = [f"{web.address}{path},{path.split('/')[1]}" for path in web.pages]
    listed = tmp_path / "list.csv"
    listed.write_text("url,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    source = f'[[sources]]\nkind = "url-list"\npath = "{listed.as_posix()}"\n'
    rest = f'[balance]\nper_class = "max"\n[fetch]\nallow_private_hosts = true\n[store]\nurl = "{url}"\ncache_gb = 0\n'
    project = small_project(tmp_path, f'name = "small"\nlabels = ["rugby", "soccer"]\n{source}{rest}')
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    web.asked.clear()
    return project


def replayed(project: Project, root: Path, fetch: FetchSettings = LOCAL) -> Replay:
    return replay_manifest(project.paths.manifest, root, fetch, recipe=project.recipe)


def test_what_the_store_has_is_not_requested(tmp_path: Path, web: Web, url: str) -> None:
    """The whole set with no web at all: the same manifest; its images are in a part of the store of their own."""
    project = in_store(tmp_path, web, url)
    web.pages.clear()
    done = replayed(project, tmp_path / "elsewhere")
    assert done.is_whole and done.n_stored == 16 and not web.asked
    assert done.paths.manifest.read_bytes() == project.paths.manifest.read_bytes()
    assert done.counts()["same"] == 16 and set(done.images["stored_in"]) == {f"{url}/small"}
    assert len(pd.read_csv(done.paths.link_rot)) == 0  # nobody was asked
    store = store_of(done.paths.folder)
    assert store is not None and store.place.url == f"{url}/small-replay"
    assert verify_files(done.paths).findings == () and len(store.index().words) == 16
    assert not done.paths.split_folder("train").exists() and not done.paths.spool.folder.exists()


def test_what_it_has_not_comes_from_the_web(tmp_path: Path, web: Web, url: str) -> None:
    """Some images are gone from the store, of these one from the web too: each fate is told apart."""
    project = in_store(tmp_path, web, url)
    rows = read_manifest(project.paths.manifest)
    lost = rows["sha256"].tolist()[:4]
    assert forget_images(store_of(project.paths.folder), lost) == 4
    gone = rows["url"][1].removeprefix(web.address)
    del web.pages[gone]
    done = replayed(project, tmp_path / "elsewhere")
    assert sum(web.asked.values()) == 4
    assert done.images["fate"].tolist() == ["same", "gone", *["same"] * 14]
    assert done.images["stored_in"].isna().tolist() == [True] * 4 + [False] * 12
    assert (done.n_kept, done.n_lost, done.is_whole) == (15, 1, False)
    hosts = pd.read_csv(done.paths.link_rot).to_dict("records")
    assert [(one["images"], one["same"], one["gone"]) for one in hosts] == [(4, 3, 1)]
    new = read_manifest(done.paths.manifest)
    assert new["record_id"].tolist() == [one for row, one in enumerate(rows["record_id"]) if row != 1]
    web.asked.clear()
    assert replayed(project, tmp_path / "elsewhere").n_kept == 15 and not web.asked


def test_local_files_come_back_from_a_store(tmp_path: Path, url: str) -> None:
    """Nobody else can fetch them; whoever may read the store has them."""
    photos = write_folder(tmp_path / "photos", 8)
    project = small_project(tmp_path, recipe_text(photos, "max", more=f'[store]\nurl = "{url}"\ncache_gb = 0\n'))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    with pytest.raises(StateError, match=r"or name the recipe, `--recipe NAME`, if its .store. has them"):
        replay_manifest(project.paths.manifest, tmp_path / "without", LOCAL)
    done = replayed(project, tmp_path / "elsewhere")
    assert done.is_whole and done.counts()["same"] == len(done.images) == done.n_stored
    new, old = (read_manifest(one.paths.manifest).drop(columns="file") for one in (done, project))
    pd.testing.assert_frame_equal(new, old)  # a file's own name is not in a manifest


def test_what_was_forgotten_is_not_taken(tmp_path: Path, web: Web, url: str) -> None:
    """By the tombstone beside the manifest, also if the store has it still."""
    project = in_store(tmp_path, web, url)
    gone = read_manifest(project.paths.manifest)["sha256"][0]
    append_tombstones(project.paths.forgotten, {"content": [gone]})
    done = replayed(project, tmp_path / "elsewhere")
    assert (len(done.images), done.n_stored, done.is_whole) == (15, 15, True) and not web.asked
    assert not store_of(done.paths.folder).index().has([bytes.fromhex(gone)]).any()


def test_an_archive_is_asked_for_what_neither_has(
    tmp_path: Path, web: Web, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a web that is dead the store has fourteen, the archive one, nobody the last."""
    monkeypatch.setattr(capture_index, "LEAST_GAP_S", 0.02)
    project = in_store(tmp_path, web, url)
    rows, archive = read_manifest(project.paths.manifest), Archive()
    forget_images(store_of(project.paths.folder), rows["sha256"].tolist()[:2])
    first = rows["url"][0]
    archive.captures = [Captured(first, "20110301120000", web.pages[first.removeprefix(web.address)])]
    web.pages.clear()
    with served(archive):
        fetch = replace(LOCAL, rescue=True, archive=archive.index, contact="mailto:ann@h.example")
        done = replayed(project, tmp_path / "elsewhere", fetch)
    assert (done.n_stored, done.n_rescued, done.n_kept, len(web.asked)) == (14, 1, 15, 2)
    assert done.images["fate"].tolist() == ["same", "gone", *["same"] * 14]
    assert len(archive.lookups()) == 2 and len(archive.downloads()) == 1
    assert pd.read_csv(done.paths.link_rot)[["images", "rescued", "gone"]].to_dict("list") == {
        "images": [2], "rescued": [1], "gone": [1],
    }  # fmt: skip
    again = replace(project.recipe, name="small-replay")  # which has in the store what the archive had
    then = replay_manifest(done.paths.manifest, tmp_path / "then", LOCAL, recipe=again)
    assert (then.n_stored, then.n_rescued, len(archive.downloads())) == (15, 0, 1)
    assert then.paths.manifest.read_bytes() == done.paths.manifest.read_bytes()  # it says where they are from


def test_a_manifest_without_rows_is_told_apart(tmp_path: Path, web: Web, url: str) -> None:
    """From one of local files."""
    project = in_store(tmp_path, web, url)
    header = project.paths.manifest.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    project.paths.manifest.write_text(header, encoding="utf-8")
    for recipe in (project.recipe, None):
        with pytest.raises(StateError, match="It lists no image"):
            replay_manifest(project.paths.manifest, tmp_path / "elsewhere", LOCAL, recipe=recipe)


def test_the_command_takes_the_recipes_store(
    tmp_path: Path, web: Web, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--recipe` names it; what is said of the images counts those that nobody was asked for."""
    project = in_store(tmp_path, web, url)
    web.pages.clear()
    monkeypatch.chdir(tmp_path)
    given = ["replay", str(project.paths.manifest), "--recipe", str(project.recipe.path), "--data", "elsewhere"]
    done = CliRunner().invoke(app, [*given, "--quiet"])
    assert done.exit_code == 0, done.output
    assert "16 images came from the object store, and no host was asked for them." in done.output
    again = CliRunner().invoke(app, [*given, "--json"])
    assert json.loads(again.stdout)["stored"] == 16 and not web.asked


@pytest.mark.parametrize(("damage", "n_stored"), [("a flipped bit", 15), ("gone", 0)])
def test_a_damaged_shard_costs_a_request_each(tmp_path: Path, web: Web, damage: str, n_stored: int) -> None:
    """What is not what its index says does not count as the image."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, web, f"file://{tmp_path}/bucket")
    (tar,) = (tmp_path / "bucket").rglob("*.tar")
    data = bytearray(tar.read_bytes())
    data[600] ^= 1
    tar.unlink()
    if damage != "gone":
        tar.write_bytes(data)
    done = replayed(project, tmp_path / "elsewhere")
    assert done.is_whole and done.n_stored == n_stored and sum(web.asked.values()) == 16 - n_stored


def test_it_goes_on_where_it_was_killed(tmp_path: Path, web: Web, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came already is not read from the store again."""
    monkeypatch.setattr(replay_stored, "MOST_AT_ONCE", 4)
    project = in_store(tmp_path, web, url)
    fetch, n_calls = replay_stored.fetch_images, Counter[str]()

    def killed(*given: object) -> object:
        n_calls["begun"] += 1
        if n_calls["begun"] == 3:
            raise KeyboardInterrupt
        return fetch(*given)

    monkeypatch.setattr(replay_stored, "fetch_images", killed)
    with pytest.raises(KeyboardInterrupt):
        replayed(project, tmp_path / "elsewhere")
    done = replayed(project, tmp_path / "elsewhere")
    assert done.is_whole and n_calls["begun"] == 3 + 2 and done.n_stored == 16


def test_what_a_killed_run_brought_is_removed_by_any_next_one(tmp_path: Path, web: Web, url: str) -> None:
    """Also by one that looks into no store."""
    project = in_store(tmp_path, web, url)
    done = replayed(project, tmp_path / "elsewhere")
    left = done.paths.spool.image("ab" * 32, "jpeg")
    left.parent.mkdir(parents=True)
    left.touch()
    replay_manifest(project.paths.manifest, tmp_path / "elsewhere", LOCAL)
    assert not done.paths.spool.folder.exists()


def test_with_all_kept_here_the_folders_are_made(
    tmp_path: Path, web: Web, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of any data set: `keep_local` is the recipe's. However many there are, they are looked at in a few parts."""
    looks = Counter[str]()
    fetch = replay_stored.fetch_images
    monkeypatch.setattr(replay_stored, "fetch_images", lambda *given: looks.update(["looks"]) or fetch(*given))
    monkeypatch.setattr(replay_stored, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(replay_stored, "MOST_PARTS", 3)
    project = in_store(tmp_path, web, url)
    recipe = replace(project.recipe, store=StoreSettings(url=url, keep_local=True))
    done = replay_manifest(project.paths.manifest, tmp_path / "elsewhere", LOCAL, recipe=recipe)
    assert looks["looks"] == 3 and done.n_stored == 16 and len([*done.paths.split_folder("train").rglob("*.jpg")]) > 8
    assert verify_files(done.paths).findings == ()


def test_a_store_out_of_reach_is_one_paragraph(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody is asked."""
    with s3_server(monkeypatch):
        project = in_store(tmp_path, web, "s3://pictures/sets")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="it cannot be reached"):
        replayed(project, tmp_path / "elsewhere")
    assert not web.asked
