r"""Read a list that is JSON: an object a line, or one text of any layout with a list of objects or of addresses in it.

>>> import io
>>> body = b'{"images": [\n  {"URL": "http://example.org/1.jpg", "label": "rugby", "n": 1}, 7\n]}'
>>> found = read_json(LineBlocks(io.BufferedReader(io.BytesIO(body))))
>>> found.rows.to_pylist()
[{'url': 'http://example.org/1.jpg', 'label': 'rugby', 'n': '1'}]
>>> found.tally.in_words()
'1 of 2 rows were refused: 1 other than a JSON object (entry 2)'
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.reading.blocks import LineBlocks, numbered_lines
from curator.sources.reading.delimited import Rows, Wanted
from curator.sources.reading.json_text import DECODER, plain_text, skip_blank, value_at, whole_text
from curator.sources.reading.tally import NOT_UTF8, TOO_LONG, Tally
from curator.sources.url_list.columns import folded, is_known, refuse_repeated

NO_OBJECT = "other than a JSON object"
EMPTY = "without any value"
_ROWS_AT_ONCE, _NUMBER = 8192, " number"
AS_OBJECTS = 'Write each row as an object, such as `{"url": "http://example.org/1.jpg", "label": "rugby"}`.'


def read_json_lines(lines: LineBlocks, where: Wanted | None = None) -> Rows:
    """Read JSON with an object in each line; blank lines are none."""
    tally = Tally()
    return _as_rows(_items_of_lines(lines, tally), tally, where)


def _items_of_lines(lines: LineBlocks, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield each line's number and value, None if it is no JSON; a line that is not UTF-8 is refused."""
    for number, line in numbered_lines(lines):
        if not line.strip():
            continue
        tally.n_rows += 1
        try:
            yield number, DECODER.decode(line.decode("utf-8").strip().removesuffix(","))
        except UnicodeDecodeError:
            tally.refuse(NOT_UTF8, number)
        except (ValueError, RecursionError):
            yield number, None
    tally.add_refused(TOO_LONG, lines.too_long)


def read_json(lines: LineBlocks, where: Wanted | None = None) -> Rows:
    """Read a whole text of JSON: a list, several values one after the other, or an object that holds one list.

    Raises:
        SourceError: it is no JSON, not UTF-8, or more than 1 GiB.
    """
    items = list(_items(whole_text(lines)))
    if not items:
        raise SourceError("is JSON without any row", AS_OBJECTS)
    if not any(isinstance(item, str | dict) for item in items):
        raise SourceError(f"is JSON that holds {_in_words(items[0])} where its rows should be", AS_OBJECTS)
    addresses = ({"url": item} if isinstance(item, str) else item for item in items)
    return _as_rows(enumerate(addresses, 1), Tally(len(items), unit="entry"), where)


def _items(text: str) -> Iterator[Any]:
    """Yield the values of a text, those within lists one by one, and of an object the list that it holds."""
    here = 0
    while (rest := skip_blank(text, here, ",")) < len(text):
        value, here = value_at(text, rest)
        yield from _listed(value)


def _listed(value: Any) -> list[Any]:
    """Find the rows of a text: a list, columns, lists of addresses by label, or one list within an object."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return [value]
    if {"images", "annotations", "categories"} <= value.keys():
        raise SourceError("holds annotations as COCO has them", 'Write `kind = "coco"` for it in the recipe.')
    parts = list(value.values())
    if any(map(is_known, value)):
        if all(isinstance(part, dict) for part in parts):  # what pandas writes if it is not told otherwise
            keys = dict.fromkeys(key for part in parts for key in part)
            return [{name: part.get(key) for name, part in value.items()} for key in keys]
        if all(isinstance(part, list) for part in parts) and len({len(part) for part in parts}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*parts, strict=True)]
        return [value]
    if parts and all(isinstance(part, list) and all(isinstance(one, str) for one in part) for part in parts):
        return [{"label": label, "url": address} for label, part in value.items() for address in part]
    lists = list(_lists_of_objects(value))
    if len(lists) > 1:
        lists = [one for one in lists if any(map(is_known, one[0]))]
    return lists[0] if len(lists) == 1 else [value] if value else []


def _lists_of_objects(value: Mapping[str, Any]) -> Iterator[list[Any]]:
    for part in value.values():
        if isinstance(part, dict):
            yield from _lists_of_objects(part)
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            yield part


def _in_words(value: Any) -> str:
    kinds = {list: "lists", int: "numbers", float: "numbers", bool: "true and false", type(None): "null"}
    return kinds.get(type(value), "other values")


def _as_rows(numbered: Iterable[tuple[int, Any]], tally: Tally, where: Wanted | None) -> Rows:
    """Make rows of the values that are objects and wanted; what is no object is refused, by its number."""
    limits, parts, n_bytes, n_parts = budget(), budget().spilled(), 0, 0
    names: dict[str, None] = {}
    items: list[tuple[int, Mapping[str, Any]]] = []
    for number, item in numbered:
        limits.rows(number)
        if isinstance(item, dict) and (written := dict(_flat(item))):
            row = {folded(plain_text(name)): value for name, value in written.items()}
            if len(row) < len(written):
                refuse_repeated(map(plain_text, written))
            names.update(dict.fromkeys(row))
            limits.columns(len(names))
            items.append((number, row))
        else:
            tally.refuse(EMPTY if isinstance(item, dict) else NO_OBJECT, number)
        if len(items) == _ROWS_AT_ONCE:
            part = _table(items, where)
            parts.add(part)
            n_bytes, n_parts = n_bytes + part.nbytes, n_parts + 1
            # Where a row lacks a column, its place takes four bytes all the same.
            limits.memory(n_bytes + 4 * len(names) * (n_parts * _ROWS_AT_ONCE if where is None else 0))
            limits.time()
            items.clear()
    parts.add(_table(items, where))
    whole = parts.whole()
    limits.memory(whole.nbytes)
    return Rows(whole.drop_columns([_NUMBER]), whole[_NUMBER], tally)


def _table(items: Sequence[tuple[int, Mapping[str, Any]]], where: Wanted | None) -> pa.Table:
    """Make columns of the rows that are wanted; what a row lacks costs nothing but its place."""
    columns: dict[str, list[str | None]] = {}
    for place, (_, item) in enumerate(items):
        for name, value in item.items():
            if (column := columns.get(name)) is None:
                column = columns[name] = [None] * len(items)
            column[place] = _json_text(value)
    texts = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    rows = pa.table({_NUMBER: pa.array([number for number, _ in items], pa.int64()), **texts})
    return rows.filter(where(rows)) if where and items else rows


def _flat(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a row; what is within an object is one called ``outer.inner``."""
    for name, value in item.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _json_text(value: Any) -> str | None:
    if isinstance(value, str):
        return plain_text(value)
    return None if value is None else json.dumps(value)
