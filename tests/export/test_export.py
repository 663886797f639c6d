"""An export is whole, the same bytes each time, and says where each image comes from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import CuratorError, DiskError, StateError
from curator.export import material as base
from curator.export.export import FORMATS, export_dataset, find_format
from curator.export.material import Material
from curator.export.tfrecord import crc32c
from curator.manifests.inventory import is_current_export
from curator.manifests.made_with import MadeWith
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.store.paths import DataPaths
from tests.export.conftest import CC_BY, exported


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
def test_an_export_is_the_same_bytes_twice(project: Project, form: str) -> None:
    """No time, no chance, no machine enters an export."""
    first = digests(exported(project, form))
    os.utime(project.paths.manifest)
    assert digests(exported(project, form)) == first
    assert {"README.md", "ATTRIBUTION.md", "manifest.csv"} <= first.keys()


@pytest.mark.parametrize("form", ["imagefolder", "keras", "croissant", "coco"])
def test_folders_are_hard_links(project: Project, form: str) -> None:
    """An export of files takes no space."""
    folder = exported(project, form)
    for file in read_manifest(project.paths.manifest)["file"]:
        assert (folder / file).samefile(project.paths.folder / file)


def test_a_killed_export_leaves_what_stood_and_starts_again(project: Project) -> None:
    """The new export is built aside: a death in the middle changes nothing that stands, and leaves nothing behind."""
    before = digests(exported(project, "webdataset"))

    def dies(material: Material, folder: Path) -> None:
        (folder / "train-00000-of-00001.tar").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_dataset(project, dataclasses.replace(find_format("webdataset"), write=dies))
    folder = project.paths.export("webdataset")
    assert digests(folder) == before
    assert digests(exported(project, "webdataset")) == before
    assert not list(folder.parent.glob(".*"))


def test_a_refusing_disk_leaves_what_stood(project: Project) -> None:
    """A full disk is one paragraph, and the old export stands."""
    before = digests(exported(project, "parquet"))

    def refuses(material: Material, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left"):
        export_dataset(project, dataclasses.replace(find_format("parquet"), write=refuses))
    assert digests(project.paths.export("parquet")) == before


def test_an_unknown_format_names_the_known_ones() -> None:
    """A slip of the finger gets a suggestion."""
    with pytest.raises(CuratorError, match="did you mean parquet"):
        find_format("parqet")


def test_without_a_manifest_the_way_out_is_named(project: Project, tmp_path: Path) -> None:
    """There is nothing to export before the split."""
    bare = dataclasses.replace(project, paths=DataPaths(tmp_path, tmp_path, "bare"))
    with pytest.raises(StateError, match="curator split"):
        export_dataset(bare, FORMATS[0])


def test_a_missing_file_is_named(project: Project, tmp_path: Path) -> None:
    """An export never silently holds less than the manifest."""
    shutil.copytree(project.paths.folder, tmp_path / "small", ignore=shutil.ignore_patterns("exports", "lock"))
    other = dataclasses.replace(project, paths=dataclasses.replace(project.paths, data_root=tmp_path))
    file = other.paths.folder / read_manifest(other.paths.manifest)["file"].iloc[3]
    file.unlink()
    with pytest.raises(StateError, match="1 of the manifest's 24 files"):
        export_dataset(other, FORMATS[0])


def test_status_tells_an_export_of_an_older_manifest(project: Project, tmp_path: Path) -> None:
    """An export is current while the manifest that it holds is the one that stands."""
    exported(project, "keras")
    assert is_current_export(project.paths, project.paths.export("keras"))
    text = project.paths.manifest.read_text(encoding="utf-8")
    project.paths.manifest.write_text(text.replace("soccer,train", "soccer,test", 1), encoding="utf-8")
    assert not is_current_export(project.paths, project.paths.export("keras"))
    project.paths.manifest.write_text(text, encoding="utf-8")


def test_the_credits_name_every_image_and_nothing_of_a_stranger_becomes_markup(project: Project) -> None:
    """Each image has its line under its licence; hostile titles and authors stay text."""
    text = (exported(project, "keras") / "ATTRIBUTION.md").read_text(encoding="utf-8")
    rows = read_manifest(project.paths.manifest)
    for record_id in rows["record_id"]:
        assert text.count(f"`{record_id}`") == 1
    assert f"## [CC BY 2.0]({CC_BY})" in text
    assert "## licence not stated" in text
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(javascript|^# no heading", text, re.MULTILINE)
    assert "\\<script\\>alert(1)\\</script\\> \\*Größe\\*" in text
    assert "](https://photos.example/0?a=%28b%29)" in text


def test_the_data_card_counts_what_is_there(project: Project) -> None:
    """Counts, filters, duplicates and licences come from the manifest and what was recorded with it."""
    text = (exported(project, "parquet") / "README.md").read_text(encoding="utf-8")
    assert "size_categories:\n- n<1K\n" in text
    assert "| rugby | 10 | 2 |" in text
    assert re.search(r"^- `\[dedupe\]` .*max_distance = \d", text, re.MULTILINE)
    assert "No confound check was made on this manifest" in text
    assert "| CC BY 2.0 | 12 |" in text


def test_the_data_card_tells_the_biases_found_on_this_manifest_only(project: Project) -> None:
    """A benchmark of an older manifest says nothing about this one."""
    manifest = hashlib.sha256(project.paths.manifest.read_bytes()).hexdigest()
    confounds = {"accuracy": {"image size": 0.93}, "warning": "The label can be told without looking.", "chance": 0.5}
    metrics = project.paths.benchmark / "metrics.json"
    metrics.parent.mkdir(exist_ok=True)
    for digest, told in ((manifest, True), ("0" * 64, False)):
        metrics.write_text(json.dumps({"version": 1, "hashes": {"manifest": digest}, "confounds": confounds}))
        text = (exported(project, "keras") / "README.md").read_text(encoding="utf-8")
        assert ("| image size | 0.93 |" in text) is told
    metrics.unlink()


def test_shards_are_cut_and_mixed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shards together hold every image once, and the labels are mixed."""
    monkeypatch.setattr(base, "SHARD_BYTES", 20_000)
    folder = exported(project, "webdataset")
    names = [path.name for path in sorted(folder.glob("train-*.tar"))]
    assert len(names) > 2
    assert names[0] == f"train-00000-of-{len(names):05d}.tar"
    monkeypatch.undo()
    material = Material("x", read_manifest(project.paths.manifest), project.paths.folder, MadeWith())
    labels = [label for name, rows in material.shards() if name.startswith("train") for label in rows["label"]]
    assert sorted(labels) != labels


def by_the_bit(data: bytes) -> int:
    """Compute a CRC-32C as its definition says."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("n", [4, 12, 289, 290, 291, 1159, 1161, 4639, 4641, 18_559, 18_561, 40_000])
def test_the_folded_checksum_is_the_one_by_definition(n: int) -> None:
    """Folding changes nothing, at any length around the sizes where another step of it begins."""
    data = random.Random(n).randbytes(n)
    assert crc32c(data) == by_the_bit(data)


@given(st.binary(min_size=4, max_size=2000))
def test_the_checksum_of_any_bytes_is_the_one_by_definition(data: bytes) -> None:
    """The same, for any bytes."""
    assert crc32c(data) == by_the_bit(data)


def test_the_formats_have_names_of_their_own() -> None:
    """A name means one format, and each says how it is opened."""
    assert len({form.name for form in FORMATS}) == len(FORMATS)
    assert all(isinstance(form, base.Format) and form.snippet and form.summary for form in FORMATS)
