"""Swap labels of real photographs and count how many are found: ours against cleanlab's own way, on the same features.

``python bench_suspects.py [--full] [PHOTOS]``: a folder of sets, each with a folder a label. Flips of 2, 5, 8 and 20%,
five seeds each (the others: one seed, ``--full``: five, as their regressions take long); once by chance, once among
what the classes share (an image is drawn by how likely a model finds the other label).
Figures are means over seeds: AUROC of the suspicion, and the share of the flips among the first 2k looked at. Then the
time and memory of 10,000 and 100,000 images whose features are made up.
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
from pathlib import Path

import numpy as np
from verdict import at_least, at_most, conclude

from curator.embed.features import embed_images, features_of, open_features
from curator.embed.models import open_embedder
from curator.embed.squares import read_square
from curator.events import ignore
from curator.manifests.recipe import EmbedSettings, SuspectsSettings
from curator.suspects.judge import judge, suspicion
from curator.suspects.neighbours import find_neighbours
from curator.suspects.principal import likenesses, principal

RATES, SEEDS = (0.02, 0.05, 0.08, 0.2), range(5)
LARGE = {10_000: (20, 1.5), 100_000: (180, 3.0)}


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
    start = time.process_time()
    embed_images(file, sha256s, embedder, lambda n: read_square(seen[sha256s[n]], sha256s[n], embedder.side), ignore)
    cpu_s = time.process_time() - start
    return features_of(file, sha256s), np.array(labels), cpu_s


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
        self.inputs, self.groups = principal(features), np.arange(len(features))
        self.points = likenesses(features)

    def __call__(self, labels):
        near = find_neighbours(self.points, self.groups, labels, SuspectsSettings().neighbours)
        found = judge(self.inputs, labels, self.groups, near, labels.max() + 1, SuspectsSettings().folds)
        return suspicion(found, labels)


def theirs(features):
    """Return cleanlab's ways: cross-validated logistic regression, then its scores; and FiftyOne's formula on them."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    def probabilities(labels):
        model = LogisticRegression(max_iter=400)
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cross_val_predict(model, features, labels, cv=folds, method="predict_proba")

    def score(method):
        return lambda labels, found: 1 - get_label_quality_scores(labels, found, method=method)

    def mistakenness(labels, found):
        confidence, is_right = found.max(axis=1), found.argmax(axis=1) == labels
        return (1 + np.where(is_right, -1, 1) * confidence) / 2

    ways = {
        "cleanlab, self-confidence": score("self_confidence"),
        "cleanlab, margin": score("normalized_margin"),
        "FiftyOne's mistakenness": mistakenness,
    }
    return probabilities, ways


def flip(labels, rate, seed, hardness=None):
    """Swap the labels of a share of the images; with ``hardness``, those more often of which it is larger."""
    rng = np.random.default_rng(seed)
    chance = None if hardness is None else hardness / hardness.sum()
    chosen = rng.choice(len(labels), max(1, round(rate * len(labels))), replace=False, p=chance)
    truth = np.zeros(len(labels), bool)
    truth[chosen] = True
    return np.where(truth, 1 - labels, labels), truth


def measure_set(name, features, labels, full):
    """Print one set's table; return ours at 8% by chance, and the least lead over the best of the others."""
    ours = Ours(features)
    probabilities, ways = theirs(features.astype(np.float64))
    hardness = np.clip(ours(labels), 0.02, None)
    lead, at_8 = 1.0, (0.0, 0.0)
    print(f"{name}: {len(labels):,} images")
    for kind, weights in (("by chance", None), ("confusable", hardness)):
        for rate in RATES:
            figures = {}
            for seed in SEEDS:
                given, truth = flip(labels, rate, seed, weights)
                scores = {"curator": ours(given)}
                if seed < (len(SEEDS) if full else 1):
                    found = probabilities(given)
                    scores |= {way: rule(given, found) for way, rule in ways.items()}
                for way, one in scores.items():
                    figures.setdefault(way, []).append((auroc(one, truth), first_2k(one, truth)))
            means = {way: np.mean(one, axis=0) for way, one in figures.items()}
            told = ", ".join(f"{way} {mean[0]:.4f} {mean[1]:.1%}" for way, mean in means.items())
            print(f"  {rate:.0%} {kind}: {told}", flush=True)
            first = {
                way: np.mean(one[: len(figures["FiftyOne's mistakenness"])], axis=0) for way, one in figures.items()
            }
            lead = min(lead, first.pop("curator")[0] - max(mean[0] for mean in first.values()))
            if rate == 0.08 and weights is None:
                at_8 = tuple(means["curator"])
    return at_8, lead


def large(n):
    """Judge ``n`` made-up images of ten labels in a process of its own; print seconds and gigabytes."""
    import pandas as pd

    from curator import catalog
    from curator.suspects.rows import compose_table

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, n)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        features = np.lib.format.open_memmap(path, "w+", np.float32, (n, 1280))
        centres = rng.normal(size=(10, 1280)).astype(np.float32)
        for start in range(0, n, 10_000):
            part = labels[start : start + 10_000]
            noise = rng.normal(size=(len(part), 1280)).astype(np.float32)
            features[start : start + len(part)] = np.maximum(centres[part] * 0.3 + noise, 0)
        features.flush()
        names = [f"label{number}" for number in range(10)]
        rows = {"record_id": [f"x-{one}" for one in range(n)], "sha256": [f"{one:064x}" for one in range(n)]}
        rows |= {"label": [names[one] for one in labels], "source": "x", "kind": "x", "tier": 0}
        table = catalog.conform(pd.DataFrame(rows | {"width": 400, "height": 300}))
        looks = np.tile(np.array([10, 240, 90, 0.09, 0.17], np.float32), (n, 1))
        start = time.perf_counter()
        compose_table(table, np.load(path, mmap_mode="r"), looks, np.arange(n), names, SuspectsSettings())
        seconds = time.perf_counter() - start
    print(json.dumps({"s": seconds, "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))


def main():
    """Measure, and end with exit code 1 if a promise is broken."""
    full = "--full" in sys.argv
    places = [one for one in sys.argv[1:] if one != "--full"]
    photos = Path(places[0] if places else Path(__file__).parents[3] / "shared" / "photos")
    embedder = open_embedder(EmbedSettings(), Path())
    checks = []
    with tempfile.TemporaryDirectory() as cache:
        cpu_s = 0.0
        for folder in sorted(photos.iterdir()) if photos.is_dir() else ():
            features, labels, took = read_set(folder, embedder, Path(cache))
            cpu_s += took
            (area, share), lead = measure_set(folder.name, np.asarray(features), labels, full)
            checks += [at_least(f"{folder.name}: AUROC at 8%", area, 0.98)]
            checks += [at_least(f"{folder.name}: found in the first 2k at 8%", share, 0.95)]
            checks += [at_least(f"{folder.name}: lead over the best of the others, AUROC", lead, -0.001)]
        print(f"features: {cpu_s:.1f} CPU-seconds on {os.cpu_count()} cores")
    for n, (most_s, most_gb) in LARGE.items():
        command = [sys.executable, __file__, "--large", str(n)]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        checks += [at_most(f"{n:,} images: seconds", told["s"], most_s), at_most(f"{n:,}: GB", told["gb"], most_gb)]
    sys.exit(conclude(checks))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--large"]:
        large(int(sys.argv[2]))
    else:
        main()
