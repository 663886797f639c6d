"""The server of the review: whom it lets in, what it shows, and that a decision is on the disk when it answers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from curator import catalog
from curator.catalog import Drop, Stage
from curator.errors import CuratorError, StateError
from curator.inspect.why import find_stories
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import append_review, read_reviews
from curator.pipeline import made_from
from curator.pipeline import run_stages as pipeline
from curator.review.guard import Guard
from curator.review.images import Images, read_images
from curator.review.server import listen
from curator.review.service import MOST_SELECTIONS
from tests.review.conftest import Served, suspect
from tests.small_worlds import recipe_text, small_project

HOST = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"host": "evil.example:8000"}, "the Host is not this server"),
        ({"host": "127.0.0.1:9000"}, "the Host is not this server"),
        ({}, "the Host is not this server"),
        (HOST | {"origin": "http://evil.example"}, "the Origin is not this server"),
        (HOST | {"origin": "null"}, "the Origin is not this server"),
        (HOST | {"sec-fetch-site": "cross-site"}, "the request comes from another site"),
    ],
)
def test_a_foreign_page_is_refused(headers: dict[str, str], said: str) -> None:
    """DNS rebinding and CSRF: another Host, Origin or site, even with the token."""
    assert Guard("secret", 8000).refusal("GET", "/secret/", headers) == said


def test_the_token_is_needed_in_the_path_and_for_changes_in_the_header() -> None:
    """Neither an address without it nor a plain form can do anything."""
    guard = Guard("secret", 8000)
    assert guard.refusal("GET", "/secret/", HOST) is None
    assert guard.refusal("GET", "/secret/", {"host": "localhost:8000", "origin": "http://localhost:8000"}) is None
    assert "lacks the token" in str(guard.refusal("GET", "/", HOST))
    assert "lacks the token" in str(guard.refusal("GET", "/Secret/", HOST))
    assert guard.refusal("POST", "/secret/decide", HOST) == "the token is not in the header"
    assert guard.refusal("POST", "/secret/decide", HOST | {"x-curator-token": "secret"}) is None
    assert "secret" not in repr(guard)


def test_the_server_refuses_what_the_guard_refuses(served: Served, project: Project) -> None:
    """403 over the wire, with nothing decided, and the security headers on every answer."""
    assert served.ask("/", token=False)[0] == 403
    assert served.ask("about", headers={"Host": "evil.example"})[0] == 403
    row = served.rows()[0]
    body = {"record_id": row["record_id"], "decision": "drop"}
    assert served.ask(f"/{served.token}/decide", "POST", body, token=False)[0] == 403
    assert served.ask("decide", "POST", body, {"Origin": "http://evil.example"})[0] == 403
    assert not project.paths.reviews.exists()
    status, page, headers = served.ask("")
    assert status == 200 and b'role="listbox"' in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_it_listens_on_this_machine_only() -> None:
    """The socket is bound to 127.0.0.1; a taken port is told."""
    with listen(0) as listener:
        address, port = listener.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(CuratorError, match=f"port {port}"):
            listen(port)


def test_filters_and_search_find_the_rows(served: Served) -> None:
    """Each filter alone, with the exact images."""
    assert len(served.rows()) == 20
    assert {row["label"] for row in served.rows(label="soccer")} == {"soccer"}
    assert {row["drop_reason"] for row in served.rows(drop_reason="too-small")} == {Drop.TOO_SMALL}
    assert [row["source_id"] for row in served.rows(text="TINY")] == ["rugby/tiny.jpg"]
    assert [row["source_id"] for row in served.rows(max_side="50")] == ["rugby/tiny.jpg"]
    assert len(served.rows(min_side="100")) == 17
    assert all("drop_reason" not in row for row in served.rows(fate="kept"))
    assert all(row["split"] == "test" for row in served.rows(split="test"))
    assert served.rows(text="nowhere") == []


@pytest.mark.parametrize(
    "path", ["select?view=x", "select?min_side=-1", "rows?selection=a&offset=0&limit=1", "rows?offset=0"]
)
def test_a_wrong_question_is_told_and_not_a_crash(served: Served, path: str) -> None:
    """400 with one sentence."""
    status, facts, _ = served.ask(path)
    assert status == 400 and "must be" in facts["error"]


def test_groups_are_whole_with_their_representative_first(served: Served) -> None:
    """A duplicate group is its representative and the copy; a conflict is both labels; a filter shows whole groups."""
    chosen = served.ask("select?view=duplicates")[1]
    keeper, copy = served.rows(view="duplicates")
    assert chosen["sizes"] == [2] and "drop_reason" not in keeper
    assert copy["duplicate_of"] == keeper["record_id"] and copy["drop_reason"] == Drop.NEAR_DUPLICATE
    conflict = served.rows(view="conflicts")
    assert {row["label"] for row in conflict} == {"rugby", "soccer"} and len({row["sha256"] for row in conflict}) == 1
    assert len(served.rows(view="conflicts", label="soccer")) == 2


def test_the_most_confidently_wrong_come_first(served: Served, project: Project) -> None:
    """The benchmark's predictions, averaged over models and runs."""
    ids = [row["record_id"] for row in served.rows(label="rugby", fate="kept")[:3]]
    lines = ["record_id,label,model,seed,predicted,p_rugby,p_soccer"]
    for record_id, wrong in zip(ids, (0.6, 0.9, 0.1), strict=True):
        lines += [f"{record_id},rugby,cnn,{seed},soccer,{1 - wrong},{wrong}" for seed in (0, 1)]
    project.paths.benchmark.mkdir(parents=True)
    (project.paths.benchmark / "predictions.csv").write_text("\n".join(lines))
    rows = served.rows(view="wrong")
    assert [row["record_id"] for row in rows] == [ids[1], ids[0]]
    assert rows[0]["predicted"] == "soccer" and rows[0]["confidence"] == pytest.approx(0.9)


def test_suspects_come_in_views_of_their_own(served: Served, project: Project) -> None:
    """The surest first, with the label that fits better and the evidence; filters apply."""
    assert served.rows(view="suspects") == []
    rows = served.rows(fate="kept")[:4]
    suspect(project, rows)
    views = {view["name"]: view["n"] for view in served.ask("about")[1]["views"]}
    assert (views["suspects"], views["unlike"], views["quality"]) == (2, 1, 1)
    found = served.rows(view="suspects")
    assert [row["record_id"] for row in found] == [rows[1]["record_id"], rows[0]["record_id"]]
    assert found[0]["suggested"] != found[0]["label"] and found[0]["confidence"] == pytest.approx(0.9)
    assert found[0]["evidence"] == "looks unlike its label"
    assert "suggested" not in served.rows(view="quality")[0]
    assert served.rows(view="suspects", label=rows[1]["label"])[0]["label"] == rows[1]["label"]


def test_a_thumbnail_is_made_once_upright_and_small(served: Served, project: Project) -> None:
    """JPEG of at most 256 pixels, kept on disk, cached for good by the browser; no other name is answered."""
    row = served.rows(fate="kept")[0]
    path = f"thumbnails/{row['sha256']}.{row['format']}"
    status, data, headers = served.ask(path)
    cached = project.paths.thumbnail(row["sha256"])
    assert status == 200 and "immutable" in headers["cache-control"] and cached.read_bytes() == data
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG" and max(image.size) <= 256
    cached.write_bytes(b"as it was left\xff\xd9")
    assert served.ask(path)[1] == b"as it was left\xff\xd9"
    cached.write_bytes(data[:50])
    assert served.ask(path)[1] == data == cached.read_bytes()
    assert served.ask(f"pictures/{row['sha256']}.{row['format']}")[0] == 200
    for name in ("..%2f..%2frecipe.toml", "0" * 64 + ".jpeg", row["sha256"], f"{row['sha256']}.jpeg%00"):
        assert served.ask(f"thumbnails/{name}")[0] == 404


def test_an_orientation_is_said_as_everywhere() -> None:
    """In words, as `curator why`, the gallery and the report say it; nothing if the copy is upright."""
    turns = ["rotate-270", "mirror-rotate-90", "none", None]
    table = pa.table({"turn": turns, "phash": [0] * 4})
    found = [row.get("turn") for row in Images(table, Stage.DEDUPED).rows(np.arange(4))]
    assert found == ["turned by 270 degrees", "mirrored and turned by 90 degrees", None, None]


def decide(served: Served, row: dict[str, Any], decision: str, **more: str) -> tuple[int, Any]:
    return served.ask("decide", "POST", {"record_id": row["record_id"], "decision": decision, **more})[:2]


def test_a_decision_is_one_line_before_it_is_answered(served: Served, project: Project) -> None:
    """Who, when, content, label, decision, reason; shown with the row from then on, also after a new selection."""
    row = served.rows(label="rugby", fate="kept")[0]
    status, facts = decide(served, row, "drop", reason=" a \n logo ")
    (review,) = read_reviews(project.paths.reviews)
    assert status == 200 and facts["review"]["decision"] == "drop" and facts["decided"] == 1
    assert (review.who, review.sha256, review.label, review.reason) == ("ann", row["sha256"], "rugby", "a logo")
    (found,) = served.rows(reviewed="drop")
    assert found["review"]["reason"] == "a logo"
    assert row["record_id"] not in {one["record_id"] for one in served.rows(reviewed="undecided")}
    assert decide(served, row, "undo")[1]["review"] is None


@pytest.mark.parametrize(
    ("decision", "more", "said"),
    [
        ("burn", {}, "decision must be"),
        ("relabel", {}, "relabel needs new_label"),
        ("relabel", {"new_label": "cricket"}, "no other label"),
        ("relabel", {"new_label": "rugby"}, "no other label"),
        ("keep", {"new_label": "soccer"}, "relabel needs new_label"),
        ("keep", {"record_id": "folder-0"}, "no such image"),
        ("keep", {"extra": "x"}, "a decision has"),
    ],
)
def test_a_wrong_decision_is_told_and_writes_nothing(
    served: Served, project: Project, decision: str, more: dict[str, str], said: str
) -> None:
    """400 with the reason; the file is not touched."""
    status, facts = decide(served, served.rows(label="rugby", fate="kept")[0], decision, **more)
    assert status == 400 and said in facts["error"]
    assert not project.paths.reviews.exists()


def test_a_body_that_is_no_decision_is_refused(served: Served) -> None:
    """Neither rubbish nor a flood."""
    assert served.ask("decide", "POST", b"rubbish")[0] == 400
    assert served.ask("decide", "POST", b"[1]")[0] == 400
    assert served.ask("decide", "POST", b"x" * 100_000)[0] == 413


def test_a_disk_that_refuses_is_told(served: Served, project: Project) -> None:
    """The page gets an error and shows no decision."""
    row = served.rows(fate="kept")[0]
    project.paths.reviews.symlink_to(project.paths.reviews.parent / "nowhere" / "reviews.jsonl")
    status, facts = decide(served, row, "keep")
    assert status == 500 and "Cannot write" in facts["error"]


def test_another_process_is_noticed(served: Served, project: Project) -> None:
    """The version rises, and the rows show what the other window decided."""
    row = served.rows(fate="kept")[0]
    chosen = served.ask("select")[1]
    decide(served, row, "keep")
    (review,) = read_reviews(project.paths.reviews)
    append_review(project.paths.reviews, type(review)(**{**vars(review), "who": "bo", "decision": "drop"}))
    again = served.ask(f"rows?selection={chosen['selection']}&offset=0&limit=0")[1]
    assert again["version"] > chosen["version"] and again["decided"] == 1
    assert next(one for one in served.rows(reviewed="drop"))["review"]["who"] == "bo"


def test_next_goes_round_past_what_is_decided_or_has_no_picture(served: Served) -> None:
    """The next undecided row after the current one, from the top again at the end, none when all is done."""
    number = served.ask("select?view=conflicts")[1]["selection"]
    first, second = served.rows(view="conflicts")
    assert served.ask(f"next?selection={number}&after=0")[1] == {"index": 1}
    decide(served, second, "drop")
    assert served.ask(f"next?selection={number}&after=0")[1] == {"index": 0}
    decide(served, first, "keep")
    assert served.ask(f"next?selection={number}&after=-1")[1] == {"index": None}


def test_a_selection_of_an_older_catalog_is_gone(served: Served, project: Project) -> None:
    """410: the page selects again and sees the new catalog; so it is with one that is no longer kept."""
    number = served.ask("select")[1]["selection"]
    pipeline.decide(project, Stage.DEDUPED, {}, force=True)
    assert served.ask(f"rows?selection={number}&offset=0&limit=5")[0] == 410
    first = served.ask("select")[1]["selection"]
    for _ in range(MOST_SELECTIONS):
        served.ask("select")
    assert served.ask(f"rows?selection={first}&offset=0&limit=5")[0] == 410


def test_the_next_manifest_honours_every_decision(served: Served, project: Project) -> None:
    """Drop, keep against two rules, relabel: all in the manifest; `why` tells who said so; undo restores it all.

    But for the manifest that was written meanwhile: it would hold on to the copy that it has.
    """
    before = pipeline.decide(project, Stage.DEDUPED, {}).table
    dropped = served.rows(label="rugby", fate="kept")[0]
    tiny, copy = served.rows(text="tiny")[0], served.rows(text="smaller")[0]
    both = next(row for row in served.rows(view="conflicts") if row["label"] == "soccer")
    decide(served, dropped, "drop", reason="a logo")
    decide(served, tiny, "keep")
    decide(served, copy, "keep")
    decide(served, both, "relabel", new_label="rugby")
    assert made_from.latest_stage(project) == Stage.FETCHED
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    fate = {row["record_id"]: row["drop_reason"] for row in table.to_dict("records")}
    label = dict(zip(table["record_id"], table["label"], strict=True))
    assert fate[dropped["record_id"]] == Drop.REVIEWED_OUT
    assert fate[tiny["record_id"]] != Drop.TOO_SMALL and fate[copy["record_id"]] != Drop.NEAR_DUPLICATE
    assert label[both["record_id"]] == "rugby"
    assert catalog.counts(table)["dropped"].get(Drop.LABEL_CONFLICT) is None
    assert dropped["sha256"] not in set(read_manifest(project.paths.manifest)["sha256"])
    assert json.loads(project.paths.made_with.read_text())["settings"]["reviews"]["n"] == 4
    told = "\n".join(find_stories(project, dropped["record_id"])[0].lines)
    assert "reviewed drop (ann, " in told and "a logo" in told and "reviewed-out" in told
    assert "reviewed relabel as rugby" in "\n".join(find_stories(project, both["record_id"])[0].lines)
    for row in (dropped, tiny, copy, both):
        decide(served, row, "undo")
    project.paths.manifest.unlink()
    assert pipeline.decide(project, Stage.DEDUPED, {}).table.equals(before)


def test_nothing_fetched_says_what_to_run(tmp_path: Path) -> None:
    """The command ends before it serves an empty page."""
    (tmp_path / "photos" / "rugby").mkdir(parents=True)
    empty = small_project(tmp_path, recipe_text(tmp_path / "photos"))
    with pytest.raises(StateError, match="curator fetch"):
        read_images(empty)
