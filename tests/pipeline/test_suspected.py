"""A planted placeholder through the whole job: dropped, told of, shown together, and kept where a person says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curator import catalog
from curator.catalog import Stage
from curator.demo import alterations
from curator.demo.listing import Answer, LabelNames, Planner, Plant, World
from curator.demo.server import serve
from curator.demo.site import recipe_text
from curator.inspect.why import find_stories
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.reviews import Review, append_review
from curator.pipeline import run_stages as pipeline
from curator.sources.registry import source_kinds
from curator.store.paths import DataPaths
from tests.small_worlds import picture

LABELS = {
    "rugby": LabelNames("n00470966", "/m/06bqd", "Rugby"),
    "soccer": LabelNames("n00478262", "/m/02vx4", "Soccer"),
}
N_PLANTED = 4


def jpeg(path: Path, seed: int) -> Answer:
    """A photograph of its own."""
    picture(seed).save(path, "JPEG")
    return Answer(path.read_bytes())


@pytest.fixture
def text(tmp_path: Path) -> Iterator[str]:
    """The recipe of a served world: four photos a label, and one placeholder at two addresses of each."""
    planner = Planner(0, LABELS)
    for number, label in enumerate(LABELS):
        for n in range(4):
            planner.imagenet(
                label, planner.put("farm", jpeg(tmp_path / "one.jpg", 10 * number + n)), Plant("photo", "")
            )
        for _ in range(N_PLANTED // 2):
            answer = Answer(alterations.placeholder(), content_type="image/png")
            planner.imagenet(label, planner.put("farm", answer), Plant("placeholder", ""))
    world = World("balls", LABELS, planner.numbered_listings(), planner.answers)
    with serve(world, port=0) as served:
        yield recipe_text(world, served.base_url)


def fetched(text: str, root: Path) -> Project:
    """The project, fetched."""
    made = Project(parse_recipe(text, source_kinds()), DataPaths(root / "data", root / "manifests", "balls"))
    pipeline.fetch(made)
    return made


def test_none_of_the_company_is_kept_and_why_names_it(text: str, tmp_path: Path) -> None:
    """Under both labels; the story has the other three addresses."""
    project = fetched(text, tmp_path)
    table = pipeline.decide(project, Stage.DEDUPED, {}).table
    assert catalog.counts(table)["dropped"] == {"placeholder-suspected": N_PLANTED}
    suspected = catalog.dropped(table)
    assert set(suspected["label"]) == set(LABELS)
    assert set(suspected["drop_detail"]) == {"same bytes as 4 unrelated addresses of 127.0.0.1"}
    (story,) = find_stories(project, suspected["record_id"].iloc[0])
    company = [line for line in story.lines if line.startswith("  company")]
    assert [line.split()[1] for line in company] == suspected["url"].tolist()[1:]
    assert story.facts["company"] == suspected["record_id"].tolist()[1:]
    kept = find_stories(project, catalog.kept(table)["record_id"].iloc[0])[0]
    assert kept.facts["company"] == []


def test_the_recipe_can_say_otherwise(text: str, tmp_path: Path) -> None:
    """Then copies are copies: two labels show the same picture."""
    project = fetched(f"{text}\n[dedupe]\nsuspect_placeholders = false\n", tmp_path)
    dropped = catalog.counts(pipeline.decide(project, Stage.DEDUPED, {}).table)["dropped"]
    assert dropped == {"label-conflict": N_PLANTED}


def test_a_persons_decision_goes_before(text: str, tmp_path: Path) -> None:
    """Who keeps one says that it is a photo; the copies of it then are only copies."""
    project = fetched(text, tmp_path)
    table = pipeline.decide(project, Stage.DEDUPED, {}).table
    sha256 = catalog.dropped(table)["sha256"].iloc[0]
    append_review(project.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", sha256, "rugby", "keep"))
    after = pipeline.decide(project, Stage.DEDUPED, {}).table
    assert "placeholder-suspected" not in catalog.counts(after)["dropped"]
    alike = catalog.kept(after)[(catalog.kept(after)["sha256"] == sha256).to_numpy(dtype=bool)]
    assert alike["label"].tolist() == ["rugby"]


def test_the_page_shows_them_together(text: str, tmp_path: Path) -> None:
    """One group of four in the view of placeholders; what is told of a row is JSON that a browser reads rightly."""
    images_module = pytest.importorskip("curator.review.images", reason="the extra `review` is not installed")
    views = pytest.importorskip("curator.review.views")
    project = fetched(text, tmp_path)
    pipeline.decide(project, Stage.DEDUPED, {})
    images = images_module.read_images(project)
    shown = views.find_view("placeholders").choose(images, np.ones(len(images), bool), project.paths)
    assert shown.sizes.tolist() == [N_PLANTED]
    rows = images.rows(shown.rows)
    assert {row["drop_reason"] for row in rows} == {"placeholder-suspected"}
    assert "phash" not in json.loads(json.dumps(rows[0]))
