"""The map and more like this: what the server says of them, and a person who hovers, draws around and decides."""

from __future__ import annotations

from typing import Any

import pytest

from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews, standing_reviews
from tests.review.browsing import opened, playwright, wait_for, wait_to_hold
from tests.review.conftest import Served, draw, suspect

READY = "review.state.points && document.querySelector('#map-canvas').dataset.n == review.state.total"
POINT = """(place) => {
  const box = document.querySelector("#map-canvas").getBoundingClientRect(), { x, y } = review.state.points;
  const side = Math.min(box.width, box.height) - 36;
  return [box.x + box.width / 2 + (x[place] - 0.5) * side, box.y + box.height / 2 + (y[place] - 0.5) * side];
}"""
PINCH = """() => {
  const canvas = document.querySelector("#map-canvas"), { x, y, width, height } = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (name, id, dx) => canvas.dispatchEvent(new PointerEvent(`pointer${name}`, { pointerId: id,
    pointerType: "touch", bubbles: true, clientX: x + width / 2 + dx, clientY: y + height / 2 }));
  for (const [name, far] of [["down", 30], ["move", 60], ["up", 60]]) { send(name, 7, -far); send(name, 8, far); }
}"""


def standing(project: Project) -> list[tuple[str, str]]:
    found = standing_reviews(read_reviews(project.paths.reviews)).values()
    return sorted((one.decision, one.new_label) for one in found)


def test_what_the_server_says(served: Served, project: Project) -> None:
    """Before anything is compared a paragraph; then points in the selection's order, and rows by likeness."""
    kept = served.rows(fate="kept")
    status, said, _ = served.ask(f"select?sort=like&like={kept[0]['record_id']}")
    assert status == 500 and "curator suspects --recipe" in said["error"]
    assert served.ask("select?view=map")[1]["total"] == 0
    draw(project, kept[:-1])
    suspect(project, kept[:4])
    about = served.ask("about")[1]
    assert next(view["n"] for view in about["views"] if view["name"] == "map") == len(kept) - 1
    chosen = served.ask("select?view=map")[1]
    points = served.ask(f"points?selection={chosen['selection']}")[1]
    assert points["title"] == "t-SNE" and sum(points["suspect"]) == 2 and set(points["decided"]) == {0}
    rows = served.rows(view="map")
    assert [about["labels"][one] for one in points["label"]] == [row["label"] for row in rows]
    assert [x == 9000 for x in points["x"]] == [row["label"] == "soccer" for row in rows]
    assert all(0 <= one <= 10_000 for one in points["y"]) and points["y"] != sorted(points["y"])
    served.ask("decide", "POST", {"record_id": rows[0]["record_id"], "decision": "drop", "reason": "x"})
    assert served.ask(f"points?selection={chosen['selection']}")[1]["decided"][:2] == [2, 0]
    alike = served.rows(sort="like", like=kept[1]["record_id"])
    values = [row["likeness"] for row in alike if "likeness" in row]
    assert alike[0]["record_id"] == kept[1]["record_id"] and values[0] == 1 and values == sorted(values, reverse=True)
    assert len(values) == len(kept) - 1 and not alike[-1].get("likeness"), "what is not known comes last"
    by_suspicion = served.rows(sort="suspicion")
    assert [row["record_id"] for row in by_suspicion[:3]] == [kept[n]["record_id"] for n in (1, 0, 3)]
    assert by_suspicion[0]["confidence"] == pytest.approx(0.9) and "confidence" not in by_suspicion[5]
    for wrong in ("sort=like", "like=x", "sort=like&like=no-such"):
        assert served.ask(f"select?{wrong}")[0] == 400
    assert served.ask("points?selection=99")[0] == 410


def test_drawing_around_points_selects_them_and_a_key_decides(browser: Any, mapped: Served, project: Project) -> None:
    """Hover shows the picture, a click chooses it; of what was drawn around one key is one batch, taken back by one."""
    with opened(browser, mapped.address) as page:
        page.keyboard.press("9")
        wait_to_hold(page, READY)
        playwright.expect(page.get_by_role("img", name="images by t-SNE")).to_be_visible()
        wait_for(page, "#map-legend", "soccer")
        n = page.evaluate("review.state.total")
        page.mouse.move(*page.evaluate(POINT, 3))
        wait_for(page, "#map-card", page.evaluate("review.state.rows.get(3).label"))
        page.mouse.down()
        page.mouse.up()
        page.wait_for_selector("#tile-3.at", state="attached")
        playwright.expect(page.locator("#grid")).to_be_focused()
        box = page.locator("#map-canvas").bounding_box()
        middle, end = box["x"] + box["width"] / 2, box["y"] + box["height"]
        n_left = page.evaluate("review.state.points.x.filter((x) => x < 0.5).length")
        page.mouse.move(middle, box["y"] + 2)
        page.mouse.down()
        for corner in ((box["x"] + 2, box["y"] + 2), (box["x"] + 2, end - 2), (middle, end - 2)):
            page.mouse.move(*corner, steps=3)
        page.mouse.up()
        wait_for(page, "#marked-count", f"{n_left} selected")
        page.keyboard.press("s")
        wait_for(page, "#progress-here", f"{n_left} of {n} decided")
        assert standing(project) == [("relabel", "soccer")] * n_left
        wait_to_hold(page, "review.state.points.label.every((one) => one === 1)")
        page.keyboard.press("u")
        wait_for(page, "#progress-here", f"0 of {n} decided")
        assert standing(project) == []


def test_the_map_by_keys_and_by_fingers(browser: Any, mapped: Served) -> None:
    """The list below has the same images, neighbours in turn; keys zoom; two fingers zoom; a tap chooses."""
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with opened(browser, mapped.address, **phone) as page:
        page.keyboard.press("9")
        wait_to_hold(page, READY)
        zoom = "Number(document.querySelector('#map-canvas').dataset.zoom)"
        page.keyboard.press("+")
        wait_to_hold(page, f"{zoom} === 1.6")
        page.keyboard.press("0")
        wait_to_hold(page, f"{zoom} === 1")
        page.evaluate(PINCH)
        wait_to_hold(page, f"{zoom} > 1.5")
        page.tap("#map-whole")
        wait_to_hold(page, f"{zoom} === 1")
        page.touchscreen.tap(*page.evaluate(POINT, 5))
        page.wait_for_selector("#tile-5.at", state="attached")
        playwright.expect(page.locator("#map-card")).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        wait_for(page, "#marked-count", "2 selected")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_more_like_this(browser: Any, mapped: Served, project: Project) -> None:
    """M, the button, the order: the most alike first, in the address too; Esc, Back and another order end it."""
    with opened(browser, mapped.address) as page:
        page.select_option("[name=fate]", "kept")
        wait_for(page, "#count", "14 images")
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("m")
        wait_for(page, "#alike", "Most like")
        wait_for(page, "#tile-0 .tag", "the chosen one")
        wait_for(page, "#tile-1 .tag", "alike")
        tags = page.locator(".tile .tag", has_text="alike").all_inner_texts()
        alike = [float(tag.split(" alike")[0]) for tag in tags]
        assert len(alike) == 13 and alike == sorted(alike, reverse=True) and alike[0] > alike[-1]
        wait_to_hold(page, "location.hash.includes('like=')")
        page.reload()
        wait_for(page, "#tile-0 .tag", "the chosen one")
        page.keyboard.press("Escape")
        playwright.expect(page.locator("#alike")).to_be_hidden()
        playwright.expect(page.locator("#sort")).to_have_value("")
        page.go_back()
        wait_for(page, "#alike", "Most like")
        page.click("[data-act=like]")
        playwright.expect(page.locator("#alike")).to_be_visible()
        page.click("#alike-end")
        playwright.expect(page.locator("#alike")).to_be_hidden()
        page.select_option("#sort", "like")
        wait_for(page, "#tile-0 .tag", "the chosen one")
        page.select_option("#sort", "small")
        playwright.expect(page.locator("#alike")).to_be_hidden()
        wait_to_hold(page, "!location.hash.includes('like') && location.hash.includes('sort=small')")
