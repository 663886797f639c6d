"""What a source is: the keys of its tables in the recipe, and a way to list images as rows of the catalog.

Add a source with one file here, one entry in :data:`curator.sources.registry.SOURCES` and one fixture in the tests.

>>> record_id("imagenet", "rugby", "http://example.org/a.jpg")
'imagenet-a572874ff3dc8fd4'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.events import Listener, Warned, ignore
from curator.manifests.cells import arrow_array, plain_column
from curator.manifests.labels import LabelFinder
from curator.manifests.settings import FetchSettings
from curator.manifests.toml_settings import suggest
from curator.sources.budget import budget
from curator.sources.large_columns import table_of_parts
from curator.sources.same_images import is_first_of_same, number_of, numbered_by_side, numbers_of_images
from curator.sources.table_forms import N_SAME, as_frame, as_table
from curator.store.spilled import pieces
from curator.text import HAS_CONTROLS

if TYPE_CHECKING:
    import pandas as pd

_IMAGE = " image"
_TEXTS = ("source_id", "source_class", "license", "author", "title")
_ADDRESSES = ("url", "fallback_url", "landing_url", "author_url")


@dataclass(frozen=True)
class PlannedRead:
    """One list or metadata file that a source will read; ``n_bytes`` is None if its size is unknown."""

    name: str
    n_bytes: int | None
    cached: bool = False


@dataclass(frozen=True)
class ListingContext:
    """What a source may use while it lists: where to cache, how to reach the network, what to emit.

    ``emit`` may be called from a reading thread, one call at a time. With ``refresh`` cached lists are read again,
    each once: ``fresh`` holds the cache files that were written for this context. ``label_names`` says which label a
    folder's name or a value of a table means; without them, a label means itself.
    """

    labels: tuple[str, ...]
    cache_dir: Path
    base_dir: Path = Path()
    fetch: FetchSettings = field(default_factory=FetchSettings)
    emit: Listener = ignore
    refresh: bool = False
    label_names: LabelFinder | None = None
    fresh: set[Path] = field(default_factory=set, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """A further line of requests for lists, such as a token, by the host (with its port) that it is sent to."""
    doubted: set[str] = field(default_factory=set, compare=False)
    """The places whose end nobody knows: what was read of them may not be all, and is not kept for the next run."""
    has_namesake: bool = False
    """Whether a source of the same kind and title stands before this one in the recipe."""
    every_row: bool = False
    """Whether a table lists the rows, too, that name or hold an image of another row: an audit counts them."""
    forgotten: frozenset[str] = frozenset()
    """Contents (SHA-256s) that were forgotten: a list that holds such a picture writes it out no more."""
    watch: Callable[[Sequence[str] | pa.ChunkedArray], object] = field(default=lambda paths: None, compare=False)
    """Takes the absolute paths of local files that lists name, there or not: when one changes, comes or goes, the next
    stage fetches first. Files taken together that are all gone are no change: their disk may not be mounted."""

    def doubt(self, place: str, name: str) -> None:
        """Note, and say, that an answer may have been cut short unnoticed."""
        if place not in self.doubted:
            self.doubted.add(place)
            what = "its server does not say where it ends (HTTP/1.0 without Content-Length): it may lack its end"
            self.emit(Warned(f"{name}: {what}, and is read again by the next run"))

    def find_label(self, text: str) -> str | None:
        """Return the label that a text of a source means, or None."""
        return (self.label_names or LabelFinder(dict.fromkeys(self.labels, ()))).find(text)


class Source:
    """Lists images: a frozen dataclass of the recipe's keys; one instance is one ``[[sources]]`` table.

    Attributes:
        kind: what ``kind`` in the recipe says, and the first part of each ``record_id``.
        name: the source's name in tables, if the recipe sets one.
        lists_tables: whether it makes Arrow tables itself, and no DataFrames.
    """

    kind: ClassVar[str]
    name: str
    lists_tables: ClassVar[bool] = False

    @property
    def n_tiers(self) -> int:
        """How many tiers its lists have: they are read tier by tier, each only while a label is short of images."""
        return 1

    @property
    def title(self) -> str:
        """The source's name in tables."""
        return self.name or self.kind

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(labels)

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        return []

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs: no mistake, but a fetch needs them."""
        return []

    def bulk_address(self) -> str:
        """Return an address of the server that its images are on, if that is built to serve whole data sets."""
        return ""

    def gentle_hosts(self) -> Mapping[str, int]:
        """Return addresses of servers of its images, and how many requests in flight each allows at most."""
        return {}

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return what listing ``tier`` will read, before its first byte is read."""
        return []

    def local_state(self, base_dir: Path) -> str:
        """Return a text that changes when its local lists or folders do; empty: they are elsewhere, or not there.

        It raises nothing. What lists name is watched by ``watch`` of the context.
        """
        return ""

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List the same as :meth:`list_rows`, made with :func:`listed_rows`."""
        raise NotImplementedError(f"{type(self).__name__} has neither list_rows nor list_images")

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the images of ``tier`` for ``labels`` by :func:`listed_table`; or have :meth:`list_images` instead.

        Raises:
            SourceError: nothing could be listed; says why and names the ways out.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither list_rows nor list_images")

    def __init_subclass__(cls, **settings: Any) -> None:
        """Make the one way of listing of the other, so that either may be had and either be asked."""
        super().__init_subclass__(**settings)

        def list_images(self: Source, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
            return as_frame(cls.list_rows(self, tier, labels, context))

        def list_rows(self: Source, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
            return as_table(cls.list_images(self, tier, labels, context))

        own = vars(cls)
        if "list_rows" in own and "list_images" not in own:
            cls.list_images, cls.lists_tables = list_images, True  # type: ignore[method-assign]
        elif "list_images" in own and "list_rows" not in own:
            cls.list_rows, cls.lists_tables = list_rows, False  # type: ignore[method-assign]


def record_id(kind: str, label: str, key: str) -> str:
    """Name a listed image: the source kind and 16 hex digits of the SHA-256 of its label and source id or URL.

    The label is part of the hash so that an image listed under two labels is two rows until dedupe decides.
    """
    return f"{kind}-{number_of(label, key):016x}"


def listed_rows(kind: str, name: str, tier: int, columns: Mapping[Any, Any]) -> pd.DataFrame:
    """Build a catalog as :func:`listed_table` does, as a DataFrame whose ``attrs[N_SAME]`` counts the same images."""
    return as_frame(listed_table(kind, name, tier, columns))


def listed_table(kind: str, name: str, tier: int, columns: Mapping[Any, Any]) -> pa.Table:
    """Build a catalog of listed images from columns; adds ``record_id``, ``kind``, ``source`` and ``tier``.

    Args:
        kind: the source's kind, the first part of each ``record_id``.
        name: the source's name in tables: its kind, or ``name`` in the recipe.
        tier: the tier that these rows were listed in.
        columns: ``label``, ``key`` (what identifies the image at this source: its id there, else its URL) and any of
            the catalog's listed columns, as sequences or Arrow arrays of one length. Texts are written on one line, and
            addresses as a browser would request them. Rows with the same label and key are the same image: it is
            listed once a side of the split, and :func:`curator.sources.table_forms.n_same` counts the others.
    """
    listed = pa.table({name: _chunked(values) for name, values in columns.items()})
    numbers = numbers_of_images(listed)
    is_new = is_first_of_same(numbers)
    if not is_new.all() and "listed_split" in columns:
        numbers = numbered_by_side(listed, numbers)
        is_new = is_first_of_same(numbers)
    rows = budget().spilled()
    for start, piece in _numbered_pieces(listed.append_column(_IMAGE, numbers)):
        new = is_new[start : start + piece.num_rows]
        piece = piece if new.all() else piece.filter(pa.array(new))
        ids = pa.array([f"{kind}-{number:016x}" for number in piece[_IMAGE].to_pylist()], pa.string())
        rows.add(_clean(piece, ids))
    same = {"kind": kind, "source": name, "tier": tier}
    n_others = len(is_new) - np.count_nonzero(is_new)
    return table_of_parts(rows.whole(), same).replace_schema_metadata({N_SAME: str(n_others)})


def _chunked(values: Any) -> pa.ChunkedArray:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else arrow_array(values)
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _numbered_pieces(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    start = 0
    for piece in pieces(table):
        yield start, piece
        start += piece.num_rows


def _clean(rows: pa.Table, ids: pa.Array) -> pa.Table:
    """Return the columns of the catalog that rows have, as it has them."""
    columns = {"record_id": ids}
    for one in catalog.LISTED_FIELDS:
        if one.name in rows.column_names:
            values = rows[one.name].combine_chunks().cast(one.type)
            values = plain_column(values) if one.name in _TEXTS else values
            columns[one.name] = _sendable(values) if one.name in _ADDRESSES else values
    return pa.table(columns)


def _sendable(column: pa.Array) -> pa.Array:
    r"""Take the line ends out of addresses, and percent-encode control characters (https://url.spec.whatwg.org/).

    >>> _sendable(pa.array(["http://h.example/a\r\n.jpg", "http://h.example/\x01", "plain"])).to_pylist()
    ['http://h.example/a.jpg', 'http://h.example/%01', 'plain']
    """
    if not pc.any(pc.match_substring_regex(column, HAS_CONTROLS)).as_py():
        return column
    joined = pc.replace_substring_regex(column, r"[\t\r\n]", "").to_pylist()
    encode = partial(re.sub, HAS_CONTROLS, lambda found: quote(found[0]))
    return pa.array([text and encode(text) for text in joined], pa.string())


def most_frequent(counts: Mapping[str, int], n_shown: int = 5) -> str:
    """Name what was found most often, with its count, and how many others there are.

    >>> most_frequent({"cat": 2, "Great Egret": 31, "dog": 7}, n_shown=2)
    'Great Egret 31, dog 7 and 1 more'
    """
    ranked = sorted(counts.items(), key=lambda count: (-count[1], count[0]))
    named = [f"{name[:60] if name.isprintable() else repr(name[:60])} {n:,}" for name, n in ranked[:n_shown]]
    return ", ".join(named) + (f" and {len(ranked) - n_shown:,} more" if len(ranked) > n_shown else "")


def known_labels(key: str, table: Mapping[str, Any], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Find what is wrong with the labels of a table ``key`` of the recipe, as (key, message) pairs.

    >>> known_labels("synsets", {"rugbi": ("n00470966",), "soccer": ()}, ("rugby", "soccer"))
    [('synsets', "names 'rugbi', which is not in labels, did you mean rugby?"), ('synsets', 'names nothing for soccer')]
    """
    unknown = [f"names {name!r}, which is not in labels{suggest(name, labels)}" for name in table if name not in labels]
    empty = [f"names nothing for {name}" for name, values in table.items() if not values]
    return [(key, message) for message in (*unknown, *empty)]


def blank_texts(key: str, table: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Find the labels for which a table ``key`` of the recipe has an empty text, as (key, message) pairs.

    >>> blank_texts("search", {"rugby": ("scrum", " ")})
    [('search', 'has an empty text for rugby')]
    """
    return [(key, f"has an empty text for {label}") for label, texts in table.items() if not all(map(str.strip, texts))]


def unknown_label(label: str, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Find what is wrong with the key ``label`` of a source, if it is given, as (key, message) pairs.

    >>> unknown_label("rugbi", ("rugby", "soccer")), unknown_label("", ("rugby", "soccer"))
    ([('label', "names 'rugbi', which is not in labels, did you mean rugby?")], [])
    """
    if label in ("", *labels):
        return []
    return [("label", f"names {label!r}, which is not in labels{suggest(label, labels)}")]
