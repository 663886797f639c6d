"""Why an image is, or is not, one picture with another: in words, and on a page that lays one over the other."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageOps
from typer.testing import CliRunner

import curator
from curator.cli.app import app
from curator.dataset import Dataset
from curator.errors import CuratorError
from curator.inspect import story_page, why
from curator.inspect.story import Stories
from tests.matching.judge.test_judge import captioned, cropped, made_photo, turned_hues
from tests.report.test_pages import LOOKS, TROUBLES
from tests.small_worlds import recipe_text

EVIL = "<b>'`\"&.png"
MADE = {
    "whole.png": lambda photo: photo,
    "part.png": lambda photo: cropped(photo, 0.3),
    "mirrored.png": ImageOps.mirror,
    "caption.png": captioned,
    "recoloured.png": lambda photo: turned_hues(photo, 150),
    EVIL: lambda photo: ImageOps.expand(photo, 20, "white"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """One photograph in six forms, and two others, after dedupe."""
    root = tmp_path_factory.mktemp("why")
    for label in ("rugby", "soccer"):
        (root / "photos" / label).mkdir(parents=True)
    for name, alter in MADE.items():
        alter(made_photo(3)).save(root / "photos" / "soccer" / name)
    for seed in (4, 5):
        made_photo(seed).save(root / "photos" / "rugby" / f"other{seed}.png")
    recipe = root / "manifests" / "small" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(recipe_text(root / "photos"), encoding="utf-8")
    dataset = curator.open(recipe)
    dataset.dedupe()
    return dataset


def data_of(text: str) -> dict[str, Any]:
    """Read what a page gives to its script."""
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(found))


def run(made: Dataset, *words: str) -> str:
    """Run ``curator why`` with these words."""
    done = CliRunner().invoke(app, ["why", *words, "--recipe", str(made.paths.recipe)], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_story_names_what_was_told_apart_and_how_to_see_it(made: Dataset) -> None:
    """The recoloured copy, of an equal hash, is another picture; a stranger by its hash is not named."""
    said = run(made, "soccer/whole.png")
    recoloured = made.why("soccer/recoloured.png")[0].facts["record_id"]
    assert re.search(
        rf"^  pixels   another picture than {recoloured} "
        r"\(soccer/recoloured.png, other colours; hashes 0 bits apart\)$",
        said,
        re.M,
    )
    assert re.search(r"^  pixels   one picture with \S+ \(soccer/mirrored.png, mirrored\)", said, re.M)
    assert f"\nTo see them: `curator why soccer/whole.png --page why.html --recipe {made.paths.recipe}`\n" in said
    assert "  pixels " not in run(made, "rugby/other4.png")


def test_of_what_was_not_compared_there_is_nothing_to_see(made: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a terminal nor in a notebook; a page, if it is wanted, has the story alone."""
    monkeypatch.setattr(why, "read_judged", lambda path: None)
    assert "To see" not in run(made, "rugby/other4.png")
    stories = made.why("rugby/other4.png")
    assert "<iframe" not in stories._repr_html_()
    assert data_of(story_page.story_page(stories, made.project))["stories"] == [[]]


def test_the_page_shows_each_pair_aligned_in_one_file(made: Dataset, tmp_path: Path) -> None:
    """A part lies below nothing: it is laid over the whole, whichever of the two the story is about."""
    path = tmp_path / "why.html"
    said = run(made, "soccer/part.png", "--page", str(path))
    assert said.endswith(f"page: {path}\n") and "To see" not in said
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:)', text) and "<b>'" not in text
    data = data_of(text)
    assert all(one.startswith("data:image/jpeg;base64,") for one in data["pictures"].values())
    pairs = {pair["title"].partition(" (")[2].partition(",")[0]: pair for pair in data["stories"][0]}
    whole = pairs["soccer/whole.png"]
    assert whole["title"].startswith("One picture with ") and whole["below"] == 1
    assert whole["matrix"] == pytest.approx([0.7, 0, 0.21, 0, 0.7, 0.12], abs=0.01)
    assert [image[2] for image in whole["images"]] == ["168 x 126", "240 x 180"]
    recoloured = pairs["soccer/recoloured.png"]
    assert re.match(
        r"Another picture than .*, other colours; also this shows 49% of the other; hashes \d+ bits apart",
        recoloured["title"],
    )
    assert recoloured["matrix"] == pytest.approx(whole["matrix"], abs=0.01) and recoloured["below"] == 1
    strangers = [pair for name, pair in pairs.items() if name.startswith("rugby/")]
    assert all(pair["matrix"] is None for pair in strangers) and data["stories"][0][-1] in strangers


def test_why_two_are_told_apart_is_not_known_of_a_file_that_is_gone(made: Dataset) -> None:
    """Then the pair is named, with the bits in which hashes differ."""
    story = made.why("soccer/whole.png")[0]
    stored = made.paths.image(story.facts["sha256"], "png")
    stored.rename(stored.with_suffix(".away"))
    try:
        lines = [line for line in made.why("soccer/whole.png")[0].lines if "another picture" in line]
        assert lines and all(line.endswith("(soccer/recoloured.png, hashes 0 bits apart)") for line in lines)
    finally:
        stored.with_suffix(".away").rename(stored)


def test_of_many_pairs_the_first_are_shown_and_the_rest_counted(made: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies come before what was told apart."""
    monkeypatch.setattr(story_page, "MOST", 2)
    stories = made.why("soccer/whole.png")
    text = story_page.story_page(stories, made.project)
    assert len(data_of(text)["stories"][0]) == 2 and f"and {len(stories[0].compared) - 2} more" in text
    assert all(pair["title"].startswith("One picture") for pair in data_of(text)["stories"][0])


def test_nothing_but_a_page_is_written_over(made: Dataset, tmp_path: Path) -> None:
    """A file's name that is no page's is refused: a photograph given by mistake stays."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"mine")
    with pytest.raises(
        CuratorError, match=r"A page cannot be called '.*photo\.jpg'\. Its name ends in \.html: why\.html"
    ):
        made.why("soccer/whole.png").write_page(photo)
    assert photo.read_bytes() == b"mine"


def test_a_notebook_shows_the_pictures_too(made: Dataset) -> None:
    """In a frame of its own, whose scripts and styles stay inside."""
    assert '<iframe srcdoc="&lt;!DOCTYPE html&gt;' in made.why("soccer/whole.png")._repr_html_()


def test_a_notebook_makes_its_pictures_once(made: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a cell is displayed."""
    stories = made.why("soccer/whole.png")
    first = stories._repr_html_()
    monkeypatch.setattr("curator.inspect.story.story_page", None)
    assert stories._repr_html_() == first


def test_stories_can_be_pickled_and_be_none(made: Dataset, tmp_path: Path) -> None:
    """What was read again writes the same page; a page of no stories is one."""
    stories = made.why("soccer/part.png")
    again = pickle.loads(pickle.dumps(stories))
    for name, one in (("first", stories), ("again", again), ("none", Stories((), made.project))):
        one.write_page(tmp_path / f"{name}.html")
    first, second, none = ((tmp_path / f"{name}.html").read_text("utf-8") for name in ("first", "again", "none"))
    assert str(again) == str(stories) and first == second and "<title>small</title>" in none


def test_a_page_is_headed_by_the_name_a_person_knows(made: Dataset) -> None:
    """The record id is small behind it."""
    stories = made.why("soccer/part.png")
    text = story_page.story_page(stories, made.project)
    assert "<title>small: soccer/part.png</title>" in text and "<h1>soccer/part.png</h1>" in text
    assert f"<small><code>{stories[0].facts['record_id']}</code></small>" in text


def test_of_many_told_apart_the_rest_is_counted(made: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a program, and in a terminal."""
    n_all = len(made.why("soccer/whole.png")[0].facts["told_apart"])
    monkeypatch.setattr(why, "MOST_APART", 0)
    monkeypatch.setattr(why, "MOST_TOLD_APART", 1)
    story = made.why("soccer/whole.png")[0]
    assert len(story.facts["told_apart"]) == 1 and story.facts["told_apart_left_out"] == n_all - 1 > 0
    assert "  pixels   and 1 more whose hash is near; each is another picture" in story.lines


def test_the_page_fits_is_legible_and_in_order(made: Dataset, tmp_path: Path, browser: Any) -> None:
    """At any width, on light and dark: every picture has words, and every script runs."""
    path = tmp_path / "why.html"
    made.why("soccer/whole.png").write_page(path)
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    n_laid = sum(pair["matrix"] is not None for pair in data_of(path.read_text("utf-8"))["stories"][0])
    assert page.locator("svg[role=img][aria-label*=' laid over ']").count() == n_laid >= 4
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(TROUBLES) == ["a link of the contents is dead"], (width, scheme)  # it has no contents
    assert not errors
    page.close()
