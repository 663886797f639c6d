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
import operator
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from curator.errors import Problem

Report = Callable[[Problem], None]


@dataclass(frozen=True)
class Limits:
    """What a value must satisfy beyond its type."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] = ()

    def broken_by(self, value: Any) -> str | None:
        """Say which limit ``value`` breaks, or None where it keeps them all."""
        if isinstance(value, tuple):
            return next((broken for item in value if (broken := self.broken_by(item))), None)
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(map(repr, self.choices))}, not {value!r}{suggest(value, self.choices)}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        tests = (
            (self.minimum, ">=", operator.ge),
            (self.maximum, "<=", operator.le),
            (self.above, ">", operator.gt),
            (self.below, "<", operator.lt),
        )
        for limit, sign, holds in tests:
            if limit is not None and not holds(value, limit):
                return f"must be {sign} {limit:g}, not {value!r}"
        return None


def setting(
    default: Any = dataclasses.MISSING,
    doc: str = "",
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    """Declare one recipe key: its default, its one-line documentation and its limits."""
    limits = Limits(minimum, maximum, above, below, choices)
    return dataclasses.field(default=default, metadata={"doc": doc, "limits": limits})


def suggest(word: object, known: Iterable[object]) -> str:
    """Give ``, did you mean X?`` where a known word is near, else nothing."""
    near = difflib.get_close_matches(str(word).casefold(), [str(item) for item in known], n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""


def read_settings(cls: type[Any], table: Mapping[str, Any], where: str, report: Report) -> Any:
    """Build ``cls`` from ``table``; a key that is unknown or wrong is reported and its default taken.

    Args:
        cls: a frozen dataclass whose fields are made with :func:`setting`.
        table: the TOML table.
        where: how messages name the table, such as ``[fetch]``.
        report: called with a :class:`Problem` for each mistake.

    Returns:
        An instance of ``cls``, or None where a key without default is missing or wrong.
    """
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            report(Problem(where, f"{key} is unknown{suggest(key, fields) or _known(fields)}"))
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in table:
            _read_value(table[name], hints[name], field, where, report, values)
        elif field.default is dataclasses.MISSING:
            report(Problem(where, f"{name} is missing"))
    required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    return cls(**values) if required <= set(values) else None


def _known(fields: Mapping[str, Any]) -> str:
    return f"; the keys are {', '.join(fields)}"


def _read_value(
    raw: Any, hint: Any, field: dataclasses.Field[Any], where: str, report: Report, values: dict[str, Any]
) -> None:
    try:
        value = convert(raw, hint)
    except TypeError as error:
        report(Problem(where, f"{field.name} {error}"))
        return
    limits: Limits = field.metadata.get("limits", Limits())
    if broken := limits.broken_by(value):
        report(Problem(where, f"{field.name} {broken}"))
        return
    values[field.name] = value


def convert(raw: Any, hint: Any) -> Any:
    """Convert a TOML value to the type ``hint``; raise TypeError with ``must be …`` where it does not fit."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _convert_union(raw, arguments)
    if origin is typing.Literal:
        if raw in arguments:
            return raw
        raise TypeError(f"must be {describe(hint)}, not {raw!r}")
    if origin is tuple:
        items = raw if isinstance(raw, list | tuple) else [raw]
        return tuple(convert(item, arguments[0]) for item in items)
    if origin in (dict, Mapping):
        return _convert_table(raw, arguments[1])
    return _convert_plain(raw, hint)


def _convert_union(raw: Any, options: tuple[Any, ...]) -> Any:
    for option in options:
        if option is type(None):
            if raw is None:
                return None
            continue
        try:
            return convert(raw, option)
        except TypeError:
            continue
    named = " or ".join(describe(option) for option in options if option is not type(None))
    raise TypeError(f"must be {named}, not {raw!r}")


def _convert_table(raw: Any, value_hint: Any) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise TypeError(f"must be a table such as {{ label = … }}, not {raw!r}")
    return {str(key): convert(value, value_hint) for key, value in raw.items()}


def _convert_plain(raw: Any, hint: type[Any]) -> Any:
    if hint is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, hint) and not (isinstance(raw, bool) and hint is not bool):
        return raw
    raise TypeError(f"must be {describe(hint)}, not {raw!r}")


def describe(hint: Any) -> str:
    """Name a type as a person would: ``a whole number``, ``a list of text``, ``"max"``."""
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(repr(choice) for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return f"a list of {describe(typing.get_args(hint)[0])}"
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(describe(option) for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) in (dict, Mapping):
        return f"a table of {describe(typing.get_args(hint)[1])}"
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(hint, str(hint))


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
