r"""Read a list that is JSON: an object a line, or one text of any layout with a list of objects or of addresses in it.

>>> import io
>>> body = b'{"images": [\n  {"URL": "http://example.org/1.jpg", "label": "rugby", "n": 1}, 7\n]}'
>>> found = read_json(LineBlocks(io.BufferedReader(io.BytesIO(body))))
>>> found.rows.to_pylist()
[{'url': 'http://example.org/1.jpg', 'label': 'rugby', 'n': '1'}]
>>> found.tally.in_words()
'1 of 2 rows were refused: 1 that are no JSON object (entry 2)'
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from curator.errors import SourceError
from curator.sources.reading.blocks import LineBlocks, numbered_lines
from curator.sources.reading.delimited import Rows
from curator.sources.reading.tally import NOT_UTF8, Tally
from curator.sources.url_list.forms import folded

NO_OBJECT = "that are no JSON object"
_MOST_BYTES = 1 << 30
_BLANK = " \t\r\n,"
_MOST_DIGITS = 4300


def _whole_number(digits: str) -> int | str:
    """Read a whole number; as text if it has more digits than Python reads."""
    return int(digits) if len(digits) < _MOST_DIGITS else digits


_DECODER = json.JSONDecoder(parse_int=_whole_number)


def read_json_lines(lines: LineBlocks) -> Rows:
    """Read JSON with an object in each line; blank lines are none."""
    tally = Tally()
    return _as_rows(_items_of_lines(lines, tally), tally)


def _items_of_lines(lines: LineBlocks, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield each line's number and value, None if it is no JSON; a line that is not UTF-8 is refused."""
    for number, line in numbered_lines(lines):
        if not line.strip():
            continue
        tally.n_rows += 1
        try:
            yield number, _DECODER.decode(line.decode("utf-8").strip().removesuffix(","))
        except UnicodeDecodeError:
            tally.refuse(NOT_UTF8, number)
        except (ValueError, RecursionError):
            yield number, None


def read_json(lines: LineBlocks) -> Rows:
    """Read a whole text of JSON: a list, several values one after the other, or an object that holds one list.

    Raises:
        SourceError: it is no JSON, not UTF-8, or more than 1 GiB.
    """
    items = list(_items(_whole_text(lines)))
    addresses = ({"url": item} if isinstance(item, str) else item for item in items)
    return _as_rows(enumerate(addresses, 1), Tally(len(items), unit="entry"))


def _whole_text(lines: LineBlocks) -> str:
    pieces, n_bytes = [], 0
    for piece in lines.rest():
        pieces.append(piece)
        n_bytes += len(piece)
        if n_bytes > _MOST_BYTES:
            raise SourceError("is one JSON text of more than 1 GiB", "Write it as JSON lines: an object in each line.")
    try:
        return b"".join(pieces).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SourceError(f"is JSON with bytes that are not UTF-8 in line {line:,}", "Save it as UTF-8.") from error


def _items(text: str) -> Iterator[Any]:
    """Yield the values of a text, those within lists one by one, and of an object the list that it holds."""
    here = 0
    while (rest := _skip(text, here)) < len(text):
        try:
            value, here = _DECODER.raw_decode(text, rest)
        except RecursionError as error:
            raise SourceError("is JSON that is nested too deeply") from error
        except json.JSONDecodeError as error:
            raise SourceError(f"is no JSON that can be read: {error.msg} in line {error.lineno:,}") from error
        yield from _listed(value)


def _skip(text: str, here: int) -> int:
    while here < len(text) and text[here] in _BLANK:
        here += 1
    return here


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict) and "url" not in map(folded, value):
        lists = [one for one in value.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
        if len(lists) > 1:
            lists = [one for one in lists if "url" in map(folded, one[0])]
        return lists[0] if len(lists) == 1 else [value]
    return value if isinstance(value, list) else [value]


def _as_rows(numbered: Iterable[tuple[int, Any]], tally: Tally) -> Rows:
    """Make rows of the values that are objects; the others are refused, by their numbers."""
    items: list[Mapping[str, Any]] = []
    numbers: list[int] = []
    for number, item in numbered:
        if isinstance(item, dict):
            items.append({folded(name): value for name, value in item.items()})
            numbers.append(number)
        else:
            tally.refuse(NO_OBJECT, number)
    names = dict.fromkeys(name for item in items for name in item)
    columns = {name: pa.array([_json_text(item.get(name)) for item in items], pa.string()) for name in names}
    return Rows(pa.table(columns), pa.chunked_array([pa.array(numbers, pa.int64())]), tally)


def _json_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return None if value is None else json.dumps(value)
