"""Read annotations in the JSON of COCO: images, what is in each, and the names of it.

>>> import json
>>> text = json.dumps({
...     "images": [{"id": 7, "file_name": "7.jpg", "coco_url": "http://e.org/7.jpg", "license": 1}],
...     "annotations": [{"image_id": 7, "category_id": 2}],
...     "categories": [{"id": 2, "name": "dog"}],
...     "licenses": [{"id": 1, "name": "CC BY", "url": "http://e.org/by"}],
... })
>>> annotated = read_annotations(text)
>>> annotated.categories_of(7), annotated.licenses
({'dog'}, {1: 'http://e.org/by'})
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from curator.errors import SourceError
from curator.sources.reading.json_text import members, plain_text

_NEEDED = ("images", "annotations", "categories")


@dataclass
class Annotated:
    """What a file of annotations says.

    Attributes:
        images: as they are written.
        categories: the name of each, by its number.
        licenses: the address of each, else its name, by its number.
        shown: the numbers of the categories that are in an image, by its number.
        refused: entries that cannot be used, by reason.
    """

    images: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[Any, str] = field(default_factory=dict)
    licenses: dict[Any, str] = field(default_factory=dict)
    shown: dict[Any, set[Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def categories_of(self, image_id: Any) -> set[str]:
        """Return the names of what is annotated in an image."""
        return {self.categories[number] for number in self.shown.get(image_id, ()) if number in self.categories}


def read_annotations(text: str) -> Annotated:
    """Read a text of annotations.

    Raises:
        SourceError: it is no JSON, or has no images, annotations or categories.
    """
    found, seen = Annotated(), set()
    n_of: Counter[tuple[str, Any]] = Counter()
    for name, item in members(text):
        seen.add(name)
        if not isinstance(item, dict):
            if item is not None and name in _NEEDED:
                found.refused[f"other than a JSON object, among its {name}"] += 1
        elif name == "images":
            found.images.append(item | {"id": _number(item.get("id")), "license": _number(item.get("license"))})
        elif name == "annotations":
            found.shown.setdefault(_number(item.get("image_id")), set()).add(_number(item.get("category_id")))
            n_of.update((key, _number(item.get(key))) for key in ("image_id", "category_id"))
        elif name == "categories":
            found.categories[_number(item.get("id"))] = text_of(item.get("name")) or ""
        elif name == "licenses":
            found.licenses[_number(item.get("id"))] = text_of(item.get("url") or item.get("name")) or ""
    if missing := [name for name in _NEEDED if name not in seen]:
        hint = 'Name annotations of COCO, such as `instances_train2017.json`; a list of addresses is kind = "url-list".'
        raise SourceError(f"has no {' and no '.join(missing)}", hint)
    known = {"image_id": {image.get("id") for image in found.images}, "category_id": {*found.categories}}
    for (key, number), n in n_of.items():
        if number not in known[key]:
            found.refused[f"among its annotations whose {key} is not in the file"] += n
    return found


def text_of(value: Any) -> str | None:
    """Return a value as text; half of a surrogate pair, which JSON may name, is none."""
    return None if value is None else plain_text(str(value))


def _number(value: Any) -> Any:
    """Return what identifies something in the file: a number or text, whatever a stranger wrote there."""
    return value if isinstance(value, int | float | str) or value is None else repr(value)
