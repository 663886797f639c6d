"""The rows of a list that a recipe's labels want, chosen while it is read: all others take no memory, and are counted.

The first rows stay, as which column is what is seen in them; so do the first rows that are left out for each reason, as
they are named, and the texts that may name several labels, as that is seen in all others.

>>> wanted = LabelFilter(LabelFinder({"rugby": ()}).find, lambda rows: {"url": "url", "label": "label"})
>>> rows = pa.table({"url": ["http://e.org/1"] * 1_003, "label": ["golf"] * 1_001 + ["rugby", "golf"]})
>>> wanted(rows).to_pylist()[-3:], wanted.left_out.others
([False, True, False], Counter({'golf': 2}))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray
from curator.errors import SourceError
from curator.manifests.labels import LabelFinder as LabelFinder
from curator.sources.escaped import count_ampersands
from curator.sources.reading.tally import N_SHOWN
from curator.sources.sides import side_of
from curator.sources.url_list.class_names import with_classes
from curator.sources.url_list.columns import may_have_role
from curator.sources.url_list.joined_tables import MANIFEST, N_SAMPLED, LeftOut, ReadAgainError, Tables
from curator.sources.url_list.labels_of_rows import REPEATS_HEADER as REPEATS_HEADER
from curator.sources.url_list.labels_of_rows import (
    WITHOUT_LABEL,
    WITHOUT_PLACE,
    has_place,
    may_name_several,
    repeats_header,
    trimmed,
    written_labels,
)

Roles = Mapping[str, str]


class LabelFilter:
    """Says which rows of some are kept.

    Args:
        find_label: the label that a text means, or None.
        find_roles: which column is what, by the first rows; a SourceError or no label: all rows are kept.
        find_classes: the names of classes, by number, that the column of labels may hold in the place of names.
    """

    def __init__(
        self,
        find_label: Callable[[str], str | None],
        find_roles: Callable[[pa.Table], Roles],
        find_classes: Callable[[pa.Table, Roles], Sequence[Mapping[str, str]]] = lambda rows, roles: (),
    ) -> None:
        self._find_label, self._find_roles, self._find_classes = find_label, find_roles, find_classes
        self._classes: Sequence[Mapping[str, str]] = ()
        self.left_out = LeftOut()
        self._first: list[pa.Table] = []
        self._n_first = 0
        self._names: set[str] = set()
        self._n_shown = Counter[str]()
        self._is_wanted: dict[str, bool] = {}

    def __call__(self, rows: pa.Table) -> pa.ChunkedArray:
        """Return whether each row is kept.

        Raises:
            ReadAgainError: a column came that may have a role, when rows had been left out without it.
        """
        keep = np.ones(rows.num_rows, bool)
        n_first = min(N_SAMPLED - self._n_first, rows.num_rows)
        if n_first > 0:
            self._first.append(rows.slice(0, n_first))
            self._n_first += n_first
            self._names.update(rows.column_names)
        if self._n_first == N_SAMPLED and rows.num_rows > max(n_first, 0):
            start = max(n_first, 0)
            keep[start:] = self._kept(rows.slice(start))
        return pa.chunked_array([pa.array(keep)])

    @cached_property
    def _roles(self) -> Roles:
        """Which column is what; nothing if rows cannot be left out by it."""
        first = pa.concat_tables(self._first, promote_options="default")
        self._first = []
        try:
            roles = self._find_roles(first)
        except SourceError:  # it is reported when all is read
            return {}
        if "label" not in roles or {*first.column_names} >= MANIFEST:
            return {}
        self._classes = self._find_classes(first, roles)
        return roles

    def _kept(self, rows: pa.Table) -> BoolArray:
        roles = self._roles
        if not roles:
            return np.ones(rows.num_rows, bool)
        if any(may_have_role(name) for name in {*rows.column_names} - self._names):
            raise ReadAgainError
        if not {*roles.values()} <= {*rows.column_names}:
            return np.ones(rows.num_rows, bool)
        tables = Tables(with_classes(rows, roles["label"], self._classes), (), roles)
        texts = written_labels(tables)
        is_header, is_placed = (_mask(one) for one in (repeats_header(tables), has_place(tables)))
        coded = texts.combine_chunks().dictionary_encode()
        words = coded.dictionary.to_pylist()
        self.left_out.texts.update(words)
        place = coded.indices.to_numpy(zero_copy_only=False)
        is_kept = np.array([self._may_be_wanted(word) for word in words], bool)[place]
        is_blank = np.array([word == "" for word in words], bool)[place]
        reasons = {
            REPEATS_HEADER: is_header,
            WITHOUT_PLACE: ~is_placed & ~is_header,
            WITHOUT_LABEL: is_placed & ~is_header & is_blank,
        }
        is_other = is_placed & ~is_header & ~is_blank & ~is_kept
        counts = np.bincount(place[is_other], minlength=len(words))
        self.left_out.others.update({words[number]: int(counts[number]) for number in np.flatnonzero(counts)})
        is_out = is_other.copy()
        for reason, mask in reasons.items():
            is_out |= self._beyond_shown(reason, mask)
        self._note_columns(rows.filter(pa.array(is_out)), roles)
        kept: BoolArray = ~is_out
        return kept

    def _beyond_shown(self, reason: str, mask: BoolArray) -> BoolArray:
        """Return the rows of a reason but the first ones, which are named; count them."""
        numbers = np.flatnonzero(mask)
        n_kept = max(N_SHOWN - self._n_shown[reason], 0)
        self._n_shown[reason] += len(numbers)
        beyond = np.zeros(len(mask), bool)
        beyond[numbers[n_kept:]] = True
        self.left_out.further[reason] += len(numbers[n_kept:])
        return beyond

    def _may_be_wanted(self, text: str) -> bool:
        if (known := self._is_wanted.get(text)) is None:
            known = self._is_wanted[text] = self._find_label(text) is not None or may_name_several(text)
        return known

    def _note_columns(self, rows: pa.Table, roles: Roles) -> None:
        """Count, of rows that are left out, what is said of all rows of a list."""
        if "url" in roles:
            self.left_out.ampersands = self.left_out.ampersands.plus(count_ampersands(trimmed(rows[roles["url"]])))
        if "split" in roles:
            texts = trimmed(rows[roles["split"]]).to_pylist()
            self.left_out.sides.update(text for text in texts if text and side_of(text) is None)


def _mask(column: pa.ChunkedArray) -> BoolArray:
    return np.asarray(pc.fill_null(column, False).to_numpy(), bool)
