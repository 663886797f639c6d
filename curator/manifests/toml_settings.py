"""Turn a TOML table into a frozen dataclass, collecting every mistake instead of stopping at the first.

>>> @dataclass(frozen=True)
... class Split:
...     ratio: float = setting(0.8, "share of the images in train", above=0, below=1)
>>> problems = []
>>> read_settings(Split, {"ratio": 1.5, "raito": 0.5}, "[split]", problems.append)
Split(ratio=0.8)
>>> for problem in problems:
...     print(problem)
[split] raito is unknown, did you mean ratio?
[split] ratio must be < 1, not 1.5
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import operator
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from curator.errors import Problem
from curator.store.plain_json import shown
from curator.text import without_userinfo

Report = Callable[[Problem], None]
_LARGEST = 2**63 - 1


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text.

    Raises:
        ValueError: it is none, or beyond what any recipe holds; the message continues a sentence about it.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ValueError("is not valid TOML: its lists or tables are nested too deep") from error
    except ValueError as error:
        raise ValueError(f"is not valid TOML: it has a number or a date that cannot be ({error})") from error


@dataclass(frozen=True)
class Limits:
    """What a value must satisfy beyond its type."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] = ()
    remark: str = ""
    """What is said of another value than the choices, or of an address that holds a password."""
    in_header: bool = False
    """A text that is sent as part of a request: printable ASCII, in one line."""
    pattern: tuple[str, str] = ("", "")
    """A regular expression that a text must match as a whole, and what such a text is."""

    def broken_by(self, value: Any) -> str | None:
        """Say which limit ``value`` breaks, or None if it keeps them all."""
        if isinstance(value, tuple | dict):
            items = value.values() if isinstance(value, dict) else value
            return next((broken for item in items if (broken := self.broken_by(item))), None)
        if self.choices and value not in self.choices:
            known = ", ".join(map(repr, self.choices))
            remark = f"; {self.remark}" if self.remark else ""
            return f"must be one of {known}, not {shown(value)}{suggest(value, self.choices)}{remark}"
        if self.in_header and isinstance(value, str) and not (value.isascii() and value.isprintable()):
            return f"must be of ASCII characters in one line, as requests send it, not {shown(value)}"
        if self.pattern[0] and not re.fullmatch(self.pattern[0], str(value)):
            return self._unlike_pattern(str(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if abs(value) > _LARGEST or not math.isfinite(value):
            return f"must be a number of at most 64 bits, not {shown(value)}"
        tests = (
            (self.minimum, ">=", operator.ge),
            (self.maximum, "<=", operator.le),
            (self.above, ">", operator.gt),
            (self.below, "<", operator.lt),
        )
        for limit, sign, holds in tests:
            if limit is not None and not holds(value, limit):
                return f"must be {sign} {limit:g}, not {shown(value)}"
        return None

    def _unlike_pattern(self, text: str) -> str:
        """Say what is wrong with a text: that it says who signs in, if that is all."""
        bare = without_userinfo(text)
        if bare != text and re.fullmatch(self.pattern[0], bare):
            remark = f"; {self.remark}" if self.remark else ""
            return f"takes no user name and no password: write {shown(bare)}{remark}"
        return f"must be {self.pattern[1]}, not {shown(text)}"


def setting(default: Any = dataclasses.MISSING, doc: str = "", **limits: Any) -> Any:
    """Declare one recipe key: its default, its one-line documentation and its :class:`Limits`."""
    return dataclasses.field(default=default, metadata={"doc": doc, "limits": Limits(**limits)})


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the key of a field in a recipe: its name, without the ``_`` behind a word that Python keeps for itself."""
    return field.name.rstrip("_")


def suggest(word: object, known: Iterable[object]) -> str:
    """Return ``, did you mean X?`` if a known word is near, else nothing."""
    folded = {str(item).casefold(): item for item in known}
    near = difflib.get_close_matches(_text(word).casefold()[:100], folded, n=1, cutoff=0.6)
    return f", did you mean {folded[near[0]]}?" if near else ""


def _text(word: object) -> str:
    return word if isinstance(word, str) else shown(word)


def read_settings(cls: type[Any], table: Mapping[str, Any], where: str, report: Report) -> Any:
    """Build ``cls`` from ``table``; a key that is unknown or wrong is reported and its default taken.

    Args:
        cls: a frozen dataclass whose fields are made with :func:`setting`; see :func:`key_of`.
        where: how messages name the table, such as ``[fetch]``.
        report: called with a :class:`Problem` for each mistake.

    Returns:
        An instance of ``cls``, or None if a key without default is missing or wrong.
    """
    hints = typing.get_type_hints(cls)
    fields = {key_of(field): field for field in dataclasses.fields(cls)}
    keys = f"; the keys are {', '.join(fields)}"
    for key in table:
        if key not in fields:
            report(Problem(where, f"{key} is unknown{suggest(key, fields) or keys}"))
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in table:
            if field.default is dataclasses.MISSING:
                report(Problem(where, f"{name} is missing"))
            continue
        try:
            value = convert(table[name], hints[field.name])
        except TypeError as error:
            report(Problem(where, f"{name} {error}"))
            continue
        if broken := field.metadata.get("limits", Limits()).broken_by(value):
            report(Problem(where, f"{name} {broken}"))
        else:
            values[field.name] = value
    required = {field.name for field in fields.values() if field.default is dataclasses.MISSING}
    return cls(**values) if required <= set(values) else None


def convert(raw: Any, hint: Any) -> Any:
    """Convert a TOML value to the type ``hint``; raise TypeError with ``must be …`` if it does not fit."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        with suppress(TypeError):
            return tuple(convert(item, arguments[0]) for item in (raw if isinstance(raw, list | tuple) else [raw]))
    elif origin in (dict, Mapping):
        if not isinstance(raw, Mapping):
            raise TypeError(f"must be a table such as {{ label = … }}, not {shown(raw)}")
        return {str(key): convert(value, arguments[1]) for key, value in raw.items()}
    elif origin in _UNIONS:
        for option in arguments:
            with suppress(TypeError):
                return convert(raw, option)
    elif origin is typing.Literal:
        if raw in arguments:
            return raw
    elif hint is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw) if abs(raw) <= _LARGEST else raw  # refused by the limits, with its digits
    elif isinstance(raw, hint) and (hint is bool or not isinstance(raw, bool)):
        return raw
    raise TypeError(f"must be {type_in_words(hint)}, not {shown(raw)}")


_UNIONS = (types.UnionType, typing.Union)


def type_in_words(hint: Any) -> str:
    """Name a type as a person would: ``a whole number``, ``a list of text``, ``"max"``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(map(repr, arguments))
    if origin is tuple:
        return f"a list of {type_in_words(arguments[0])}"
    if origin in _UNIONS:
        return " or ".join(type_in_words(option) for option in arguments if option is not type(None))
    if origin in (dict, Mapping):
        return f"a table of {type_in_words(arguments[1])}"
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(hint, str(hint))


def toml_key(text: str) -> str:
    """Write a text as a key of TOML: bare if it may be, else quoted.

    >>> print(toml_key("rugby"), toml_key("Golden Retriever"))
    rugby "Golden Retriever"
    """
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text, ensure_ascii=False)


def line_of(text: str, section: str, key: str = "", index: int = 0) -> int | None:
    r"""Find the line (from 1) of ``key`` in the ``index``-th table ``section`` of a TOML text, or of the table itself.

    >>> line_of("name = 'a'\n[split]\nratio = 2", "split", "ratio")
    3
    """
    here, seen, table_line = section == "", -1, None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            here = stripped.strip("[]").split("]")[0].strip() == section
            if here:
                seen += 1
                here = seen == index
                table_line = number if here else table_line
        elif here and key and stripped.split("=")[0].strip().strip("\"'") == key:
            return number
    return table_line
