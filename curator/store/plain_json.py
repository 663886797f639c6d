r"""Read JSON that somebody else may have written: no depth, no number and no repeated name gets past this reader.

>>> parse_json('{"a": [1, 2.5, null]}')
{'a': [1, 2.5, None]}
>>> for text in ('{"a": 1, "a": 2}', "[" * 1000 + "]" * 1000, "9" * 5000, "NaN", "{", '"\\ud800"'):
...     try:
...         parse_json(text)
...     except ValueError as error:
...         print(error)
it names 'a' twice
it is nested deeper than 64 levels
it has a number of 5,000 digits
it has NaN, which is no number of JSON
it is not JSON (character 2)
it has half a character (a lone surrogate)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.store.hand_written import read_hand_written

MOST_LEVELS = 64
_LARGEST = 2**63
_MOST_DIGITS = 400


def parse_json(text: str) -> Any:
    """Parse a JSON text strictly.

    Raises:
        ValueError: it is not JSON, or beyond what any file of ours holds; the message continues a sentence about it.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_int=_integer, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno:,}, column {error.colno:,}" if "\n" in text else f"character {error.colno:,}"
        raise ValueError(f"it is not JSON ({where})") from error
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels") from error
    _check(value, MOST_LEVELS)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it names {name[:40]!r} twice")
        found[name] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it has a number of {len(digits):,} digits")
    if not -_LARGEST <= (number := int(digits)) < _LARGEST:
        raise ValueError(f"it has a number beyond 64 bits ({digits[:24]}…)")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"it has {name}, which is no number of JSON")


def _check(value: Any, n_left: int) -> None:
    if isinstance(value, dict | list):
        if not n_left:
            raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels")
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            _check(one, n_left - 1)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ValueError("it has a number that is too large")
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("it has half a character (a lone surrogate)") from error


def read_json(path: Path) -> Any:
    """Read a JSON file strictly.

    Raises:
        OSError: it cannot be read.
        ValueError: see :func:`parse_json` and :func:`curator.store.hand_written.read_hand_written`.
    """
    return parse_json(read_hand_written(path))


@dataclass
class Faults:
    """The faults of one file, collected so that a person hears of all of them at once.

    >>> faults = Faults()
    >>> faults.take({"n": 1, "m": "x"}, "n", str), faults.take({"n": 1}, "k", dict), faults.found
    (None, {}, ['n is no text, but 1'])
    """

    found: list[str] = field(default_factory=list)

    def take(self, facts: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
        """Return a value if it is there and of this kind (text, table or list); else an empty one, or None for text."""
        value = facts.get(name)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        if name in facts:
            words = {str: "text", dict: "table", list: "list", int: "whole number"}
            self.found.append(f"{name} is no {words[kind]}, but {shown(value)}")
        return None if kind in (str, int) else kind()

    def sentence(self, most: int = 5) -> str:
        """List the first faults, and say how many there are more."""
        more = f"; and {len(self.found) - most:,} more" if len(self.found) > most else ""
        return "; ".join(self.found[:most]) + more


def shown(value: Any) -> str:
    """Write a value for a message, cut if it is long.

    >>> shown("a" * 50), shown(16**5000)
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…", 'a number beyond 64 bits')
    """
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return "a number beyond 64 bits"
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python writes, deep within
        return f"a {type(value).__name__} with a number beyond 64 bits"
    return text if len(text) <= 40 else f"{text[:39]}…"
