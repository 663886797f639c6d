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
import pyarrow as pa
from threadpoolctl import threadpool_limits

from curator import catalog
from curator.catalog import IntArray
from curator.decide.dedupe import describe_narrower
from curator.decide.judged import Judged
from curator.embed.embedder import Embedder
from curator.embed.models import open_embedder
from curator.errors import CuratorError, StateError, raises_curator_errors
from curator.events import Listener
from curator.events import ignore as ignore
from curator.inspect.audit.confounds import find_confounds
from curator.inspect.audit.copies import find_pairs, is_too_alike
from curator.inspect.audit.cost import measure_cost
from curator.inspect.audit.homes import choose_homes
from curator.inspect.audit.listed import Published, list_published
from curator.inspect.audit.observed import MAX_PIXELS, observe_in_place, with_observations
from curator.inspect.audit.page import write_page
from curator.inspect.audit.result import WORDS, Audit, find_failed
from curator.inspect.audit.shared_groups import find_shared, join_groups
from curator.inspect.suspects.find import embed_files
from curator.inspect.suspects.principal import judged_by
from curator.inspect.suspects.rows import compose_table
from curator.manifests.settings import DedupeSettings, EmbedSettings, SuspectsSettings
from curator.manifests.toml_settings import suggest
from curator.observe.traces import Traces
from curator.pipeline.judging.compare_pictures import compare_pictures
from curator.pipeline.judging.contents import Contents
from curator.pipeline.judging.means import Means
from curator.progress import Bars
from curator.store.lock import locked
from curator.store.paths import LOCK

_NEED_SIDES = ("leaks", "groups")
_TOO_ALIKE = (
    "More pictures look alike than can be told apart by looks: only files of the same bytes were taken for copies"
)
_NO_SIDES = "There are no sides to compare: the set was looked at as one"
_NAME_SIDES = "Name the folder around train/ and test/, or the two: `curator audit train test`."
_NOT_JUDGED = "Wrong labels were not looked for, nor what leaks cost"


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
    wanted, words, emit = tuple(map(str, places)), tuple(fail_on), emit or Bars()
    homes = choose_homes(wanted, output, cache)
    embedder, why_not = _open_network() if embed else (None, "")
    _refuse_words(words, None if embedder else why_not or "Leave out --no-embed.")
    with locked(homes.cache / LOCK, "audit"):
        published = list_published(wanted, homes.cache, columns)
        if not published.sides and (vain := [word for word in words if word in _NEED_SIDES]):
            raise CuratorError(f"--fail-on {vain[0]} compares sides, and {' and '.join(wanted)} has none.", _NAME_SIDES)
        seen = observe_in_place(published.table["local_path"].tolist(), homes.cache / "seen", emit)
        means = Means(homes.cache / "judged.parquet", homes.cache, homes.cache, embedder, MAX_PIXELS, emit)
        found = _compare(wanted, published, seen, None if exact else means, [why_not] if why_not else [])
        found = _judge(found, embedder, homes.cache, emit) if embedder and len(found.table) else found
        return _finish(dataclasses.replace(found, page=homes.page), words)


def _finish(found: Audit, words: Sequence[str]) -> Audit:
    """The audit with the words that failed, and its page, which is written also if a word cannot be looked for."""
    try:
        found = dataclasses.replace(found, failed=find_failed(found, words))
    finally:
        write_page(found)
    return found


def _refuse_words(words: Sequence[str], why_no_network: str | None) -> None:
    """Refuse what cannot be looked for, before a long look."""
    if unknown := [word for word in words if word not in WORDS]:
        message = f"--fail-on knows no {unknown[0]!r}{suggest(unknown[0], WORDS).rstrip('?')}."
        raise CuratorError(message, f"Its words are {', '.join(WORDS)}.")
    if "suspects" in words and why_no_network:
        raise CuratorError("--fail-on suspects needs a network's features.", why_no_network)


def _open_network() -> tuple[Embedder | None, str]:
    """Open the network that features are of; else say why there is none."""
    try:
        return open_embedder(EmbedSettings(), Path()), ""
    except CuratorError as error:
        return None, f"{_NOT_JUDGED}: {error.spelled()}"


def _compare(
    places: tuple[str, ...], published: Published, seen: pa.Table, means: Means | None, notes: Sequence[str]
) -> Audit:
    """Find what files, hashes and pixels say; without means to compare pixels, only files."""
    published = dataclasses.replace(published, table=with_observations(published.table, seen))
    usable = np.flatnonzero(catalog.is_kept(published.table))
    table = published.table.iloc[usable].reset_index(drop=True)
    by_bytes, judged = means is None or is_too_alike(table), None
    if means is not None and not by_bytes:
        judged = Judged.from_table(compare_pictures(_name_contents(table), DedupeSettings(), means))
    copies, labels = find_pairs(table, by_bytes, judged), number_labels(table, published)
    traces = {name: seen[name].take(pa.array(usable)).to_pandas().to_numpy() for name in Traces._fields}
    facts, groups = table.assign(**traces), join_groups(table, copies.groups)
    notes = [*published.notes, *([] if published.sides else [_NO_SIDES]), *notes]
    if copies.n_compared is not None:
        notes += describe_narrower(copies.n_compared, DedupeSettings())
    elif means is not None:
        notes.append(_TOO_ALIKE)
    return Audit(
        places=places,
        published=published,
        table=table,
        copies=copies,
        groups=tuple(find_shared(table)),
        confounds=tuple(find_confounds(facts, labels, published.labels, groups)),
        suspects=None,
        cost={},
        model="",
        notes=tuple(notes),
        page=Path(),
    )


def _name_contents(table: pd.DataFrame) -> Contents:
    """Read the contents of usable files where they lie."""
    return Contents.of_rows(table, lambda rows: rows["local_path"].tolist())


def number_labels(table: pd.DataFrame, published: Published) -> IntArray:
    """Number the labels of images in the order of the set's."""
    return np.asarray(pd.Categorical(table["label"], categories=list(published.labels)).codes, dtype=np.int64)


def _judge(found: Audit, embedder: Embedder, cache: Path, emit: Listener) -> Audit:
    """Add what features say: the suspects, and what the leaks cost."""
    table, copies, published = found.table, found.copies, found.published
    files = [Path(path) for path in table["local_path"]]
    try:
        features, looks = embed_files(files, table["sha256"].tolist(), cache, embedder, MAX_PIXELS, emit)
    except StateError as error:
        return dataclasses.replace(found, notes=(*found.notes, f"{_NOT_JUDGED}: {error.message}"))
    # A linear algebra library's threads wait busily for each other: on small matrices that is most of what they do.
    with threadpool_limits(1):
        groups = join_groups(table, copies.groups)
        judged = compose_table(table, features, looks, groups, published.labels, SuspectsSettings())
        cost: Mapping[str, Any] = {}
        if published.sides:
            sides = (published.sides[0], published.sides[-1])
            is_train, is_test = ((table["listed_split"] == side).fillna(False).to_numpy(dtype=bool) for side in sides)
            inputs, labels = judged_by(features), number_labels(table, published)
            cost = measure_cost(
                inputs, labels, is_train, is_test, copies.is_leaked, copies.groups, len(published.labels)
            )
    notes = (*found.notes, *judged.notes)
    return dataclasses.replace(found, suspects=judged.table, cost=cost, model=embedder.title, notes=notes)
