"""What another data set has is dropped, or only reported: by its bytes, by its picture, or by a manifest's hash."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from curator.catalog import Drop, Stage, dropped
from curator.decide import crowds
from curator.decide.elsewhere import other_images
from curator.errors import StateError
from curator.events import Event, Noted
from curator.matching import picture_matches
from curator.observe.observation import Observation
from curator.observe.workers import look
from curator.observe.workers.pool import ObserverPool
from curator.pipeline import against_cache
from curator.pipeline import run_stages as pipeline
from curator.pipeline.forget import forget
from curator.pipeline.other_sets import digest_others
from curator.store.catalog_files import read_catalog, read_record
from curator.text import spell
from tests.small_worlds import picture, recipe_text, small_project, write_folder


@pytest.fixture
def project(tmp_path):
    """Eight images a label, fetched."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 8), 4))
    pipeline.fetch(project)
    return project


@pytest.fixture
def exam(tmp_path):
    """A test set of two of these images: one as it is, one mirrored and smaller; a stranger; and a file of text."""
    folder = tmp_path / "exam" / "deep"
    folder.mkdir(parents=True)
    shutil.copy(tmp_path / "photos" / "rugby" / "000.jpg", folder / "same.jpg")
    mirrored = picture(1003, (120, 90)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(folder / "mirrored.png")
    picture(5_000).save(folder / "stranger.jpg")
    (folder / "notes.txt").write_text("no image", encoding="utf-8")
    return tmp_path / "exam"


def dedupe(project, place, **more):
    """Run dedupe against a place and give what was dropped as being there, by the image's name at its source."""
    outcome = pipeline.decide(project, Stage.DEDUPED, {"dedupe": {"against": (str(place),), **more}})
    rows = dropped(outcome.table)
    there = rows[rows["drop_reason"] == str(Drop.ALREADY_ELSEWHERE)]
    return outcome, there.set_index("source_id")["drop_detail"].to_dict()


def test_images_of_a_folder_are_dropped_with_the_file_that_they_match(project, exam):
    """The same bytes and the mirrored copy go, each with its evidence; nothing of the folder is stored."""
    stored = {path.name for path in project.paths.images.rglob("*.*")}
    outcome, there = dedupe(project, exam)
    assert there.keys() == {"rugby/000.jpg", "soccer/003.jpg"}
    assert there["rugby/000.jpg"] == f"same bytes as {exam}/deep/same.jpg"
    assert there["soccer/003.jpg"].endswith(f"from {exam}/deep/mirrored.png, mirrored")
    assert outcome.notes == ("16 images compared with 3 elsewhere: 2 are there too",)
    assert {path.name for path in project.paths.images.rglob("*.*")} == stored


def test_a_narrower_search_of_very_many_is_said(project, exam, monkeypatch):
    """Ours and those elsewhere count together: sixteen and three."""
    monkeypatch.setattr(picture_matches, "MANY", 19)
    assert "within 8 bits" not in " ".join(dedupe(project, exam)[0].notes)
    monkeypatch.setattr(picture_matches, "MANY", 18)
    narrower = dedupe(project, exam, max_distance=9)[0]
    assert "rotated and mirrored copies are looked for within 8 bits, not 9." in " ".join(narrower.notes)


def test_report_only_drops_nothing_and_names_the_images(project, exam):
    """The notes name both, and the catalog keeps all."""
    outcome, there = dedupe(project, exam, report_only=True)
    assert not there and not len(dropped(outcome.table))
    assert "2 of them stay: folder-" in outcome.notes[1]
    assert "same.jpg" in outcome.notes[1] and "mirrored.png" in outcome.notes[1]


def test_the_comparison_is_repeated_only_when_the_folder_changed(project, exam):
    """The folder's digest is part of the fingerprint and of the recorded settings."""
    dedupe(project, exam)
    assert dedupe(project, exam)[0].skipped
    first = read_record(project.paths.catalog(Stage.DEDUPED)).settings["against"]
    picture(1).save(exam / "one-more.jpg")
    outcome, there = dedupe(project, exam)
    assert not outcome.skipped and "rugby/001.jpg" in there
    assert read_record(project.paths.catalog(Stage.DEDUPED)).settings["against"] != first


def test_later_stages_do_not_need_the_folder_any_more(project, exam):
    """The split accepts the comparison that was made; a new dedupe says what is missing."""
    dedupe(project, exam)
    shutil.rmtree(exam)
    pipeline.decide(project, Stage.SPLIT, {})
    rows = dropped(read_catalog(project.paths.catalog(Stage.SPLIT)))
    assert (rows["drop_reason"] == str(Drop.ALREADY_ELSEWHERE)).sum() == 2
    with pytest.raises(StateError, match="does not exist"):
        dedupe(project, exam)


@pytest.mark.parametrize("with_data", [True, False])
def test_a_manifest_is_compared_by_all_hashes_or_by_the_64_bits_that_it_has(tmp_path, project, with_data):
    """Another data set of the same pictures, saved anew: each image is found in its manifest."""
    folder = tmp_path / "other-photos"
    for index, label in enumerate(("rugby", "soccer")):
        (folder / label).mkdir(parents=True)
        for n in range(4):
            picture(1000 * index + n, (200, 150)).save(folder / label / f"{n}.png")
    other = small_project(tmp_path / "other", recipe_text(folder, 4))
    pipeline.fetch(other)
    pipeline.decide(other, Stage.SPLIT, {})
    if not with_data:
        shutil.rmtree(other.paths.data_root)
    _, there = dedupe(project, other.paths.manifest)
    assert there.keys() == {f"{label}/{n:03d}.jpg" for label in ("rugby", "soccer") for n in range(4)}
    assert all(f"from {other.paths.manifest}: folder-" in detail for detail in there.values())


def test_a_digest_changes_with_a_files_time(project, exam):
    """Size alone would miss a file that was replaced."""
    before = digest_others([str(exam)], Path(), {})
    file = exam / "deep" / "stranger.jpg"
    facts = file.stat()
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000_000_000))
    assert digest_others([str(exam)], Path(), {}) != before


@pytest.fixture
def looks(project, monkeypatch):
    """The names of the files that are looked at from here on."""
    names, submit = [], ObserverPool.submit

    def note(pool, job, source):
        names.append(source.name)
        submit(pool, job, source)

    monkeypatch.setattr(ObserverPool, "submit", note)
    return names


def again(project, exam):
    """Compare once more, though nothing that the stage is made from changed."""
    outcome = pipeline.decide(project, Stage.DEDUPED, {"dedupe": {"against": (str(exam),)}}, force=True)
    return outcome.table["drop_detail"].tolist(), outcome.notes


EXAM = ["mirrored.png", "notes.txt", "same.jpg", "stranger.jpg"]


def test_a_second_comparison_looks_at_no_file_again(project, exam, looks):
    """Neither images nor other files; the result is the same, to the last word."""
    first = again(project, exam)
    assert sorted(looks) == EXAM
    assert again(project, exam) == first
    assert sorted(looks) == EXAM


def test_only_new_and_changed_files_are_looked_at_again(project, exam, looks):
    """By size, by time alone, and by name; a match that came with the change is found, one that went is not."""
    again(project, exam)
    looks.clear()
    picture(5_001).save(exam / "deep" / "same.jpg")
    picture(1).save(exam / "deep" / "stranger.jpg")
    facts = (exam / "deep" / "notes.txt").stat()
    os.utime(exam / "deep" / "notes.txt", ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    (exam / "deep" / "mirrored.png").rename(exam / "moved.png")
    details, notes = again(project, exam)
    assert sorted(looks) == ["moved.png", "notes.txt", "same.jpg", "stranger.jpg"]
    told = " ".join(detail for detail in details if isinstance(detail, str))
    assert "stranger.jpg" in told and "moved.png, mirrored" in told and "same.jpg" not in told
    assert notes == ("16 images compared with 3 elsewhere: 2 are there too",)


@pytest.mark.parametrize("spoilt", ["hashes", "pixels", "damaged"])
def test_what_was_kept_under_other_conditions_is_not_used(project, exam, looks, monkeypatch, spoilt):
    """Hashes of another version, another limit of pixels, or a file cut off: all is looked at again."""
    again(project, exam)
    if spoilt == "hashes":
        monkeypatch.setattr(against_cache, "HASH_VERSION", against_cache.HASH_VERSION + 1)
    elif spoilt == "pixels":
        object.__setattr__(project.recipe.quality, "max_pixels", project.recipe.quality.max_pixels - 1)
    else:
        (file,) = project.paths.cache.glob("against-*")
        file.write_bytes(file.read_bytes()[:100])
    again(project, exam)
    assert sorted(looks) == sorted(EXAM * 2)


def test_a_comparison_that_is_interrupted_keeps_what_it_saw(project, exam, looks, monkeypatch):
    """The next one looks at the rest only."""
    monkeypatch.setattr(look, "_MOST_WAITING", 0)
    submit = ObserverPool.submit

    def interrupted(pool, job, source):
        if len(looks) == 2:
            raise KeyboardInterrupt
        submit(pool, job, source)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ObserverPool, "submit", interrupted)
        again(project, exam)
    again(project, exam)
    assert sorted(looks) == EXAM


def test_what_may_come_out_otherwise_is_looked_at_again(tmp_path):
    """A file that could not be read, and one whose decoder died, are no images this time, and unknown the next."""
    crashed = Observation("ab" * 32, 9, width=3, flaw=Drop.DECODER_CRASHED)
    seen = against_cache.seen_table([b"unread", b"crashed", b"text"], [None, crashed, Observation("cd" * 32, 9)])
    assert seen["is_image"].to_pylist() == [None, None, False]
    against_cache.write_seen(tmp_path / "seen", seen, 100)
    assert against_cache.read_seen(tmp_path / "seen", 100)["mark"].to_pylist() == [b"text"]


def test_what_is_forgotten_is_not_kept_of_another_folder_either(project, exam, looks):
    """Its entry goes, with its thumbnail, and later comparisons keep none: only that file is looked at each time."""
    again(project, exam)
    row = read_catalog(project.paths.catalog(Stage.FETCHED)).set_index("source_id").loc["rugby/000.jpg"]
    (file,) = project.paths.cache.glob("against-*")

    def contents():
        return pq.read_table(file)["sha256"].to_pylist()

    assert row["sha256"] in contents() and len(contents()) == 4
    forget(project, row["sha256"])
    assert row["sha256"] not in contents() and len(contents()) == 3
    looks.clear()
    again(project, exam)
    again(project, exam)
    assert looks == ["same.jpg", "same.jpg"] and row["sha256"] not in contents()


def test_a_name_that_is_no_text_is_no_matter():
    """A file whose name is not UTF-8 is compared like any other."""
    others = other_images(["x"], [os.fsdecode(b"/tmp/caf\xe9.jpg")], sha256=["ab" * 32])
    assert os.fsencode(others["file"][0]) == b"/tmp/caf\xe9.jpg"


def test_that_hashes_crowd_is_said_once_before_the_search(project, exam, monkeypatch):
    """However often they are searched; of an ordinary set nothing is said."""
    told: list[Event] = []
    project = replace(project, emit=told.append)
    dedupe(project, exam)
    assert not [event for event in told if isinstance(event, Noted)]
    told.clear()
    monkeypatch.setattr(crowds, "LEAST_PAIRS", 1)
    monkeypatch.setattr(crowds, "PAIRS_A_HASH", 0)
    dedupe(project, exam, max_distance=9)
    (noted,) = (event for event in told if isinstance(event, Noted))
    assert "of 16 pictures agree in the same 16 of the 64 bits" in spell(noted.message)
    assert told[0] is noted
