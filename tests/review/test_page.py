"""The page in headless Chromium: what a person does with keys, mouse and thumb, and what is then on disk."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curator.catalog import Stage
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews
from curator.pipeline import run_stages as pipeline
from tests.review.browsing import opened, wait_for
from tests.review.conftest import Served, suspect, wait_until

playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")


@contextmanager
def command(project: Project) -> Iterator[str]:
    """Run ``curator review`` as a person does; give the address that it prints."""
    recipe = str(project.recipe.path)
    words = [sys.executable, "-m", "curator", "review", "--recipe", recipe, "--data", str(project.paths.data_root)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    running = subprocess.Popen([*words, "--who", "ann"], stdout=subprocess.PIPE, text=True, env=environment)
    assert running.stdout
    try:
        line = running.stdout.readline()
        yield re.findall(r"http://127\.0\.0\.1:\d+/\S+/", line)[0]
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=120)
        assert running.returncode == 0 and "curator split" in said
    finally:
        running.kill()
        running.wait(120)


def count(page: Any) -> str:
    return str(page.inner_text("#count"))


def test_a_review_from_first_look_to_manifest(browser: Any, project: Project) -> None:
    """Load, filter, keep, drop with a reason, relabel, undo, restart: the decisions are in the next manifest."""
    with command(project) as address, opened(browser, address) as page:
        wait_for(page, "#count", "20 images")
        page.select_option("[name=label]", "rugby")
        page.select_option("[name=fate]", "kept")
        wait_for(page, "#count", "7 images")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        page.keyboard.press("4")
        wait_for(page, "#tile-0 .mark", "dropped")
        page.keyboard.press("k")
        wait_for(page, "#tile-1 .mark", "kept")
        page.keyboard.press("r")
        page.keyboard.press("1")
        wait_for(page, "#tile-2 .mark", "soccer")
        page.keyboard.press("k")
        wait_for(page, "#tile-3 .mark", "kept")
        page.keyboard.press("u")
        playwright.expect(page.locator("#tile-3 .mark")).to_have_count(0)
    decisions = [(review.decision, review.new_label, review.reason) for review in read_reviews(project.paths.reviews)]
    assert decisions == [
        ("drop", "", "text, logo or watermark"),
        ("keep", "", ""),
        ("relabel", "soccer", ""),
        ("keep", "", ""),
        ("undo", "", ""),
    ]
    with command(project) as address, opened(browser, address) as page:
        wait_for(page, "#progress", "3 decided")
        page.select_option("[name=reviewed]", "relabel")
        wait_for(page, "#count", "1 image")
        wait_for(page, "#tile-0 .mark", "soccer")
    pipeline.decide(project, Stage.SPLIT, {})
    rows = read_manifest(project.paths.manifest)
    labels = dict(zip(rows["sha256"], rows["label"], strict=True))
    dropped, _, relabelled, *_ = read_reviews(project.paths.reviews)
    assert dropped.sha256 not in labels and labels.get(relabelled.sha256, "soccer") == "soccer"


def test_the_page_opens_on_the_suspects_and_one_key_accepts(browser: Any, served: Served, project: Project) -> None:
    """Y gives the label that is suggested and goes on; all images are one click away, also after a reload."""
    rows = served.rows(fate="kept")[:4]
    suspect(project, rows)
    with opened(browser, served.address) as page:
        wait_for(page, "#views [aria-current=page]", "Suspects")
        page.keyboard.press("y")
        wait_for(page, "#tile-0 .mark", "⇄")
        page.keyboard.press("y")
        wait_for(page, "#tile-1 .mark", "⇄")
        page.click("#views [value=all]")
        page.wait_for_selector("#tile-10")
        page.reload()
        page.wait_for_selector("#tile-10")
    decided = {review.sha256: review.new_label for review in read_reviews(project.paths.reviews)}
    assert decided == {row["sha256"]: {"rugby": "soccer", "soccer": "rugby"}[row["label"]] for row in rows[:2]}


def test_the_page_leaves_nothing_to_guess(browser: Any, served: Served, project: Project) -> None:
    """The view's own order, what is not in the set, how a copy is turned, which command must follow, whole words."""
    rows = served.rows()
    surplus = [row for row in rows if row.get("drop_reason") == "surplus"]
    suspect(project, [*surplus[:1], *served.rows(fate="kept")[:3]])
    with opened(browser, served.address + "#view=suspects") as page:
        wait_for(page, "#sort option:checked", "Surest first")
        wait_for(page, "#tile-1 small", "out: surplus")
        page.keyboard.press("ArrowRight")
        wait_for(page, "#verdict", "not in the set, dropped as surplus: beyond")
        assert page.locator("#apply").is_hidden()
        page.keyboard.press("k")
        wait_for(page, "#apply", "Not applied yet: run curator split --recipe")
        wait_for(page, "#progress-here", "1 of 2 decided here")
        wait_for(page, "#why", "curator why ")
        broken = "[...document.querySelectorAll('#why .word')].some((word) => word.getClientRects().length !== 1)"
        assert page.evaluate(broken) is False
        page.click("#views [value=conflicts]")
        wait_for(page, "#verdict", "under label rugby. K keeps it as soccer")
        wait_for(page, "#hint", "kept under neither: K keeps it under the right one")
        page.click("#views [value=all]")
        wait_for(page, "#sort option:checked", "As listed")
        assert page.locator("#apply").is_visible()
    pipeline.decide(project, Stage.SPLIT, {})
    with opened(browser, served.address + "#view=all") as page:
        wait_for(page, "#progress", "1 decided in all")
        playwright.expect(page.locator("#apply")).to_be_hidden()


def test_a_decision_is_on_disk_before_the_page_shows_it_as_done(browser: Any, served: Served, project: Project) -> None:
    """While the answer is held back the tile says that it is saving; what it says then is in the file."""
    with opened(browser, served.address, intercepted="**/decide") as page:
        held: list[Any] = []
        page.route("**/decide", lambda route: held.append(route))
        page.keyboard.press("k")
        wait_for(page, "#tile-0 .mark", "saving")
        assert not project.paths.reviews.exists()
        wait_until(lambda: held or page.wait_for_timeout(20))
        held[0].continue_()
        wait_for(page, "#tile-0 .mark", "kept")
        assert [review.decision for review in read_reviews(project.paths.reviews)] == ["keep"]


def test_a_decision_that_cannot_be_saved_is_told_and_not_shown(browser: Any, served: Served, project: Project) -> None:
    """The disk refuses: an alert, and no mark."""
    project.paths.reviews.symlink_to(project.paths.reviews.parent / "nowhere" / "reviews.jsonl")
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.address)
    page.wait_for_selector(".tile img")
    page.keyboard.press("k")
    wait_for(page, "#trouble", "Not saved")
    playwright.expect(page.locator("#tile-0 .mark")).to_have_count(0)
    assert not project.paths.reviews.exists()
    context.close()


def test_two_windows_lose_nothing_and_see_each_other(browser: Any, served: Served, project: Project) -> None:
    """Each decides about another image; both end up in the file, and in both windows."""
    with opened(browser, served.address) as one, opened(browser, served.address) as two:
        one.keyboard.press("k")
        wait_for(one, "#tile-0 .mark", "kept")
        two.keyboard.press("ArrowRight")
        two.keyboard.press("k")
        wait_for(two, "#tile-1 .mark", "kept")
        one.evaluate("window.dispatchEvent(new Event('focus'))")
        wait_for(one, "#tile-1 .mark", "kept")
        wait_for(two, "#tile-0 .mark", "kept")
        assert len(read_reviews(project.paths.reviews)) == 2


def test_the_keyboard_reaches_everything(browser: Any, served: Served) -> None:
    """Arrows, ends, next undecided, views by number, the large picture, search and the list of shortcuts."""
    with opened(browser, served.address) as page:

        def at() -> str:
            return str(page.get_attribute("#grid", "aria-activedescendant"))

        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.wait_for_function(
            "() => document.querySelector('#grid').getAttribute('aria-activedescendant') !== 'tile-1'"
        )
        below = int(at().removeprefix("tile-"))
        page.keyboard.press("ArrowUp")
        page.wait_for_function(
            "() => document.querySelector('#grid').getAttribute('aria-activedescendant') === 'tile-1'"
        )
        assert below > 2
        page.keyboard.press("End")
        playwright.expect(page.locator("#tile-19")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("n")
        playwright.expect(page.locator("#tile-0")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#zoom")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("5")
        wait_for(page, "#count", "1 group · 2 images")
        wait_for(page, "#tile-0 .tag", "representative")
        page.keyboard.press("?")
        playwright.expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        page.keyboard.press("/")
        page.keyboard.type("tiny")
        wait_for(page, "#count", "1 image")


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const bend = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((v) => bend(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const hidden = element.closest(":disabled, dialog:not([open]), #toast, #trouble, option") || !element.offsetParent;
    if (!own || hidden) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${element.textContent}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_legible_light_and_dark_wide_and_on_a_phone(
    browser: Any, served: Served, scheme: str, width: int
) -> None:
    """Every text has a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3), nothing sticks out, and buttons are large enough."""
    with opened(browser, served.address, viewport={"width": width, "height": 844}, color_scheme=scheme) as page:
        page.keyboard.press("k")
        wait_for(page, "#tile-0 .mark", "kept")
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [button.bounding_box() for button in page.locator(".actions button:visible").all()]
        assert len(boxes) == 6
        assert all(box and box["width"] >= 44 and box["height"] >= 36 for box in boxes)


def test_a_thumb_is_enough(browser: Any, served: Served, project: Project) -> None:
    """On a phone: tap an image, open its facts, drop it for a reason."""
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with opened(browser, served.address, **phone) as page:
        page.tap("#tile-1")
        page.tap("[data-act=details]")
        playwright.expect(page.locator("#title")).to_be_visible()
        page.tap("[data-act=drop]")
        page.get_by_role("button", name="wrong label").tap()
        wait_for(page, "#tile-1 .mark", "dropped")
        assert read_reviews(project.paths.reviews)[0].reason == "wrong label"


def test_everything_has_a_name(browser: Any, served: Served) -> None:
    """Each control and each image is named for those who do not see it; the chosen one is told to a screen reader."""
    with opened(browser, served.address) as page:
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, [role=option], dialog, aside, nav")]
              .filter((one) => one.offsetParent || one.tagName === "DIALOG")
              .filter((one) => !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby"))
              .filter((one) => !one.labels?.length && !one.textContent.trim())
              .map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert unnamed == []
        playwright.expect(page.get_by_role("listbox", name="Images")).to_be_focused()
        wait_until(lambda: "pixels" in (page.get_attribute("#tile-0", "aria-label") or ""))
        assert page.get_attribute("#tile-0", "aria-setsize") == "20"


def test_words_from_the_web_never_become_markup(browser: Any, served: Served, project: Project) -> None:
    """A reason full of markup is shown as text."""
    with opened(browser, served.address) as page:
        page.keyboard.press("d")
        page.fill("#drop-reason", "<img src=x onerror=alert(1)>")
        page.keyboard.press("Enter")
        wait_for(page, "#tile-0 .mark", "dropped")
        page.keyboard.press("ArrowLeft")
        wait_for(page, "#review-line", "<img src=x onerror=alert(1)>")
        assert page.locator("#review-line img").count() == 0


def test_a_server_that_went_away_is_told(browser: Any, project: Project) -> None:
    """The page says what to do instead of pretending."""
    context = browser.new_context()
    page = context.new_page()
    with command(project) as address:
        page.goto(address)
        page.wait_for_selector(".tile img")
    page.keyboard.press("k")
    wait_for(page, "#trouble", "Is `curator review --recipe ")
    playwright.expect(page.locator("#tile-0 .mark")).to_have_count(0)
    assert not project.paths.reviews.exists()
    context.close()
