"""What the shell proposes after Tab: recipes, images, formats, choices; quick, so without pandas.

>>> choices("near", "exact", "off")("e"), export_formats("co")
(['exact'], ['coco'])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from curator.errors import CuratorError
from curator.store.paths import DATA, MANIFESTS, RECIPE
from curator.store.root import place_of, working_place

MOST_PROPOSALS = 100
"""Images that are proposed: a shell asks before it lists more."""

EXPORT_FORMATS = ("imagefolder", "keras", "webdataset", "parquet", "tfrecord", "croissant", "coco")
"""The names in :data:`curator.export.export.FORMATS`, which imports pandas."""

MODELS = ("cnn", "mobilenet_v2", "efficientnet_lite0", "mobilenet_v2_tuned", "cnn_pooled")
"""The names in :data:`curator.benchmark.models.registry.MODELS`."""

AUDIT_WORDS = ("leaks", "groups", "conflicts", "copies", "unreadable", "confounds", "suspects")
"""The words in :data:`curator.inspect.audit.result.WORDS`."""


def choices(*words: str) -> Callable[[str], list[str]]:
    """Return what proposes these words."""

    def propose(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return propose


export_formats = choices(*EXPORT_FORMATS)


def several(*words: str) -> Callable[[str], list[str]]:
    """Return what proposes these words, those that are not yet in a list separated by commas."""

    def propose(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{word}" for word in words if word.startswith(last) and word not in before.split(",")]

    return propose


model_names = several(*MODELS)
audit_words = several(*AUDIT_WORDS)


def recipe_names(incomplete: str) -> list[str]:
    """Propose the recipes of the project; of no such name, the shell proposes files."""
    homes = (working_place(MANIFESTS), working_place(DATA))
    names = {path.parent.name for home in homes for path in home.glob(f"*/{RECIPE}")}
    return sorted(name for name in names if name.startswith(incomplete))


def images(context: typer.Context, incomplete: str) -> list[str]:
    """Propose the record ids and the files in the sources that begin like this; else the shell proposes files."""
    try:
        catalog = _latest_catalog(context.params.get("recipe"), context.params.get("data"))
        return sorted(_beginning_with(catalog, incomplete)) if catalog else []
    except (CuratorError, OSError, ValueError):
        return []


def _latest_catalog(recipe: str | None, data: Path | None) -> Path | None:
    from curator.manifests.project import find_recipe
    from curator.manifests.recipe import NAME_PATTERN
    from curator.manifests.toml_settings import parse_toml

    path = find_recipe(recipe, working_place(MANIFESTS), data or working_place(DATA), os.environ)
    name = parse_toml(path.read_text(encoding="utf-8-sig")).get("name")
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        return None
    return max((data or place_of(path, DATA)).joinpath(name, "catalog").glob("[0-9]-*.parquet"), default=None)


def _beginning_with(catalog: Path, text: str) -> Iterator[str]:
    """Yield the first names in a catalog that begin with a text, some rows at a time."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    n_left = MOST_PROPOSALS
    with pq.ParquetFile(catalog) as file:
        for batch in file.iter_batches(columns=["record_id", "source_id"]):
            for column in batch.columns:
                found = column.filter(pc.starts_with(column, text)).slice(0, n_left).to_pylist()
                yield from found
                n_left -= len(found)
            if n_left <= 0:
                return
