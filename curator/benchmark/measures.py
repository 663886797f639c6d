"""From predictions to the figures of metrics.json: each model's, and every two models' against each other.

>>> run = Checkpoint(state=[], best=[], best_epoch=0, probabilities=np.array([[0.8, 0.2], [0.6, 0.4]]))
>>> share_correct({0: run}, np.array([0, 1])).tolist()
[1.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import classification_report, confusion_matrix

from curator.benchmark.checkpoints import Checkpoint
from curator.benchmark.compare import calibration_bins, estimate, expected_calibration_error, holm, mcnemar_p
from curator.benchmark.images.labelled_images import IntArray, LabelledImages
from curator.benchmark.models.learner import Probabilities, accuracy

N_WRONG = 24
"""Most confidently wrong test images kept for each model."""

LEAST_BY_AUTHOR = 3
"""Fewest test images of an author whose accuracy is listed."""

Runs = Mapping[int, Checkpoint]
"""A model's finished runs by seed."""


def share_correct(runs: Runs, labels: IntArray) -> npt.NDArray[np.float64]:
    """Return for each image the share of runs that get it right, shape (images,)."""
    correct = [_probabilities(run).argmax(axis=1) == labels for run in runs.values()]
    return np.asarray(np.mean(correct, axis=0), dtype=np.float64)


def model_metrics(runs: Runs, images: LabelledImages) -> dict[str, Any]:
    """Compute one model's figures on the test images, over all its runs.

    Accuracy is the mean over runs, with a 95% interval by the cluster bootstrap over test images. Precision, recall,
    F1 and the confusion matrix count every run's predictions.
    """
    test = images.rows("test")
    labels, groups = images.label_index[test], images.groups[test]
    probabilities = [_probabilities(run) for run in runs.values()]
    predicted, true = np.concatenate([one.argmax(axis=1) for one in probabilities]), np.tile(labels, len(runs))
    indices, correct = np.arange(len(images.labels)), share_correct(runs, labels)
    return {
        "accuracy": estimate(correct, groups),
        "runs": [
            {
                "seed": seed,
                "accuracy": float(accuracy(_probabilities(run), labels)),
                "n_epochs": len(run.history),
                "best_epoch": run.best_epoch,
                "train_seconds": _train_seconds(run),
                "history": run.history,
            }
            for seed, run in runs.items()
        ],
        "classification_report": classification_report(
            true, predicted, labels=indices, target_names=images.labels, output_dict=True, zero_division=0.0
        ),
        "confusion_matrix": confusion_matrix(true, predicted, labels=indices).tolist(),
        "calibration_error": float(np.mean([expected_calibration_error(one, labels) for one in probabilities])),
        "calibration": calibration_bins(np.concatenate(probabilities), true, n_bins=10),
        "by_source": _by_column(images.table["source"].iloc[test], correct),
        "by_author": _by_author(images.table.iloc[test], correct),
        "wrong": _most_confidently_wrong(np.mean(probabilities, axis=0), images, test),
        "train_seconds": float(np.mean([_train_seconds(run) for run in runs.values()])),
    }


def compare_models(runs: Mapping[str, Runs], images: LabelledImages) -> list[dict[str, Any]]:
    """Compare every two models on the same test images, over the seeds that both have finished.

    Of each pair: second minus first by the paired bootstrap, and McNemar's exact test for each seed. With more than one
    pair the intervals are widened (Bonferroni) so that with 95% confidence all of them hold, and ``p_holm`` is p after
    Holm's correction over the pairs of that seed.
    """
    test = images.rows("test")
    labels, groups = images.label_index[test], images.groups[test]
    pairs = [(first, second) for first, second in combinations(runs, 2) if set(runs[first]) & set(runs[second])]
    confidence = 1 - 0.05 / max(1, len(pairs))
    found: list[dict[str, Any]] = []
    for first, second in pairs:
        seeds = [seed for seed in runs[first] if seed in runs[second]]
        correct = [share_correct({seed: runs[name][seed] for seed in seeds}, labels) for name in (first, second)]
        found.append(
            {
                "first": first,
                "second": second,
                "confidence": confidence,
                "difference": estimate(correct[1] - correct[0], groups, confidence),
                "mcnemar": [_mcnemar(seed, runs[first][seed], runs[second][seed], labels) for seed in seeds],
            }
        )
    tests = [test for comparison in found for test in comparison["mcnemar"]]
    for seed in {test["seed"] for test in tests} if len(pairs) > 1 else ():
        family = [test for test in tests if test["seed"] == seed]
        for test, corrected in zip(family, holm([test["p"] for test in family]), strict=True):
            test["p_holm"] = corrected
    return found


def predictions_table(runs: Mapping[str, Runs], images: LabelledImages) -> pd.DataFrame:
    """List every run's prediction of every test image, one row each, with one probability column a label."""
    test = images.rows("test")
    rows = images.table.iloc[test][["record_id", "label"]]
    tables = []
    for model, by_seed in runs.items():
        for seed, run in by_seed.items():
            probabilities = _probabilities(run)
            table = rows.assign(model=model, seed=seed, predicted=np.array(images.labels)[probabilities.argmax(axis=1)])
            columns = {f"p_{label}": probabilities[:, index].round(6) for index, label in enumerate(images.labels)}
            tables.append(table.assign(**columns))
    return pd.concat(tables, ignore_index=True)


def _probabilities(run: Checkpoint) -> Probabilities:
    if run.probabilities is None:
        raise ValueError("the run has not ended")
    return run.probabilities


def _train_seconds(run: Checkpoint) -> float:
    return float(sum(record["seconds"] for record in run.history) + run.facts.get("feature_seconds", 0.0))


def _mcnemar(seed: int, first: Checkpoint, second: Checkpoint, labels: IntArray) -> dict[str, Any]:
    right_first, right_second = (_probabilities(run).argmax(axis=1) == labels for run in (first, second))
    only_first, only_second = int((right_first & ~right_second).sum()), int((right_second & ~right_first).sum())
    p = mcnemar_p(only_first, only_second)
    return {"seed": seed, "only_first": only_first, "only_second": only_second, "p": p}


def _by_column(names: pd.Series[Any], correct: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    frame = pd.DataFrame({"name": names.fillna("unknown").astype(str).to_numpy(), "correct": correct})
    grouped = frame.groupby("name")["correct"].agg(["size", "mean"]).sort_values("size", ascending=False, kind="stable")
    return [
        {"name": str(name), "n": int(n), "accuracy": float(mean)}
        for name, n, mean in grouped.itertuples(index=True, name=None)
    ]


def _by_author(test: pd.DataFrame, correct: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Accuracy by author: each author counted once, the images of no known author, and authors with several images."""
    known = test["author"].notna().to_numpy(dtype=bool) if "author" in test else np.zeros(len(test), dtype=bool)
    by_author = _by_column(test["author"][known], correct[known]) if known.any() else []
    return {
        "n_authors": len(by_author),
        "each_author_once": float(np.mean([author["accuracy"] for author in by_author])) if by_author else None,
        "n_unknown": int((~known).sum()),
        "unknown": float(correct[~known].mean()) if (~known).any() else None,
        "largest": [author for author in by_author if author["n"] >= LEAST_BY_AUTHOR][:10],
    }


def _most_confidently_wrong(mean: Probabilities, images: LabelledImages, test: IntArray) -> list[dict[str, Any]]:
    labels, predicted = images.label_index[test], mean.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-mean[wrong].max(axis=1), kind="stable")][:N_WRONG]
    return [
        {
            "record_id": str(images.table["record_id"].iloc[test[index]]),
            "label": images.labels[labels[index]],
            "predicted": images.labels[predicted[index]],
            "confidence": float(mean[index].max()),
        }
        for index in order
    ]
