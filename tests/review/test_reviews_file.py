"""The reviews file: every decision is one line, none is lost, the latest that was not taken back stands."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import DiskError, StateError
from curator.manifests.reviews import (
    Review,
    append_review,
    digest_reviews,
    parse_review,
    read_reviews,
    standing_reviews,
)

KEEP = Review("2026-01-02T03:04:05Z", "ann", "ab" * 32, "rugby", "keep")
DROP = dataclasses.replace(KEEP, decision="drop", reason="a logo", who="bo")
UNDO = dataclasses.replace(KEEP, decision="undo")


def test_a_decision_comes_back_as_it_was(tmp_path: Path) -> None:
    """One line each, in order, readable in a diff: no empty fields, no escapes."""
    path = tmp_path / "new" / "reviews.jsonl"
    reviews = (KEEP, dataclasses.replace(DROP, reason="Ärger\u2028\x85\r"))
    for review in reviews:
        append_review(path, review)
    assert read_reviews(path) == reviews
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") == 2 and "new_label" not in text and "Ärger" in text


@given(
    st.lists(
        st.tuples(st.sampled_from(["keep", "drop", "undo"]), st.sampled_from(["rugby", "soccer"]), st.text(max_size=20))
    )
)
def test_any_history_round_trips_line_by_line(history: list[tuple[str, str, str]]) -> None:
    """Whatever the reason holds, line separators included, a decision stays one line."""
    for decision, label, reason in history:
        review = Review("2026-01-02T03:04:05Z", "ann", "0f" * 32, label, decision, reason=reason)
        line = review.as_line()
        assert line.index("\n") == len(line) - 1 and parse_review(line) == review


def test_undo_takes_back_the_latest_that_stands() -> None:
    """After keep, drop, undo the keep stands again; another label's decision is not touched."""
    other = dataclasses.replace(DROP, label="soccer")
    assert standing_reviews([KEEP, other, DROP, UNDO]) == {KEEP.key: KEEP, other.key: other}
    assert standing_reviews([KEEP, UNDO, UNDO]) == {}


def test_the_digest_tells_what_stands_and_not_how_it_came_about() -> None:
    """A decision that was taken back leaves no trace in a stage's fingerprint, the order of lines neither."""
    other = dataclasses.replace(DROP, label="soccer")
    plain = digest_reviews(standing_reviews([KEEP, other]))
    assert digest_reviews(standing_reviews([other, KEEP, DROP, UNDO])) == plain
    assert digest_reviews(standing_reviews([KEEP])) != plain
    assert plain["n"] == 2


def test_malformed_lines_are_reported_all_with_their_numbers(tmp_path: Path) -> None:
    """A bad merge is told line by line, and nothing is silently left out."""
    path = tmp_path / "reviews.jsonl"
    bad = [
        "<<<<<<< HEAD",
        "[]",
        KEEP.as_line().strip(),
        DROP.as_line().replace('"drop"', '"delete"').strip(),
        KEEP.as_line().replace('"keep"', '"relabel"').strip(),
        KEEP.as_line().replace('"ann"', '""').strip(),
        KEEP.as_line().replace("abab", "xyxy").strip(),
    ]
    path.write_text("\n".join(bad), encoding="utf-8")
    with pytest.raises(StateError) as caught:
        read_reviews(path)
    message = str(caught.value)
    for part in (
        "line 1: it is not JSON",
        "line 2: it is no JSON object",
        "line 4: decision must",
        "line 5: relabel needs",
    ):
        assert part in message
    assert "line 6: who is missing" in message and "line 7: sha256 must" in message and "line 3" not in message


def test_a_file_without_a_last_line_end_is_gone_on_with(tmp_path: Path) -> None:
    """An editor that left no line end costs no decision."""
    path = tmp_path / "reviews.jsonl"
    path.write_text(KEEP.as_line().strip(), encoding="utf-8")
    append_review(path, DROP)
    assert read_reviews(path) == (KEEP, DROP)


def append_many(path: Path, who: str) -> None:
    """Write fifty decisions, as one of several processes."""
    for n in range(50):
        append_review(path, dataclasses.replace(KEEP, who=who, reason=f"{n} " + "x" * 300))


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Three writers, 150 decisions, each whole and each writer's in order."""
    path = tmp_path / "reviews.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=append_many, args=(path, who)) for who in ("ann", "bo", "cy")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    reviews = read_reviews(path)
    assert len(reviews) == 150
    for who in ("ann", "bo", "cy"):
        assert [int(review.reason.split()[0]) for review in reviews if review.who == who] == list(range(50))


def test_a_disk_that_refuses_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed sync takes the line back and says so; what stood before stands."""
    path = tmp_path / "reviews.jsonl"
    append_review(path, KEEP)

    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DiskError, match="Input/output error"):
        append_review(path, DROP)
    assert path.read_text(encoding="utf-8") == KEEP.as_line()
