"""The report as a browser lays it out: at any width, on light and dark, with labels of any length and number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curator.report.build import build_report

LONG = "a label that somebody wrote without thinking of whoever has to fit it into the column of a table"
MANY = tuple(f"species {number} of twenty{'学名' * (number % 3)}" for number in range(20))
SETS = {"four": ("disc", LONG, "W" * 60, "كرة القدم"), "twenty": MANY}

TROUBLES = (Path(__file__).parent / "troubles.js").read_text(encoding="utf-8")
LOOKS = ((1440, "light"), (820, "dark"), (390, "light"), (390, "dark"))


@pytest.mark.parametrize("name", SETS)
def test_the_page_fits_is_legible_and_in_order(reported_set: Any, browser: Any, name: str) -> None:
    """On a wide screen the contents stay beside the text, on a phone they are above it; nothing collides anywhere."""
    pytest.importorskip("seaborn")
    reported_set.labels, reported_set.rows = SETS[name], []
    for number in range(5 * len(SETS[name]) + 5):
        side = "val" if number % 5 == 4 else "test" if number % 5 == 3 else "train"
        reported_set.add(number, split=side)
    reported_set.write_catalog()
    reported_set.write_manifest()
    reported_set.write_metrics()
    reported_set.write_suspects()
    page_file: Path = build_report(reported_set.project)
    page = browser.new_page()
    page.goto(page_file.as_uri())
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("scrollTo(0, 0)")
        assert page.evaluate(TROUBLES) == [], (width, scheme)
        contents, main = (page.locator(one).bounding_box() for one in ("nav", "main"))
        assert contents["x"] + contents["width"] <= main["x"] if width == 1440 else contents["y"] < main["y"]
        page.evaluate("scrollTo(0, 2000)")
        assert (page.locator("nav").bounding_box()["y"] >= 0) == (width == 1440)
    page.close()
