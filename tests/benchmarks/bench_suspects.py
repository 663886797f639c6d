"""Swap labels of real photographs and count how many are found, beside cleanlab and FiftyOne on the same features.

``python bench_suspects.py [PHOTOS]``: a folder of sets, each with a folder a label. Flips of 2, 5, 8 and 20%, five
seeds each; once by chance, once among what the classes share (an image is drawn by how likely a third model, linear
discriminant analysis, finds the other label). Figures are means over seeds: AUROC of the suspicion, and the share of
the flips among the first 2k looked at. Then the time and memory of 10,000 and 100,000 images, whose features are those
of the photographs, drawn with replacement and jittered; and the CPU-seconds that the photographs' features take.

FiftyOne's ``compute_mistakenness`` needs MongoDB; its two formulas (``fiftyone/brain/internal/core/mistakenness.py`` of
fiftyone-brain 0.25) are computed here: from the confidence of the likeliest label, and from the logits.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from verdict import at_least, at_most, conclude

from curator.embed.features import embed_images, features_of, open_features
from curator.embed.models import open_embedder
from curator.embed.squares import read_square
from curator.events import ignore
from curator.inspect.suspects import look
from curator.inspect.suspects.folds import divide_anew
from curator.inspect.suspects.judge import judge, suspicion
from curator.inspect.suspects.neighbours import find_neighbours
from curator.inspect.suspects.principal import judged_by, likenesses
from curator.manifests.settings import EmbedSettings, SuspectsSettings

RATES, SEEDS = (0.02, 0.05, 0.08, 0.2), range(5)
LARGE = {10_000: (20, 1.5), 100_000: (180, 3.0)}
MOST_CPU_S = 30
LEAST_FOUND, LEAST_OF_A_SET = 0.95, 0.94
JITTER = 0.3
"""Deviation of what is added to a drawn photograph's features, as a share of each feature's own deviation."""


def read_set(folder, embedder, cache):
    """Return features, labels and groups (one a distinct file, as dedupe would leave them) of a set."""
    labels, seen = [], {}
    names = sorted(path.name for path in folder.iterdir())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 not in seen:
            seen[sha256] = path
            labels.append(names.index(path.parent.name))
    sha256s = list(seen)
    file = open_features(cache, embedder)
    embed_images(file, sha256s, embedder, lambda n: read_square(seen[sha256s[n]], sha256s[n], embedder.side), ignore)
    return np.array(features_of(file, sha256s)), np.array(labels)


def count_cpu(photos):
    """Print the CPU-seconds, of a whole process, in which all photographs become features; then of their looks."""
    paths = sorted(path for path in photos.rglob("*") if path.is_file())
    embedder = open_embedder(EmbedSettings(), Path())
    sha256s = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    with tempfile.TemporaryDirectory() as cache:
        file = open_features(Path(cache), embedder)
        embed_images(file, sha256s, embedder, lambda n: read_square(paths[n], sha256s[n], embedder.side), ignore)
    features_s = time.process_time()
    pixels = [read_square(path, one, look.SIDE) for path, one in zip(paths[:200], sha256s, strict=False)]
    start = time.process_time()
    for one in pixels:
        look.measure(one)
    looks_s = (time.process_time() - start) / len(pixels) * len(paths)
    print(json.dumps({"features": features_s, "looks": looks_s, "n": len(paths)}))


def auroc(scores, truth):
    """Return the chance that a flipped label has a higher score than one that is not."""
    order = np.argsort(np.argsort(scores, kind="stable"))
    n = truth.sum()
    return (order[truth].sum() - n * (n - 1) / 2) / (n * (len(truth) - n))


def first_2k(scores, truth):
    """Return the share of the flips among twice as many images, the most suspicious first."""
    return truth[np.argsort(-scores, kind="stable")[: 2 * truth.sum()]].sum() / truth.sum()


class Ours:
    """What ``curator suspects`` does with features."""

    def __init__(self, features):
        self.points, self.groups = likenesses(features), np.arange(len(features))
        self.inputs = judged_by(features)

    def __call__(self, labels):
        near = find_neighbours(self.points, self.groups, labels, SuspectsSettings().neighbours)
        divisions = divide_anew(labels, self.groups, SuspectsSettings().folds)
        return suspicion(judge(self.inputs, labels, divisions, near, labels.max() + 1), labels)


def of_others(features, labels):
    """Return the scores of cleanlab's two pipelines, and of FiftyOne's formulas.

    CleanLearning and FiftyOne have the probabilities of cleanlab's default, a logistic regression, cross-validated in
    five folds; Datalab makes its own of the features.
    """
    from cleanlab import Datalab
    from cleanlab.classification import CleanLearning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    features = features.astype(np.float64)
    lab = Datalab({"label": labels}, label_name="label", verbosity=0)
    lab.find_issues(features=features, issue_types={"label": {}})
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    logits = cross_val_predict(LogisticRegression(max_iter=400), features, labels, cv=folds, method="decision_function")
    chance = 1 / (1 + np.exp(-np.stack([-logits, logits], axis=1)))
    issues = CleanLearning().find_label_issues(labels=labels, pred_probs=chance)
    sign = np.where(chance.argmax(axis=1) == labels, -1, 1)
    entropy = -(chance * np.log(np.maximum(chance, 1e-12))).sum(axis=1)
    return {
        "cleanlab CleanLearning": 1 - issues["label_quality"],
        "cleanlab Datalab": 1 - lab.get_issues("label")["label_score"],
        "FiftyOne by confidence": (1 + sign * chance.max(axis=1)) / 2,
        "FiftyOne by logits": (1 + sign * np.exp(-entropy)) / 2,
    }


def find_hard(features, labels):
    """Return how likely linear discriminant analysis, which nobody here judges by, finds the other label."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    return np.clip(found[np.arange(len(labels)), 1 - labels], 0.02, None)


def flip(labels, rate, seed, hardness=None):
    """Swap the labels of a share of the images; with ``hardness``, those more often of which it is larger."""
    rng = np.random.default_rng(seed)
    chance = None if hardness is None else hardness / hardness.sum()
    chosen = rng.choice(len(labels), max(1, round(rate * len(labels))), replace=False, p=chance)
    truth = np.zeros(len(labels), bool)
    truth[chosen] = True
    return np.where(truth, 1 - labels, labels), truth


def measure_set(name, features, labels):
    """Print one set's tables; return ours at 8%, by kind, and the least lead over the best of the others."""
    ours, lead, at_8 = Ours(features), np.array([1.0, 1.0]), {}
    print(f"{name}: {len(labels):,} images")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = {"by chance": None, "confusable": find_hard(features, labels)}
        for (kind, weights), rate in product(kinds.items(), RATES):
            figures = {}
            for seed in SEEDS:
                given, truth = flip(labels, rate, seed, weights)
                for way, scores in ({"curator": ours(given)} | of_others(features, given)).items():
                    scores = np.asarray(scores)
                    figures.setdefault(way, []).append((auroc(scores, truth), first_2k(scores, truth)))
            means = {way: np.mean(one, axis=0) for way, one in figures.items()}
            told = ", ".join(f"{way} {mean[0]:.4f} {mean[1]:.1%}" for way, mean in means.items())
            print(f"  {rate:.0%} {kind}: {told}", flush=True)
            best = np.max([mean for way, mean in means.items() if way != "curator"], axis=0)
            lead = np.minimum(lead, means["curator"] - best)
            if rate == 0.08:
                at_8[kind] = tuple(means["curator"])
    return at_8, lead


def large(n, photographs):
    """Judge ``n`` images of ten labels in a process of its own; print seconds and gigabytes.

    Half a class of the photographs (``photographs``: a file of features and labels) is five labels, told apart by
    directions of chance.
    """
    import pandas as pd

    from curator import catalog
    from curator.inspect.suspects.rows import compose_table

    known = np.load(photographs)
    rng = np.random.default_rng(0)
    deviation = JITTER * known["features"].std(axis=0)
    shifts = rng.normal(size=(10, known["features"].shape[1])).astype(np.float32) * 2 * deviation
    drawn, parts = rng.integers(0, len(known["labels"]), n), rng.integers(0, 5, n)
    labels = known["labels"][drawn] * 5 + parts
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        features = np.lib.format.open_memmap(path, "w+", np.float32, (n, len(deviation)))
        for start in range(0, n, 10_000):
            rows = slice(start, start + 10_000)
            noise = rng.normal(size=(len(drawn[rows]), len(deviation))).astype(np.float32) * deviation
            features[rows] = np.maximum(known["features"][drawn[rows]] + shifts[labels[rows]] + noise, 0)
        features.flush()
        names = [f"label{number}" for number in range(10)]
        rows = {"record_id": [f"x-{one}" for one in range(n)], "sha256": [f"{one:064x}" for one in range(n)]}
        rows |= {"label": [names[one] for one in labels], "source": "x", "kind": "x", "tier": 0}
        table = catalog.conform(pd.DataFrame(rows | {"width": 400, "height": 300}))
        looks = np.tile(np.array([10, 240, 90, 0.09, 0.17], np.float32), (n, 1))
        start, start_cpu = time.perf_counter(), time.process_time()
        with threadpool_limits(1):  # as find_suspects does
            compose_table(table, np.load(path, mmap_mode="r"), looks, np.arange(n), names, SuspectsSettings())
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    print(json.dumps({"s": seconds, "cpu_s": cpu_s, "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))


def run_apart(*arguments):
    """Run a part of this file in a process of its own and return what it printed."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def main():
    """Measure, and end with exit code 1 if a promise is broken."""
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "photos")
    embedder = open_embedder(EmbedSettings(), Path())
    checks, sets, found = [], [], {}
    with tempfile.TemporaryDirectory() as cache:
        took = run_apart("--cpu", photos)
        print(f"{took['n']:,} images on {os.cpu_count()} cores: looks {took['looks']:.1f} CPU-seconds")
        checks += [at_most(f"features of {took['n']:,} images", took["features"], MOST_CPU_S, "CPU-seconds")]
        for folder in sorted(photos.iterdir()):
            sets.append(read_set(folder, embedder, Path(cache)))
            at_8, lead = measure_set(folder.name, *sets[-1])
            for kind, (area, share) in at_8.items():
                checks += [at_least(f"{folder.name}: AUROC at 8% {kind}", area, 0.98)]
                checks += [at_least(f"{folder.name}: found in the first 2k at 8% {kind}", share, LEAST_OF_A_SET)]
                found.setdefault(kind, []).append((share, round(0.08 * len(sets[-1][1]))))
            checks += [at_least(f"{folder.name}: lead over the best of the others, AUROC", lead[0], -0.001)]
            print(f"  least lead in the first 2k: {lead[1]:+.1%}")
        for kind, parts in found.items():
            share = np.average([one for one, _ in parts], weights=[n for _, n in parts])
            checks += [at_least(f"all sets: found in the first 2k at 8% {kind}", share, LEAST_FOUND)]
        photographs = Path(cache) / "photographs.npz"
        features, labels = (np.concatenate(one) for one in zip(*sets, strict=True))
        np.savez(photographs, features=features, labels=labels)
        for n, (most_s, most_gb) in LARGE.items():
            told = run_apart("--large", n, photographs)
            print(f"{n:,} images: {told['cpu_s']:.0f} CPU-seconds, {told['s']:.0f} s, {told['gb']:.2f} GB", flush=True)
            checks += [at_most(f"{n:,} images: seconds", told["s"], most_s), at_most(f"{n:,}: GB", told["gb"], most_gb)]
    sys.exit(conclude(checks))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--large"]:
        large(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["--cpu"]:
        count_cpu(Path(sys.argv[2]))
    else:
        main()
