"""What is forgotten is gone from every place, and does not come back."""

# ruff: noqa: F811 -- the fixtures of test_replay are arguments here
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator import catalog
from curator.catalog import Drop, Stage
from curator.cli.forget import print_forgotten
from curator.cli.terminal import Terminal
from curator.dataset import Dataset
from curator.errors import CuratorError, StateError
from curator.events import Event, Noted
from curator.export.export import export_dataset, find_format
from curator.fetch.ledger.history import attempts_of
from curator.inspect.verify import Verification, verify_files
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.tombstones import digest, read_tombstones
from curator.observe.thumbnails import thumbnail
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions
from curator.pipeline.forget import Forgotten, forget
from curator.pipeline.publish import is_published
from curator.pipeline.replay import replay_manifest
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.json_lines import checked_line
from curator.text import spell
from tests.pipeline.test_replay import LOCAL, as_jpeg, pages, project  # noqa: F401 -- fixtures
from tests.small_worlds import picture, recipe_text, small_project, write_folder

AGAIN = AcquireOptions(retry="all")


def row_of(project: Project, place: int) -> dict[str, str]:
    return read_manifest(project.paths.manifest).iloc[place].to_dict()


def everything_under(folder: Path) -> bytes:
    """All bytes of all files below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def thumbnail_of(project: Project, row: dict[str, str]) -> bytes:
    """The 512 bytes beside the catalogs that show an image."""
    table = read_catalog(project.paths.catalog(Stage.FETCHED))
    found: bytes = table["thumbnail"][table["record_id"] == row["record_id"]].iloc[0]
    assert len(found) == 512 and found in everything_under(project.paths.folder)
    return found


def check_gone(project: Project, row: dict[str, str], shown: bytes) -> None:
    """No file, no folder entry, no manifest row, no request, no address in any catalog; nor are there these bytes."""
    paths = project.paths
    assert shown not in everything_under(paths.folder)
    assert not list(paths.images.rglob(f"{row['sha256']}*"))
    assert not (paths.folder / row["file"]).exists()
    assert row["sha256"] not in paths.manifest.read_text(encoding="utf-8")
    assert attempts_of(paths, [row["url"]]) == []
    for stage in Stage:
        table = read_catalog(paths.catalog(stage))
        assert not (table["url"] == row["url"]).any()
        (found,) = table[table["record_id"] == row["record_id"]].to_dict("records")
        assert found["drop_reason"] == Drop.FORGOTTEN
        assert catalog.counts(table)["listed"] == 16


@pytest.mark.parametrize("name", ["url", "sha256"])
def test_an_image_leaves_every_place_and_does_not_come_back(
    project: Project,
    pages: dict[str, bytes],
    name: str,
) -> None:
    """By address and by content alike; a later fetch does not ask, and the manifest verifies throughout."""
    row = row_of(project, 3)
    shown = thumbnail_of(project, row)
    done = forget(project, row[name])
    assert (done.n_listed, done.n_manifest) == (1, 1)
    check_gone(project, row, shown)
    assert verify_files(project.paths) == Verification(15, ())
    pipeline.fetch(project, AGAIN)
    assert attempts_of(project.paths, [row["url"]]) == []
    pipeline.decide(project, Stage.SPLIT, {})
    check_gone(project, row, shown)


def test_the_same_content_elsewhere_is_not_kept(
    project: Project,
    pages: dict[str, bytes],
) -> None:
    """From another address it is downloaded, recognised and let go: no bytes, no hash."""
    row = row_of(project, 3)
    forget(project, row["sha256"])
    path = "/" + row["url"].split("/", 3)[3]
    pages["/rugby/again.jpg"] = pages[path]
    listed = Path(project.recipe.sources[0].path)
    url = row["url"].replace(path, "/rugby/again.jpg")
    listed.write_text(listed.read_text(encoding="utf-8") + f"{url},rugby\n", encoding="utf-8")
    table = pipeline.fetch(project, AcquireOptions(refresh=True)).table
    (again,) = table[table["url"] == url].to_dict("records")
    assert again["drop_reason"] == Drop.FORGOTTEN
    assert [attempt["outcome"] for attempt in attempts_of(project.paths, [url])] == ["forgotten"]
    assert row["sha256"] not in set(table["sha256"].dropna())
    assert not list(project.paths.images.rglob(f"*{row['sha256']}*"))


def test_a_host_takes_all_its_images(project: Project) -> None:
    """Every image of the host goes, and the manifest is empty but whole."""
    done = forget(project, "127.0.0.1")
    assert (done.n_listed, done.n_manifest) == (16, 16)
    assert read_manifest(project.paths.manifest).empty
    assert not [path for path in project.paths.images.rglob("*") if path.is_file()]


def test_known_copies_go_with_a_picture(
    project: Project,
    pages: dict[str, bytes],
) -> None:
    """A copy that was dropped as a near-duplicate does not take the place of what was forgotten."""
    row = row_of(project, 3)
    path = "/" + row["url"].split("/", 3)[3]
    label, number = path.strip("/").removesuffix(".jpg").split("/")
    seed = 1000 * ("rugby", "soccer").index(label) + int(number)
    pages[f"/{label}/small.jpg"] = as_jpeg(picture(seed).resize((120, 90)))
    listed = Path(project.recipe.sources[0].path)
    url = row["url"].replace(path, f"/{label}/small.jpg")
    listed.write_text(listed.read_text(encoding="utf-8") + f"{url},{label}\n", encoding="utf-8")
    pipeline.fetch(project, AcquireOptions(refresh=True))
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert table[table["url"] == url]["drop_reason"].tolist() == ["near-duplicate"]
    assert forget(project, row["url"]).n_listed == 2
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert catalog.counts(table)["dropped"]["forgotten"] == 2
    assert not (table["url"] == url).any()


def test_exports_that_hold_it_are_removed_and_listed(project: Project) -> None:
    """What must be made again is named; an export with somebody's own file is left, and named until that is away."""
    for name in ("webdataset", "keras"):
        export_dataset(project, find_format(name))
    (own := project.paths.export("keras") / "my notes.txt").write_text("mine")
    done = forget(project, row_of(project, 3)["url"])
    assert done.exports == (project.paths.export("webdataset"),)
    assert not project.paths.export("webdataset").exists() and own.read_text() == "mine"
    assert done.others[0].path == project.paths.export("keras")
    own.unlink()
    assert forget(project, "url:http://photos.example/other.jpg").exports == (project.paths.export("keras"),)
    export_dataset(project, find_format("webdataset"))
    assert forget(project, "url:http://photos.example/unknown.jpg") == Forgotten(0, 0, 0, (), ())


def test_what_was_made_of_it_goes_or_is_named(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Thumbnail, pages and the benchmark's arrays are removed; pages, models and another data set are named."""
    paths, row = project.paths, row_of(project, 3)
    replayed = replay_manifest(paths.manifest, paths.data_root, LOCAL).paths.folder
    assert thumbnail(paths, row["sha256"], "jpeg") and paths.thumbnail(row["sha256"]).exists()
    (paths.benchmark_cache).mkdir(parents=True)
    for path in (
        paths.benchmark_cache / "images.npy",
        paths.report,
        paths.duplicates,
        paths.benchmark / "metrics.json",
    ):
        path.write_bytes(b"{}")
    trained_on = paths.saved_model("cnn") / "trained_on.csv"
    trained_on.parent.mkdir(parents=True)
    trained_on.write_text(f"record_id,sha256\na,{row['sha256']}\nb,{'0' * 64}\n")
    cached = paths.data_root / "other" / "sources" / "pictures" / "images" / row["sha256"][:2] / f"{row['sha256']}.jpg"
    cached.parent.mkdir(parents=True)
    cached.touch()
    done = forget(project, row["url"])
    assert trained_on.read_text() == f"record_id,sha256\nb,{'0' * 64}\n"
    gone = (paths.thumbnail(row["sha256"]), paths.benchmark_cache, paths.report, paths.duplicates)
    assert not [path for path in gone if path.exists()]
    assert [holder.path for holder in done.others] == [
        *(paths.report, paths.duplicates, paths.benchmark),
        *(paths.data_root / "other", replayed),
    ]
    print_forgotten(Terminal(), Dataset(project), done)
    told = capsys.readouterr().out
    for said in (
        "report.html (removed; to make it anew, run `curator report`)",
        "`curator dedupe --gallery`",
        "another data set: forget it there",
    ):
        assert said in told


def test_the_side_of_what_is_forgotten_is_forgotten_too(project: Project) -> None:
    """An image that had left the manifest is taken out of ``left`` in manifest.json."""
    row = row_of(project, 3)
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 2}})
    left = json.loads(project.paths.made_with.read_text())["left"]
    gone = row["sha256"] if row["sha256"] in str(left) else next(iter(left.values()))[0]
    forget(project, gone)
    assert gone not in project.paths.made_with.read_text()
    assert is_published(project.paths, file_digest(project.paths.manifest))


def test_what_no_list_names_any_more_is_removed_by_its_hash(project: Project) -> None:
    """The source lists it no longer, so no catalog knows it; the store still has it, and manifest.json its side."""
    row = row_of(project, 3)
    list_file = Path(project.recipe.sources[0].path)
    lines = list_file.read_text(encoding="utf-8").splitlines(keepends=True)
    list_file.write_text("".join(line for line in lines if row["url"] not in line), encoding="utf-8")
    pipeline.fetch(project, AcquireOptions(refresh=True))
    pipeline.decide(project, Stage.SPLIT, {})
    stored = project.paths.image(row["sha256"], row["format"])
    assert stored.exists() and row["sha256"] in project.paths.made_with.read_text()
    assert forget(project, row["sha256"]).n_files == 1
    assert not stored.exists() and row["sha256"] not in project.paths.made_with.read_text()


def test_a_folder_does_not_bring_it_back(tmp_path: Path) -> None:
    """The same bytes under another name in the folder: read, recognised, and neither stored nor kept."""
    root = write_folder(tmp_path / "photos", 6)
    local = small_project(tmp_path, recipe_text(root, "max"))
    pipeline.fetch(local)
    pipeline.decide(local, Stage.SPLIT, {})
    row = row_of(local, 2)
    forget(local, row["sha256"])
    file = root / row["source_id"]
    file.with_name("again.jpg").write_bytes(file.read_bytes())
    pipeline.fetch(local)
    table = pipeline.decide(local, Stage.SPLIT, {}).table
    assert catalog.counts(table)["dropped"]["forgotten"] == 2
    assert row["sha256"] not in local.paths.manifest.read_text()
    assert not list(local.paths.images.rglob(f"*{row['sha256']}*"))


def test_what_a_table_holds_is_not_kept_beside_the_lists(tmp_path: Path) -> None:
    """Pictures within a Parquet file are written out to be read: that copy goes too, and no later fetch leaves one."""
    root = write_folder(tmp_path / "photos", 6)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    images = [{"image": {"bytes": path.read_bytes(), "path": path.name}, "label": path.parent.name} for path in files]
    (tmp_path / "held").mkdir()
    pq.write_table(pa.Table.from_pylist(images), tmp_path / "held" / "train.parquet")
    text = recipe_text(root, "max").replace('kind = "folder"', 'kind = "huggingface"')
    held = small_project(tmp_path, text.replace(str(root), str(tmp_path / "held")))
    pipeline.fetch(held)
    pipeline.decide(held, Stage.SPLIT, {})
    sha256 = row_of(held, 2)["sha256"]
    assert list(held.paths.sources.rglob(f"*{sha256}*"))
    forget(held, sha256)
    assert not list(held.paths.folder.rglob(f"*{sha256}*"))
    pipeline.fetch(held, AcquireOptions(refresh=True))
    assert not list(held.paths.folder.rglob(f"*{sha256}*"))


def test_the_tombstones_name_nobody(project: Project) -> None:
    """Digests and a day: no address, no author."""
    row = row_of(project, 3)
    forget(project, row["url"])
    forget(project, "author:Ann Lee")
    text = project.paths.forgotten.read_text(encoding="utf-8")
    assert row["url"] not in text and "Ann" not in text and "127.0.0.1" not in text
    assert all(set(json.loads(line)) == {"kind", "sha256", "when", "check"} for line in text.splitlines())
    assert digest("ANN lee ") in read_tombstones(project.paths.forgotten)["author"]


def test_forgetting_twice_changes_nothing(project: Project) -> None:
    """So a run that was killed is finished by the same command."""
    row = row_of(project, 3)
    forget(project, row["url"])
    before = project.paths.forgotten.read_bytes(), project.paths.manifest.read_bytes()
    forget(project, row["url"])
    assert (project.paths.forgotten.read_bytes(), project.paths.manifest.read_bytes()) == before


def test_a_replay_honours_the_tombstones_beside_the_manifest(
    project: Project,
    tmp_path: Path,
) -> None:
    """An old manifest does not bring back what was forgotten since; the tombstones alone go along."""
    old = project.paths.manifest.read_bytes()
    row = row_of(project, 3)
    forget(project, row["url"])
    project.paths.manifest.write_bytes(old)
    done = replay_manifest(project.paths.manifest, tmp_path / "elsewhere", LOCAL)
    assert len(done.images) == 15
    files = [path for path in done.paths.folder.rglob("*") if path.is_file()]
    assert [path for path in files if row["sha256"].encode() in path.read_bytes()] == [done.paths.forgotten]
    assert row["url"].encode() not in everything_under(done.paths.folder)


def test_an_unknown_name_is_refused(project: Project) -> None:
    """A slip of the finger forgets nothing; a prefix says that it is meant."""
    with pytest.raises(CuratorError, match=r"No image is known by 'Nobody'.*`author:`"):
        forget(project, "Nobody")
    assert not project.paths.forgotten.exists()


def test_a_damaged_tombstone_stops_the_fetch(project: Project) -> None:
    """To skip it would bring back what it forgot; half a line at the end was never confirmed, and is cut off."""
    good = checked_line({"kind": "content", "sha256": "ab" * 32})
    project.paths.forgotten.write_text(f'half a li\n{{"kind": "face", "sha256": "x"}}\n{good}', encoding="utf-8")
    with pytest.raises(StateError, match=r"line 1: it is not JSON .*; line 2: kind must be one of .*, not 'face'"):
        pipeline.fetch(project)
    project.paths.forgotten.write_text(f"{good}{good[:30]}", encoding="utf-8")
    heard: list[Event] = []
    pipeline.fetch(replace(project, emit=heard.append))
    assert project.paths.forgotten.read_text(encoding="utf-8") == good
    assert any(isinstance(event, Noted) and "ended in half a line" in spell(event.message) for event in heard)
