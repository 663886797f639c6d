"""The gallery shows every group of duplicates, and its page stays light with ten thousand of them."""

from __future__ import annotations

import re
import time

import pytest
from PIL import Image

from curator.catalog import Stage
from curator.errors import StateError
from curator.pipeline import run_stages as pipeline
from curator.report.gallery import MOST_SHOWN, build_gallery, gallery_page, read_groups
from tests.decide.rows import make_table
from tests.small_worlds import picture, recipe_text, small_project, write_folder


def image(number, **more):
    """One image's row as the page takes it."""
    row = {"record_id": f"folder-{number:016x}", "label": "rugby", "sha256": f"{number:064x}", "width": 10, "height": 8}
    return row | {"drop_reason": None, "distance_bits": None, "turn": None} | more


def test_groups_are_gathered_through_chains_the_largest_first_and_the_kept_one_first():
    """A conflict links two that are both dropped; a star links its copies, the nearest first."""
    rows = [
        {"drop_reason": "label-conflict", "duplicate_of": "folder-0000000000000001", "distance_bits": 1},
        {"drop_reason": "label-conflict", "duplicate_of": "folder-0000000000000000", "distance_bits": 1},
        {"drop_reason": "near-duplicate", "duplicate_of": "folder-0000000000000004", "distance_bits": 3},
        {"drop_reason": "near-duplicate", "duplicate_of": "folder-0000000000000004", "distance_bits": 2},
        {},
        {},
    ]
    groups = [[int(row["record_id"][-1]) for row in group] for group in read_groups(make_table(rows))]
    assert groups == [[4, 3, 2], [0, 1]]


def test_a_catalog_without_duplicates_has_no_group():
    """An empty gallery is a page too."""
    assert read_groups(make_table([{}, {}])) == []
    assert "<b>0</b>" in gallery_page("balls", [], {})


def test_the_gallery_shows_the_copies_that_dedupe_found(tmp_path):
    """One mirrored and one exact copy: their pictures lie on disk, named relative to the page."""
    folder = write_folder(tmp_path / "photos", 3)
    picture(1, (200, 150)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "rugby" / "mirrored.png")
    (folder / "rugby" / "again.jpg").write_bytes((folder / "rugby" / "002.jpg").read_bytes())
    project = small_project(tmp_path, recipe_text(folder, 2))
    with pytest.raises(StateError, match="curator dedupe"):
        build_gallery(project)
    pipeline.fetch(project)
    pipeline.decide(project, Stage.DEDUPED, {})
    page = build_gallery(project)
    text = page.read_text(encoding="utf-8")
    assert re.search(r"<b>near-duplicate</b> \d+ bits?, mirrored", text)
    assert "<b>exact-duplicate</b> same bytes" in text
    sources = re.findall(r'src="([^"]+)"', text)
    assert len(sources) == 4
    for source in sources:
        with Image.open(page.parent / source) as small:
            assert max(small.size) <= 256
    assert text.count('loading="lazy"') == len(sources)


def test_ten_thousand_groups_are_written_quickly_and_loaded_lazily():
    """Some kilobytes a group, no picture inside the page; of a huge group only the first are shown."""
    pair = [[image(2 * k), image(2 * k + 1, drop_reason="near-duplicate", distance_bits=2)] for k in range(9_999)]
    huge = [image(30_000 + k, drop_reason="exact-duplicate" if k else None) for k in range(5_000)]
    start = time.process_time()
    text = gallery_page("balls", [huge, *pair], {f"{k:064x}": f"thumbnails/{k}.webp" for k in range(40_000)})
    assert time.process_time() - start < 20
    assert text.count("<figure") == 2 * 9_999 + MOST_SHOWN
    assert "and 4,976 more" in text and "data:image" not in text
    assert len(text) < 12_000_000


def test_a_name_from_the_web_never_becomes_markup():
    """Labels and ids are escaped, in text and in attributes."""
    text = gallery_page(
        "balls", [[image(1, label='"><script>'), image(2, drop_reason="near-duplicate")]], {f"{1:064x}": "x"}
    )
    assert "<script>" not in text
