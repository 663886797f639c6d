"""What each source of a recipe would bring: the images it lists of each label, and under which licences.

>>> table = catalog.conform(pd.DataFrame({"source": ["a", "a", "b"], "label": ["x", "y", "x"],
...     "license": ["CC0", None, None]}))
>>> [(offer.source, offer.labels, offer.licences) for offer in count_offers(table, ["a", "b"], ("x", "y"), {})][0]
('a', {'x': 1, 'y': 1}, {'CC0 1.0': 1, 'licence not stated': 1})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from curator import catalog as catalog
from curator.catalog import Stage
from curator.inspect.settings_news import decided_anew
from curator.inspect.stage_result import StageResult, stage_result
from curator.manifests.licences import frequent_keys, licence_name
from curator.manifests.project import Project
from curator.pipeline.acquire import AcquireOptions, n_tiers, plan_listing
from curator.pipeline.run_stages import Outcome
from curator.text import Text


@dataclass(frozen=True)
class Offer:
    """What one source would bring.

    Attributes:
        source: its name in tables.
        labels: the images of each label that may be requested.
        licences: how many of these are under which licence, by its short name, the most first.
        n_left_out: listed images that may not be requested: forgotten, or of a licence that is not allowed.
        failure: why it could not be listed; empty if it could.
    """

    source: str
    labels: dict[str, int]
    licences: dict[str, int]
    n_left_out: int = 0
    failure: Text = ""


@dataclass(frozen=True)
class Plan(StageResult):
    """What a fetch would request; ``has_more``: sources have further lists, for labels that stay short."""

    offers: tuple[Offer, ...] = ()
    has_more: bool = False


def make_plan(project: Project, options: AcquireOptions) -> Plan:
    """List what a fetch would list; request no image.

    Raises:
        SourceError: no source could be listed.
    """
    listing = plan_listing(project, options)
    table = listing.table
    notes = (*listing.failures.values(), *decided_anew(project, table))
    result = stage_result(project, Stage.LISTED, Outcome(table, notes))
    failures = {name.split(" ", 1)[1]: text for name, text in listing.failures.items()}
    titles = list(dict.fromkeys(source.title for source in project.recipe.sources))
    offers = count_offers(table, titles, project.recipe.labels, failures)
    has_more = bool(len(table)) and int(table["tier"].max()) + 1 < n_tiers(project)
    return Plan(**vars(result), offers=tuple(offers), has_more=has_more)


def count_offers(
    table: pd.DataFrame, sources: Sequence[str], labels: Sequence[str], failures: Mapping[str, Text]
) -> list[Offer]:
    """Count what each of the named sources has in a catalog of listed images."""
    rows = table.assign(licence=pd.Series(frequent_keys(table), index=table.index, dtype=pd.ArrowDtype(pa.string())))
    by_source: dict[str, pd.DataFrame] = {str(name): part for name, part in rows.groupby("source")}
    offers = []
    for name in sources:
        mine = by_source.get(name, rows.iloc[:0])
        kept = catalog.kept(mine)
        counted = kept["label"].value_counts()
        of_label = {label: int(counted.get(label, 0)) for label in labels}
        offers.append(Offer(name, of_label, _licences(kept), len(mine) - len(kept), failures.get(name, "")))
    return offers


def _licences(rows: pd.DataFrame) -> dict[str, int]:
    counts = [(str(key), int(n)) for key, n in rows["licence"].value_counts().items()]
    return {licence_name(key): n for key, n in sorted(counts, key=lambda one: (-one[1], one[0]))}
