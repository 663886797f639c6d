"""Count how often a learning curve, fitted to half of the images, holds what all of them then reach.

``python bench_curve.py [PHOTOS] [TRIALS]``: a folder of sets, each with a folder a label. Each set goes through fetch
and split as a user's would. Then its images are divided anew, whole groups, once a trial: a fifth tests, the rest
trains, on six nested sizes with five seeds. The law is fitted to the sizes up to a half; its 90% interval for the
largest size is compared with what is measured there. Of EfficientNet-Lite0, and of MobileNetV2 if ``CURATOR_WEIGHTS``
names its weights. The images are the same in all trials of a set, so that the trials are not independent; the form of
the interval was chosen on a dozen other divisions of the same photographs, by which no number was set.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from verdict import at_least, at_most, conclude

import curator
from curator.benchmark.curve.extrapolate import check_held_out
from curator.benchmark.curve.learning_curve import N_SEEDS, choose_shares
from curator.benchmark.curve.subsets import nested_parts
from curator.benchmark.curve.trials import Trials
from curator.benchmark.images.labelled_images import Parts, load_images
from curator.benchmark.models.registry import MODELS
from curator.benchmark.plan import plan_benchmark
from curator.benchmark.results import Findings
from curator.benchmark.train_models import load_weights, training_set
from curator.inspect.suspects.folds import choose_folds

N_TRIALS = 10
LEAST_INSIDE, MOST_WIDTH = 0.85, 8


def open_set(folder, root):
    """Fetch and split a set of photographs in a project of its own."""
    labels = sorted(path.name for path in folder.iterdir() if path.is_dir())
    sources = [{"kind": "folder", "path": folder}]
    data_set = curator.create(folder.name, labels=labels, sources=sources, manifests=root, emit=lambda event: None)
    data_set.fetch()
    data_set.split(0.8)
    return data_set


def divide(images, trial):
    """Choose the test images of a trial: a fifth, whole groups, every label by its share."""
    order = np.random.default_rng([2026, trial]).permutation(len(images.table))
    groups = np.unique(images.groups.astype(str), return_inverse=True)[1]
    folds = np.empty(len(order), np.int64)
    folds[order] = choose_folds(images.label_index[order], np.unique(groups[order], return_inverse=True)[1], 5)
    return np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)


def run_trial(trials, model, images, trial):
    """Train on every size and seed; return what the held-out check finds."""
    train, test = divide(images, trial)
    here = replace(trials, data=replace(trials.data, train_rows=train), test_rows=test)
    labels, groups = images.label_index[train], images.groups[train]
    shares = choose_shares(int(np.bincount(labels).min()))
    parts = [nested_parts(labels, groups, shares, seed) for seed in range(N_SEEDS)]
    sizes = np.mean([[len(part) for part in of_seed] for of_seed in parts], axis=0) / len(images.labels)
    wrong = [
        [here.errors(model, train[parts[seed][size]], seed) for seed in range(N_SEEDS)] for size in range(len(shares))
    ]
    return check_held_out(sizes, np.array(wrong), images.groups[test])


def main():
    """Print a line a trial, then the counts; exit 1 if they are below what is promised."""
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "photos").absolute()
    n_trials = int(sys.argv[2]) if len(sys.argv) > 2 else N_TRIALS
    wanted = [one for one in MODELS if one.is_head and (not one.article_accuracy or os.environ.get("CURATOR_WEIGHTS"))]
    found = []
    with tempfile.TemporaryDirectory() as root, threadpool_limits(1):
        for folder in sorted(photos.iterdir()):
            data_set = open_set(folder, Path(root))
            images = load_images(data_set.paths.manifest, data_set.labels)
            settings = replace(data_set.recipe.benchmark, models=tuple(model.name for model in wanted))
            every = np.arange(len(images.table))
            findings = Findings(data_set.project, plan_benchmark(settings), images, Parts(every, every, every))
            models = load_weights(findings, tuple(wanted), None)
            trials = Trials(training_set(findings, findings.parts), every, findings.plan.training, findings.bases)
            for model in models:
                for trial in range(n_trials):
                    one = run_trial(trials, model, images, trial)
                    found.append(one)
                    low, middle, high = (100 - 100 * one["predicted"][name] for name in ("high", "mean", "low"))
                    span = f"{middle:.1f}% ({low:.1f} to {high:.1f})"
                    said = f"predicted {span}, measured {100 - 100 * one['measured']:.1f}%"
                    print(f"{folder.name}, {model.title}, trial {trial}: {said}", flush=True)
    widths = [one["predicted"]["high"] - one["predicted"]["low"] for one in found]
    misses = [one["predicted"]["mean"] - one["measured"] for one in found]
    print(f"inside the 90% interval: {sum(one['is_inside'] for one in found)} of {len(found)}")
    print(
        f"median width {100 * np.median(widths):.1f} points, median miss {100 * np.median(np.abs(misses)):.1f} points"
    )
    share = float(np.mean([one["is_inside"] for one in found]))
    inside = at_least("share inside the 90% interval", share, LEAST_INSIDE)
    return conclude(
        [inside, at_most("median width of the interval", 100 * float(np.median(widths)), MOST_WIDTH, "points")]
    )


if __name__ == "__main__":
    sys.exit(main())
