"""Audit a published set where it lies: list it, look at each file once, compare, judge, and write the page.

>>> import tempfile
>>> from PIL import Image
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("train/heron/1.png", "train/stork/2.png", "test/heron/1.png"):
...     (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
...     Image.linear_gradient("L").rotate(int(name[-5]) * 30).save(root / "set" / name)
>>> found = audit(root / "set", output=root / "page.html", cache=root / "cache", embed=False, emit=ignore)
>>> found.counts["leaks"], found.copies.n_exact_across, found.page.name
(1, 1, 'page.html')
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator import catalog
from curator.embed.embedder import Embedder
from curator.embed.extra import import_package
from curator.embed.models import open_embedder
from curator.errors import CuratorError, StateError, raises_curator_errors
from curator.events import Listener
from curator.events import ignore as ignore
from curator.inspect.audit.confounds import find_confounds
from curator.inspect.audit.copies import find_pairs
from curator.inspect.audit.cost import measure_cost
from curator.inspect.audit.homes import choose_homes
from curator.inspect.audit.listed import Published, list_published
from curator.inspect.audit.observed import MAX_PIXELS, observe_in_place, with_observations
from curator.inspect.audit.page import write_page
from curator.inspect.audit.result import WORDS, Audit, find_failed
from curator.inspect.audit.shared_groups import find_shared, join_groups
from curator.inspect.suspects.find import embed_files
from curator.inspect.suspects.principal import likenesses, principal
from curator.inspect.suspects.rows import compose_table
from curator.manifests.recipe import EmbedSettings, SuspectsSettings
from curator.manifests.toml_settings import suggest
from curator.progress import Bars
from curator.store.lock import locked
from curator.store.paths import LOCK

_NEED_SIDES = ("leaks", "groups")
_TOO_ALIKE = (
    "More pictures look alike than can be told apart by looks: only files of the same bytes were taken for copies"
)
_NO_SIDES = "There are no sides to compare: the set was looked at as one"


@raises_curator_errors
def audit(
    *places: str | Path,
    columns: Mapping[str, str] | None = None,
    exact: bool = False,
    embed: bool = True,
    fail_on: Sequence[str] = (),
    output: str | Path | None = None,
    cache: str | Path | None = None,
    emit: Listener | None = None,
) -> Audit:
    """Audit a published set, without a recipe and without writing into it; ``curator.audit`` is this function.

    Args:
        places: a folder with its sides, a manifest, a folder with ``metadata.csv`` or Parquet files; or a place a side.
        columns: what which column of a table is, as in ``{"label": "species"}``.
        exact: take only files of the same bytes for copies, where pictures look alike on purpose.
        embed: look for wrong labels and measure what the leaks cost, with a network's features.
        fail_on: words of :data:`curator.inspect.audit.result.WORDS`; ``failed`` names those of which there is one.
        output: the page; None: ``<name>-audit.html`` in the working folder, or in ``cache`` if that is in the set.
        cache: the folder that keeps what was seen, for the next time; None: in the user's cache folder.
        emit: called with each event; None: progress bars in a notebook or terminal.

    Raises:
        SourceError: there is no set of two labels at the places.
        CuratorError: something in ``fail_on`` cannot be looked for, or a file would be written into the set.
    """
    if unknown := [word for word in fail_on if word not in WORDS]:
        raise CuratorError(
            f"--fail-on {unknown[0]} is unknown{suggest(unknown[0], WORDS)}.", f"Known: {', '.join(WORDS)}."
        )
    wanted, emit = tuple(map(str, places)), emit or Bars()
    homes = choose_homes(wanted, output, cache)
    embedder, why_not = _open_network() if embed else (None, "")
    if "suspects" in fail_on and embedder is None:
        raise CuratorError("--fail-on suspects needs a network's features.", why_not or "Leave out --no-embed.")
    with locked(homes.cache / LOCK, "audit"):
        published = list_published(wanted, homes.cache, columns)
        if not published.sides and (vain := [word for word in fail_on if word in _NEED_SIDES]):
            message = f"--fail-on {vain[0]} compares sides, and {' and '.join(wanted)} has none."
            raise CuratorError(
                message, "Name the folder around train/ and test/, or the two: `curator audit train test`."
            )
        seen = observe_in_place(published.table["local_path"].tolist(), homes.cache / "seen", emit)
        published = dataclasses.replace(published, table=with_observations(published.table, seen))
        usable = np.flatnonzero(catalog.is_kept(published.table))
        table = published.table.iloc[usable].reset_index(drop=True)
        traces = seen.select(["camera", "jpeg_quality"]).take(usable).to_pandas()
        notes = [*published.notes, *([] if published.sides else [_NO_SIDES]), *([why_not] if why_not else [])]
        found = _judge(wanted, published, table, traces, exact, embedder, homes.cache, notes, emit)
        if vain := [word for word in fail_on if found.counts[word] is None]:
            raise StateError(f"--fail-on {vain[0]} was not looked for.", found.notes[-1])
        found = dataclasses.replace(found, page=homes.page, failed=find_failed(found.counts, tuple(fail_on)))
        write_page(found)
    return found


def _open_network() -> tuple[Embedder | None, str]:
    """Open the network that features are of; else say why there is none."""
    try:
        import_package("threadpoolctl")
        return open_embedder(EmbedSettings(), Path()), ""
    except CuratorError as error:
        return None, f"Wrong labels were not looked for, nor what leaks cost: {error.spelled()}"


def _judge(
    places: tuple[str, ...],
    published: Published,
    table: pd.DataFrame,
    traces: pd.DataFrame,
    exact: bool,
    embedder: Embedder | None,
    cache: Path,
    notes: list[str],
    emit: Listener,
) -> Audit:
    copies = find_pairs(table, exact)
    if not copies.is_near and not exact:
        notes.append(_TOO_ALIKE)
    names = [label for label in published.labels if (table["label"] == label).any()]
    labels = np.asarray(pd.Categorical(table["label"], categories=names).codes, dtype=np.int64)
    groups = join_groups(table, copies.groups)
    facts = table.assign(camera=traces["camera"].to_numpy(), jpeg_quality=traces["jpeg_quality"].to_numpy())
    found = Audit(
        places=places,
        published=published,
        table=table,
        copies=copies,
        groups=tuple(find_shared(table)),
        confounds=tuple(find_confounds(facts, labels, names, groups)),
        suspects=None,
        cost={},
        model="",
        notes=tuple(notes),
        page=Path(),
    )
    return _judge_by_features(found, labels, groups, embedder, cache, emit) if embedder and len(table) else found


def _judge_by_features(
    found: Audit, labels: Any, groups: Any, embedder: Embedder, cache: Path, emit: Listener
) -> Audit:
    """Add the suspects and what the leaks cost."""
    table, copies = found.table, found.copies
    files = [Path(path) for path in table["local_path"]]
    try:
        features, looks = embed_files(files, table["sha256"].tolist(), cache, embedder, MAX_PIXELS, emit)
    except StateError as error:
        note = f"Wrong labels were not looked for, nor what leaks cost: {error.message}"
        return dataclasses.replace(found, notes=(*found.notes, note))
    # A linear algebra library's threads wait busily for each other: on small matrices that is most of what they do.
    with import_package("threadpoolctl").threadpool_limits(1):
        judged = compose_table(table, features, looks, groups, found.published.labels, SuspectsSettings())
        cost = {}
        if len(found.published.sides) > 1:
            first, last = found.published.sides[0], found.published.sides[-1]
            side = table["listed_split"]
            is_train, is_test = ((side == name).fillna(False).to_numpy(dtype=bool) for name in (first, last))
            inputs = principal(likenesses(features))
            cost = measure_cost(
                inputs, labels, is_train, is_test, copies.is_leaked, copies.groups, int(labels.max()) + 1
            )
    notes = (*found.notes, *judged.notes)
    return dataclasses.replace(found, suspects=judged.table, cost=cost, model=embedder.title, notes=notes)
