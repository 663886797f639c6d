"""Many images at once, copies side by side, the large picture by hand, and where one is: in headless Chromium."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from curator.manifests import reviews as reviews_file
from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews, standing_reviews
from tests.review.browsing import opened, playwright, wait_for, wait_to_hold
from tests.review.conftest import Served


def standing(project: Project) -> list[tuple[str, str]]:
    found = standing_reviews(read_reviews(project.paths.reviews)).values()
    return sorted((one.decision, one.new_label or one.reason) for one in found)


def test_a_decision_about_a_selection_is_one_write_and_is_undone_as_one(
    browser: Any, served: Served, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Shift, Ctrl and keys; a label's key keeps those that have it."""
    writes: list[list[str]] = []
    write = reviews_file.append_lines
    monkeypatch.setattr(
        reviews_file, "append_lines", lambda path, lines: (writes.append(list(lines)), write(path, writes[-1]))
    )
    with opened(browser, served.address) as page:
        page.select_option("[name=label]", "rugby")
        wait_for(page, "#count", "11 images")
        page.select_option("[name=label]", "")
        wait_for(page, "#count", "20 images")
        page.click("#tile-1")
        page.click("#tile-4", modifiers=["Shift"])
        page.click("#tile-3", modifiers=["Control"])
        wait_for(page, "#marked-count", "3 selected")
        page.keyboard.press("Shift+ArrowRight")
        wait_for(page, "#marked-count", "4 selected")
        page.keyboard.press("d")
        wait_for(page, "#drop-title", "(4 images)")
        page.keyboard.press("2")
        wait_for(page, "#progress-here", "4 of 20 decided")
        playwright.expect(page.locator("#marked")).to_be_hidden()
        assert standing(project) == [("drop", "not a photograph")] * 4
        page.keyboard.press("u")
        wait_for(page, "#progress-here", "0 of 20 decided")
        page.keyboard.press("Control+a")
        wait_for(page, "#marked-count", "20 selected")
        page.keyboard.press("g")
        wait_for(page, "#progress-here", "20 of 20 decided")
        done = standing(project)
        assert {what for what, _ in done} == {"keep", "relabel"} and ("relabel", "rugby") in done
        assert len(writes) == 3 and len(writes[0]) == len(writes[1]) == 4


def test_two_windows_and_a_selection_that_one_has_not_seen(
    served: Served, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that holds what somebody has decided meanwhile is refused whole, over the wire, with nothing written."""
    chosen = served.ask("select?view=all")[1]
    first = chosen["rows"][0]
    served.ask("decide", "POST", {"record_id": first["record_id"], "decision": "drop", "reason": "x"})
    batch = {"selection": chosen["selection"], "ranges": [[0, 3]], "decision": "keep", "version": chosen["version"]}
    before = project.paths.reviews.read_bytes()
    for sent, status in (
        (batch, 409),
        ({**batch, "ranges": [[5, 99]]}, 400),
        ({**batch, "ranges": [[3, 1]]}, 400),
        ({**batch, "ranges": []}, 400),
        ({**batch, "decision": "undo"}, 400),
        ({**batch, "decision": "relabel"}, 400),
        ({**batch, "new_label": "rugby"}, 400),
        ({**batch, "selection": 77}, 410),
        ({**batch, "version": "1"}, 400),
        ({**batch, "more": 1}, 400),
        ({"undo": 5}, 400),
        ({"kept": ["no-such"], "dropped": [], "version": 0}, 400),
    ):
        assert served.ask("decide-all", "POST", sent)[0] == status, sent
    assert served.ask("decide-all", "POST", batch, headers={"x-curator-token": ""})[0] == 403
    assert project.paths.reviews.read_bytes() == before
    batch["version"] += 1

    def refuse(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(reviews_file, "append_lines", refuse)
        status, said, _ = served.ask("decide-all", "POST", batch)
    assert status == 500 and "No space left" in said["error"] and project.paths.reviews.read_bytes() == before
    status, found, _ = served.ask("decide-all", "POST", batch)
    assert status == 200 and found["decided_here"] == found["decided"]
    undone = served.ask("decide-all", "POST", {"undo": found["batch"]})
    assert undone[0] == 200 and standing(project) == [("drop", "x")]


def test_the_address_knows_where_one_is(browser: Any, served: Served) -> None:
    """View, filter, sort and place survive a reload; Back goes to what was shown before."""
    with opened(browser, served.address) as page:
        page.select_option("#sort", "small")
        wait_for(page, "#tile-0 .words", "rugby")
        playwright.expect(page.locator("#tile-0")).to_have_attribute("aria-label", re.compile("40 by 30"))
        page.select_option("[name=fate]", "kept")
        page.wait_for_function("() => location.hash.includes('fate=kept')")
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => location.hash.includes('at=2')")
        playwright.expect(page.locator("#count")).not_to_contain_text("20 images")
        said, named = page.inner_text("#count"), page.get_attribute("#tile-2", "aria-label")
        page.reload()
        page.wait_for_selector("#tile-2.at img")
        assert named and page.get_attribute("#tile-2", "aria-label") == named
        playwright.expect(page.locator("#count")).to_have_text(said)
        playwright.expect(page.locator("#sort")).to_have_value("small")
        page.keyboard.press("5")
        wait_for(page, "#count", "group")
        page.go_back()
        wait_for(page, "#count", said)
        page.go_back()
        wait_for(page, "#count", "20 images")
        playwright.expect(page.locator("[name=fate]")).to_have_value("any")


def test_copies_side_by_side(browser: Any, served: Served, project: Project) -> None:
    """At full contrast; an arrow keeps that one and drops the other in one write, and U takes both back."""
    with opened(browser, served.address) as page:
        page.keyboard.press("5")
        wait_for(page, "#count", "1 group · 2 images")
        page.wait_for_selector("#tile-1 img")
        playwright.expect(page.locator("#tile-1 img")).to_have_css("opacity", "1")
        page.keyboard.press("c")
        wait_for(page, "#pair-title", "Group 1 of 1")
        playwright.expect(page.locator("#pairs img")).to_have_count(2)
        page.keyboard.press("ArrowRight")
        wait_for(page, "#toast", "This was the last pair")
        assert standing(project) == [("drop", "duplicate"), ("keep", "")]
        page.keyboard.press("u")
        wait_for(page, "#pair-right", "dropped as")
        assert standing(project) == []
        page.keyboard.press("ArrowUp")
        wait_for(page, "#pair-right", "kept")
        assert standing(project) == [("keep", "")] * 2
        page.keyboard.press("Escape")
        playwright.expect(page.locator("#grid")).to_be_focused()


SWIPE = """([dx, dy]) => {
  const frame = document.querySelector("#zoom .frame"), { x, y, width, height } = frame.getBoundingClientRect();
  const at = (part) => ({ pointerId: 7, pointerType: "touch", isPrimary: true, bubbles: true,
    clientX: x + width / 2 + dx * part, clientY: y + height / 2 + dy * part });
  frame.setPointerCapture = () => {};
  for (const [name, part] of [["down", 0], ["move", 0.5], ["move", 1], ["up", 1]])
    frame.dispatchEvent(new PointerEvent(`pointer${name}`, at(part)));
}"""


def test_the_large_picture_by_keys_wheel_and_thumb(browser: Any, served: Served, project: Project) -> None:
    """It zooms around the pointer and is dragged; arrows and swipes walk; keys and swipes decide in place."""
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with opened(browser, served.address, **phone) as page:
        page.keyboard.press("Enter")
        page.wait_for_function("() => large.naturalWidth > 0")
        scale = "new DOMMatrix(getComputedStyle(large).transform).a"
        page.keyboard.press("+")
        wait_to_hold(page, f"{scale} === 1.5")
        page.evaluate(SWIPE, [-200, 0])
        assert page.get_attribute("#grid", "aria-activedescendant") == "tile-0", "it was dragged"
        wait_to_hold(page, "new DOMMatrix(getComputedStyle(large).transform).e < 0")
        page.keyboard.press("0")
        wait_to_hold(page, f"{scale} === 1")
        page.evaluate(SWIPE, [-200, 10])
        page.wait_for_selector("#tile-1.at", state="attached")
        page.evaluate(SWIPE, [200, 10])
        page.wait_for_selector("#tile-0.at", state="attached")
        page.evaluate(SWIPE, [5, -200])
        page.wait_for_selector("#tile-1.at", state="attached")
        page.evaluate(SWIPE, [5, 200])
        playwright.expect(page.locator("#drop-dialog")).to_be_visible()
        page.get_by_role("button", name="wrong label").tap()
        page.wait_for_selector("#tile-2.at", state="attached")
        page.tap("#zoom .thumb [data-act=keep]")
        page.wait_for_selector("#tile-3.at", state="attached")
        assert [one.decision for one in read_reviews(project.paths.reviews)] == ["keep", "drop", "keep"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_finds_nothing(browser: Any, mapped: Served) -> None:
    """No rule of WCAG 2.2 A or AA that axe-core can check is broken, in any dialog, light or dark, wide or narrow."""
    axe = Path(os.environ.get("CURATOR_AXE", ""))
    if not axe.is_file():
        pytest.skip("axe-core is not there: npm install axe-core; CURATOR_AXE=node_modules/axe-core/axe.min.js")
    for width, scheme in ((1280, "light"), (390, "dark")):
        look = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
        with opened(browser, mapped.address, **look) as page:
            page.evaluate(axe.read_text("utf-8"))
            for keys in ((), ("x", "Shift+ArrowRight"), ("d",), ("r",), ("Enter",), ("?",), ("m",), ("9",), ("5", "c")):
                for key in keys:
                    page.keyboard.press(key)
                    page.wait_for_function("() => !review.state.busy.size && review.state.rows.size")
                    if key == "5":
                        wait_for(page, "#count", "1 group")
                    if key == "m":
                        wait_for(page, "#alike", "Most like")
                    if key == "9":
                        page.wait_for_selector("#map-canvas[data-n]")
                if "c" in keys:
                    wait_for(page, "#pair-title", "Group")
                found = page.evaluate(
                    "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
                    ".then((all) => all.violations.map(({id, nodes}) => [id, nodes[0].html, nodes[0].failureSummary]))"
                )
                assert not found, (keys, width, found)
                for _ in range(2):
                    page.keyboard.press("Escape")
