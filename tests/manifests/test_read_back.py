"""Texts that are read back: all faults in one paragraph, half a line cut off and told, a lacking line end no glue."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from curator import catalog
from curator.catalog import Stage
from curator.errors import CuratorError, StateError
from curator.events import Event, Noted
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.records import mend_records
from curator.manifests.reviews import Review, append_review, read_reviews
from curator.manifests.tombstones import append_tombstones, read_tombstones
from curator.pipeline.overrides import read_overrides
from curator.store.catalog_files import StageRecord, read_record, write_catalog
from curator.store.json_lines import append_lines, checked_line
from curator.store.paths import DataPaths
from curator.text import spell

ANN = Review("2026-01-02T03:04:05Z", "ann", "ab" * 32, "rugby", "keep")


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    """A project without anything."""
    found = DataPaths(tmp_path / "data", tmp_path / "manifests" / "balls", "balls")
    for folder in (found.folder, found.manifest_folder):
        folder.mkdir(parents=True)
    return found


def told(function, path: Path) -> str:
    with pytest.raises(StateError) as caught:
        function(path)
    return spell(caught.value.text)


def test_all_faults_of_a_file_are_in_one_paragraph(paths: DataPaths) -> None:
    """Each of the files, with what to do."""
    paths.made_with.write_text('{"manifest_sha256": "*", "settings": [], "left": {"../x": [], "train": ["../y", 1]}}')
    said = told(read_made_with, paths.made_with)
    for fault in (
        "manifest_sha256 is no SHA-256",
        "settings is no table",
        "'../x', which is no split",
        "'../y'",
        "holds 1",
    ):
        assert fault in said
    assert "version control" in said and "\n" not in said
    paths.reviews.write_text('[]\n{"when": 1}\n' + ANN.as_line().replace("ab" * 32, "*") + "\n")
    said = told(read_reviews, paths.reviews)
    assert all(f"line {number}: " in said for number in (1, 2, 3)) and "64 hex digits, not '*'" in said
    paths.overrides.write_text('{"fetch": {}, "split": {"recipe": {"ratoi": 1}, "options": 7}}')
    said = told(lambda path: read_overrides(paths), paths.overrides)
    for fault in ("'fetch' is no section", "options is no table, but 7", "split has no key 'ratoi'"):
        assert fault in said
    paths.overrides.write_text('{"split": "x", "balance": {}}')
    assert "split is no table, but 'x'" in told(lambda path: read_overrides(paths), paths.overrides)
    paths.overrides.write_text('{"balance": {"options": {}}}')
    assert read_overrides(paths)["balance"].options == {}
    path = paths.catalog(Stage.LISTED)
    for settings, fault in (({"fetch": "x"}, "fetch is no table"), ({"reviews": {"n": "x"}}, "n is no whole number")):
        write_catalog(path, catalog.empty(), StageRecord("listed", "mark", {}, settings))
        assert fault in told(read_record, path)
    write_catalog(path, catalog.empty(), dataclasses.replace(StageRecord("x", "y", {}, {}), fingerprint=5, settings=3))
    said = told(read_record, path)
    assert "fingerprint is no text, but 5" in said and "settings is no table, but 3" in said


def test_what_earlier_versions_wrote_is_read(paths: DataPaths) -> None:
    """No checksum, fewer keys; with more keys than we know, too."""
    paths.made_with.write_text(json.dumps({"curator": "0.0.1", "settings": {"split": {"seed": 1}}, "more": [1]}))
    assert read_made_with(paths.made_with).settings == {"split": {"seed": 1}}
    paths.reviews.write_text(
        '{"when": "2025", "who": "ann", "sha256": "%s", "label": "a b", "decision": "keep"}' % ("0" * 64)
    )
    assert read_reviews(paths.reviews)[0].label == "a b"
    write_made_with(paths.made_with, MadeWith("ab" * 32, left={"train": ["cd" * 32]}))
    assert read_made_with(paths.made_with).left == {"train": ["cd" * 32]}


@pytest.mark.parametrize("name", ["reviews", "forgotten"])
@pytest.mark.parametrize("end", ["whole", "no line end", "torn", "torn within a letter", "zeros"])
def test_the_end_of_a_file_that_a_power_failure_left(paths: DataPaths, name: str, end: str) -> None:
    """A lacking line end glues nothing; half a line is none, is told once, and is not what a later line is glued to."""
    path = getattr(paths, name)
    line = ANN.as_line() if name == "reviews" else checked_line({"kind": "content", "sha256": "ab" * 32, "when": "é"})
    other = {"whole": b"\n", "no line end": b"", "torn": b"\n" + line.encode()[:40], "zeros": b"\n\0\0\0"}
    path.write_bytes(line.rstrip("\n").encode() + other.get(end, b'\n{"who": "\xc3'))
    is_torn = end not in ("whole", "no line end")
    heard: list[Event] = []
    project = Project(Recipe("balls", ("a", "b"), ()), paths, heard.append)
    before = path.read_bytes()

    def n_read() -> int:
        return len(read_reviews(path)) if name == "reviews" else len(read_tombstones(path)["content"])

    assert n_read() == 1
    mend_records(project)
    assert [spell(event.message).startswith(f"{path} ended in half a line") for event in heard] == [True] * is_torn
    assert all(isinstance(event, Noted) for event in heard)
    path.write_bytes(before)  # without: adding a line mends it, too
    if name == "reviews":
        append_review(path, dataclasses.replace(ANN, sha256="cd" * 32))
    else:
        append_tombstones(path, {"content": ["cd" * 32]})
    assert n_read() == 2
    assert len(path.read_bytes().splitlines()) == 2


def test_a_long_last_line_is_found_whole(paths: DataPaths) -> None:
    """However far back it begins; nothing of the others is touched."""
    long = checked_line({"who": "x" * 300_000})
    paths.reviews.write_text(ANN.as_line() + long + long[:200_000])
    append_lines(paths.reviews, [ANN.as_line()])
    assert paths.reviews.read_text() == ANN.as_line() + long + ANN.as_line()


def test_records_that_are_links_are_not_written_through(paths: DataPaths, tmp_path: Path) -> None:
    """A stranger's reviews.jsonl may point anywhere."""
    (tmp_path / "profile").write_text("export A=1\n")
    paths.reviews.symlink_to(tmp_path / "profile")
    with pytest.raises(CuratorError):
        append_review(paths.reviews, ANN)
    assert (tmp_path / "profile").read_text() == "export A=1\n"
