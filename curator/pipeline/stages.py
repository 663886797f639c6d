"""The deciding stages: each one's catalog, the recipe section that it obeys, and the function that decides.

That function is imported when its stage runs, so that a fetch starts without what compares pictures.

>>> [stage.name for stage in STAGES]
[<Stage.DEDUPED: 'deduped'>, <Stage.BALANCED: 'balanced'>, <Stage.SPLIT: 'split'>]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from curator import catalog
from curator.catalog import Stage
from curator.manifests.project import Project
from curator.manifests.reviews import Key, Review
from curator.store.mapped_column import MAPPED
from curator.text import Text

if TYPE_CHECKING:
    import pandas as pd

Reviews = Mapping[Key, Review]
"""What people decided and did not take back."""


Decision: TypeAlias = "tuple[pd.DataFrame, tuple[Text, ...]]"
"""What a stage decided: the catalog after it, and notes for a person."""


@dataclass(frozen=True)
class DecideStage:
    """A stage that decides: its catalog, the recipe section it obeys, and the function that decides."""

    name: Stage
    section: str
    columns: Callable[[Project, Reviews, pd.DataFrame | None], frozenset[str]]
    """Returns the columns of the catalog that it reads, those that it is counted by among them."""
    decide: Callable[[pd.DataFrame, Project, Reviews, pd.DataFrame | None], Decision]
    """Takes those of the catalog before, the project with the settings in effect, the reviews and the previous split's
    sides; of the catalog it changes :data:`curator.catalog.DECIDED` only."""


def _dedupe(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    from curator.pipeline.deciding import dedupe

    return dedupe(table, project, reviews, previous)


def _balance(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    from curator.pipeline.deciding import balance

    return balance(table, project, reviews, previous)


def _split(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    from curator.pipeline.deciding import split

    return split(table, project, reviews, previous)


COUNTED = frozenset({*catalog.DECIDED, "record_id", "source", "license", "sha256", "listed_split", "url"})
"""What every stage reads, and what it ended with is counted by."""
_HASHES = {"detail", "phash_turns", "phash256"}
_PLACES = {"kind", "source_id", "local_path", "url", "fallback_url", "final_url", "landing_url", "from_fallback"}


def _columns_of_dedupe(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    sizes = {"width", "height", "n_bytes", "tier"}
    return frozenset(COUNTED | sizes | _HASHES | {"phash", "format", "mode", "made_of"} | MAPPED | _PLACES)


def _columns_of_balance(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    may_straddle = previous is not None or project.recipe.split.keep
    return _columns_of_split(project, reviews, previous) if may_straddle else frozenset(COUNTED)


def _columns_of_split(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    recipe = project.recipe
    may_have_kept_copies = reviews or recipe.split.keep or recipe.dedupe.across_labels == "ignore"
    groups = _HASHES | _PLACES | {"made_of", "author", "author_url", "listed_group", "taken", "camera"}
    return frozenset(COUNTED | groups | (MAPPED if may_have_kept_copies else set()))


STAGES = (
    DecideStage(Stage.DEDUPED, "dedupe", _columns_of_dedupe, _dedupe),
    DecideStage(Stage.BALANCED, "balance", _columns_of_balance, _balance),
    DecideStage(Stage.SPLIT, "split", _columns_of_split, _split),
)
