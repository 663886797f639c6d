"""Learning curves: parts within parts, the law against SciPy's fit, a known truth, and a run that goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("sklearn")

from itertools import pairwise

from scipy import optimize as scipy_optimize
from scipy import stats as scipy_stats

from curator.benchmark.curve.extrapolate import check_held_out, fit_curve
from curator.benchmark.curve.learning_curve import N_SEEDS, N_SIZES, describe_curve
from curator.benchmark.curve.power_law import fit
from curator.benchmark.curve.sources import _surely_best, compare_sources
from curator.benchmark.curve.subsets import nested_parts
from curator.benchmark.curve.trials import Trials
from curator.benchmark.curve.words import tell_curve
from curator.benchmark.run_benchmark import run_curve
from curator.cli.curve import curve_answer
from curator.cli.terminal import Terminal
from curator.dataset import Dataset
from curator.errors import CuratorError, StateError
from curator.events import Event, WorkAdvanced
from curator.manifests.project import Project

SIZES = np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0])


@pytest.fixture
def large_set(drawn_set: Any) -> Any:
    """The drawn set with forty test images, which are enough for a curve."""
    for label in ("disc", "square"):
        for number in range(28, 40):
            drawn_set.add(label, "test", number)
    drawn_set.write()
    return drawn_set


@pytest.mark.parametrize("seed", range(5))
def test_parts_are_nested_whole_and_stratified(seed: int) -> None:
    """Whatever the groups are: a part holds the smaller ones, no group is divided, no label has more than its share."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size=300, p=[0.6, 0.3, 0.1])
    groups = np.array([f"g{number}" for number in rng.integers(0, 120, 300)], dtype=object)
    shares = [0.1, 0.3, 0.5, 1.0]
    parts = nested_parts(labels, groups, shares, seed)
    for smaller, larger in pairwise(parts):
        assert set(smaller) < set(larger)
    for share, part in zip(shares, parts, strict=True):
        assert not set(groups[part]) & set(np.delete(groups, part))
        assert set(labels[part]) == {0, 1, 2}
        assert (np.bincount(labels[part]) <= np.round(share * np.bincount(labels)) + 8).all()
    assert len(parts[-1]) == 300
    assert len(parts[2]) > 0.35 * 300


def test_a_label_of_one_large_group_is_in_every_part() -> None:
    """It overshoots its share, as a part without the label could not be trained on."""
    labels, groups = np.repeat([0, 1], 20), np.array(["all"] * 20 + [f"g{n}" for n in range(20)], dtype=object)
    parts = nested_parts(labels, groups, [0.1, 1.0], 0)
    assert np.bincount(labels[parts[0]]).tolist() == [20, 2]


@pytest.mark.parametrize("seed", range(8))
def test_the_law_is_the_one_that_scipy_fits(seed: int) -> None:
    """On noisy errors both least squares are equally small, and both laws state the same errors."""
    rng = np.random.default_rng(seed)
    floor, scale, exponent = rng.uniform(0, 0.1), rng.uniform(0.3, 1.2), rng.uniform(0.2, 1.0)
    errors = np.maximum(floor + scale * SIZES**-exponent + rng.normal(0, 0.004, 6), 1e-3)
    weights = 1 / (errors * (1 - errors))

    def law(n: Any, floor: float, scale: float, exponent: float) -> Any:
        return floor + scale * n**-exponent

    bounds = ([0, 0, 0.05], [1, 50, 2])
    found = [
        scipy_optimize.curve_fit(law, SIZES, errors, start, sigma=weights**-0.5, bounds=bounds, max_nfev=20_000)[0]
        for start in ((0.01, 0.5, 0.3), (0.05, 0.5, 0.7), (0.05, 1.0, 1.2))
    ]
    theirs = min(found, key=lambda one: float(weights @ (law(SIZES, *one) - errors) ** 2))
    ours = fit(SIZES, errors[None], weights)
    ours_at = np.array([ours.at(size)[0] for size in (*SIZES, 640.0)])
    theirs_at = law(np.array([*SIZES, 640.0]), *theirs)
    assert weights @ (ours_at[:-1] - errors) ** 2 <= 1.01 * (weights @ (theirs_at[:-1] - errors) ** 2) + 1e-9
    assert ours_at == pytest.approx(theirs_at, abs=1e-3)


def made_errors(rng: np.random.Generator, truth: Any, n_test: int = 150) -> Any:
    """Errors of five seeds on the same test images, some of them hard: the mean over images is the truth's."""
    hardness, spread = rng.normal(size=n_test), 0.3
    skill = scipy_stats.norm.isf([truth(size) for size in SIZES]) * np.sqrt(1 + spread**2)
    return np.array([[hardness + spread * rng.normal(size=n_test) > one for _ in range(5)] for one in skill])


def test_the_interval_holds_what_is_measured_of_a_known_truth() -> None:
    """Of forty made-up curves, the largest size is in the 90% interval from the smaller ones in 34 or more."""
    inside = []
    for number in range(40):
        rng = np.random.default_rng([5, number])
        floor, exponent = rng.uniform(0, 0.06), rng.uniform(0.25, 0.8)
        errors = made_errors(rng, lambda n, floor=floor, exponent=exponent: floor + 0.6 * n**-exponent)
        found = check_held_out(SIZES, errors, np.arange(150))
        inside.append(found["is_inside"])
        assert found["predicted"]["high"] - found["predicted"]["low"] < 0.15
    assert sum(inside) >= 34


def test_a_steep_curve_says_how_many_images_a_point_takes() -> None:
    """The figure is about what the truth takes: from 320 images on, 0.8 n^-0.5 needs 211 for a point."""
    errors = made_errors(np.random.default_rng(1), lambda n: 0.8 * n**-0.5, n_test=2000)
    found = describe_curve(SIZES, errors, np.arange(2000))
    assert 130 < found["images_for_point"]["mean"] < 320
    assert found["images_for_point"]["low"] < 211 < (found["images_for_point"]["high"] or np.inf)
    assert next(tell_curve(found)).startswith("One more point of accuracy takes about ")
    assert json.dumps(found, allow_nan=False)


def test_a_flat_curve_says_that_more_images_bring_nothing() -> None:
    """An error that stays where it was promises no point, and the interval of a doubling says so."""
    rng = np.random.default_rng(0)
    wrong = rng.random(400) < 0.1
    errors = np.broadcast_to(wrong, (6, 5, 400)).copy()
    errors[0, :, :40] |= rng.random((5, 40)) < 0.5
    found = describe_curve(SIZES, errors, np.arange(400))
    text = " ".join(tell_curve(found))
    assert "will not bring a point of accuracy: the curve is flat" in text
    assert found["gains"][0]["high"] < 0.01 and found["images_for_point"]["mean"] is None


@pytest.mark.parametrize(("share", "said"), [(0.008, "Less than a point is left to gain"), (0.1, "the curve is flat")])
def test_an_error_of_less_than_a_point_is_not_called_flat(share: float, said: str) -> None:
    """Nobody can win a point where less than one is wrong: the curve is flat only where its floor is high."""
    wrong = np.arange(1000) < 1000 * share
    errors = np.broadcast_to(wrong, (6, 5, 1000)).copy()
    for place in range(5):
        errors[place, :, 500 : 500 + 64 // 2**place] = True
    text = " ".join(tell_curve(describe_curve(SIZES, errors, np.arange(1000))))
    assert said in text
    assert ("flat" in text) == (share == 0.1) and ("measured error with all is 0.8%" in text) == (share == 0.008)


def test_a_test_part_without_an_error_is_said_to_show_nothing() -> None:
    """Nothing can be extrapolated from no error at all; nothing divides by zero either."""
    found = describe_curve(SIZES, np.zeros((6, 5, 30), dtype=bool), np.arange(30))
    assert "cannot show what more would bring" in next(tell_curve(found))
    assert json.dumps(found, allow_nan=False)


def test_one_draw_is_of_the_same_test_images_at_every_size() -> None:
    """Two sizes with the same errors differ by nothing in any draw, however few images there are."""
    wrong = np.random.default_rng(0).random((1, 5, 40)) < 0.3
    curve = fit_curve(SIZES, np.repeat(wrong, 6, axis=0), np.arange(40))
    assert np.ptp(curve.draws, axis=1).max() == 0 and np.ptp(curve.draws[:, 0]) > 0.05


def fake_errors(sources: Any, good: str) -> Any:
    """Make a training whose errors fall with the images of one source alone."""

    def errors(rows: Any, seed: int) -> Any:
        n_good = int((sources[rows] == good).sum())
        return np.random.default_rng(seed).random(400) < 0.5 * (1 + n_good) ** -0.3

    return errors


def test_the_source_that_teaches_is_named() -> None:
    """Of three sources of a hundred images, the only one that teaches is surely best, and is missed when left out."""
    sources = np.repeat(np.array(["a", "b", "c"], dtype=object), 100)
    labels, groups = np.arange(300) % 2, np.array([f"g{n}" for n in range(300)], dtype=object)
    found = compare_sources(fake_errors(sources, "b"), labels, groups, sources, np.arange(400), range(5))
    assert found is not None and found["best"] == "b" and found["n_more"] == 50
    assert found["sources"]["b"]["more"]["low"] > 0 and found["sources"]["b"]["without"]["high"] < 0
    assert found["sources"]["a"]["more"]["mean"] == pytest.approx(0)


def test_sources_whose_further_images_are_unequal_are_not_compared() -> None:
    """Recordings of 70 frames cannot be cut to 20 images, so that their source is not named for teaching with more."""
    sources = np.array(["web"] * 40 + ["other"] * 40 + ["video"] * 210, dtype=object)
    groups = np.array([f"g{n}" for n in range(80)] + [f"v{n // 70}" for n in range(210)], dtype=object)
    labels = np.arange(290) % 2
    found = compare_sources(fake_errors(sources, "video"), labels, groups, sources, np.arange(400), range(5))
    assert found is not None and found["n_more"] == 20 and found["best"] is None
    assert found["sources"]["video"]["more"] is None
    assert [found["sources"][name]["more"]["n"] for name in ("web", "other")] == [20, 20]
    text = list(tell_curve(describe_curve(SIZES, np.ones((6, 5, 30), dtype=bool), np.arange(30)) | {"sources": found}))
    assert "Of video no equal part can be added. No source surely helps most." in text[-1]


def test_every_source_adds_as_many_of_each_label() -> None:
    """What a source adds has the others' mix of labels, whatever its own; one that lacks a label adds nothing."""
    sources = np.repeat(np.array(["a", "b", "c"], dtype=object), [100, 100, 60])
    labels = np.concatenate([np.arange(100) % 5 > 0, np.arange(100) % 5 == 0, np.zeros(60)]).astype(np.int64)
    added: list[list[int]] = []

    def errors(rows: Any, seed: int) -> Any:
        added.append(np.bincount(labels[rows]).tolist())
        return np.zeros(40, dtype=bool)

    groups = np.array([f"g{n}" for n in range(260)], dtype=object)
    found = compare_sources(errors, labels, groups, sources, np.arange(40), [0])
    assert found is not None and found["n_more"] == 20
    assert [one["more"] is None for one in found["sources"].values()] == [False, False, True]
    halves = [[80, 50], [90, 60], [90, 60]]  # half of all; with ten more of each label of a, and of b
    assert added[-3:] == halves


@pytest.mark.parametrize(("gains", "best"), [((-0.01, -0.2), None), ((0.2, 0.01), "a"), ((0.2, 0.2), None)])
def test_a_source_that_harms_is_not_said_to_help(gains: Any, best: str | None) -> None:
    """To harm least is not to help; to help as another does is not to help most."""
    rng = np.random.default_rng(0)
    found = {name: gain + rng.normal(0, 0.02, 200) for name, gain in zip("ab", gains, strict=True)}
    if gains[0] == gains[1]:
        found["b"] = found["a"].copy()
    assert _surely_best(found, np.arange(200)) == best


def test_sources_are_compared_only_where_there_are_several() -> None:
    """One source, or a second one of three images, is nothing to compare; a label's only source is not left out."""
    labels, groups = np.arange(60) % 2, np.array([f"g{n}" for n in range(60)], dtype=object)
    alone = np.array(["a"] * 57 + ["b"] * 3, dtype=object)
    assert compare_sources(fake_errors(alone, "a"), labels, groups, alone, np.arange(400), range(5)) is None
    by_label = np.where(labels == 0, "a", "b").astype(object)
    found = compare_sources(fake_errors(by_label, "a"), labels, groups, by_label, np.arange(400), range(5))
    assert found is not None and {one["without"] for one in found["sources"].values()} == {None}


def test_a_curve_has_six_sizes_and_five_seeds_and_is_kept(large_set: Any, weights: Path, monkeypatch: Any) -> None:
    """``curve.json`` holds them; asked again, nothing is trained; the model is the recipe's that has a frozen base."""
    project = large_set.project(epochs=2)
    found = run_curve(project, weights=weights)
    assert json.loads(large_set.paths.curve.read_text("utf-8")) == {"version": 1} | json.loads(json.dumps(found))
    (one,) = found["models"].values()
    assert list(found["models"]) == ["mobilenet_v2"]
    assert [len(point["runs"]) for point in one["points"]] == [N_SEEDS] * N_SIZES
    sizes = [point["images_per_label"] for point in one["points"]]
    assert sizes == sorted(set(sizes)) and sizes[-1] == 20
    assert one["sources"] is None
    monkeypatch.setattr(Trials, "_predict", None)
    again = run_curve(project, weights=weights)
    assert again["models"] == found["models"]


def test_an_interrupted_curve_goes_on_where_it_was(large_set: Any, weights: Path, monkeypatch: Any) -> None:
    """What was trained before Ctrl-C is not trained again."""
    trained: list[int] = []
    predict = Trials._predict

    def counted(self: Trials, *args: Any) -> Any:
        trained.append(1)
        return predict(self, *args)

    def listener(event: Event) -> None:
        if isinstance(event, WorkAdvanced) and event.what.startswith("learning curve") and len(trained) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trials, "_predict", counted)
    recipe = large_set.recipe(epochs=1)
    with pytest.raises(KeyboardInterrupt):
        run_curve(Project(recipe, large_set.paths, listener), weights=weights)
    assert not large_set.paths.curve.exists()
    trained.clear()
    run_curve(Project(recipe, large_set.paths), weights=weights)
    assert len(trained) == N_SIZES * N_SEEDS - 7


def test_the_cnn_has_a_curve_on_request(large_set: Any, monkeypatch: Any) -> None:
    """A network on pixels is trained on the same parts, here three of one seed; no source is compared with it."""
    monkeypatch.setattr("curator.benchmark.curve.learning_curve.N_SIZES", 3)
    monkeypatch.setattr("curator.benchmark.curve.learning_curve.N_SEEDS", 1)
    found = run_curve(large_set.project(epochs=1, image_size=32), models=("cnn",))
    assert list(found["models"]) == ["cnn"] and "sources" not in found["models"]["cnn"]


def test_too_few_images_are_refused_in_a_sentence(drawn_set: Any, weights: Path) -> None:
    """Few test images, and few training images of a label, are named with what to do."""
    with pytest.raises(StateError, match="A learning curve needs 20 test images; there are 16"):
        run_curve(drawn_set.project(), weights=weights)
    drawn_set.rows = [row for row in drawn_set.rows if row["split"] != "train" or row["label"] != "disc"][:40]
    for number in range(100, 110):
        drawn_set.add("disc", "train", number)
    drawn_set.write()
    with pytest.raises(StateError, match=r"six sizes|6 sizes need 20 training images of every label; disc has 10"):
        run_curve(drawn_set.project(), weights=weights)
    assert not drawn_set.paths.curve.exists()


def test_without_any_weights_no_curve_is_drawn(large_set: Any, no_weights: None, monkeypatch: Any) -> None:
    """The error says how to get them; EfficientNet-Lite0 stands in where its package is there."""
    monkeypatch.setattr("curator.benchmark.train_models._load_substitute", lambda *_: None)
    with pytest.raises(CuratorError, match="MobileNetV2's ImageNet weights are not on this machine"):
        run_curve(large_set.project())


def test_the_page_and_the_terminal_show_the_curve(large_set: Any, weights: Path, capsys: Any) -> None:
    """The report has the section with its plot; the terminal's table fits into 80 columns."""
    data_set = Dataset(large_set.project(epochs=1))
    found = data_set.learning_curve(weights=weights)
    page = large_set.paths.report.read_text("utf-8")
    assert "What more images would bring" in page and "learning-curve-" in page
    curve_answer(data_set, found).finish(Terminal(), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if "%" in line and len(line.split()) < 9][1:]
    assert len(table) == N_SIZES + 2 and max(map(len, table)) <= 80
    curve_answer(data_set, found).finish(Terminal(), as_json=True)
    assert json.loads(capsys.readouterr().out)["models"] == json.loads(json.dumps(found["models"]))
