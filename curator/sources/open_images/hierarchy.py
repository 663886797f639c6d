"""Which classes are below others in the hierarchy of Open Images, and which classes a recipe's labels mean with them.

The file is that of https://storage.googleapis.com/openimages/web/download_v7.html: the classes with boxes, 600 of them.

>>> text = '{"LabelName": "/m/a", "Subcategory": [{"LabelName": "/m/b", "Subcategory": [{"LabelName": "/m/c"}]}]}'
>>> children = children_of(text)
>>> below(children, "/m/a"), below(children, "/m/c")
(('/m/b', '/m/c'), ())
>>> with_children({"a": ("/m/a",), "c": ("/m/c",)}, (), children)
{'a': ('/m/a', '/m/b'), 'c': ('/m/c',)}
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curator.errors import SourceError
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.json_text import whole_text
from curator.store.plain_json import parse_json

HIERARCHY = "2018_04/bbox_labels_600_hierarchy.json"
_KINDS = ("Subcategory", "Part")
Children = Mapping[str, Sequence[str]]


def children_of(text: str) -> dict[str, tuple[str, ...]]:
    """Return the classes right below each class that has any; a part, such as a wheel, is no kind of its whole.

    Raises:
        SourceError: the text is no hierarchy.
    """
    try:
        root = parse_json(text)
    except ValueError as error:
        raise SourceError(f"The hierarchy of classes is none: {error}.") from error
    found: dict[str, dict[str, None]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        below_it = _nodes(node, "Subcategory")
        if below_it:
            found.setdefault(node["LabelName"], {}).update((_name(one), None) for one in below_it)
        waiting += [one for kind in _KINDS for one in _nodes(node, kind)]
    if not found:
        raise SourceError("The hierarchy of classes names no class below another.")
    return {name: tuple(names) for name, names in found.items()}


def read_children(stream: io.BufferedReader) -> dict[str, tuple[str, ...]]:
    """Read :func:`children_of` from a file."""
    return children_of(whole_text(LineBlocks(stream)))


def _nodes(node: Any, kind: str) -> list[Any]:
    _name(node)
    nodes = node.get(kind, [])
    if not isinstance(nodes, list):
        raise SourceError(f"The hierarchy of classes has a {kind} that is no list, of {node['LabelName']}.")
    return nodes


def _name(node: Any) -> str:
    if not isinstance(node, dict) or not isinstance(node.get("LabelName"), str):
        raise SourceError("The hierarchy of classes has an entry without LabelName.")
    return str(node["LabelName"])


def below(children: Children, mid: str, stops: Iterable[str] = ()) -> tuple[str, ...]:
    """Return all classes below one, each once, nearest first; not ``stops``, nor what is only below them."""
    seen, level = {mid: None}, [mid]
    barred = set(stops)
    while level:
        level = [child for one in level for child in children.get(one, ()) if child not in seen and child not in barred]
        level = list(dict.fromkeys(level))
        seen.update(dict.fromkeys(level))
    return tuple(seen)[1:]


def with_children(
    mids: Mapping[str, Sequence[str]], excepted: Sequence[str], children: Children
) -> dict[str, tuple[str, ...]]:
    """Add to each label's classes those below them, but for what is excepted, or is named for another label.

    Raises:
        SourceError: a class is below those of two labels, and named for neither.
    """
    named = {mid: label for label, own in mids.items() for mid in own}
    found: dict[str, dict[str, None]] = {}
    for label, own in mids.items():
        stops = {*excepted, *(mid for mid, other in named.items() if other != label)}
        found[label] = dict.fromkeys([*own, *(low for mid in own for low in below(children, mid, stops))])
    labels_of: dict[str, list[str]] = {}
    for label, classes in found.items():
        for mid in classes:
            labels_of.setdefault(mid, []).append(label)
    if shared := {mid: labels for mid, labels in labels_of.items() if len(labels) > 1}:
        texts = [f"{mid} is below classes of {' and '.join(labels)}" for mid, labels in sorted(shared.items())]
        hint = "Name each in `classes` for the label that it belongs to, or in `except`."
        raise SourceError(f"Open Images: {'; '.join(texts)}.", hint)
    return {label: tuple(classes) for label, classes in found.items()}
