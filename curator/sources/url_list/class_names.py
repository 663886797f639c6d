r"""The names of classes that a table has numbers for, as Hugging Face ``datasets`` keeps them.

They are in the metadata of a Parquet file, in ``dataset_infos.json``, or in the first lines of ``README.md``.
https://huggingface.co/docs/datasets/about_dataset_features

>>> info = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
>>> names_in_metadata({b"huggingface": json.dumps(info).encode()})
{'label': ('cat', 'dog')}
>>> names_in_card("- name: label\n  dtype:\n    class_label:\n      names:\n        '0': cat\n        '1': dog")
{'label': ('cat', 'dog')}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Names = Mapping[str, tuple[str, ...]]
"""The classes of a column, in the order of their numbers."""

_MOST_BYTES = 8 << 20
_CLASSES = re.compile(
    r"^[ \t]*- name: *([^\n]+)\n[ \t]*dtype: *\n[ \t]*class_label: *\n[ \t]*names: *\n"
    r"((?:[ \t]*['\"]?\d+['\"]?: [^\n]*\n?)+)",
    re.MULTILINE,
)
_CLASS = re.compile(r"['\"]?(\d+)['\"]?: *([^\n]*)")


def names_in_metadata(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """Read the classes of the columns out of a Parquet file's metadata."""
    try:
        return _of_features(json.loads((metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError):
        return {}


def names_beside(folder: Path) -> dict[str, tuple[str, ...]]:
    """Read the classes that the files of a data set in this folder, or in the one above it, state."""
    for place in (folder, folder.parent):
        infos, card = _text(place / "dataset_infos.json"), _text(place / "README.md")
        found: dict[str, tuple[str, ...]] = {}
        try:
            for info in json.loads(infos).values() if infos else ():
                found |= _of_features(info["features"])
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        if found := found or names_in_card(card):
            return found
    return {}


def names_in_card(text: str) -> dict[str, tuple[str, ...]]:
    """Read the classes out of the YAML at the beginning of a data set's card."""
    return {
        name.strip().casefold(): tuple(value.strip().strip("'\"") for _, value in sorted(_numbered(lines)))
        for name, lines in _CLASSES.findall(text)
    }


def with_names(column: pa.ChunkedArray, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Write the names for the numbers of a column; a number that no class has is none, and names stay."""
    numbers = pa.array([str(number) for number in range(len(names))], pa.string())
    texts = pa.array(names, pa.string())
    places = [pc.index_in(chunk, numbers) for chunk in column.chunks]
    named = pa.chunked_array([texts.take(place) for place in places], pa.string())
    is_number = pc.match_substring_regex(column, r"^-?\d+$")
    return pc.if_else(is_number, named, column)


def _of_features(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name.casefold(): tuple(map(str, feature["names"]))
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _numbered(lines: str) -> list[tuple[int, str]]:
    return [(int(number), name) for number, name in _CLASS.findall(lines)]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:_MOST_BYTES]
    except OSError:
        return ""
