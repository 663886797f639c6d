"""Request a few listed images, and predict from them what the whole fetch will yield and cost.

>>> in_words(0.97), in_words(0.4), in_words(0.001)
('in reach', 'unlikely', 'out of reach')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator import catalog
from curator.catalog import BoolArray
from curator.decide.quality import drop_poor_images
from curator.decide.target import choose_sample
from curator.fetch.ledger.history import read_costs
from curator.fetch.outcomes import read_outcomes
from curator.fetch.row_addresses import parse_rows
from curator.inspect.forecast.prediction import Effort, Prediction, Stratum, estimate_effort, predict_images
from curator.manifests.project import Project
from curator.manifests.settings import BalanceSettings
from curator.pipeline.acquire import AcquireOptions, Listing, fetch_and_judge, n_tiers
from curator.sources.registry import host_limits
from curator.store.lock import locked

_LIKELY = ((0.95, "in reach"), (0.5, "likely"), (0.05, "unlikely"))


@dataclass(frozen=True)
class Forecast:
    """What a probe found, and what follows from it.

    Attributes:
        n_requested: images that this probe requested.
        strata: each label and source, with how many images it will yield when all is requested.
        labels: the same of each label.
        balance: how many images each label is to have.
        effort: what the fetch will cost, up to its target.
        has_more: whether there are tiers that were not listed.
    """

    n_requested: int
    strata: tuple[tuple[Stratum, Prediction], ...]
    labels: Mapping[str, Prediction]
    balance: BalanceSettings
    effort: Effort
    has_more: bool

    @property
    def n_tried(self) -> int:
        """Images requested so far, by this probe and before."""
        return sum(stratum.n_tried for stratum, _ in self.strata)


def in_words(chance: float) -> str:
    """Say how likely a label gets its images."""
    return next((word for least, word in _LIKELY if chance >= least), "out of reach")


def probe(project: Project, listing: Listing, n: int, options: AcquireOptions) -> Forecast:
    """Request ``n`` of the listed images, and forecast.

    The sample is stratified by label and source and fixed by the recipe's seed. It is requested as by any fetch, and
    recorded in the project's ledger: no later fetch repeats it. What was tried before counts too.

    Args:
        options: ``everything`` and ``limit`` say what the fetch would request.

    Raises:
        LockedError: another run holds the data set.
    """
    table = catalog.kept(listing.table).reset_index(drop=True)
    codes, names = pd.factorize(pd.MultiIndex.from_frame(table[["label", "source"]].astype(object)), sort=True)
    strata = codes.astype(np.int64)
    requestable = parse_rows(table).is_requestable(table).to_numpy(zero_copy_only=False)
    with locked(project.paths.lock, "fetch --plan --probe"):
        open_rows = requestable & ~_is_tried(_outcomes(project, table))
        chosen = choose_sample(table, np.where(open_rows, strata, -1), n, project.recipe.split.seed)
        if chosen.any():
            rows = table[chosen].reset_index(drop=True)
            fetch_and_judge(project, catalog.to_arrow(rows), AcquireOptions(), listing)
        outcomes = _outcomes(project, table)
    tried = requestable & _is_tried(outcomes)
    masks = (np.ones(len(table), bool), requestable, tried, tried & catalog.is_kept(outcomes))
    columns = [np.bincount(strata[mask], minlength=len(names)).tolist() for mask in masks]
    counted = [Stratum(*name, *counts) for name, counts in zip(names, zip(*columns, strict=True), strict=True)]
    return _forecast(project, outcomes, strata, counted, int(chosen.sum()), options)


def _outcomes(project: Project, table: pd.DataFrame) -> pd.DataFrame:
    return drop_poor_images(read_outcomes(table, project), project.recipe.quality)


def _is_tried(outcomes: pd.DataFrame) -> BoolArray:
    return ~catalog.is_kept(outcomes) | outcomes["sha256"].notna().to_numpy(dtype=bool)


def _forecast(
    project: Project,
    outcomes: pd.DataFrame,
    strata: npt.NDArray[np.int64],
    counted: list[Stratum],
    n_requested: int,
    options: AcquireOptions,
) -> Forecast:
    recipe = project.recipe
    seed = recipe.split.seed
    each = tuple((stratum, predict_images([stratum], seed)) for stratum in counted)
    of_label = {label: [stratum for stratum in counted if stratum.label == label] for label in recipe.labels}
    labels = {label: predict_images(mine, seed) for label, mine in of_label.items()}
    targets = {label: 0 if options.everything else recipe.target_of(label) for label in recipe.labels}
    share = {label: _share_left(mine, labels[label], targets[label], options) for label, mine in of_label.items()}
    shares = np.array([share[stratum.label] for stratum in counted])
    effort = _effort(project, outcomes, strata, shares)
    has_more = bool(len(outcomes)) and int(outcomes["tier"].max()) + 1 < n_tiers(project)
    return Forecast(n_requested, each, labels, recipe.balance, effort, has_more)


def _share_left(mine: list[Stratum], predicted: Prediction, target: int, options: AcquireOptions) -> float:
    """Say which share of what is left of a label, with these strata, the fetch will request until it has its target."""
    n_left, have = sum(stratum.n_left for stratum in mine), sum(stratum.n_ok for stratum in mine)
    if not n_left:
        return 0.0
    wanted = float(n_left)
    to_come = predicted.expected - have
    if target and to_come:
        wanted = max(target - have, 0) * n_left / to_come
    if options.limit is not None:
        wanted = min(wanted, options.limit - sum(stratum.n_tried for stratum in mine))
    return float(np.clip(wanted / n_left, 0.0, 1.0))


def _effort(
    project: Project, outcomes: pd.DataFrame, strata: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> Effort:
    parsed = parse_rows(outcomes)
    first, second = parsed.addresses(outcomes)
    rows = pd.DataFrame({"host": parsed.host_of_rows().to_pylist(), "stratum": strata})
    rows["share"] = shares[strata] if len(strata) else 0.0
    on_the_web = rows["host"].notna().to_numpy()
    tried = _is_tried(outcomes)
    costs = read_costs(project.paths)
    for name in ("seconds", "n_bytes"):
        known = costs[name].to_dict()
        rows[name] = [
            known.get(a, 0.0) + known.get(b, 0.0) for a, b in zip(first.to_pylist(), second.to_pylist(), strict=True)
        ]
    limits = host_limits(project.recipe.sources, project.recipe.fetch.per_host)
    return estimate_effort(rows[on_the_web & tried], rows[on_the_web & ~tried], project.recipe.fetch, limits)
