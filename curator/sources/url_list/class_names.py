r"""The names of classes that a table has numbers for, as Hugging Face ``datasets`` keeps them.

They are in the metadata of a Parquet file, in ``dataset_infos.json``, or in the first lines of ``README.md``.
https://huggingface.co/docs/datasets/about_dataset_features

>>> info = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
>>> names_in_metadata({b"huggingface": json.dumps(info).encode()})
{'label': {'0': 'cat', '1': 'dog'}}
>>> names_in_card("- name: label\n  dtype:\n    class_label:\n      names:\n        '1': cat\n        '2': dog")
{'label': {'1': 'cat', '2': 'dog'}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curator.sources.large_columns import changed
from curator.sources.reading.json_text import plain_text

Names = Mapping[str, Mapping[str, str]]
"""The classes of each column: the name of each number, both as text."""

_MOST_BYTES = 8 << 20
_CLASSES = re.compile(
    r"^[ \t]*- name: *([^\n]+)\n[ \t]*dtype: *\n[ \t]*class_label: *\n[ \t]*names: *\n"
    r"((?:[ \t]*['\"]?\d+['\"]?: [^\n]*\n?)+)",
    re.MULTILINE,
)
_CLASS = re.compile(r"['\"]?(\d+)['\"]?: *([^\n]*)")


def names_in_metadata(metadata: Mapping[bytes, bytes] | None) -> Names:
    """Read the classes of the columns out of a Parquet file's metadata."""
    try:
        return _of_features(json.loads((metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError):
        return {}


def names_beside(folder: Path) -> tuple[Names, list[str]]:
    """Read the classes that the files of a data set in this folder, or in the one above it, state.

    Returns:
        The classes, and the files that state them, or might.
    """
    files = [place / name for place in (folder, folder.parent) for name in ("dataset_infos.json", "README.md")]
    found: dict[str, Mapping[str, str]] = {}
    for infos, card in (files[:2], files[2:]):
        try:
            for info in json.loads(_text(infos) or "{}").values():
                found = _agreeing(found, _of_features(info["features"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        if found := found or dict(names_in_card(_text(card))):
            break
    return found, list(map(str, files))


def names_in_card(text: str) -> Names:
    """Read the classes out of the YAML at the beginning of a data set's card."""
    return {
        name.strip().casefold(): {
            str(int(number)): value.strip().strip("'\"") for number, value in _CLASS.findall(lines)
        }
        for name, lines in _CLASSES.findall(text)
    }


def with_names(column: pa.ChunkedArray, names: Mapping[str, str]) -> pa.ChunkedArray:
    """Write the names for the numbers of a column; a number that no class has is none, and names stay."""
    numbers, texts = pa.array(names, pa.string()), pa.array(names.values(), pa.string())
    places = [pc.index_in(chunk, numbers) for chunk in column.chunks]
    named = pa.chunked_array([texts.take(place) for place in places], pa.string())
    is_number = pc.match_substring_regex(column, r"^-?\d+$")
    return pc.if_else(is_number, named, column)


def with_classes(rows: pa.Table, name: str, classes: Sequence[Mapping[str, str]]) -> pa.Table:
    """Write the names of classes for their numbers into a column of a table, by one source of names after another."""
    for names in classes:
        named = changed(rows[name], partial(with_names, names=names))
        rows = rows.set_column(rows.column_names.index(name), name, named)
    return rows


def _of_features(features: Mapping[str, Any]) -> Names:
    return {
        name.casefold(): {str(number): plain_text(str(text)) for number, text in enumerate(feature["names"])}
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _agreeing(names: Names, others: Names) -> dict[str, Mapping[str, str]]:
    """Join the classes that several configurations state; of a column that they name differently, none is known."""
    return {name: one for name, one in {**names, **others}.items() if names.get(name, one) == one}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:_MOST_BYTES]
    except OSError:
        return ""
