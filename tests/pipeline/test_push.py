"""A push brings the hub to the export, whole in one commit or not at all, and says what it does not pass on."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import curator
from curator.cli.app import app
from curator.errors import CuratorError
from curator.events import Event
from curator.export import material
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.recipe import FetchSettings
from curator.pipeline.hub import push
from curator.sources.reading import json_api, resume
from curator.store import lock
from tests.fake_hub import CUT, DONE_AND_CUT, READER, WRITER, FakeHub, Repo, git_name, serving_hub
from tests.small_worlds import write_folder

FREE, MINE = "https://creativecommons.org/licenses/by/2.0/", "all rights reserved"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(json_api, "sleep", waited.append)
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    return waited


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Iterator[FakeHub]:
    with serving_hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield served


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a data set of twelve images, of which nine state a licence that lets them be passed on."""
    root = tmp_path_factory.mktemp("finished")
    write_folder(root / "photos", 6)
    sources = [{"kind": "folder", "path": root / "photos"}]
    fetch = {"allow_private_hosts": True, "retries": 2, "timeout_s": 20.0}
    made = curator.create(
        "small", labels=["rugby", "soccer"], sources=sources, fetch=fetch, manifests=root / "manifests"
    )
    made.split()
    rows = read_manifest(made.paths.manifest)
    rows["license"] = [None if n == 0 else MINE if n in (1, 2) else FREE for n in range(len(rows))]
    made.paths.manifest.write_text(manifest_text(rows), encoding="utf-8")
    return root


@pytest.fixture
def small(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: list[Event]) -> curator.Dataset:
    """A copy of it."""
    root = tmp_path / "project"
    shutil.copytree(finished, root)
    monkeypatch.chdir(root)
    return curator.open("small", emit=heard.append)


def images_of(repo: Repo) -> pd.DataFrame:
    shards = [data for name, data in repo.files.items() if name.endswith(".parquet")]
    return pd.concat([pq.read_table(io.BytesIO(shard)).to_pandas() for shard in shards])


def test_a_push_is_one_commit_private_and_without_what_may_not_be_passed_on(
    hub: FakeHub, small: curator.Dataset, heard: list[Event]
) -> None:
    """The export's files are there byte for byte, the card is the page; manifest.csv names all images."""
    done = small.push()
    repo = hub.repos["ann/small"]
    assert (done.repo, done.is_private, done.n_images, done.n_withheld) == ("ann/small", True, 9, 3)
    assert repo.is_private and len(repo.commits) == 2 and done.commit == repo.commits[-1]
    folder = small.paths.export("hub")
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {**written, ".gitattributes": repo.files[".gitattributes"]} == repo.files
    images = images_of(repo)
    assert len(images) == 9 and set(images["license"]) == {FREE}
    assert len(pd.read_csv(io.BytesIO(repo.files["manifest.csv"]))) == 12
    card = repo.files["README.md"].decode()
    assert card.startswith("---\n") and "3 further images of the manifest were not passed on" in card
    assert repo.large == {name for name in repo.files if name.endswith(".parquet")}
    assert WRITER not in repr(heard) + repr(done)
    kept = [path.read_bytes() for path in small.paths.folder.rglob("*") if path.is_file()]
    assert not any(WRITER.encode() in data for data in kept)


def test_pushed_again_nothing_is_sent_and_a_changed_set_is_brought_up_to_date(hub, small, monkeypatch) -> None:
    """No commit for nothing; shards that are over go, so that no image is there twice; files of others stay."""
    monkeypatch.setattr(material, "SHARD_BYTES", 8_000)
    small.push()
    assert len(hub.repos["ann/small"].large) > 2
    hub.asked.clear()
    assert small.push().n_changed == 0
    assert not hub.count("PUT|POST .*/(commit|preupload|batch)") and len(hub.repos["ann/small"].commits) == 2
    hub.repos["ann/small"].files["notes.md"] = b"of somebody else"
    monkeypatch.undo()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    done = small.push(any_licence=True)
    repo = hub.repos["ann/small"]
    assert (done.n_images, done.n_withheld) == (12, 0) and len(images_of(repo)) == 12
    assert repo.large == {f"data/{split}-00000-of-00001.parquet" for split in ("train", "test")}
    assert repo.files["notes.md"] == b"of somebody else" and len(repo.commits) == 3
    hub.repos["ann/small"].files["data/train-00000-of-00002.parquet"] = b"of somebody else"
    monkeypatch.setattr(material, "SHARD_BYTES", 30_000)
    with pytest.raises(CuratorError, match="holds files that no export pushed, first data/train-00000-of-00002"):
        small.push(any_licence=True)


def test_resized_the_manifest_names_what_is_withheld_too(hub: FakeHub, small: curator.Dataset) -> None:
    """With its sizes as served, so that a replay finds it: nobody resized it."""
    assert small.push(image_size=24).n_withheld == 3
    stated = pd.read_csv(io.BytesIO(hub.repos["ann/small"].files["manifest.csv"]), index_col="record_id")
    rows = read_manifest(small.paths.manifest).set_index("record_id")
    assert set(stated.index) == set(rows.index) and len(stated) == 12
    is_pushed = (stated["license"] == FREE).to_numpy()
    assert set(stated["width"][is_pushed]) == set(stated["height"][is_pushed]) == {24}
    for side in ("width", "height"):
        assert dict(stated[f"served_{side}"]) == dict(rows[side])
        assert dict(stated[side][~is_pushed]) == dict(rows[side][stated.index[~is_pushed]])


def test_the_lock_is_taken_once_so_what_is_written_is_what_is_pushed(hub, small, monkeypatch) -> None:
    """No other command can write another export between the two."""
    taken, lock_it = [], lock._lock
    monkeypatch.setattr(lock, "_lock", lambda *given: (taken.append(given), lock_it(*given)))
    small.push()
    assert len(taken) == 1


def test_neither_token_nor_password_is_told(hub: FakeHub, small: curator.Dataset, monkeypatch) -> None:
    """Not in the page's address, nor in what a traceback has of an answer that repeats the token."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url.replace("://", "://ann:s3cret@"))
    assert small.push().address == f"{hub.url}/datasets/ann/small"
    hub.faults = {"/revision/": [(403, {}, json.dumps({"error": WRITER}).encode())]}
    with pytest.raises(CuratorError, match="403") as error:
        small.push()
    told = "".join(traceback.format_exception(error.value))
    assert WRITER not in told and "s3cret" not in told
    hub.faults = {"POST .*/preupload": [(403, {}, json.dumps({"error": WRITER}).encode())]}
    with pytest.raises(CuratorError, match="403") as error:
        small.push(any_licence=True)
    assert WRITER not in "".join(traceback.format_exception(error.value))


def test_no_token_crosses_the_open_web_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without https a public host is refused before anything is asked; inside one's own network it is not."""
    monkeypatch.setenv("HF_ENDPOINT", "HTTP://ann:s3cret@hub.example/")
    with pytest.raises(CuratorError, match=r"HF_ENDPOINT names http://hub\.example: without https.*Write https://"):
        push._address(FetchSettings())
    assert push._address(FetchSettings(allow_private_hosts=True)) == "http://hub.example"
    for address in ("http://127.0.0.1:80", "https://hub.example"):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert push._address(FetchSettings()) == address


REFUSED = {
    "no token": ({}, {"HF_TOKEN": ""}, "HF_TOKEN is not in the environment. Make one with write access on .*/settings"),
    "a token that is none": ({}, {"HF_TOKEN": "hf_a b"}, "HF_TOKEN in the environment is no token"),
    "an unknown token": ({}, {"HF_TOKEN": "hf_unknown"}, r"answered 401 .*Invalid credentials ….*HF_TOKEN is refused"),
    "a token that only reads": ({}, {"HF_TOKEN": READER}, "answered 403 .*write token.*HF_TOKEN is refused for this"),
    "a commit that is not allowed": ({"/commit/": [(403, {}, b'{"error": "no"}')]}, {}, "403 Forbidden .no."),
    "too large": ({"/commit/": [(413, {}, b"")]}, {}, "answered 413"),
    "too many requests, for long": (
        {"preupload": [(429, {"Retry-After": "4000"}, b"")] * 20},
        {},
        "wants to be left alone for 4,000 seconds",
    ),
    "errors for ever": ({"objects/batch": [(502, {}, b"")] * 20}, {}, "answered 502 Bad Gateway, 3 times in a row"),
    "cut for ever": ({"PUT /storage": [CUT] * 20}, {}, "could not be reached .*3 times in a row"),
    "commits cut for ever": ({"/commit/": [CUT] * 40}, {}, "could not be reached .*3 times in a row"),
    "a page": ({"GET .*/revision/": [(200, {}, b"<html>")]}, {}, r"answered with a web page \(HTML\)"),
    "no JSON object": ({"GET .*/revision/": [(200, {}, b"[1]")]}, {}, "does not say what ann/small holds"),
    "no modes": ({"preupload": [(200, {}, b'{"files": []}')]}, {}, "does not say where each file goes"),
    "no uploads": ({"objects/batch": [(200, {}, b"{}")]}, {}, "does not say how each file is uploaded"),
    "an expired address": (
        {"PUT /storage": [(403, {}, b"<Error/>")]},
        {},
        "answered 403 Forbidden. No commit was made",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_one_paragraph_and_no_half_commit(hub, small, monkeypatch, what: str) -> None:
    """It says what the hub said and the way out, never the token; the data set is as it was, and a later push works."""
    faults, environment, said = REFUSED[what]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    hub.faults |= {pattern: list(replies) for pattern, replies in faults.items()}
    with pytest.raises(CuratorError, match=said) as error:
        small.push("ann/small")
    text = str(error.value)
    assert "\n" not in text and not any(token in text for token in (READER, WRITER, "hf_unknown"))
    assert all(len(repo.commits) == 1 for repo in hub.repos.values())
    hub.faults.clear()
    monkeypatch.setenv("HF_TOKEN", WRITER)
    assert small.push().n_images == 9 and len(hub.repos["ann/small"].commits) == 2


def test_what_passes_is_waited_for_and_an_upload_is_not_sent_twice(hub, small, waits) -> None:
    """429 with Retry-After, 5xx and a cut connection are tried again; what is stored when it breaks off stays."""
    hub.faults = {
        "preupload": [(429, {"Retry-After": "7"}, b"")],
        "objects/batch": [(503, {}, b"")],
        "PUT /storage": [CUT],
    }
    small.push()
    assert waits[:1] == [7.0] and len(hub.repos["ann/small"].commits) == 2
    hub.repos.clear()
    hub.storage.clear()
    hub.faults = {"/commit/": [(403, {}, b"")]}
    with pytest.raises(CuratorError):
        small.push()
    n_sent = hub.count("PUT /storage")
    small.push()
    assert hub.count("PUT /storage") == n_sent and len(hub.repos["ann/small"].commits) == 2


def test_a_commit_whose_answer_is_lost_is_not_made_twice(hub, small) -> None:
    """The data set is looked at again: it is there."""
    hub.faults = {"/commit/": [DONE_AND_CUT]}
    done = small.push()
    repo = hub.repos["ann/small"]
    assert len(repo.commits) == 2 and done.commit == repo.commits[-1] and done.n_changed == len(repo.files) - 1


def test_a_commit_of_somebody_else_meanwhile_is_not_overwritten(hub, small) -> None:
    """The hub answers 412; the push is made on what is there then."""

    def meanwhile() -> None:
        repo = hub.repos["ann/small"]
        repo.files["notes.md"] = b"hello"
        repo.commits.append("1" * 40)

    small.push()
    hub.before = [("POST .*/commit/", meanwhile)]
    small.push(any_licence=True)
    repo = hub.repos["ann/small"]
    assert repo.files["notes.md"] == b"hello" and len(repo.commits) == 4 and len(images_of(repo)) == 12


def test_parts_are_sent_each_to_its_address(hub, small) -> None:
    """As the storage wants large files; the whole has the right SHA-256."""
    hub.parts_of = 1000
    small.push()
    assert len(hub.parts) > 3 and len(images_of(hub.repos["ann/small"])) == 9


def test_what_is_public_or_of_others_is_left_alone(hub, small) -> None:
    """A public data set wants --public; one with files that no push wrote is refused; so is a name that cannot be."""
    hub.repos["ann/small"] = Repo(False)
    with pytest.raises(CuratorError, match=r"is public: everyone would see the images\. Say --public"):
        small.push()
    assert not small.push(public=True).is_private
    hub.repos["ann/other"] = Repo(True, {"README.md": b"mine"})
    with pytest.raises(CuratorError, match=r"holds files that no export pushed, first README.md. Choose another"):
        small.push("ann/other")
    assert hub.repos["ann/other"].files == {"README.md": b"mine"}
    hub.ignores_private = True
    with pytest.raises(CuratorError, match="is public"):
        small.push("ann/new")
    for name in ("small", "ann/..", "ann/a b", "ann/x/y", "https://hub/ann/x", ""):
        if name:
            with pytest.raises(CuratorError, match="cannot be the name of a data set"):
                small.push(name)
    with pytest.raises(CuratorError, match="403"):
        small.push("bob/small")


def test_a_set_without_any_licence_is_not_pushed_unless_it_is_said(hub, small) -> None:
    """Photographs of one's own state none: the way out is named, and nothing was created."""
    rows = read_manifest(small.paths.manifest).assign(license=None)
    small.paths.manifest.write_text(manifest_text(rows), encoding="utf-8")
    with pytest.raises(CuratorError, match=r"None of 12 images states a licence.*--any-licence.*the manifest alone"):
        small.push()
    assert not hub.repos
    assert small.push(any_licence=True).n_images == 12


def test_the_command_says_what_is_there_and_what_is_not(hub, small) -> None:
    """In words and as JSON; options that do not go together are told."""
    run = CliRunner().invoke
    shown = run(app, ["export", "--to", "hub", "--repo", "ann/balls"])
    assert shown.exit_code == 0, shown.output
    assert f"9 images: {hub.url}/datasets/ann/balls (seen by its owner alone)" in shown.output
    assert "3 images left out" in shown.output and 'load_dataset("ann/balls")' in shown.output
    again = run(app, ["export", "parquet", "--to", "hub", "--repo", "ann/balls", "--json"])
    assert json.loads(again.stdout)["n_changed"] == 0
    for wrong in (["coco", "--to", "hub"], ["parquet", "--public"], [], ["hub"], ["--to", "hub", "--output", "x"]):
        done = run(app, ["export", *wrong])
        assert done.exit_code == 2 and "error:" in done.output and len(done.output) < 400, wrong
    status = run(app, ["status"])
    assert "exports/hub" in status.output


def test_the_hubs_own_client_gets_along_with_this_hub(hub, small, tmp_path: Path) -> None:
    """`huggingface_hub` reads what was pushed, and pushes to it as well: so it answers as the real one."""
    pytest.importorskip("huggingface_hub")
    small.push()
    (tmp_path / "more.txt").write_text("from the hub's own client")
    code = """
import sys
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=sys.argv[2])
print(api.whoami()["name"], api.dataset_info("ann/small").private)
names = ["README.md", "data/test-00000-of-00001.parquet"]
readme, shard = api.get_paths_info("ann/small", names, repo_type="dataset")
print(readme.blob_id, shard.lfs.sha256)
api.create_repo("ann/theirs", repo_type="dataset", private=True, exist_ok=True)
api.upload_file(path_or_fileobj=sys.argv[3], path_in_repo=sys.argv[4], repo_id="ann/theirs", repo_type="dataset")
"""
    variables = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(tmp_path / "hf")}
    for name in ("more.txt", "more.parquet"):  # in the commit itself, and in large file storage
        given = [sys.executable, "-c", code, hub.url, WRITER, str(tmp_path / "more.txt"), name]
        done = subprocess.run(given, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    files = hub.repos["ann/small"].files
    shard = hashlib.sha256(files["data/test-00000-of-00001.parquet"]).hexdigest()
    assert done.stdout.split() == ["ann", "True", git_name(files["README.md"]), shard]
    theirs = hub.repos["ann/theirs"]
    assert theirs.files["more.txt"] == theirs.files["more.parquet"] == b"from the hub's own client"
    assert theirs.large == {"more.parquet"}
