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
from curator.benchmark.curve.subsets import nested_parts, part_of_counts
from curator.benchmark.images.labelled_images import IntArray, TextArray

Errors = Callable[[IntArray, int], npt.NDArray[np.bool_]]
"""Trains on rows with a seed and returns which test images are wrong."""

MOST_SOURCES, LEAST_IMAGES = 8, 20
LEAST_OF_LABEL = 5
MOST_OFF = 0.1
"""Sources whose parts differ by a greater share of their images are not compared: one would be said for its size."""


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
        and ``more``, what ``n_more`` further images of it, as many of each label from each source, add to half of the
        training images: ``mean``, ``low``, ``high``, widened so that all of them hold together with 95% confidence
        (Bonferroni), and ``n``, how many images that were in the mean over the seeds. ``best`` is the source whose
        further images surely help, and most, if there is such a one. ``without`` is None where a label would have too
        few images left, ``more`` where no such part can be taken: the source is too small, lacks a label, or its groups
        are too large.
    """
    rows_of = by_source(sources)
    if len(rows_of) < 2:
        return None
    right, confidence = partial(_mean_right, errors), 1 - 0.05 / (2 * len(rows_of))
    lost = _leave_out(right, rows_of, labels, seeds)
    gains, n_added, n_more = _add_more(right, rows_of, labels, groups, seeds)
    found = {
        name: {
            "n": len(rows),
            "without": estimate(lost[name], test_groups, confidence) if name in lost else None,
            "more": estimate(gains[name], test_groups, confidence) | {"n": n_added[name]} if name in gains else None,
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
) -> tuple[dict[str, FloatArray], dict[str, float], int]:
    """Train on half of every source, and with further images of each that can be compared.

    Returns:
        What they add, for each test image; how many images that were, in the mean over the seeds; how many were wanted.
    """
    halves, rest = _halves(rows_of, labels, groups, seeds)
    added, n_more = _equal_parts(rest, labels, groups)
    if len(added) < 2:
        return {}, {}, n_more
    start = right(halves)
    joined = {name: {seed: np.union1d(halves[seed], parts[seed]) for seed in seeds} for name, parts in added.items()}
    sizes = {name: float(np.mean([len(rows) for rows in parts.values()])) for name, parts in added.items()}
    return {name: right(parts) - start for name, parts in joined.items()}, sizes, n_more


def _halves(
    rows_of: Mapping[str, IntArray], labels: IntArray, groups: TextArray, seeds: Sequence[int]
) -> tuple[dict[int, IntArray], dict[str, dict[int, IntArray]]]:
    """Cut each source in half.

    Returns:
        The halves of a seed, together; of each source and seed the images that have nothing of their groups.
    """
    halves: dict[int, IntArray] = {}
    rest: dict[str, dict[int, IntArray]] = {name: {} for name in rows_of}
    for seed in seeds:
        parts = [rows[nested_parts(labels[rows], groups[rows], [0.5], seed)[0]] for rows in rows_of.values()]
        halves[seed] = np.sort(np.concatenate(parts))
        is_free = ~np.isin(groups.astype(str), np.unique(groups[halves[seed]].astype(str)))  # groups stay whole
        for name, rows in rows_of.items():
            rest[name][seed] = rows[is_free[rows]]
    return halves, rest


def _equal_parts(
    rest: Mapping[str, Mapping[int, IntArray]], labels: IntArray, groups: TextArray
) -> tuple[dict[str, dict[int, IntArray]], int]:
    """Take of each source and seed as many images of each label as the source with the fewest has.

    Labels are those that half of the sources or more have; a source without one of them has no part, nor has one whose
    groups are so large that its parts are off by more than :data:`MOST_OFF`.

    Returns:
        The parts; and how many images one should have.
    """
    n_labels = int(labels.max()) + 1

    def counts(parts: Mapping[int, IntArray]) -> IntArray:
        return np.array([np.bincount(labels[rows], minlength=n_labels) for rows in parts.values()])

    free = {name: counts(parts).min(axis=0) for name, parts in rest.items()}
    has = np.array([one >= LEAST_OF_LABEL for one in free.values()])
    is_common = has.mean(axis=0) >= 0.5
    names = [name for name, own in zip(free, has, strict=True) if is_common.any() and own[is_common].all()]
    if not names:
        return {}, 0
    wanted = np.where(is_common, np.min([free[name] for name in names], axis=0), 0)
    parts = {
        name: {
            seed: rows[part_of_counts(labels[rows], groups[rows], wanted, seed)] for seed, rows in rest[name].items()
        }
        for name in names
    }
    off = {name: np.abs(counts(one) - wanted).sum(axis=1).mean() for name, one in parts.items()}
    return {name: one for name, one in parts.items() if off[name] <= MOST_OFF * wanted.sum()}, int(wanted.sum())


def _surely_best(gains: Mapping[str, FloatArray], test_groups: TextArray) -> str | None:
    """Name the source that helps, and more than each other one does, by paired intervals that hold together."""
    if not gains:
        return None
    best = max(gains, key=lambda name: float(gains[name].mean()))
    leads = [gains[best], *(gains[best] - gains[name] for name in gains if name != best)]
    confidence = 1 - 0.05 / len(leads)
    return best if all(estimate(lead, test_groups, confidence)["low"] > 0 for lead in leads) else None
