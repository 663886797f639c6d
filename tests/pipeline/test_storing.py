"""A data set in an object store is that of one disk, byte for byte; whatever fails there, nothing is lost."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

import curator
from curator.benchmark.images.arrays import image_array
from curator.catalog import Stage
from curator.dataset import Dataset
from curator.demo.photos import photo_world
from curator.demo.server import serve
from curator.demo.site import recipe_text as served_text
from curator.errors import CuratorError, RecipeError, SourceError, StateError, StoreError
from curator.events import ignore
from curator.export.export import FORMATS, export_dataset, find_format
from curator.export.resizing import read_resizing
from curator.inspect.findings import remedies
from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.tombstones import append_tombstones
from curator.observe.renderings import Rendering
from curator.observe.thumbnails import large_picture
from curator.observe.workers import pool as pool_module
from curator.observe.workers import render as render_module
from curator.observe.workers.look import look_at_files
from curator.observe.workers.render import render
from curator.pipeline import run_stages as pipeline
from curator.pipeline import storing
from curator.pipeline.acquire import AcquireOptions
from curator.pipeline.forget import forget
from curator.pipeline.replay import replay_manifest
from curator.sources.registry import source_kinds
from curator.store import image_store
from curator.store.image_store import here, is_away, store_of
from curator.store.paths import DataPaths
from curator.store.shards import commit as commit_module
from curator.store.shards import object_store, shard_store
from curator.store.shards.commit import commit, forget_images, uncommitted
from curator.store.shards.index import MOST_ROWS, index_bytes
from curator.store.shards.index_copies import index_name, tar_name
from curator.store.shards.object_store import Objects, open_objects
from curator.store.shards.place import Place, read_place
from curator.store.shards.shard_store import ShardStore
from curator.store.shards.tar_shard import Member, Shard, read_members
from tests.s3_server import KEYS, bytes_in, names_in, s3_server
from tests.small_worlds import recipe_text, small_project, write_folder

GOLDEN = Path(__file__).parents[1] / "golden"
URL = "s3://pictures/sets"
EXACT = '[dedupe]\nmode = "exact"\n'


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client that looks into the bucket."""
    with s3_server(monkeypatch) as client:
        yield client


@pytest.fixture(autouse=True)
def spares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fetch leaves on the disk is what no shard has; see `test_the_last_ones_stay`."""
    monkeypatch.setattr(shard_store, "N_SPARED", 0)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Sixteen pictures of two labels."""
    return write_folder(tmp_path / "photos", 8)


def in_store(root: Path, photos: Path, url: str, more: str = "cache_gb = 0") -> Project:
    """A data set whose images are to be in an object store."""
    return small_project(root, recipe_text(photos, "max", more=f'{EXACT}[store]\nurl = "{url}"\n{more}'))


def split(project: Project) -> bytes:
    """Run the whole job; return the manifest."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project.paths.manifest.read_bytes()


def on_disk(project: Project) -> list[str]:
    return sorted(path.name for path in project.paths.images.rglob("*.*"))


def test_the_whole_job_is_that_of_one_disk(tmp_path: Path, s3: Any) -> None:
    """Fetch, dedupe, balance, split, verify, every export, a replay: the same bytes, read from shards of the store."""
    made: dict[str, dict[str, bytes]] = {}
    with serve(photo_world(GOLDEN / "pictures"), port=0, as_proxy=True) as served:
        text = served_text(served.world, served.base_url, served.proxy).replace('per_class = "max"', "per_class = 10")
        for name, more in {"disk": "", "store": f'\n[store]\nurl = "{URL}"\ncache_gb = 0\n'}.items():
            recipe = parse_recipe(text + more, source_kinds())
            paths = DataPaths(tmp_path / name / "data", tmp_path / name / "manifests", recipe.name)
            project = Project(recipe, paths)
            manifest = split(project)
            assert manifest == (GOLDEN / "manifest.csv").read_bytes()
            assert paths.split_folder("train").exists() is (name == "disk")
            found = verify_files(paths)
            assert (found.n_images, found.findings, found.unknown) == (20, (), ())
            for form in FORMATS:
                export_dataset(project, form)
            export_dataset(project, find_format("keras"), tmp_path / name / "small", read_resizing(32, None))
            replayed = replay_manifest(paths.manifest, paths.data_root, recipe.fetch, recipe=recipe)
            assert (replayed.n_stored, replayed.paths.split_folder("train").exists()) == (
                (20, False) if more else (0, True)
            )
            folders = {"exports": paths.exports, "small": tmp_path / name / "small"}
            made[name] = {"replay": replayed.paths.manifest.read_bytes(), "manifest": manifest}
            made[name] |= {"judged": pd.read_parquet(paths.judged).to_csv().encode()}
            made[name] |= {
                f"{what}/{path.relative_to(folder)}": path.read_bytes()
                for what, folder in folders.items()
                for path in folder.rglob("*")
                if path.is_file()
            }
    assert made["disk"].keys() == made["store"].keys() and len(made["disk"]) > 60
    assert [name for name in made["disk"] if made["disk"][name] != made["store"][name]] == []


def test_shards_are_plain_tars_that_webdataset_reads(tmp_path: Path, photos: Path, s3: Any) -> None:
    """A member an image, named by its SHA-256; what else there is is the index; and readers need nothing of ours."""
    webdataset = pytest.importorskip("webdataset")
    project = in_store(tmp_path, photos, URL)
    split(project)
    (shard,) = [name for name in names_in(s3) if name.endswith(".tar")]
    assert re.fullmatch(r"sets/small/shards/[0-9a-f]{64}\.tar", shard)
    assert set(names_in(s3)) == {shard, shard.replace("shards", "index").replace(".tar", ".parquet")}
    with tarfile.open(fileobj=io.BytesIO(bytes_in(s3, shard))) as tar:
        names = tar.getnames()
    assert sorted(names) == names and {f"{one}.jpg" for one in read_manifest(project.paths.manifest)["sha256"]} == set(
        names
    )
    (tmp_path / "one.tar").write_bytes(bytes_in(s3, shard))
    samples = list(webdataset.WebDataset(str(tmp_path / "one.tar"), shardshuffle=False).decode("pil"))
    assert [f"{one['__key__']}.jpg" for one in samples] == names and samples[0]["jpg"].size == (160, 120)


def test_every_reader_reads_through_the_shards(tmp_path: Path, photos: Path, s3: Any) -> None:
    """Pages, models, loaders and questions; nothing that they read stays beyond what has room."""
    project = in_store(tmp_path, photos, URL)
    split(project)
    rows, paths = read_manifest(project.paths.manifest), project.paths
    first = paths.image(rows["sha256"][0], rows["format"][0])
    assert is_away(first) and here(first).read_bytes().startswith(b"\xff\xd8")
    for row in rows.to_dict("records"):
        assert large_picture(paths, row["sha256"], row["format"])
    data = Dataset(project)
    store_of(paths.folder).trim()
    assert f"{URL}/small/shards/" in str(data.why(rows["record_id"][0])[0])
    assert image_array(rows, paths, 32, ignore).shape == (16, 32, 32, 3)
    store_of(paths.folder).trim()
    assert data.verify().findings == ()
    assert data.mirror(tmp_path / "backup").counts == {"written": 16}


def test_an_audit_says_how_to_get_a_folder_of_them(tmp_path: Path, photos: Path) -> None:
    """Neither the data folder nor the manifest has files that it could read; what it proposes works."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")
    split(project)
    for place in (project.paths.folder, project.paths.manifest):
        with pytest.raises(SourceError, match=r"are in an object store, .* `curator export imagefolder`, then audit"):
            curator.audit(place, output=tmp_path / "page.html", embed=False)
    exported = export_dataset(project, find_format("imagefolder"))
    assert curator.audit(exported.path, output=tmp_path / "page.html", embed=False).counts["unreadable"] == 0


def test_what_was_read_stays_as_long_as_it_has_room(
    tmp_path: Path, photos: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cache_gb` bounds what is on the disk; what no shard has is never removed."""
    monkeypatch.setattr(shard_store, "_N_KEPT", 4)
    project = in_store(tmp_path, photos, URL)
    split(project)
    for image in read_manifest(project.paths.manifest)["sha256"]:
        here(project.paths.image(image, "jpeg"))
    assert len(on_disk(project)) == 4
    other = in_store(tmp_path / "roomy", photos, "s3://pictures/other", "cache_gb = 1.0")
    split(other)
    assert len(on_disk(other)) == 16


def test_all_can_stay_here_too_and_come_back(tmp_path: Path, photos: Path, s3: Any) -> None:
    """With `keep_local` the folders are made; without it they go; without [store] they come back."""
    manifests = set()
    for more, n_there in (("cache_gb = 0", 0), ("keep_local = true", 16), ("cache_gb = 0", 0)):
        project = in_store(tmp_path, photos, URL, more)
        manifests.add(split(project))
        assert len(on_disk(project)) == n_there
        assert project.paths.split_folder("train").exists() is bool(n_there)
        assert verify_files(project.paths).findings == ()
    project = small_project(tmp_path, recipe_text(photos, "max", more=EXACT))
    manifests.add(split(project))
    assert len(on_disk(project)) == 16 and project.paths.split_folder("test").is_dir() and len(manifests) == 1


def test_what_fills_a_shard_leaves_the_disk_while_the_fetch_works(
    tmp_path: Path, photos: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a fetch needs no room for all; what is left is packed at its end, and no image is twice."""
    monkeypatch.setattr(storing, "SHARD_BYTES", 20_000)
    monkeypatch.setattr(storing, "_LEAST_WAIT_S", 0.01)
    pipeline.fetch(small_project(tmp_path, recipe_text(photos, "max", more=EXACT)))
    project = in_store(tmp_path, photos, URL)
    with storing.storing(project):
        end = time.monotonic() + 60
        while len(on_disk(project)) > 5 and time.monotonic() < end:
            time.sleep(0.01)
        assert 0 < len(on_disk(project)) <= 5
    shards = list(store_of(project.paths.folder).copies.shards())
    members = [member.sha256 for shard in shards for member in shard.members]
    assert len(members) == len(set(members)) == 16 and on_disk(project) == []
    assert len(shards) > 3 and all(shard.n_bytes <= 20_000 + 1024 for shard in shards)


def test_what_another_machine_wrote_stays_as_it_is(tmp_path: Path, photos: Path, s3: Any) -> None:
    """Another machine with the same recipe: what either wrote stays as it is, and each reads what the other has."""
    (photos / "rugby" / "000.jpg").rename(tmp_path / "kept.jpg")
    one = in_store(tmp_path / "one", photos, URL)
    split(one)
    before = {name: bytes_in(s3, name) for name in names_in(s3)}
    (tmp_path / "kept.jpg").rename(photos / "rugby" / "000.jpg")
    two = in_store(tmp_path / "two", photos, URL)
    split(two)
    assert len(on_disk(two)) == 0 and len(names_in(s3)) == 4
    assert {name: bytes_in(s3, name) for name in before} == before
    assert sorted(len(shard.members) for shard in store_of(two.paths.folder).copies.shards()) == [1, 15]
    pipeline.fetch(one, AcquireOptions(refresh=True))
    assert len(on_disk(one)) == 0 and verify_files(one.paths).findings == ()


_KILLED = """
import os, signal, sys
from pathlib import Path
from curator.inspect.verify import verify_files
from curator.pipeline import storing
from curator.store.image_store import store_of
from curator.store.shards import commit, object_store, shard_store
from tests.pipeline.test_storing import in_store, on_disk, split
storing.SHARD_BYTES, shard_store.N_SPARED = 40_000, 0
photos, root = Path(sys.argv[1]), Path(sys.argv[2])

def child(work):
    if not (pid := os.fork()):
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def counted(function):
    def call(*arguments, **options):
        global left
        for _ in range(2):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            done = function(*arguments, **options) if _ == 0 else done
        return done
    return call

def killed():
    for owner, name in ((object_store.Objects, "put_file"), (object_store.Objects, "put_new"),
                        (shard_store.ShardStore, "drop"), (commit, "write_shard")):
        setattr(owner, name, counted(getattr(owner, name)))
    split(project())

def project():
    home = root / str(n)
    return in_store(home, photos, f"file://{home}/elsewhere")

def resumed():
    (root / f"{n}.csv").write_bytes(split(project()))
    paths = project().paths
    assert on_disk(project()) == [], on_disk(project())
    assert verify_files(paths).findings == (), verify_files(paths).findings
    members = {one.sha256 for shard in store_of(paths.folder).copies.shards() for one in shard.members}
    assert len(members) == 16 and not list((paths.folder / "store").glob(".tmp*"))

for n in map(int, sys.argv[3:]):
    left = n
    print(n, child(killed), child(resumed), flush=True)
"""


def killed_at(steps: Sequence[int], tmp_path: Path, photos: Path) -> list[list[int]]:
    """Run the job anew for each step, killed there and then resumed; return the exit codes of both."""
    pytest.importorskip("obstore")
    command = [sys.executable, "-c", _KILLED, str(photos), str(tmp_path), *map(str, steps)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    whole = split(small_project(tmp_path / "disk", recipe_text(photos, "max", more=EXACT)))
    codes = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert [one for one, *_ in codes] == [*steps] and all(resumed == 0 for *_, resumed in codes), done.stderr
    assert {(tmp_path / f"{n}.csv").read_bytes() for n in steps} == {whole}
    return codes


def test_killed_it_goes_on(tmp_path: Path, photos: Path) -> None:
    """SIGKILL after a tar is written here, while it goes there, before its index, after it: nothing is lost."""
    codes = killed_at((4, 5, 6, 8, 9), tmp_path, photos)
    assert {killed for _, killed, _ in codes} == {-signal.SIGKILL}


@pytest.mark.torture
def test_killed_at_any_step_it_goes_on(tmp_path: Path, photos: Path) -> None:
    """Before and after each thing that storing does."""
    codes = killed_at(range(1, 30), tmp_path, photos)
    assert [killed for _, killed, _ in codes].count(-signal.SIGKILL) > 12 and codes[-1][1] == 0


def test_a_shard_without_index_is_nothing_and_is_named(tmp_path: Path, photos: Path, s3: Any) -> None:
    """What a killed writer left, whole or half: nobody reads it, and verify says so, which is no fault."""
    project = in_store(tmp_path, photos, URL)
    whole = split(project)
    (shard,) = [name for name in names_in(s3) if name.endswith(".tar")]
    half = f"sets/small/shards/{'0' * 64}.tar"
    s3.put_object(Bucket="pictures", Key=half, Body=bytes_in(s3, shard)[:3000])
    found = verify_files(project.paths)
    assert found.findings == ()
    (unknown,) = found.unknown
    assert (unknown.path, unknown.problem) == (f"s3://pictures/{half}", "has no index: nobody reads it")
    assert split(project) == whole and len(uncommitted(store_of(project.paths.folder))) == 1


def test_a_damaged_shard_is_named_with_what_mends_it(tmp_path: Path, photos: Path, s3: Any) -> None:
    """Cut, gone, or with other bytes: verify counts its images; the index deleted, a fetch gets them again."""
    project = in_store(tmp_path, photos, URL)
    whole = split(project)
    (shard,) = [name for name in names_in(s3) if name.endswith(".tar")]
    good = bytes_in(s3, shard)
    with tarfile.open(fileobj=io.BytesIO(good)) as tar:
        second = tar.getmembers()[1].offset_data
    for bad in (good[: second + 10], b"", good[:second] + b"rot" + good[second + 3 :]):
        s3.put_object(Bucket="pictures", Key=shard, Body=bad)
        found = verify_files(project.paths, fast=True)
        n_lost = 1 if len(bad) == len(good) else 15 if bad else 16
        (of_shard, *of_images) = found.findings
        assert of_shard.problem.startswith(f"{n_lost} of its 16 images are missing or differ from their SHA-256 in ")
        assert [one.problem for one in of_images] == ["missing"] * n_lost
    assert "it writes what is sound in the shards named into new ones" in str(remedies(found.findings, project.paths))
    assert "differ" not in str(remedies(found.findings, project.paths))  # no file of this disk does
    with pytest.raises(StateError, match="from byte 5,120 is not the image 21f5c46c"):
        export_dataset(project, find_format("webdataset"))
    assert split(project) == whole and verify_files(project.paths).findings == ()
    assert shard not in names_in(s3) and len(names_in(s3)) == 4


@pytest.mark.parametrize("damage", ["a flipped bit", "cut", "gone", "no tar"])
def test_what_is_sound_in_a_damaged_shard_is_kept(tmp_path: Path, photos: Path, damage: str) -> None:
    """Also if no source has the images any more."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")
    split(project)
    (tar,) = (tmp_path / "bucket").rglob("*.tar")
    data = tar.read_bytes()
    with tarfile.open(tar) as opened:
        third = opened.getmembers()[2].offset_data
    tar.unlink()
    if damage != "gone":
        rotten = {
            "a flipped bit": data[:third] + b"rot" + data[third + 3 :],
            "cut": data[:third],
            "no tar": b"x" * 2048,
        }
        tar.write_bytes(rotten[damage])
    assert len(verify_files(project.paths, fast=True).findings) > 1
    shutil.rmtree(photos)
    photos.mkdir()
    with suppress(CuratorError):
        pipeline.fetch(project)
    assert len(stored(project)) == {"a flipped bit": 15, "cut": 2, "gone": 0, "no tar": 0}[damage]
    assert not tar.exists() and not store_of(project.paths.folder).copies.damaged()


def test_a_file_that_makes_room_for_another_process_is_brought_again(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that went between its coming and its decoding is no damaged picture."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")
    split(project)
    images = [project.paths.image(one, "jpeg") for one in read_manifest(project.paths.manifest)["sha256"]]
    gone: list[Path] = []

    def gone_once(path: Path) -> Path:
        here(path)
        if not gone:
            path.unlink()
            gone.append(path)
        return path

    monkeypatch.setattr(render_module, "here", gone_once)
    assert render(images[0], Rendering("JPEG", "within", 32), 10**6) and gone.pop() == images[0]
    monkeypatch.setattr(pool_module, "here", gone_once)
    seen = dict(look_at_files(images, 10**6))
    assert len(seen) == 16 and all(seen.values()) and len(gone) == 1


def test_what_is_forgotten_leaves_the_shards(tmp_path: Path, photos: Path, s3: Any) -> None:
    """The tombstone first; the shard is written anew without it, also one that a killed writer left without index."""
    project = in_store(tmp_path, photos, URL)
    split(project)
    gone, *_ = read_manifest(project.paths.manifest)["sha256"]
    (shard,) = [name for name in names_in(s3) if name.endswith(".tar")]
    s3.put_object(Bucket="pictures", Key=shard.replace(Path(shard).stem, "1" * 64), Body=bytes_in(s3, shard))
    done = forget(project, gone)
    assert done.n_manifest == 1
    assert not any(gone.encode() in bytes_in(s3, name) for name in names_in(s3))
    assert not any(bytes.fromhex(gone) in bytes_in(s3, name) for name in names_in(s3) if name.endswith(".parquet"))
    (left,) = store_of(project.paths.folder).copies.shards()
    assert len(left.members) == 15 and not uncommitted(store_of(project.paths.folder))
    assert not any(gone in path.name for path in project.paths.folder.rglob("*"))
    assert verify_files(project.paths).findings == ()


def refused(project: Project) -> str:
    with pytest.raises(CuratorError) as caught:
        pipeline.fetch(project)
    text = str(caught.value)
    assert "\n" not in text and "secret" not in text and "Traceback" not in text
    return text


def test_a_store_that_refuses_is_one_paragraph(
    tmp_path: Path, photos: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bucket, no rights, nobody there, an address that changed, no package: before anything is fetched."""
    assert "there is no such bucket. Make it first" in refused(in_store(tmp_path / "a", photos, "s3://nowhere/x"))
    project = in_store(tmp_path, photos, URL)
    assert len(split(project)) > 1000
    moved = in_store(tmp_path, photos, "s3://pictures/else")
    assert f"are in {URL}/small, not in s3://pictures/else/small, as the recipe says. Put that" in refused(moved)
    project = in_store(tmp_path, photos, URL)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    store_of(project.paths.folder)._objects = None
    assert "pip install 'imageset-curator[cloud]'" in refused(project)
    monkeypatch.delitem(sys.modules, "obstore.store")
    requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", data=b"0", timeout=9)
    store_of(project.paths.folder)._objects = None
    assert "it knows no such keys. Set them in the environment" in refused(project)
    requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", data=b"inf", timeout=9)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store_of(project.paths.folder)._objects = None
    assert "it cannot be reached. Check the network, and AWS_ENDPOINT_URL" in refused(project)
    with pytest.raises(StoreError, match="it cannot be reached"):
        export_dataset(project, find_format("parquet"))


def test_a_bucket_without_rights_is_one_paragraph(
    tmp_path: Path, photos: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that the store knows and that may do nothing there; what was stored before stays."""
    boto3 = pytest.importorskip("boto3")
    project = in_store(tmp_path, photos, URL)
    whole, before = split(project), names_in(s3)
    iam = boto3.client("iam", region_name=KEYS["AWS_REGION"])
    iam.create_user(UserName="ann")
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", data=b"0", timeout=9)
    try:
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
            patch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
            store_of(project.paths.folder)._objects = None
            said = refused(project)
    finally:
        requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", data=b"inf", timeout=9)
    assert "it allows that to nobody with these keys. Ask its owner for the rights" in said
    store_of(project.paths.folder)._objects = None
    assert split(project) == whole and names_in(s3) == before


def test_a_folder_that_may_not_be_written_is_one_paragraph(tmp_path: Path, photos: Path) -> None:
    """A local path goes the same way, without a server."""
    pytest.importorskip("obstore")
    (tmp_path / "file").write_text("")
    assert "cannot be opened: the store refused" in refused(in_store(tmp_path, photos, f"file://{tmp_path}/file/x"))


@pytest.mark.parametrize("url", ["s3://an-id:a-secret@pictures/x", "pictures", "ftp://h/x", "s3://b/x?token=a-secret"])
def test_keys_and_other_addresses_are_no_store(tmp_path: Path, photos: Path, url: str) -> None:
    """A key in the recipe is refused, and not repeated."""
    with pytest.raises(
        RecipeError, match=r"\[store\] url (must be the address of an object|takes no user name)"
    ) as caught:
        in_store(tmp_path, photos, url)
    assert "an-id:a-secret" not in str(caught.value)


def test_keys_are_in_no_file(tmp_path: Path, photos: Path, s3: Any) -> None:
    """Neither in the data folder nor beside the manifest nor in the bucket."""
    project = in_store(tmp_path, photos, URL)
    split(project)
    export_dataset(project, find_format("parquet"))
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    files += [bytes_in(s3, name) for name in names_in(s3)]
    secrets = [KEYS["AWS_SECRET_ACCESS_KEY"].encode(), KEYS["AWS_ACCESS_KEY_ID"].encode()]
    assert len(files) > 20 and not any(secret in content for content in files for secret in secrets)


@contextmanager
def out_of_reach(bucket: Path) -> Iterator[None]:
    """A file in the place of the store's folder."""
    away = bucket.with_name("away")
    bucket.rename(away)
    bucket.write_text("")
    image_store._KNOWN.clear()
    yield
    bucket.unlink()
    away.rename(bucket)
    image_store._KNOWN.clear()


def stored(project: Project) -> set[str]:
    """The images that are in shards, by their SHA-256."""
    store = store_of(project.paths.folder)
    store.sync()
    return {member.sha256 for shard in store.copies.shards() for member in shard.members}


def test_what_is_forgotten_while_the_store_is_out_of_reach_leaves_it_later(tmp_path: Path, photos: Path) -> None:
    """The same command finishes, as the name is known until it is done; and so does any later command or fetch."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")
    split(project)
    first, second, third, *_ = read_manifest(project.paths.manifest).to_dict("records")
    for row in (first, second):
        with out_of_reach(tmp_path / "bucket"):
            with pytest.raises(StoreError, match="tombstones are written and this disk is clear, but not the store"):
                forget(project, row["sha256"])
            assert row["sha256"] in set(read_manifest(project.paths.manifest)["sha256"])
    assert {first["sha256"], second["sha256"]} <= stored(project)
    assert forget(project, f"sha256:{first['sha256']}").n_manifest == 2
    assert not {first["sha256"], second["sha256"]} & stored(project)
    append_tombstones(project.paths.forgotten, {"content": [third["sha256"]]})  # killed, or on another machine
    with pytest.raises(CuratorError, match=r"No image is known by 'Nobody'. 1 image forgotten before left the object"):
        forget(project, "Nobody")
    assert third["sha256"] not in stored(project) and len(stored(project)) == 13


def test_what_another_machine_forgot_does_not_come_back(tmp_path: Path, photos: Path) -> None:
    """Its tombstone pulled, a fetch here removes the image from the disk, and stores it in no shard."""
    pytest.importorskip("obstore")
    one, two = (in_store(tmp_path / name, photos, f"file://{tmp_path}/bucket", "keep_local = true") for name in "ab")
    split(one)
    split(two)
    gone, later, *_ = read_manifest(one.paths.manifest)["sha256"]
    forget(one, gone)
    append_tombstones(two.paths.forgotten, {"content": [gone, later]})
    split(two)
    assert not {gone, later} & stored(one) and len(stored(one)) == 14
    assert not any(name[:64] in (gone, later) for name in on_disk(two))


def test_one_failure_of_the_store_is_not_the_last_attempt(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long fetch goes on to store after it."""
    pytest.importorskip("obstore")
    monkeypatch.setattr(storing, "SHARD_BYTES", 20_000)
    monkeypatch.setattr(storing, "_LEAST_WAIT_S", 0.01)
    pipeline.fetch(small_project(tmp_path, recipe_text(photos, "max", more=EXACT)))
    tried = []

    def flaky(*arguments: Any) -> Shard:
        tried.append(arguments)
        if len(tried) < 3:
            raise StoreError("a hiccup", "")
        return commit(*arguments)

    monkeypatch.setattr(storing, "commit", flaky)
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")
    with storing.storing(project):
        end = time.monotonic() + 60
        while len(on_disk(project)) > 5 and time.monotonic() < end:
            time.sleep(0.01)
        assert len(on_disk(project)) <= 5


@pytest.mark.parametrize("right", ["put_new", "remove"])
def test_rights_that_are_missing_are_said_before_anything_is_fetched(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, right: str
) -> None:
    """To list is not enough."""
    pytest.importorskip("obstore")
    project = in_store(tmp_path, photos, f"file://{tmp_path}/bucket")

    def refuse(*_: Any) -> None:
        raise StoreError("it allows that to nobody with these keys", "")

    monkeypatch.setattr(Objects, right, refuse)
    with pytest.raises(StoreError, match="it allows that to nobody"):
        pipeline.fetch(project)
    assert on_disk(project) == []


def test_both_files_of_a_commit_in_a_folder_are_synced_before_an_image_leaves_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tar, the index and their folders: a power cut after that loses nothing."""
    store, (name, data) = small_store(tmp_path), image("a")
    synced: list[str] = []
    monkeypatch.setattr(object_store, "sync_file", lambda path: synced.append(str(path).partition("elsewhere/")[2]))
    shard = commit(store, [(name, data)])
    assert synced == [tar_name(shard.sha256), "shards", index_name(shard.sha256), "index"]


def small_store(folder: Path, cache_bytes: int = 0) -> ShardStore:
    """The images of a data set in a store that is a folder."""
    pytest.importorskip("obstore")
    return ShardStore(folder, Place(f"file://{folder}/elsewhere", cache_bytes=cache_bytes))


def image(text: str) -> tuple[str, bytes]:
    """A member of a shard, and its bytes."""
    data = text.encode() * 100
    return f"{hashlib.sha256(data).hexdigest()}.jpg", data


def put_image(store: ShardStore, name: str, data: bytes) -> Path:
    path = store.folder / "images" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def index_of(members: Sequence[Member], shard: str, n_bytes: int = 4096) -> bytes:
    return index_bytes(Shard(shard, n_bytes, tuple(members)))


def test_no_index_alone_takes_an_image_from_the_disk(tmp_path: Path, photos: Path) -> None:
    """One whose tar is not there, or that names another image of the same first bits: all stays, and is stored."""
    pytest.importorskip("obstore")
    url = f"file://{tmp_path}/bucket"
    disk = small_project(tmp_path, recipe_text(photos, "max", more=EXACT))
    whole = split(disk)
    images = read_manifest(disk.paths.manifest)["sha256"]
    objects = open_objects(f"{url}/small")
    objects.put_new(index_name("a" * 64), index_of([Member(one, "jpg", 512, 100) for one in images[:9]], "a" * 64))
    alike = [Member(one[:16] + "0" * 48, "jpg", 512, 100) for one in images]
    objects.put_new(index_name("b" * 64), index_of(alike, "b" * 64))
    objects.put_new(tar_name("b" * 64), bytes(4096))
    assert split(in_store(tmp_path, photos, url)) == whole and on_disk(disk) == []
    store = store_of(disk.paths.folder)
    assert store.are_held(disk.paths.image(one, "jpeg") for one in images) == [True] * 16
    assert all(here(disk.paths.image(one, "jpeg")).exists() for one in images)


def test_a_shard_that_went_meanwhile_takes_nothing_from_the_disk(tmp_path: Path) -> None:
    """The shards are looked at before files are removed, not only when they were written."""
    store, (name, data) = small_store(tmp_path), image("a")
    path = put_image(store, name, data)
    shard = commit(store, [(name, path)])
    store.objects.remove(tar_name(shard.sha256))
    store.trim()
    assert path.read_bytes() == data and store.are_held([path]) == [False]


def test_an_image_is_read_from_any_shard_that_has_it(tmp_path: Path) -> None:
    """One shard is gone, one is cut, one holds other bytes: the fourth has it."""
    store, (name, data) = small_store(tmp_path), image("a")
    for number in "012":
        member = Member(name[:64], "jpg", 512, len(data))
        store.objects.put_new(index_name(number * 64), index_of([member], number * 64))
    store.objects.put_new(tar_name("1" * 64), bytes(1000))
    store.objects.put_new(tar_name("2" * 64), bytes(4096))
    good = commit(store, [("f" * 64 + ".jpg", b"not that"), (name, data)])
    store.sync()
    path = store.folder / "images" / name[:2] / name
    store.bring([path])
    assert path.read_bytes() == data and good.refused == ["f" * 64 + ".jpg"]


def bad_indexes() -> dict[str, bytes]:
    """What is no index of the shard `000…`, by what is wrong."""
    sha256, right = "0" * 64, Member("ab" * 32, "jpg", 512, 100)
    whole = index_of([right], sha256)
    return {
        "no Parquet": b"garbage",
        "cut": whole[:-20],
        "another shard": index_of([right], "1" * 64),
        "a path": index_of([right], "../../victim"),
        "beyond the end": index_of([replace(right, offset=4000)], sha256),
        "before the start": index_of([replace(right, offset=-5)], sha256),
        "no bytes": index_of([replace(right, n_bytes=0)], sha256),
        "an ending that is a path": index_of([replace(right, ending="j/../../x")], sha256),
        "a length of 20 digits": index_of([right], sha256, 10**20),
        "too many rows": index_of([right] * (MOST_ROWS + 1), sha256, 10**9),
        **{f"no {name}": without_value(whole, name) for name in ("sha256", "ending", "offset", "n_bytes")},
        "no metadata": without_metadata(whole),
    }


def without_value(data: bytes, column: str) -> bytes:
    """The index with a null in one column."""
    table = pq.read_table(pa.BufferReader(data))
    at = table.column_names.index(column)
    table = table.set_column(at, table.schema.field(column), pa.nulls(len(table), table.schema.field(column).type))
    pq.write_table(table, out := pa.BufferOutputStream())
    return bytes(out.getvalue())


def without_metadata(data: bytes) -> bytes:
    table = pq.read_table(pa.BufferReader(data)).replace_schema_metadata()
    pq.write_table(table, out := pa.BufferOutputStream())
    return bytes(out.getvalue())


def test_what_is_no_index_is_named_and_left(tmp_path: Path) -> None:
    """Whatever is wrong in it, the others are read; nothing of it reaches the disk."""
    for number, (what, data) in enumerate(bad_indexes().items()):
        store, (name, content) = small_store(tmp_path / str(number)), image("a")
        commit(store, [(name, content)])
        store.objects.put_new(index_name("0" * 64), data)
        assert store.sync() == [index_name("0" * 64)], what
        path = store.folder / "images" / name[:2] / name
        store.bring([path])
        assert path.exists() and len(store.index().words) == 1, what
        assert forget_images(store, [name[:64]]) == 1, what
        assert [*store.objects.sizes("index")] == [index_name("0" * 64)], what


def test_a_damaged_copy_of_an_index_is_read_anew(tmp_path: Path) -> None:
    """Cut on this disk, it is gone at the first look, and comes back with the first image that is missed."""
    store, (name, data) = small_store(tmp_path), image("a")
    shard = commit(store, [(name, data)])
    copy = store.copies.home / f"{shard.sha256}.parquet"
    whole = copy.read_bytes()
    copy.write_bytes(whole[:50])
    store = small_store(tmp_path)
    path = store.folder / "images" / name[:2] / name
    store.bring([path])
    assert path.read_bytes() == data and copy.read_bytes() == whole


def test_an_odd_key_is_named_and_left(tmp_path: Path, s3: Any) -> None:
    """Keys that no client lists, folders among the indexes, and an index in a folder of its own."""
    name, data = image("a")
    for number, odd in enumerate(
        ("index/", "index//a", "index/../x", "index/\x1b[31mred", f"index/old/{'b' * 64}.parquet")
    ):
        store = ShardStore(tmp_path / str(number), Place(f"{URL}/{number}"))
        commit(store, [(name, data)])
        s3.put_object(Bucket="pictures", Key=f"sets/{number}/{odd}", Body=b"x")
        other = ShardStore(tmp_path / f"other{number}", store.place)
        named = other.sync()
        assert [ascii(f"sets/{number}/{odd}")] == named or ("b" * 64 in odd or odd == "index/"), odd
        assert "\x1b" not in str(named) and len(other.index().words) == 1
        assert forget_images(other, [name[:64]]) == 1


def test_the_last_ones_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may be at them; the others have no room."""
    monkeypatch.setattr(shard_store, "N_SPARED", 3)
    store = small_store(tmp_path)
    paths = [put_image(store, *image(text)) for text in "abcde"]
    for second, path in enumerate(paths):
        os.utime(path, (second, second))
    commit(store, [(path.name, path) for path in paths])
    store.trim()
    assert [path.exists() for path in paths] == [False, False, True, True, True]


def test_a_writer_between_tar_and_index_loses_nothing_to_forget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index that it creates while the tar goes is removed with it, and its files stay until a shard has them."""
    one = small_store(tmp_path)
    two = ShardStore(tmp_path / "two", one.place)
    files = [image(text) for text in "abc"]
    paths = [put_image(one, *file) for file in files]
    remove, put_index = Objects.remove, commit_module._put_index
    waiting: list[tuple[Any, ...]] = []
    monkeypatch.setattr(commit_module, "_put_index", lambda *arguments: waiting.append(arguments))
    with pytest.raises(StoreError):
        monkeypatch.setattr(ShardStore, "look_at", lambda *_: set())
        commit(one, files)
    monkeypatch.undo()

    def slow(objects: Objects, name: str) -> None:
        if name == tar_name(waiting[0][1].sha256):
            put_index(*waiting[0])
        remove(objects, name)

    monkeypatch.setattr(shard_store, "N_SPARED", 0)
    monkeypatch.setattr(Objects, "remove", slow)
    assert forget_images(two, [files[0][0][:64]]) == 1
    one.sync()
    one.trim()
    assert [path.exists() for path in paths] == [True, False, False]
    assert len(one.copies.index().shards) == 1 == len(one.objects.sizes("shards"))
    one.bring(paths)
    assert all(path.exists() for path in paths)


def test_copies_elsewhere_and_lies_of_an_index_do_not_keep_what_is_forgotten(tmp_path: Path) -> None:
    """Tars of any name, a half-written one, one whose index names another shard: its own members tell of each."""
    store, (name, data), (other, more) = small_store(tmp_path), image("a"), image("b")
    shard = commit(store, [(name, data), (other, more)])
    tar = store.objects.read(tar_name(shard.sha256), 10**6)
    for copy in ("backup/copy.tar", f"{shard.sha256}.copy.tar", f"{'c' * 64}.tar"):
        store.objects.put_new(f"shards/{copy}", tar)
    (store.folder / "elsewhere" / "shards" / f"{'d' * 64}.tar#1").write_bytes(tar)
    store.objects.put_new(index_name("c" * 64), index_of([], shard.sha256))
    store.sync()
    assert len(uncommitted(store)) == 4
    assert forget_images(store, [name[:64]]) == 1
    (left,) = store.copies.shards()
    assert [one.sha256 for one in left.members] == [other[:64]]
    assert [*store.objects.sizes("shards")] == [tar_name(left.sha256)] and not uncommitted(store)


def test_forgetting_ends_where_a_shard_is_damaged(tmp_path: Path) -> None:
    """Gone: its index goes. No tar: it is named after all else is done."""
    store, (name, data), (other, more) = small_store(tmp_path), image("a"), image("b")
    shard = commit(store, [(name, data), (other, more)])
    store.objects.remove(tar_name(shard.sha256))
    assert forget_images(store, [name[:64]]) == 0 and store.objects.sizes("index") == {}
    shard = commit(store, [(name, data), (other, more)])
    second = commit(store, [(name, data)])
    (tmp_path / "elsewhere" / tar_name(shard.sha256)).write_bytes(b"garbage" * 300)
    with pytest.raises(StoreError, match=f"{shard.sha256}.tar .it is no tar at byte 0.. Delete that, and the index"):
        forget_images(store, [name[:64]])
    assert tar_name(second.sha256) not in store.objects.sizes("shards")


def test_an_index_that_names_what_its_tar_has_not_costs_it_nothing(tmp_path: Path) -> None:
    """The tar is judged by its members: what is not in it is not forgotten there, and the index says what is."""
    store, (name, data) = small_store(tmp_path), image("a")
    shard = commit(store, [(name, data)])
    store.objects.remove(index_name(shard.sha256))
    store.copies.remove(shard.sha256)
    lie = Member("ab" * 32, "jpg", 512, 3)
    store.objects.put_new(index_name(shard.sha256), index_of([lie], shard.sha256, shard.n_bytes))
    assert forget_images(store, [lie.sha256]) == 0
    assert [one.members for one in store.copies.shards()] == [shard.members]


def test_a_member_of_any_size_is_no_image() -> None:
    """A header that states a terabyte, or less than nothing, ends the reading before its bytes come."""
    for size in (10**12, -512):
        info = tarfile.TarInfo(f"{'a' * 64}.jpg")
        info.size = size
        with pytest.raises(ValueError, match="it states a file of"):
            list(read_members(iter([info.tobuf(tarfile.GNU_FORMAT), bytes(5120)])))


def test_two_writers_at_once_fill_one_store(tmp_path: Path) -> None:
    """Each commits its own shards and some that both have: every image is there once each, whole, for both."""
    one = small_store(tmp_path / "one")
    two = ShardStore(tmp_path / "two", one.place)
    own = [[image(f"{who}{number}") for number in range(6)] for who in "ab"]
    shared = [image(f"c{number}") for number in range(6)]

    def write(store: ShardStore, images: Sequence[tuple[str, bytes]]) -> None:
        for some in zip(images, shared, strict=True):
            for member in some:
                commit(store, [member])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, (one, two), own))
    for store in (one, two):
        assert store.sync() == [] and len(store.index().shards) == 18 and not uncommitted(store)
        paths = [store.folder / "images" / name[:2] / name for name, _ in (*own[0], *own[1], *shared)]
        store.bring(paths)
        assert all(path.exists() for path in paths)


def test_a_read_goes_on_while_another_thread_trims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted of the files on the disk is replaced under the lock."""
    monkeypatch.setattr(shard_store, "_N_KEPT", 2)
    store = small_store(tmp_path)
    files = [image(str(number)) for number in range(12)]
    commit(store, files)
    paths = [store.folder / "images" / name[:2] / name for name, _ in files]
    with ThreadPoolExecutor(3) as threads:
        reads = [threads.submit(store.bring, paths[first::3]) for first in range(3) for _ in range(5)]
        trims = [threads.submit(store.trim) for _ in range(15)]
        for one in (*reads, *trims):
            one.result()
    for path, (_, data) in zip(paths, files, strict=True):  # two stay at most
        store.bring([path])
        assert path.read_bytes() == data


def test_new_indexes_are_added_to_what_is_known(tmp_path: Path) -> None:
    """Whatever the order of commits and removals, what is known is what is there."""
    store, files = small_store(tmp_path), [image(str(number)) for number in range(4)]
    shards = []
    for name, data in files:
        shards.append(commit(store, [(name, data)]).sha256)
        assert [*store.index().shards] == shards
    assert forget_images(store, [files[1][0][:64]]) == 1
    assert {*store.index().shards} == {*shards} - {shards[1]}
    found = store.index().locations([bytes.fromhex(name[:64]) for name, _ in files])
    assert [[one.shard for one in some] for some in found] == [[shards[0]], [], [shards[2]], [shards[3]]]


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL"])
def test_a_store_without_tls_is_reached_however_it_is_named(
    s3: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Obstore reads both names, and a scheme in any case."""
    address = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv(name, address.replace("http://", "HTTP://"))
    assert open_objects(URL).put_new("a", b"1")


def test_a_damaged_note_of_the_place_says_what_brings_it_back(tmp_path: Path) -> None:
    """To delete it alone would leave the images out of sight where the recipe names no store."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "place.json").write_text('{"url": ""}')
    with pytest.raises(StateError, match=r"into \[store\] url of the recipe, if it is not there, and delete"):
        read_place(tmp_path)
