"""Read a whole text of JSON, and the items of its lists one by one: those of all at once would take its size ten times.

>>> text = '{"info": {"year": 1}, "images": [{"id": 1}, {"id": 2}], "licenses": []}'
>>> list(members(text))
[('info', {'year': 1}), ('images', {'id': 1}), ('images', {'id': 2}), ('licenses', None)]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from curator.errors import SourceError
from curator.sources.reading.blocks import LineBlocks

_MOST_BYTES = 1 << 30
_BLANK = {also: re.compile(f"[ \t\r\n{also}]*") for also in ("", ",")}
_MOST_DIGITS = 4300
_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def _whole_number(digits: str) -> int | str:
    """Read a whole number; as text if it has more digits than Python reads."""
    return int(digits) if len(digits) < _MOST_DIGITS else digits


DECODER = json.JSONDecoder(parse_int=_whole_number)
"""Reads whatever numbers there are."""


def plain_text(text: str) -> str:
    """Return a text that UTF-8 can write: JSON may name halves of surrogate pairs, which come out as ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def as_object(value: Any) -> dict[str, Any]:
    """Return an object of JSON; of anything else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list of JSON, whatever else is in it; of anything else none.

    >>> as_objects([{"id": 1}, "x"]), as_objects({"id": 1})
    ([{'id': 1}], [])
    """
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def without_halves(text: str) -> str:
    r"""Return JSON text that names no half of a surrogate pair: ``?`` in its place.

    >>> json.loads(without_halves('["\\ud83c\\udfc9", "\\ud83c", "\\udfc9 ok"]'))
    ['🏉', '?', '? ok']
    """
    return _HALF.sub("?", text)


def whole_text(lines: LineBlocks) -> str:
    """Read all that is left.

    Raises:
        SourceError: it is not UTF-8, or more than 1 GiB.
    """
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
        hint = (
            'Write its encoding beside its path in the recipe, such as `encoding = "utf-16-le"`, or save it as UTF-8.'
        )
        raise SourceError(f"is JSON with bytes that are not UTF-8 in line {line:,}", hint) from error


def value_at(text: str, here: int) -> tuple[Any, int]:
    """Read the value that begins at a place, and return it with the place behind it.

    Raises:
        SourceError: there is none.
    """
    try:
        return DECODER.raw_decode(text, here)
    except RecursionError as error:
        raise SourceError("is JSON that is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"is no JSON that can be read: {error.msg} in line {error.lineno:,}") from error


def skip_blank(text: str, here: int, also: str = "") -> int:
    """Return the first place from ``here`` on that is neither blank nor the sign ``also``: a comma, or none."""
    found = _BLANK[also].match(text, here)
    return found.end() if found else here


def members(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the members of an object: of a list each item by itself, with the list's name; of an empty one None.

    Raises:
        SourceError: it is no object, or no JSON.
    """
    here = skip_blank(text, 0)
    if text[here : here + 1] != "{":
        raise SourceError("is no JSON object")
    here = skip_blank(text, here + 1, ",")
    while text[here : here + 1] != "}":
        name, here = value_at(text, here)
        here = skip_blank(text, here)
        if text[here : here + 1] != ":" or not isinstance(name, str):
            raise SourceError(f"is no JSON that can be read: no value behind {str(name)[:40]!r}")
        here = skip_blank(text, here + 1)
        if text[here : here + 1] != "[":
            value, here = value_at(text, here)
            yield name, value
        else:
            here = skip_blank(text, here + 1)
            if text[here : here + 1] == "]":
                yield name, None
            while text[here : here + 1] != "]":
                value, here = value_at(text, here)
                yield name, value
                here = skip_blank(text, here, ",")
            here += 1
        here = skip_blank(text, here, ",")
