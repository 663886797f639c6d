"""The label of each row of a list: which rows have one that the recipe wants, and why the others are left out.

>>> rows = pa.table({"url": ["http://e.org/1", "http://e.org/2", "http://e.org/3"], "label": ["rugby", "golf", None]})
>>> rows = rows.append_column(LINE, pa.array([2, 3, 4])).append_column(FILE, pa.array([0, 0, 0]))
>>> tables = Tables(rows, ("list.csv",), {"url": "url", "label": "label"})
>>> found = label_rows(tables, LabelFinder({"rugby": (), "soccer": ()}).find)
>>> found.labels.to_pylist(), dict(found.others), {which: n for which, (n, _) in found.left_out.items()}
(['rugby', None, None], {'golf': 1}, {'without address or file': 0, 'without label': 1})
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.manifests.labels import LabelFinder as LabelFinder
from curator.manifests.toml_settings import suggest, toml_key
from curator.sources.base import most_frequent
from curator.sources.large_columns import changed, repeated
from curator.sources.url_list.columns import MissingColumnError, SeveralLabelsError, several_labels, unnamed_labels
from curator.sources.url_list.joined_tables import FILE as FILE
from curator.sources.url_list.joined_tables import LINE as LINE
from curator.sources.url_list.joined_tables import Tables
from curator.sources.url_list.parquet_rows import PICTURE
from curator.text import plural

_BETWEEN = re.compile(r"\s*[|;,]\s*")
REPEATS_HEADER, WITHOUT_PLACE = "repeating the header", "without address or file"
WITHOUT_LABEL, OF_SEVERAL = "without label", "with several labels"
_ONE_LABEL = "curator gives a picture one label"


@dataclass(frozen=True)
class Labelled:
    """What the rows of a list are labelled as.

    Attributes:
        labels: the label of each row; null if it is left out.
        others: how often each label outside the recipe occurs, as written.
        left_out: why other rows are left out: how many, and where they are.
    """

    labels: pa.ChunkedArray
    others: Counter[str]
    left_out: Mapping[str, tuple[int, str]]


def label_rows(tables: Tables, find_label: Callable[[str], str | None]) -> Labelled:
    """Find the label of each row that has an address, a file or a picture, and count the others.

    Raises:
        SourceError: most rows have several labels.
    """
    texts = written_labels(tables)
    meant, several = _meanings(texts, find_label, tables.left_out.texts)
    is_header = repeats_header(tables)
    is_placed = pc.and_not(has_place(tables), is_header)
    is_labelled = pc.and_(is_placed, pc.not_equal(texts, ""))
    has_several = pc.and_(is_labelled, pc.is_in(texts, pa.array(several, pa.string())))
    _refuse_several(tables, texts, has_several)
    is_other = pc.and_not(pc.and_(is_labelled, pc.is_null(meant)), has_several)
    left_out = {
        REPEATS_HEADER: is_header,
        WITHOUT_PLACE: pc.invert(pc.or_(is_placed, is_header)),
        WITHOUT_LABEL: pc.and_(is_placed, pc.equal(texts, "")),
        OF_SEVERAL: has_several,
    }
    further = tables.left_out.further
    counted = {
        which: ((pc.sum(is_out).as_py() or 0) + further[which], tables.where(is_out, further[which]))
        for which, is_out in left_out.items()
    }
    others = pc.value_counts(texts.filter(is_other)).to_pylist()
    always = (WITHOUT_PLACE, WITHOUT_LABEL)
    return Labelled(
        changed(meant, lambda labels, is_there: pc.if_else(is_there, labels, None), is_placed),
        Counter({one["values"]: one["counts"] for one in others}) + tables.left_out.others,
        {which: found for which, found in counted.items() if found[0] or which in always},
    )


def written_labels(tables: Tables) -> pa.ChunkedArray:
    """Return the label of each row as it is written, without spaces at its ends; empty if it has none.

    A list of one text, as in JSON, is that text, and an empty list none.
    """
    texts = changed(tables.rows[tables.roles["label"]], trimmed)
    if not pc.any(pc.starts_with(texts, "[")).as_py():
        return texts
    distinct = pc.unique(texts)
    alone = pa.array([_alone(text) for text in distinct.to_pylist()], pa.string())
    return _replaced(texts, distinct, alone)


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take the spaces at its ends off each text, and the mark of a table that was put behind another; null is empty."""
    return pc.fill_null(pc.utf8_trim_whitespace(pc.utf8_ltrim(column, "\ufeff")), "")


def texts_of_several(texts: Collection[str]) -> list[str]:
    """Return those of the texts of a column of labels that name several.

    >>> texts_of_several(["cat", "dog", "cat;dog", "Ardea cinerea Linnaeus, 1758", '["cat", "dog"]'])
    ['cat;dog', '["cat", "dog"]']
    """
    return [text for text in texts if _names_several(text, texts, lambda _: None)]


def need_label(tables: Tables) -> SourceError:
    """Say that a list has no column of labels, or several, and what to write."""
    if several := several_labels(tables.sample()):
        first = re.split(r"[:(,)]\s*", several)[1].strip()
        hint = f'{_ONE_LABEL}: write a column `label` with the one of each row, or `columns = {{ label = "{first}" }}`'
        hint = hint.partition(", or ")[0] if "0 or 1" in several else hint
        return SeveralLabelsError(several, f"{hint[0].upper()}{hint[1:]}.")
    names = [*tables.sample()]
    near = suggest("label", names).replace("did you mean", "perhaps it is").rstrip("?")
    candidates = unnamed_labels(tables.sample(), tables.roles.values())
    example = next(iter([*candidates, *(name for name in names if name not in tables.roles.values())]), "species")
    hint = (
        f'Name the column, such as `columns = {{ label = "{example}" }}`, or set one label for all its rows, such as '
    )
    shown = ", ".join(names)[:200]
    message = f"has no column `label` (its columns are {shown}{near})"
    return MissingColumnError("label", message, f'{hint}`label = "rugby"`.', candidates, tables.sample())


def nothing_listed(counts: Counter[str], labels: Sequence[str]) -> SourceError:
    """Say which labels a list holds instead, and what to write."""
    what = f"lists no image of {', '.join(labels)}"
    if not counts:
        return SourceError(what)
    most = max(counts, key=lambda text: counts[text])
    example = f"labels = {{ {toml_key(labels[0])} = [{json.dumps(most, ensure_ascii=False)}], … }}"
    hint = f"Write `labels` in the recipe as in the list, or say there what means which: `{example}`."
    return SourceError(f"{what} but of {most_frequent(counts)}", hint)


def repeats_header(tables: Tables) -> pa.ChunkedArray:
    """Find the rows repeating the header, where tables were put one behind the other."""
    role = next((role for role in ("url", "path", "label") if role in tables.roles), "label")
    name = tables.roles.get(role, "")
    if name not in tables.rows.column_names:
        return repeated(False, tables.rows.num_rows, pa.bool_())
    return changed(tables.rows[name], lambda texts: pc.equal(pc.utf8_lower(trimmed(texts)), name))


def has_place(tables: Tables) -> pa.ChunkedArray:
    """Return which rows have an address, a file or a picture."""
    names = [tables.roles[role] for role in ("url", "path") if role in tables.roles]
    found = [changed(tables.rows[name], lambda texts: pc.not_equal(trimmed(texts), "")) for name in names]
    found += [pc.is_valid(tables.rows[PICTURE])] if PICTURE in tables.rows.column_names else []
    return reduce(pc.or_, found)


def _meanings(
    texts: pa.ChunkedArray, find_label: Callable[[str], str | None], others: Collection[str]
) -> tuple[pa.ChunkedArray, list[str]]:
    """Find the label that each text means, or null; and the texts that name several, by those of other rows too."""
    distinct = pc.unique(texts)
    meant = {text: find_label(text) for text in distinct.to_pylist()}
    known = {*meant, *others}
    several = [text for text, label in meant.items() if label is None and _names_several(text, known, find_label)]
    labels = pa.array([*meant.values()], pa.string())
    return _replaced(texts, distinct, labels), several


def _replaced(texts: pa.ChunkedArray, distinct: pa.Array, others: pa.Array) -> pa.ChunkedArray:
    """Put another text in the place of each: that which stands where it stands among the distinct ones."""
    return changed(texts, lambda some: others.take(pc.index_in(some.combine_chunks(), distinct)))


def _alone(text: str) -> str:
    """Return what a list of one text or number holds; nothing for an empty list, else the text as it is."""
    items = _items(text)
    if (
        items is None
        or len(items) > 1
        or not all(isinstance(item, str | int | float) or item is None for item in items)
    ):
        return text
    return "".join(str(item).strip() for item in items if item is not None)


def _items(text: str) -> list[object] | None:
    """Return the items of a text that is a list, as JSON or Python writes it; else None."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for written in (text, text.replace("'", '"')):
        try:
            found = json.loads(written)
        except ValueError:
            continue
        return found if isinstance(found, list) else None
    return None


def _names_several(text: str, known: Iterable[str], find_label: Callable[[str], str | None]) -> bool:
    """Return whether a text is a list, or joins texts that are labels by themselves; ``|`` joins whatever it is."""
    parts = [part for part in _BETWEEN.split(text) if part]
    is_joined = len(parts) > 1 and ("|" in text or all(part in known or find_label(part) for part in parts))
    return is_joined or len(_items(text) or ()) > 1


def may_name_several(text: str) -> bool:
    """Return whether a text names several labels if its parts are labels: it is a list, or joins texts."""
    return text.startswith("[") or len([part for part in _BETWEEN.split(text) if part]) > 1


def _refuse_several(tables: Tables, texts: pa.ChunkedArray, has_several: pa.ChunkedArray) -> None:
    n_rows, n_all = pc.sum(has_several).as_py() or 0, len(texts) + tables.left_out.n
    if 2 * n_rows <= n_all:
        return
    one = texts.filter(has_several)[0].as_py()
    where = f"in its column {tables.roles['label']}, such as {one[:60]!r}"
    written = json.dumps(one[:60], ensure_ascii=False)
    hint = f"{_ONE_LABEL}: say which one such rows get, by `labels = {{ cat = [{written}], … }}`, or mend the column."
    raise SourceError(f"has several labels in {n_rows:,} of {plural(n_all, 'row')} {where}", hint[0].upper() + hint[1:])
