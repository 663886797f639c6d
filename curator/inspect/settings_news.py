"""What a change of settings means for what was fetched before: what the next fetch decides anew.

>>> import pandas as pd
>>> rows = {"drop_reason": ["too-many-bytes", "gone", None, None], "n_bytes": [None, None, 9_000, 70]}
>>> table = catalog.conform(pd.DataFrame(rows))
>>> count_affected(table, {"max_bytes": (10_000, 8_000)}, Recipe("balls", ("a",), (), FetchSettings(max_bytes=8_000)))
1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from curator import catalog
from curator.catalog import Stage
from curator.decide.licences import drop_unlicensed
from curator.decide.quality import drop_poor_images
from curator.fetch.plan import count_decided_anew
from curator.fetch.policy import lets_in
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings as FetchSettings
from curator.pipeline.made_from import changed_settings
from curator.reasons import Drop, Eases
from curator.store.catalog_files import read_catalog
from curator.text import Command, Text, plural

if TYPE_CHECKING:
    import pandas as pd

_SWITCHES = {name for reason in Drop for name, way in reason.traits.settings if way in (Eases.ON, Eases.OFF)}


def settings_news(project: Project) -> tuple[Text, ...]:
    """Say which settings have changed since the last fetch, and how many images that may let in or leave out."""
    changed = changed_settings(project)
    if not changed:
        return ()
    n = count_affected(read_catalog(project.paths.catalog(Stage.FETCHED)), changed, project.recipe)
    if not n and not changed.keys() & _SWITCHES:
        return ()
    names = ", ".join(f"{name} ({_spelled(before)}, now {_spelled(now)})" for name, (before, now) in changed.items())
    which = f"{_images(n)} decided anew" if n else "what it concerns is decided anew"
    return ((f"changed since the last fetch: {names}; {which} by the next fetch: run ", Command("fetch")),)


def count_affected(table: pd.DataFrame, changed: dict[str, tuple[Any, Any]], recipe: Recipe) -> int:
    """Count the rows of a fetched catalog that a change lets in, or would now leave out by their size."""
    eased = [
        str(reason)
        for reason in Drop
        if any(name in changed and lets_in(way, *changed[name]) for name, way in reason.traits.settings)
    ]
    is_eased = table["drop_reason"].isin(eased).to_numpy(dtype=bool)
    kept = drop_unlicensed(catalog.kept(table), recipe.licence)
    judged = catalog.dropped(drop_poor_images(kept, recipe.quality))
    is_large = catalog.is_kept(table) & (catalog.read_integers(table["n_bytes"], 0) > recipe.fetch.max_bytes)
    return int(np.count_nonzero(is_eased)) + len(judged) + int(is_large.sum())


def decided_anew(project: Project, table: pd.DataFrame) -> tuple[Text, ...]:
    """Say what a fetch of this listing would decide anew because a setting has changed; nothing if nothing."""
    counted = count_decided_anew(catalog.kept(table).reset_index(drop=True), project)
    if not counted:
        return ()
    parts = ", ".join(f"{name} {n:,}" for name, n in counted.items())
    return (f"{_images(sum(counted.values()))} decided anew, as settings have changed: {parts}",)


def _images(n: int) -> str:
    return plural(n, "image is", "images are")


def _spelled(value: Any) -> str:
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else f"{value!r}" if isinstance(value, str) else f"{value:g}"
