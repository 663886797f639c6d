"""The documentation site: it builds without a warning, loads nothing from elsewhere, and says what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from curator.demo.drawing.scenes import LABELS
from docs.scripts import before_after, reference, site_hooks

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.name)
def test_what_a_page_has_from_the_code_is_as_the_code_has_it(page: Path) -> None:
    """A command, option, key or reason that was added or changed is on its page once `make reference` has run."""
    text = page.read_text(encoding="utf-8")
    assert reference.fill(text) == text, f"{page.name} differs from the code: run `make reference`"


def test_every_part_that_can_be_generated_is_on_a_page() -> None:
    """No command, section, source, list of reasons or Python API is left out."""
    parts = {
        part for page in reference.PAGES for part in re.findall(r"<!-- generated: (.+?) -->", page.read_text("utf-8"))
    }
    commands = {f"command {name}" for name in reference.commands()}
    sections = {f"[{name}]" for name in reference.SECTIONS}
    sources = {f"source {kind}" for kind in reference.source_kinds()}
    assert parts >= commands | sections | sources | {
        "reasons",
        "api",
        "commands commands.md",
        "groups docs/commands.md",
    }


def test_the_links_of_the_readme_lead_to_pages_of_the_site() -> None:
    """They are written as they work in the repository."""
    text = site_hooks.linked((ROOT / "README.md").read_text("utf-8"), "")
    assert not re.findall(r"\]\((?!https:)[^)]*docs/[^)]*\)", text)
    assert "](own-photos.md)" in text and "](tour-notebook.md)" in text and "](contributing.md)" in text


class Loads(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a script, style sheet, picture or frame."""
        named = dict(attrs)
        if tag in ("script", "img", "iframe", "source") or (tag == "link" and "canonical" not in str(named.get("rel"))):
            self.addresses.append(named.get("src") or named.get("srcset") or named.get("href") or "")


def test_the_site_is_built_strictly_and_opens_offline(tmp_path: Path) -> None:
    """No broken link or anchor, no page outside the navigation; nothing is loaded from elsewhere."""
    pytest.importorskip("material")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text("utf-8"))
        outside = [address for address in loads.addresses if re.match(r"(https?:)?//", address)]
        assert not outside, f"{page.name} loads {outside}"
    text = (tmp_path / "site" / "commands.html").read_text("utf-8")
    for name in reference.commands():
        assert f'id="curator-{name}"' in text


def test_the_picture_of_the_readme_shows_what_curator_decides(tmp_path: Path) -> None:
    """Every kind of trouble that the picture promises is in its folder and found; the labels end even."""
    photos, fates, folder = before_after.make_data_set(tmp_path)
    expected = ["near-duplicate", "mirrored copy", "truncated", "not-an-image", "label-conflict", "too-small"]
    of_rugby = ["rugby/ball (1).jpg", "rugby/ruck flipped.jpg", "rugby/scrum half.jpg", "rugby/download.jpg"]
    assert [fates[name] for name in (*of_rugby, "rugby/match.jpg", "rugby/thumb.jpg")] == expected
    assert {fates[name] for name in fates if name.startswith("soccer/")} >= {"exact-duplicate", "blank", "surplus", ""}
    assert len(fates) == sum(path.is_file() for path in photos.rglob("*")) == 30
    for split, n in (("train", 5), ("test", 1)):
        assert [len(list((folder / split / label).iterdir())) for label in LABELS] == [n, n]
