"""``verify`` names every file of which a byte has changed, and the way out that it prints is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from curator.benchmark.images.arrays import image_array
from curator.catalog import Stage
from curator.cli.app import app
from curator.events import ignore
from curator.export.export import export_dataset, find_format
from curator.inspect.picture_map import draw_map
from curator.inspect.suspects.find import find_suspects
from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.manifests.reviews import Review, append_review
from curator.manifests.tombstones import append_tombstones, digest
from curator.observe.observation import Observation
from curator.observe.thumbnails import thumbnail
from curator.pipeline import run_stages as pipeline
from curator.pipeline.against_cache import seen_table, write_seen
from curator.pipeline.judging.compare_pictures import made_by
from curator.store.catalog_files import read_catalog, read_record, write_catalog
from curator.store.judged_file import SCHEMA, write_judged
from curator.store.lock import locked
from curator.store.paths import DataPaths
from tests.embed.onnx_files import write_model
from tests.fuzz.rounds import FULL, counted
from tests.small_worlds import picture, recipe_text, small_project, write_folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with a file of every kind below its folder."""
    root = tmp_path_factory.mktemp("finished") / "project"
    photos = write_folder(root / "photos", 3)
    for number, label in enumerate(("rugby", "soccer")):
        picture(7000 + number).save(photos / label / "odd.gif")
    Image.open(photos / "rugby" / "000.jpg").save(photos / "rugby" / "again.jpg", quality=60)  # sketches are of pairs
    project = small_project(root, recipe_text(photos, "max", more='[embed]\nmodel = "own.onnx"'))
    write_model(project.paths.manifest_folder / "own.onnx", [1, 3, 64, 64])
    pipeline.fetch(project)
    pipeline.decide(project, Stage.BALANCED, {"balance": {"per_class": 3}})
    pipeline.decide(project, Stage.SPLIT, {})
    for name in ("keras", "webdataset"):
        export_dataset(project, find_format(name))
    row = read_manifest(project.paths.manifest).iloc[0]
    append_review(project.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", row["sha256"], row["label"], "keep"))
    append_tombstones(project.paths.forgotten, {"host": [digest("h.example")]})
    assert thumbnail(project.paths, row["sha256"], row["format"])
    find_suspects(project)
    draw_map(project)
    image_array(read_manifest(project.paths.manifest), project.paths, 32, ignore)
    write_judged(project.paths.judged_elsewhere, SCHEMA.empty_table(), made_by())
    write_seen(project.paths.against(photos), seen_table([b"1.jpg 9 1"], [Observation("ab" * 32, 9)]), 100)
    return root


@pytest.fixture
def paths(finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DataPaths:
    """A copy, in which the links between files are kept."""
    root = tmp_path / "project"
    subprocess.run(["cp", "-a", str(finished), str(root)], check=True)
    monkeypatch.chdir(root)
    return DataPaths(Path("data"), Path("manifests/small"), "small")


def flip(path: Path, share: float = 0.5) -> None:
    """Change one byte, in every file that is the same one."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 0x01
    with path.open("r+b") as file:
        file.write(data)


@pytest.mark.torture
def test_every_file_with_a_changed_byte_is_named(paths: DataPaths) -> None:
    """Below the data folder and beside the recipe, the same files of another time included."""
    whole = verify_files(paths)
    assert (whole.findings, whole.unknown) == ((), ())
    files = [
        path for home in (paths.folder, paths.manifest_folder) for path in sorted(home.rglob("*")) if path.is_file()
    ]
    files = [path for path in files if path.stat().st_size and path.name not in ("recipe.toml", "own.onnx")]
    kinds = {path.relative_to(paths.folder).parts[0] for path in files if path.is_relative_to(paths.folder)}
    assert kinds >= {
        "images",
        "converted",
        "train",
        "catalog",
        "exports",
        "thumbnails",
        "features",
        "cache",
        "benchmark",
        "attempts.sqlite",
        "sums.jsonl",
    }
    first = {(path.parent.name, path.suffix): path for path in reversed(files)}.values()
    for number, path in enumerate(files):
        data, status = path.read_bytes(), path.stat()
        shares = (0.1, 0.5, 0.98)
        for share in shares if FULL or path in first else shares[number % 3 :][:1]:
            flip(path, share)
            with counted("a byte changed in a file below data/ and manifests/, then `curator verify`"):
                found = CliRunner().invoke(app, ["verify", "--fast"])
                assert found.exit_code in (1, 2), (path, share, found.output)
                assert str(path) in found.output.replace("\n", ""), (path, share, found.output)
            with path.open("r+b") as file:
                file.write(data)
        path.chmod(status.st_mode)
    assert verify_files(paths, fast=True).findings == ()


def test_a_recipe_that_has_changed_since_is_named(paths: DataPaths) -> None:
    """Wherever a byte changed: as not vouched for, since a person may edit it, or as what cannot be read.

    A split that finds nothing else changed takes note of it.
    """
    text = paths.recipe.read_bytes()
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 0.97):
        flip(paths.recipe, share)
        found = CliRunner().invoke(app, ["verify", "--fast"])
        said = " ".join(found.output.split())
        is_readable = f"not vouched for: {paths.recipe}: it has changed since manifest.json was written" in said
        assert (found.exit_code == 0 and is_readable) or (found.exit_code == 2 and "recipe.toml" in said), (share, said)
        paths.recipe.write_bytes(text)
    paths.recipe.write_bytes(text + b"# checked by Ann\n")
    assert [one.path for one in verify_files(paths, fast=True).unknown] == [str(paths.recipe)]
    assert CliRunner().invoke(app, ["split"]).exit_code == 0
    assert verify_files(paths, fast=True).unknown == ()


WAYS_OUT = {
    "images": [["fetch"], ["split", "--force"]],
    "converted/*/*.png": [["split", "--force"]],
    "catalog/1-*": [["fetch"]],
    "catalog/2-*": [["fetch"]],
    "catalog/3-*": [["split"]],
    "catalog/5-*": [["split"]],
    "catalog/thumbnails-*": [["fetch"]],
    "fetched-from.json": [["fetch"]],
    "attempts.sqlite": [["fetch"]],
    "overrides.json": [],
    "thumbnails/*/*": [],
    "features/features-*": [["suspects", "--force"]],
    "features/looks-*": [["suspects", "--force"]],
    "features/map-*": [["suspects", "--force"]],
    "catalog/suspects.parquet": [["suspects", "--force"]],
    "catalog/judged.parquet": [["split"]],
    "fetched-files.parquet": [],
    "cache/against-*": [],
    "cache/judged-elsewhere.parquet": [],
    "cache/glimpses-*": [],
    "cache/sketches-*": [],
    "benchmark/cache/images-*": [],
    "../../manifests/small/manifest.csv": [["split"]],
    "../../manifests/small/manifest.json": [["split"]],
    "exports/webdataset/*.tar": [],
}


@pytest.mark.parametrize("pattern", WAYS_OUT)
def test_the_way_out_that_it_prints_is_one(paths: DataPaths, pattern: str) -> None:
    """The file named is deleted if that is said, the commands named are run, and all is well."""
    rows = read_manifest(paths.manifest)
    row = rows[rows["format"] == "jpeg"].iloc[0]
    stored = paths.image(row["sha256"], "jpeg")
    path = stored if pattern == "images" else next(iter(sorted(paths.folder.glob(pattern))))
    flip(path)
    advice = CliRunner().invoke(app, ["verify"]).output.replace("\n", " ")
    assert all(f"`curator {' '.join(words)}`" in advice for words in WAYS_OUT[pattern]), advice
    exports = [name for name in ("keras", "webdataset") if str(paths.export(name)) in advice]
    assert ("Delete the folder of the export, then export again" in advice) == bool(exports)
    for name in exports:
        shutil.rmtree(paths.export(name))
    if any(
        word in advice
        for word in ("elete the file", "elete it", "elete the stored", "elete the other", "elete the files")
    ):
        path.unlink()
    for words in [*WAYS_OUT[pattern], *(["export", name] for name in exports)]:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (words, done.output)
    assert verify_files(paths).findings == ()


def test_a_file_that_a_catalog_names_is_missed(paths: DataPaths) -> None:
    """The thumbnails are beside the catalogs; the command that is said writes them anew."""
    (path,) = paths.folder.glob("catalog/thumbnails-*")
    path.unlink()
    (finding,) = verify_files(paths, fast=True).findings
    assert (finding.path, finding.problem) == (str(path), "missing: 2-fetched.parquet names it")
    assert "`curator fetch`" in CliRunner().invoke(app, ["verify", "--fast"]).output
    assert CliRunner().invoke(app, ["fetch"]).exit_code == 0
    assert verify_files(paths, fast=True).findings == ()


def test_what_only_later_catalogs_name_is_mended_by_the_split(paths: DataPaths) -> None:
    """As after a fetch of other pictures: another fetch would not write it."""
    (path,) = paths.folder.glob("catalog/thumbnails-*")
    before = read_catalog(paths.catalog(Stage.FETCHED))
    write_catalog(paths.catalog(Stage.FETCHED), before.iloc[1:], read_record(paths.catalog(Stage.FETCHED)))
    path.unlink()
    finding = next(one for one in verify_files(paths, fast=True).findings if "missing" in one.problem)
    assert (finding.path, finding.problem) == (str(path), "missing: 3-deduped.parquet names it")
    said = CliRunner().invoke(app, ["verify", "--fast"]).output
    assert "`curator split`" in said and "`curator fetch`" not in said, said
    assert CliRunner().invoke(app, ["split"]).exit_code == 0
    assert verify_files(paths, fast=True).findings == ()


def test_stages_and_exports_pack_nothing_that_is_damaged(paths: DataPaths) -> None:
    """Each names the file, and the folders stay as they are."""
    rows = read_manifest(paths.manifest)
    row = rows[rows["format"] == "jpeg"].iloc[0]
    flip(paths.image(row["sha256"], "jpeg"))
    for words in (["split", "--force"], ["export", "webdataset"], ["export", "keras"]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert "differ from its SHA-256" in done.output.replace("\n", " "), done.output


def test_what_a_killed_command_left_is_said_to_be_unknown(paths: DataPaths) -> None:
    """Its name is in the lock until another command has ended."""
    paths.lock.write_text('{"command": "fetch"}')
    whole = verify_files(paths, fast=True)
    assert (whole.findings, [finding.path for finding in whole.unknown]) == ((), [str(paths.lock)])
    with locked(paths.lock, "split"):
        pass
    assert verify_files(paths, fast=True).unknown == ()


def test_a_data_set_of_an_earlier_version_is_read_and_what_is_not_known_is_said(paths: DataPaths) -> None:
    """No sums, no checksums: opened instead; the next command notes what is there."""
    (paths.folder / "sums.jsonl").unlink()
    lines = [line.partition(', "check"')[0] + "}\n" for line in paths.reviews.read_text().splitlines()]
    paths.reviews.write_text("".join(lines))
    whole = verify_files(paths)
    assert whole.findings == ()
    assert {"overrides.json", "attempts.sqlite", "reviews.jsonl"} <= {Path(one.path).name for one in whole.unknown}
    with locked(paths.lock, "split"):
        pass
    assert [Path(one.path).name for one in verify_files(paths).unknown] == ["reviews.jsonl"]


def test_somebodys_own_files_are_never_removed(paths: DataPaths) -> None:
    """Named, and the command refused; what a system leaves in a folder is nobody's."""
    (paths.folder / "train" / ".DS_Store").write_bytes(b"system")
    assert CliRunner().invoke(app, ["split", "--force"]).exit_code == 0
    for own, words in (
        (next((paths.folder / "train").iterdir()) / "mine.jpg", ["split", "--force"]),
        (paths.export("keras") / "notes.txt", ["export", "keras"]),
    ):
        own.write_text("mine")
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2 and own.name in done.output
        assert own.read_text() == "mine"
