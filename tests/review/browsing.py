"""The page in headless Chromium: open it, wait for what it shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")

PATIENCE_MS = 120_000  # a machine may be doing much else; nothing waits this long where all is well
playwright.expect.set_options(timeout=PATIENCE_MS)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def intercept(context: Any, pattern: str) -> None:
    """Intercept requests from the start: one may get past the first route that is added while the page is open."""
    context.route(pattern, lambda route: route.fallback())


@contextmanager
def opened(browser: Any, address: str, intercepted: str = "", **look: Any) -> Iterator[Any]:
    """Open the page and wait for its first pictures; an error on the console fails the test."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **look})
    if intercepted:
        intercept(context, intercepted)
    context.set_default_timeout(PATIENCE_MS)
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector(".tile img")
    yield page
    context.close()
    assert not troubles, troubles


def wait_for(page: Any, selector: str, text: str) -> None:
    playwright.expect(page.locator(selector).first).to_contain_text(text)


def wait_to_hold(page: Any, condition: str) -> None:
    """Wait until an expression of JavaScript holds: what follows an event may come a task later than the key."""
    page.wait_for_function(f"() => ({condition})")
