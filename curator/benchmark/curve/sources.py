"""Which source's images teach a model most: train without each source, and with more of each.

>>> by_source(np.array(["a", "b", "a"], dtype=object), least=1)
{'a': array([0, 2]), 'b': array([1])}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.benchmark.compare import FloatArray, estimate
from curator.benchmark.curve.subsets import nested_parts
from curator.benchmark.images.labelled_images import IntArray, TextArray

Errors = Callable[[IntArray, int], npt.NDArray[np.bool_]]
"""Trains on rows with a seed and returns which test images are wrong."""

MOST_SOURCES, LEAST_IMAGES = 8, 20
LEAST_OF_LABEL = 5


def by_source(sources: TextArray, least: int = LEAST_IMAGES) -> dict[str, IntArray]:
    """Find the images of each source that has at least so many of them, the largest source first."""
    names, counts = np.unique(sources.astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_SOURCES]
    return {str(names[one]): np.flatnonzero(sources == names[one]) for one in order if counts[one] >= least}


def compare_sources(
    errors: Errors,
    labels: IntArray,
    groups: TextArray,
    sources: TextArray,
    test_groups: TextArray,
    seeds: Sequence[int],
) -> dict[str, Any] | None:
    """Measure what each source is worth on the test images; None if there is only one.

    Args:
        errors: trains on positions of the images given here, whose ``labels``, ``groups`` and ``sources`` follow.
        test_groups: the group of each test image: what the bootstrap draws.
        seeds: one training, and one order of chance, each.

    Returns:
        Of each source ``n`` training images; ``without``, what leaving it out adds to the share of right test images;
        and ``more``, what ``n_more`` further images of it add to half of the training images: ``mean``, ``low``,
        ``high``, widened so that all of them hold together with 95% confidence (Bonferroni). ``best`` is the source
        whose further images surely help most, if there is such a one. ``without`` or ``more`` is None where a label
        would have too few images left, or where a source is too small.
    """
    rows_of = by_source(sources)
    if len(rows_of) < 2:
        return None
    right, confidence = partial(_mean_right, errors), 1 - 0.05 / (2 * len(rows_of))
    lost = _leave_out(right, rows_of, labels, seeds)
    gains, n_more = _add_more(right, rows_of, labels, groups, seeds)
    found = {
        name: {
            "n": len(rows),
            "without": estimate(lost[name], test_groups, confidence) if name in lost else None,
            "more": estimate(gains[name], test_groups, confidence) if name in gains else None,
        }
        for name, rows in rows_of.items()
    }
    return {"sources": found, "n_more": n_more, "best": _surely_best(gains, test_groups), "confidence": confidence}


def _mean_right(errors: Errors, parts: Mapping[int, IntArray]) -> FloatArray:
    return np.asarray(np.mean([~errors(rows, seed) for seed, rows in parts.items()], axis=0), dtype=np.float64)


Right = Callable[[Mapping[int, IntArray]], FloatArray]
"""Trains on the rows of each seed; returns the share of seeds that get each test image right."""


def _leave_out(
    right: Right, rows_of: Mapping[str, IntArray], labels: IntArray, seeds: Sequence[int]
) -> dict[str, FloatArray]:
    """Train without each source, if every label has images left; return what that adds, for each test image."""
    n_labels, every = len(np.unique(labels)), np.arange(len(labels))
    rests = {name: np.setdiff1d(every, rows) for name, rows in rows_of.items()}
    full = right(dict.fromkeys(seeds, every))
    return {
        name: right(dict.fromkeys(seeds, rest)) - full
        for name, rest in rests.items()
        if np.bincount(labels[rest], minlength=n_labels).min() >= LEAST_OF_LABEL
    }


def _add_more(
    right: Right, rows_of: Mapping[str, IntArray], labels: IntArray, groups: TextArray, seeds: Sequence[int]
) -> tuple[dict[str, FloatArray], int]:
    """Train on half of every source, and with as many more images of each; return what those add, and how many."""
    halves, added, n_more = _halves(rows_of, labels, groups, seeds)
    if n_more < LEAST_OF_LABEL:
        return {}, n_more
    start = right(halves)
    joined = {name: {seed: np.union1d(halves[seed], added[name][seed]) for seed in seeds} for name in rows_of}
    return {name: right(parts) - start for name, parts in joined.items()}, n_more


def _halves(
    rows_of: Mapping[str, IntArray], labels: IntArray, groups: TextArray, seeds: Sequence[int]
) -> tuple[dict[int, IntArray], dict[str, dict[int, IntArray]], int]:
    """Cut each source in half; of each other half take as many images as the smallest has.

    Returns:
        The halves of a seed, together; of each source and seed what is added to them; and how many images that are.
    """
    halves: dict[int, IntArray] = {}
    rest: dict[str, dict[int, IntArray]] = {name: {} for name in rows_of}
    for seed in seeds:
        parts = [rows[nested_parts(labels[rows], groups[rows], [0.5], seed)[0]] for rows in rows_of.values()]
        halves[seed] = np.sort(np.concatenate(parts))
        is_free = ~np.isin(groups.astype(str), np.unique(groups[halves[seed]].astype(str)))  # groups stay whole
        for name, rows in rows_of.items():
            rest[name][seed] = rows[is_free[rows]]
    n_more = min(len(rows) for of_source in rest.values() for rows in of_source.values())
    if n_more:
        for of_source in rest.values():
            for seed, rows in of_source.items():
                part = nested_parts(labels[rows], groups[rows], [n_more / len(rows)], seed)[0]
                of_source[seed] = rows[part]
    return halves, rest, n_more


def _surely_best(gains: Mapping[str, FloatArray], test_groups: TextArray) -> str | None:
    """Name the source that gains more than each other one does, by paired intervals that hold together."""
    if not gains:
        return None
    best = max(gains, key=lambda name: float(gains[name].mean()))
    others = [name for name in gains if name != best]
    confidence = 1 - 0.05 / len(others)
    sure = all(estimate(gains[best] - gains[name], test_groups, confidence)["low"] > 0 for name in others)
    return best if sure else None
