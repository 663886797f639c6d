"""The gallery shows every group of duplicates, hardest to judge first, and is light with ten thousand of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from curator.catalog import Stage
from curator.decide.judged import ONE
from curator.errors import StateError
from curator.pipeline import run_stages as pipeline
from curator.report.gallery import build_gallery, gallery_page, page_data, read_groups
from curator.report.laid_over import lay_over
from tests.decide.rows import make_table
from tests.small_worlds import picture, recipe_text, small_project, write_folder


def image(number, **more):
    """One image's row as the page takes it."""
    row = {"record_id": f"folder-{number:016x}", "label": "rugby", "sha256": f"{number:064x}", "width": 10, "height": 8}
    return row | {"drop_reason": None, "distance_bits": None, "turn": None} | more


def data_of(text: str) -> dict[str, Any]:
    """Read what a page gives to its script."""
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(found))


def test_groups_are_gathered_through_chains_the_hardest_first_and_the_kept_one_first():
    """A conflict links two that are both dropped; a star links its copies; equal bytes come last, however many."""
    first = "folder-0000000000000007"
    rows = [
        {"drop_reason": "label-conflict", "duplicate_of": "folder-0000000000000001", "distance_bits": 1},
        {"drop_reason": "label-conflict", "duplicate_of": "folder-0000000000000000", "distance_bits": 1},
        {"drop_reason": "near-duplicate", "duplicate_of": "folder-0000000000000004", "distance_bits": 2},
        {"drop_reason": "near-duplicate", "duplicate_of": "folder-0000000000000004", "distance_bits": 3},
        {},
        {"drop_reason": "near-duplicate", "duplicate_of": "folder-0000000000000006", "distance_bits": 1},
        {},
        {},
        *[{"drop_reason": "exact-duplicate", "duplicate_of": first, "distance_bits": 0}] * 2,
    ]
    groups = [[int(row["record_id"][-1]) for row in group] for group in read_groups(make_table(rows))]
    assert groups == [[4, 3, 2], [0, 1], [6, 5], [7, 8, 9]]


def test_a_catalog_without_duplicates_has_no_group():
    """An empty gallery is a page too, without a script."""
    assert read_groups(make_table([{}, {}])) == []
    text = gallery_page("balls", page_data([], {}, {}))
    assert "No group of duplicates was found" in text and '"use strict"' not in text


def test_copies_of_the_same_bytes_are_all_laid_over_the_kept_one():
    """Three files, two of the same bytes: each lies on the first one in the same way."""
    group = [image(1), image(2), image(3, sha256=image(2)["sha256"])]
    pair = {"sha256": image(1)["sha256"], "other_sha256": image(2)["sha256"], "verdict": ONE, "differs": "cropped"}
    found = lay_over(pa.Table.from_pylist([pair | {"transform": [0.5, 0, 0, 0, 0.5, 0.25]}]), [group])
    assert found == {row["record_id"]: ["cropped", [0.5, 0, 0, 0, 0.5, 0.25]] for row in group[1:]}


def test_the_gallery_shows_the_copies_that_dedupe_found(tmp_path):
    """One mirrored and one exact copy: their pictures and files lie on disk, named relative to the page."""
    folder = write_folder(tmp_path / "photos", 3)
    picture(1, (200, 150)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "rugby" / "mirrored.png")
    (folder / "rugby" / "again.jpg").write_bytes((folder / "rugby" / "002.jpg").read_bytes())
    project = small_project(tmp_path, recipe_text(folder, 2))
    with pytest.raises(StateError, match="curator dedupe"):
        build_gallery(project)
    pipeline.fetch(project)
    pipeline.decide(project, Stage.DEDUPED, {})
    page = build_gallery(project)
    data = data_of(page.read_text(encoding="utf-8"))
    (kept, mirrored), (_, again) = data["groups"]
    assert kept[0] == "kept" and again[0] == "exact-duplicate, same bytes"
    assert re.fullmatch(r"near-duplicate, \d+ bits? apart, mirrored", mirrored[0])
    assert data["reasons"] == {"near-duplicate": [0], "exact-duplicate": [1]}
    for *_, source, goal in (one for group in data["groups"] for one in group):
        assert (page.parent / goal).is_file()
        with Image.open(page.parent / source) as small:
            assert max(small.size) <= 256


def many_groups() -> str:
    """Write a page of 9,999 pairs and a group of 5,000; a stranger's page and label are among them."""
    pairs = [
        [image(2 * k), image(2 * k + 1, drop_reason="near-duplicate" if k % 2 else "label-conflict", distance_bits=2)]
        for k in range(9_999)
    ]
    pairs[0][0] |= {"label": "</script><script>document.title = 1</script>", "landing_url": "javascript:alert(1)"}
    pairs[0][1] |= {"landing_url": "https://photos.example/1"}
    huge = [image(30_000 + k, drop_reason="exact-duplicate" if k else None, distance_bits=0) for k in range(5_000)]
    pictures = {f"{k:064x}": f"thumbnails/{k:x}/{k:064x}.jpg" for k in range(40_000)}
    return gallery_page("balls", page_data([*pairs, huge], pictures, {}))


def test_ten_thousand_groups_are_written_and_opened_a_page_at_a_time(tmp_path: Path, browser: Any) -> None:
    """The browser lays out 24 pairs; paging, filtering and reloading are quick, by mouse and by keyboard."""
    path = tmp_path / "duplicates.html"
    path.write_text(many_groups(), encoding="utf-8")
    assert path.stat().st_size < 6_000_000
    page = browser.new_page()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector(".group")
    assert page.locator(".group").count() == 24 and page.locator("figure").count() == 48
    assert page.title() == "balls: duplicates"
    goals = page.locator(".group").first.locator("a").evaluate_all("all => all.map((one) => one.href)")
    assert goals == ["https://photos.example/1"]
    assert page.locator("#where").inner_text() == "Groups 1 to 24 of 10,000"
    page.keyboard.press("ArrowRight")
    assert page.locator("#where").inner_text() == "Groups 25 to 48 of 10,000"
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.querySelector('h2').textContent").startswith("25 2 images")
    page.get_by_text("label-conflict").first.click()
    assert page.locator("#where").inner_text() == "Groups 1 to 24 of 5,000"
    page.get_by_role("button", name="Next").click()
    page.reload()
    assert page.locator("#where").inner_text() == "Groups 25 to 48 of 5,000"
    assert page.get_by_role("radio", name="label-conflict").is_checked()
    page.get_by_text("exact-duplicate").first.click()
    page.get_by_role("button", name="Show 24 of 4,998 more").click()
    assert page.locator("figure").count() == 26
    page.close()
