"""Choose the constants of ``curator suspects`` on one set of photographs, to be judged on another one.

``python choose_suspects.py [PHOTOS]``: for each set, the weight of the neighbours' vote and the penalty of the second
judgement that find most flips (the mean AUROC at 5, 8 and 20%, by chance and confusable), with seeds that
``bench_suspects.py`` does not use. What is best on one set is judged by the benchmark on the other.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
from bench_suspects import Ours, auroc, find_hard, flip, read_set
from threadpoolctl import threadpool_limits

from curator.embed.models import open_embedder
from curator.inspect.suspects import judge
from curator.manifests.settings import EmbedSettings

SEEDS, RATES = range(100, 104), (0.05, 0.08, 0.2)
WEIGHTS, PENALTIES = (0, 1 / 8, 1 / 5, 1 / 4, 1 / 3), (0.3, 0.1, 0.03)


def main():
    """Print a line for each choice, the best of each set first."""
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "photos")
    embedder = open_embedder(EmbedSettings(), Path())
    with tempfile.TemporaryDirectory() as cache, threadpool_limits(1):
        for folder in sorted(photos.iterdir()):
            features, labels = read_set(folder, embedder, Path(cache))
            ours, kinds, found = Ours(features), (None, find_hard(features, labels)), {}
            for judge.NEIGHBOURS_WEIGHT, judge.PENALTY_AGAIN in product(WEIGHTS, PENALTIES):
                areas = []
                for hardness, rate, seed in product(kinds, RATES, SEEDS):
                    given, truth = flip(labels, rate, seed, hardness)
                    areas.append(auroc(ours(given), truth))
                found[judge.NEIGHBOURS_WEIGHT, judge.PENALTY_AGAIN] = np.mean(areas)
            for (weight, penalty), area in sorted(found.items(), key=lambda one: -one[1]):
                print(f"{folder.name}: {weight:.2f} of the vote, penalty {penalty:g}: AUROC {area:.4f}", flush=True)


if __name__ == "__main__":
    main()
