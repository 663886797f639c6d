"""The page's dialogs and saves in headless Chromium: nothing is recorded unasked, or shown before it is saved."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curator.manifests import reviews as reviews_file
from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews
from curator.pipeline import run_stages as pipeline
from tests.review.browsing import PATIENCE_MS, intercept, opened, playwright, wait_for, wait_to_hold
from tests.review.conftest import Served, serving, wait_until
from tests.small_worlds import picture, recipe_text, small_project

WIDTHS = (1440, 820, 738, 390)
SHORT_LIMIT = """const wait = window.setTimeout;
window.setTimeout = (act, ms) => wait(act, ms === 20000 && window.hurry ? 300 : ms);"""


def chosen(page: Any) -> str:
    """Name the tile that the cursor is on."""
    return str(page.get_attribute("#grid", "aria-activedescendant"))


def expect_chosen(page: Any, tile: str) -> None:
    playwright.expect(page.locator("#grid")).to_have_attribute("aria-activedescendant", tile)


def decided(project: Project) -> list[tuple[str, str]]:
    """Read what is on disk: each decision with its new label or reason."""
    return [(one.decision, one.new_label or one.reason) for one in read_reviews(project.paths.reviews)]


# ---- nothing is recorded that nobody chose


@pytest.mark.parametrize(("key", "dialog"), [("d", "#drop-dialog"), ("r", "#relabel-dialog")])
def test_enter_chooses_nothing(browser: Any, served: Served, project: Project, key: str, dialog: str) -> None:
    """A dialog opens with nothing chosen: Enter and Space leave it open, Esc closes it, and no line is written."""
    with opened(browser, served.address) as page:
        page.keyboard.press(key)
        for pressed in ("Enter", "Space", "Enter"):
            page.keyboard.press(pressed)
        playwright.expect(page.locator(dialog)).to_be_visible()
        page.keyboard.press("Escape")
        playwright.expect(page.locator(dialog)).to_be_hidden()
        playwright.expect(page.locator("#grid")).to_be_focused()
        assert chosen(page) == "tile-0" and decided(project) == []


def test_a_reason_of_ones_own_is_typed_before_it_is_given(browser: Any, served: Served, project: Project) -> None:
    """Without a letter the button is off and Enter does nothing; Enter chooses the reason that arrows went to."""
    with opened(browser, served.address) as page:
        page.keyboard.press("d")
        button = page.locator("#drop-dialog [type=submit]")
        playwright.expect(button).to_be_disabled()
        page.fill("#drop-reason", "   ")
        page.press("#drop-reason", "Enter")
        playwright.expect(button).to_be_disabled()
        assert decided(project) == []
        page.fill("#drop-reason", "a drawing")
        page.press("#drop-reason", "Enter")
        wait_for(page, "#tile-0 .mark", "dropped")
        expect_chosen(page, "tile-1")
        page.keyboard.press("d")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        wait_for(page, "#tile-1 .mark", "dropped")
        assert decided(project) == [("drop", "a drawing"), ("drop", "not a photograph")]


def test_a_button_that_was_clicked_is_not_pressed_again_by_enter(
    browser: Any, served: Served, project: Project
) -> None:
    """After Keep by mouse, Enter shows the next picture large; it does not keep it."""
    with opened(browser, served.address) as page:
        page.click("[data-act=keep]")
        expect_chosen(page, "tile-1")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#zoom")).to_be_visible()
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#zoom")).to_be_hidden()
        assert decided(project) == [("keep", "")]


def test_a_key_that_is_held_decides_once(browser: Any, served: Served, project: Project) -> None:
    """A keyboard repeats a key that is held: neither a second image nor another view is meant."""
    with opened(browser, served.address) as page:
        for _ in range(4):
            page.keyboard.down("k")
        page.keyboard.up("k")
        expect_chosen(page, "tile-1")
        page.keyboard.press("d")
        for _ in range(3):
            page.keyboard.down("2")
        page.keyboard.up("2")
        expect_chosen(page, "tile-2")
        wait_for(page, "#count", "20 images")
        assert decided(project) == [("keep", ""), ("drop", "not a photograph")]


def test_a_dialog_is_about_the_image_that_it_was_opened_for(browser: Any, served: Served, project: Project) -> None:
    """Whatever the grid does meanwhile, such as reading a new catalog."""
    with opened(browser, served.address) as page:
        first = served.rows()[0]["sha256"]
        page.keyboard.press("d")
        page.evaluate("review.choose(3)")
        page.keyboard.press("1")
        wait_for(page, "#tile-0 .mark", "dropped")
        assert [one.sha256 for one in read_reviews(project.paths.reviews)] == [first]


# ---- a decision that could not be saved

FAILURES: dict[str, tuple[Callable[[Any], None], str]] = {
    "server gone": (lambda route: route.abort("connectionrefused"), "does not answer"),
    "reset": (lambda route: route.abort("connectionreset"), "does not answer"),
    "500": (lambda route: route.fulfill(status=500, json={"error": "No space left."}), "No space left."),
    "500 without JSON": (lambda route: route.fulfill(status=500, body="Internal Server Error"), "answered 500"),
    "409": (lambda route: route.fulfill(status=409, json={"error": "Meanwhile bob decided."}), "bob"),
    "403": (lambda route: route.fulfill(status=403, body="no"), "no longer valid"),
    "413": (lambda route: route.fulfill(status=413, body="too large"), "answered 413"),
    "cut short": (lambda route: route.fulfill(status=200, body='{"rev', content_type="application/json"), "cut short"),
    "timeout": (lambda route: None, "does not answer"),
}

KEYS = {"keep": ["k"], "drop": ["d", "2"], "relabel": ["r", "1"], "undo": ["u"]}


@pytest.fixture
def page_with_failures(browser: Any, served: Served) -> Iterator[Any]:
    """The page, whose errors on the console are expected here, with a short limit for a save."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(SHORT_LIMIT)
    intercept(context, "**/decide")
    page = context.new_page()
    page.goto(served.address)
    page.wait_for_selector(".tile img")
    yield page
    context.close()


@pytest.mark.parametrize("decision", list(KEYS))
def test_a_failed_save_stays_on_its_image_and_can_be_tried_again(
    page_with_failures: Any, project: Project, decision: str
) -> None:
    """Whatever went wrong: the cursor stays, the tile shows what is on disk, the alert says why and stays."""
    page = page_with_failures
    if decision == "undo":
        page.keyboard.press("k")
        expect_chosen(page, "tile-1")
        page.keyboard.press("ArrowLeft")
    before, mark = decided(project), page.locator("#tile-0 .mark")
    shown = 1 if decision == "undo" else 0
    for name, (fail, told) in FAILURES.items():
        page.route("**/decide", fail)
        page.evaluate(f"hurry = {json.dumps(name == 'timeout')}")
        for key in KEYS[decision]:
            page.keyboard.press(key)
        wait_for(page, "#trouble.shown p", "Not saved")
        wait_for(page, "#trouble.shown p", told)
        expect_chosen(page, "tile-0")
        playwright.expect(mark).to_have_count(shown)
        playwright.expect(page.locator("#tile-0.saving")).to_have_count(0)
        assert decided(project) == before
        page.unroute("**/decide")
        if decision == "undo" and "bob" in told:  # the alert has told that it is another one's decision now
            wait_to_hold(page, "review.state.history.length === 0")
        page.click("#dismiss")
        playwright.expect(page.locator("#trouble")).to_be_hidden()
    page.route("**/decide", FAILURES["server gone"][0])
    page.evaluate("hurry = false")
    for key in KEYS[decision]:
        page.keyboard.press(key)
    playwright.expect(page.locator("#again")).to_be_visible()
    page.unroute("**/decide")
    page.click("#again")
    playwright.expect(page.locator("#trouble")).to_be_hidden()
    playwright.expect(mark).to_have_count(1 - shown)
    expect_chosen(page, "tile-0" if decision == "undo" else "tile-1")
    assert len(decided(project)) == len(before) + 1 and decided(project)[-1][0] == decision


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_full_disk_is_told_and_the_cursor_stays(
    page_with_failures: Any, project: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The real server, whose disk refuses; once it has room, the same key saves."""

    def refuse(path: Path, lines: str) -> None:
        raise OSError(number, "The disk says no", str(path))

    page = page_with_failures
    with monkeypatch.context() as patch:
        patch.setattr(reviews_file, "append_lines", refuse)
        page.keyboard.press("k")
        wait_for(page, "#trouble.shown p", os.strerror(number))
        expect_chosen(page, "tile-0")
    page.keyboard.press("k")
    wait_for(page, "#tile-0 .mark", "kept")
    playwright.expect(page.locator("#trouble")).to_be_hidden()
    expect_chosen(page, "tile-1")
    assert decided(project) == [("keep", "")]


def test_a_save_that_was_answered_too_late_is_not_written_twice(page_with_failures: Any, project: Project) -> None:
    """The server wrote it, the answer was lost: to try again finds it and goes on."""

    def lose(route: Any) -> None:
        route.fetch()
        route.abort("connectionreset")

    page = page_with_failures
    page.route("**/decide", lose)
    page.keyboard.press("k")
    playwright.expect(page.locator("#again")).to_be_visible()
    page.unroute("**/decide")
    page.click("#again")
    wait_for(page, "#tile-0 .mark", "kept")
    expect_chosen(page, "tile-1")
    assert decided(project) == [("keep", "")]


def test_keys_pressed_while_a_decision_is_saved_are_for_the_next_images(
    browser: Any, served: Served, project: Project
) -> None:
    """None is lost, none is applied to the image that is still being saved."""
    with opened(browser, served.address) as page:
        held: list[Any] = []
        page.route("**/decide", lambda route: held.append(route), times=1)
        for key in ("k", "k", "d", "3", "ArrowRight", "k"):
            page.keyboard.press(key)
        wait_until(lambda: held or page.wait_for_timeout(20))
        assert chosen(page) == "tile-0" and decided(project) == []
        held[0].continue_()
        wait_for(page, "#tile-4 .mark", "kept")
        expect_chosen(page, "tile-5")
        assert [one for one, _ in decided(project)] == ["keep", "keep", "drop", "keep"]
        playwright.expect(page.locator("#tile-3 .mark")).to_have_count(0)


def test_keys_pressed_after_a_save_that_fails_do_nothing(page_with_failures: Any, project: Project) -> None:
    """They were meant for images after it; the person looks again first."""
    page, held = page_with_failures, []
    page.route("**/decide", lambda route: held.append(route))
    for key in ("k", "k", "ArrowRight", "d"):
        page.keyboard.press(key)
    wait_until(lambda: held or page.wait_for_timeout(20))
    held[0].abort()
    wait_for(page, "#trouble.shown p", "Not saved")
    expect_chosen(page, "tile-0")
    playwright.expect(page.locator("dialog[open]")).to_have_count(0)
    assert len(held) == 1 and decided(project) == []


def test_two_windows_do_not_overrule_each_other_unseen(browser: Any, served: Served, project: Project) -> None:
    """What another window decided is shown first; to try again then is a decision that knows of it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    one, two = context.new_page(), context.new_page()
    for page in (one, two):
        page.goto(served.address)
        page.wait_for_selector(".tile img")
    one.route("**/rows?*limit=0", lambda route: route.fulfill(json={"rows": [], "decided": 0, "version": 0}))
    two.keyboard.press("d")
    two.keyboard.press("2")
    wait_for(two, "#tile-0 .mark", "dropped")
    one.keyboard.press("k")
    wait_for(one, "#trouble.shown p", "Meanwhile ann has decided")
    wait_for(one, "#tile-0 .mark", "dropped")
    expect_chosen(one, "tile-0")
    assert decided(project) == [("drop", "not a photograph")]
    one.click("#again")
    wait_for(one, "#tile-0 .mark", "kept")
    two.keyboard.press("u")
    wait_for(two, "#trouble.shown p", "Meanwhile ann has decided")
    assert decided(project) == [("drop", "not a photograph"), ("keep", "")]
    context.close()


def test_undo_takes_back_the_latest_decision_also_out_of_view(browser: Any, served: Served, project: Project) -> None:
    """Not an older one that happens to be in the view."""
    with opened(browser, served.address) as page:
        page.select_option("[name=label]", "rugby")
        wait_for(page, "#count", "11 images")
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        wait_for(page, "#tile-0 .mark", "kept")
        first = read_reviews(project.paths.reviews)[0].sha256
        page.select_option("[name=label]", "soccer")
        wait_for(page, "#count", "9 images")
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        wait_for(page, "#toast", "Taken back")
        last = read_reviews(project.paths.reviews)[-1]
        assert (last.decision, last.sha256) == ("undo", first)
        page.keyboard.press("u")
        wait_for(page, "#toast", "Nothing to undo")
        assert len(decided(project)) == 2


# ---- the large picture


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 820, 390])
def test_the_large_picture_fills_its_dialog(browser: Any, served: Served, scheme: str, width: int) -> None:
    """Wide, high, small: the dialog is as large as the picture, within the window, dark if the page is dark."""
    with opened(browser, served.address, viewport={"width": width, "height": 844}, color_scheme=scheme) as page:
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "")
        dialog, frame = page.locator("#zoom").bounding_box(), page.locator("#zoom .frame").bounding_box()
        below = 220 if width == 390 else 110  # on a phone, what the thumb needs
        assert frame["width"] > dialog["width"] - 40 and frame["height"] > dialog["height"] - below
        assert dialog["x"] >= 0 and dialog["x"] + dialog["width"] <= width
        assert dialog["y"] >= 0 and dialog["y"] + dialog["height"] <= 844
        assert frame["width"] > min(300, width - 60)
        shown = page.evaluate("[large.naturalWidth / large.naturalHeight, large.clientWidth / large.clientHeight]")
        assert shown[0] == pytest.approx(shown[1], rel=0.02)
        red = page.evaluate("getComputedStyle(document.getElementById('zoom')).backgroundColor.match(/\\d+/)[0]")
        assert (int(red) < 80) is (scheme == "dark")


def test_the_large_picture_is_never_another_images(browser: Any, served: Served) -> None:
    """While a picture comes the dialog says so; one that cannot be shown is told, and tried again when asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    intercept(context, "**/pictures/*")
    page = context.new_page()
    page.goto(served.address)
    page.wait_for_selector(".tile img")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "")
    held: list[Any] = []
    page.route("**/pictures/*", lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "loading")
    wait_to_hold(page, "getComputedStyle(large).visibility === 'hidden'")
    wait_until(lambda: held or page.wait_for_timeout(20))
    chosen = page.evaluate("review.state.rows.get(1).sha256")
    assert any(chosen in route.request.url for route in held), "the picture of the image that was chosen"
    for route in held:
        route.abort()
    playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "missing")
    page.unroute("**/pictures/*")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "")
    page.evaluate("review.choose([...review.state.rows].find(([, row]) => !row.width)[0])")
    playwright.expect(page.locator("#zoom .frame")).to_have_attribute("data-state", "missing")
    wait_to_hold(page, "!large.hasAttribute('src')")
    context.close()


def test_the_large_picture_keeps_the_focus_and_returns_it(browser: Any, served: Served, project: Project) -> None:
    """Tab stays within the dialog, Esc and Enter close it, focus goes back; keys decide, and it follows."""
    with opened(browser, served.address) as page:
        for close in ("Escape", "Enter"):
            page.keyboard.press("Enter")
            playwright.expect(page.locator("#zoom")).to_be_visible()
            for _ in range(4):
                page.keyboard.press("Tab")
                wait_to_hold(
                    page, "document.activeElement === document.body || document.activeElement.closest('#zoom')"
                )
            page.focus("#zoom [data-close]")
            page.keyboard.press(close)
            playwright.expect(page.locator("#zoom")).to_be_hidden()
            playwright.expect(page.locator("#grid")).to_be_focused()
        page.click("#zoom-open")
        before = page.get_attribute("#large", "src")
        page.keyboard.press("k")
        expect_chosen(page, "tile-1")
        playwright.expect(page.locator("#large")).not_to_have_attribute("src", before)
        page.keyboard.press("Escape")
        playwright.expect(page.locator("#zoom-open")).to_be_focused()
        assert decided(project) == [("keep", "")]


def test_a_failed_save_is_seen_and_tried_again_over_the_large_picture(
    page_with_failures: Any, project: Project
) -> None:
    """What is behind an open dialog can be neither seen nor clicked; so the alert is in it."""
    page = page_with_failures
    page.keyboard.press("Enter")
    page.route("**/decide", FAILURES["500"][0])
    page.keyboard.press("k")
    wait_for(page, "#trouble.shown p", "No space left.")
    expect_chosen(page, "tile-0")
    page.unroute("**/decide")
    page.click("#again")
    expect_chosen(page, "tile-1")
    playwright.expect(page.locator("#zoom")).to_be_visible()
    page.keyboard.press("Escape")
    wait_to_hold(page, "trouble.parentElement === document.body")
    assert decided(project) == [("keep", "")]


# ---- many and long labels

LONG = "a_label_of_one_word_that_is_much_longer_than_any_button_" + "x" * 40
LABELS = (
    *(f"label_number_{n:02d}" for n in range(10)),
    "a-label-of-several-words-that-goes-on-for-more-than-one-line-of-the-dialog",
    LONG,
)

STICKS_OUT = """() => [...document.querySelectorAll("button, .choices span, #verdict, #count, h2")].filter((one) => {
  if (!one.offsetParent && !one.closest("dialog[open]")) return false;
  const box = one.getBoundingClientRect();
  const inner = [...one.querySelectorAll("*")].map((child) => child.getBoundingClientRect());
  const range = document.createRange();
  range.selectNodeContents(one);
  inner.push(...range.getClientRects());
  const isOut = (b) => b.width && (b.left < box.left - 1 || b.right > box.right + 1);
  return one.scrollWidth > Math.ceil(box.width) || inner.some(isOut);
}).map((one) => one.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def many_labels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Twelve labels, two of them too long for a line, two pictures each."""
    folder = tmp_path_factory.mktemp("many")
    for number, label in enumerate(LABELS):
        (folder / "photos" / label).mkdir(parents=True)
        for n in range(2):
            picture(50 * number + n).save(folder / "photos" / label / f"{n}.jpg", quality=90)
    project = small_project(folder, recipe_text(folder / "photos", per_class="max", labels=LABELS))
    pipeline.fetch(project)
    with serving(project) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_its_button(browser: Any, many_labels: Served, scheme: str, width: int) -> None:
    """Neither Relabel in the panel nor a long label in its dialog, at any width."""
    look = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    with opened(browser, many_labels.address, **look) as page:
        assert page.evaluate(STICKS_OUT) == []
        for key, dialog in (("d", "#drop-dialog"), ("r", "#relabel-dialog")):
            page.keyboard.press(key)
            playwright.expect(page.locator(dialog)).to_be_visible()
            box = page.locator(dialog).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
            assert box["y"] >= 0 and box["y"] + box["height"] <= 844
            assert page.evaluate(STICKS_OUT) == []
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_any_of_many_labels_is_reached_from_the_keyboard(browser: Any, many_labels: Served) -> None:
    """Nine by number; all by arrows; and by typing a part of one."""
    with opened(browser, many_labels.address) as page:
        saved: list[Any] = []
        page.on("request", lambda request: saved.append(json.loads(request.post_data)) if request.post_data else None)
        page.keyboard.press("r")
        assert page.locator("#labels kbd").count() == 9
        page.focus("#label-text")
        page.keyboard.type("LABEL_N")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#relabel-dialog")).to_be_visible()
        page.fill("#label-text", "one_word")
        page.keyboard.press("Enter")
        wait_for(page, "#tile-0 .mark", "a_label_of_one_word")
        page.keyboard.press("r")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect_chosen(page, "tile-2")
        assert [one["decision"] for one in saved] == ["relabel", "relabel"]
        assert saved[0]["new_label"] == LONG
