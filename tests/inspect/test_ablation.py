"""What curation bought: planted copies and wrong labels show up in points, and nothing leaks into the test images."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("onnxruntime")

from curator.benchmark.ablation_words import CLEANED, DEDUPED, INFLATION, RAW, order_rows, tell_ablation, training_rows
from curator.cli.benchmark import refuse_unused
from curator.dataset import Dataset
from curator.errors import CuratorError, StateError
from curator.inspect.ablation.ablation import Chosen, _measure, _read_raw
from curator.inspect.ablation.measure import Pool, compare_orders, compare_training
from curator.manifests.manifest import read_manifest
from curator.manifests.reviews import Review, append_review
from curator.manifests.settings import SuspectsSettings
from curator.pipeline.judging.compare_pictures import made_by
from curator.pipeline.made_from import as_deduped
from curator.store.judged_file import SCHEMA, write_judged
from tests.small_worlds import recipe_text, small_project, write_folder

REGRESSION, NEAREST = "softmax regression", "most alike training image"


def made_pool(n: int, seed: int = 0) -> Pool:
    """Two labels whose points overlap a little, each image of its own group."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    inputs = rng.normal(size=(n, 16)).astype(np.float32)
    inputs[:, 0] += 3 * labels
    return Pool(inputs, labels, np.arange(n), 2)


def test_wrong_labels_cost_what_cleaning_wins_back() -> None:
    """With three in ten labels swapped, training without them is better, with an interval that leaves zero out."""
    pool = made_pool(600)
    train, test = np.arange(400), np.arange(400, 600)
    is_wrong = np.random.default_rng(1).random(400) < 0.3
    given = np.where(is_wrong, 1 - pool.labels[:400], pool.labels[:400])
    taught = {RAW: (train, given), DEDUPED: (train, given), CLEANED: (train[~is_wrong], given[~is_wrong])}
    found = compare_training(pool, test, taught)[NEAREST]
    assert found[DEDUPED]["gain"] == {"mean": 0, "low": 0, "high": 0}
    assert found[CLEANED]["gain in all"]["low"] > 0.1
    assert found[RAW]["gain"] is None
    difference = found[CLEANED]["accuracy"]["mean"] - found[RAW]["accuracy"]["mean"]
    assert found[CLEANED]["gain in all"]["mean"] == pytest.approx(difference)


def test_copies_inflate_a_random_split_and_only_that() -> None:
    """Each image twice and nothing to learn: the memorising model seems good in a random split, and is not."""
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(300, 8)).astype(np.float32), np.arange(300) % 2
    pool = Pool(np.vstack([inputs, inputs]), np.tile(labels, 2), np.tile(np.arange(300), 2), 2)
    found = compare_orders(pool, pool.labels, np.arange(300), 5)[NEAREST]
    assert found[INFLATION]["low"] > 0.15
    clean = made_pool(300)
    found = compare_orders(clean, clean.labels, np.arange(300), 5)[REGRESSION]
    assert found[INFLATION]["low"] <= 0 <= found[INFLATION]["high"]


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A split data set of drawn pictures, of which four have a copy under another name."""
    root = tmp_path_factory.mktemp("curated")
    photos_at = write_folder(root / "photos", 60)
    project = small_project(root, recipe_text(photos_at, "max"))
    photos = sorted(photos_at.rglob("*.jpg"))
    for path in photos[:2] + photos[-2:]:
        shutil.copy(path, path.with_name(f"copy-of-{path.name}"))
    data_set = Dataset(project)
    data_set.fetch()
    data_set.split(0.75)
    return data_set


@pytest.fixture(scope="module")
def measured(curated: Dataset) -> dict[str, Any]:
    """What the ablation of that data set returns."""
    return curated.ablation()


def test_the_training_sets_are_free_of_the_test_images(curated: Dataset, measured: Any) -> None:
    """All that was fetched is trained on but the test images and their copies; the file says what was measured."""
    found = measured
    manifest = read_manifest(curated.paths.manifest)
    n_test = int((manifest["split"] == "test").sum())
    n_kept = len(manifest)
    assert found["n_test"] == n_test and found["n_kept"] == n_kept and found["n_raw"] == n_kept + 4
    assert found["n_train"][DEDUPED] == n_kept - n_test
    copies_of_train = found["n_train"][RAW] - found["n_train"][DEDUPED]
    assert 0 <= copies_of_train <= 4
    assert json.loads(curated.paths.ablation.read_text("utf-8")) == {"version": 1} | json.loads(json.dumps(found))
    page = curated.paths.report.read_text("utf-8")
    assert "What curation bought" in page and REGRESSION in page


def test_the_rows_fit_a_terminal_and_say_what_may_be_chance(measured: Any) -> None:
    """Each row is short, and a difference whose interval holds zero is said to be none that is shown."""
    found = measured
    for row in [*training_rows(found), *order_rows(found)]:
        assert sum(map(len, row)) + 8 <= 80
    for sentence, orders in zip(list(tell_ablation(found))[2:], found["orders"].values(), strict=True):
        inflation = orders[INFLATION]
        assert ("may be chance" in sentence) == (inflation["low"] <= 0 <= inflation["high"])


def test_a_set_that_is_not_split_or_too_small_gets_a_paragraph(tmp_path: Path) -> None:
    """Nothing is embedded before that is known."""
    photos = write_folder(tmp_path / "photos", 12)
    data_set = Dataset(small_project(tmp_path, recipe_text(photos, "max")))
    data_set.fetch()
    data_set.dedupe()
    with pytest.raises(CuratorError, match=r"manifest\.csv is not there\. `curator split` writes it"):
        data_set.ablation()
    data_set.split(0.75)
    with pytest.raises(StateError, match=r"The test part has 6 images; to compare, 20 or more are needed"):
        data_set.ablation()
    assert not data_set.paths.features.exists()


@pytest.mark.parametrize(
    ("given", "curve", "ablation", "said"),
    [
        ({"quick": False}, True, True, "answer two questions"),
        ({"models": ("cnn",), "image_size": 96}, False, True, "takes no --models, --image-size"),
        ({"resume": True}, True, False, "what is trained is always kept"),
    ],
)
def test_options_that_say_nothing_are_refused(given: dict[str, Any], curve: bool, ablation: bool, said: str) -> None:
    """Each by name, with what to type instead."""
    with pytest.raises(CuratorError, match=said):
        refuse_unused({"resume": False, **given}, curve, ablation)
    refuse_unused({"resume": False}, curve, False)


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    """A data set of twelve drawn pictures, deduped with an option that its recipe does not have."""
    data_set = Dataset(small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 6), "max")))
    data_set.fetch()
    data_set.dedupe(max_distance=3)
    return data_set


def test_what_a_person_took_out_is_in_no_training_set(small: Dataset) -> None:
    """Whether dedupe has heard of it, or not yet; what was taken back since has no evidence before the next dedupe."""
    raw, groups = _read_raw(small.project)
    assert len(raw) == len(groups) == 12
    one, other = raw["sha256"][0], raw["sha256"][7]
    for number in (0, 7):
        append_review(small.paths.reviews, review_of(raw, number, "drop"))
        if number == 0:
            small.dedupe(max_distance=3)
    raw_after, groups_after = _read_raw(small.project)
    assert set(raw["sha256"]) - set(raw_after["sha256"]) == {one, other} and len(groups_after) == 10
    for number in (0, 7):
        append_review(small.paths.reviews, review_of(raw, number, "undo"))
    assert set(raw["sha256"]) - set(_read_raw(small.project)[0]["sha256"]) == {one}


def review_of(rows: Any, number: int, decision: str) -> Review:
    """Decide about a row of a catalog."""
    return Review("2026-01-02T03:04:05Z", "ann", rows["sha256"][number], rows["label"][number], decision)


def test_groups_are_made_as_dedupe_and_split_made_them(small: Dataset) -> None:
    """With what pixels say of two pictures that no hash holds alike, and with the options that dedupe ran with."""
    assert small.project.recipe.dedupe.max_distance != 3
    assert as_deduped(small.project).dedupe.max_distance == 3
    raw, groups = _read_raw(small.project)
    assert len(np.unique(groups)) == 12
    first, second = sorted([raw["sha256"][2], raw["sha256"][9]])
    facts = {"sha256": first, "other_sha256": second, "verdict": 1, "orientation": 0, "flaws": 0, "cosine": None}
    facts |= {"transform": None, "overlap": None, "differs": ""}
    table = pa.table({name: [value] for name, value in facts.items()}, schema=SCHEMA)
    write_judged(small.paths.judged, table, made_by())
    _, groups = _read_raw(small.project)
    assert len(np.unique(groups)) == 11 and groups[2] == groups[9]


@pytest.mark.parametrize("n_folds", [5, 12])
def test_suspects_that_were_not_looked_for_are_not_claimed_to_be_out(n_folds: int) -> None:
    """Where a label has fewer groups than folds, there is no set without suspects, and the sentence says why."""
    labels = np.arange(60) % 2
    pool = made_pool(60)
    groups = np.arange(60)
    groups[:40:2] = np.arange(20) % 10  # the first label trains with ten groups
    test, train = np.arange(40, 60), np.arange(40)
    settings = SuspectsSettings(folds=n_folds)
    found = _measure(Chosen(labels, labels, groups, test, train, train), pool.inputs, ["disc", "ring"], settings)
    sentences = " ".join(tell_ablation(found))
    if n_folds == 5:
        assert CLEANED in found["n_train"] and "Without copies and suspects in training" in sentences
        assert "not looked for" not in sentences
    else:
        assert list(found["n_train"]) == [RAW, DEDUPED] and "Without copies in training" in sentences
        said = "Suspects were not looked for: disc has 10 groups of training images, and 12 are needed."
        assert said in sentences and "and suspects" not in sentences
    assert len(list(training_rows(found))) == 2 * (1 + len(found["n_train"]))
