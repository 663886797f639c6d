"""What curation bought: planted copies and wrong labels show up in points, and nothing leaks into the test images."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from curator.benchmark.ablation_words import CLEANED, DEDUPED, INFLATION, RAW, order_rows, tell_ablation, training_rows
from curator.cli.benchmark import refuse_unused
from curator.dataset import Dataset
from curator.errors import CuratorError, StateError
from curator.inspect.ablation.measure import Pool, compare_orders, compare_training
from curator.manifests.manifest import read_manifest
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
