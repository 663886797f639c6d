"""The COCO source: pictures with annotations in the JSON of COCO, whose labels are the categories of what is in them.

A picture is listed if all that is annotated in it, of what the recipe wants, is of one label. See
https://cocodataset.org/#format-data.

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

import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.toml_settings import setting
from curator.sources.base import N_SAME, ListingContext, PlannedRead, Source, listed_rows, most_frequent
from curator.sources.local_pictures import PictureFolder
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.json_text import members, whole_text
from curator.sources.reading.places import (
    file_name,
    is_url,
    local_path,
    place_problem,
    place_version,
    shown_name,
    state_of_files,
)
from curator.sources.reading.read import probe_size, read_place
from curator.sources.url_list.table_files import path_problem, side_of_name, side_of_place, table_files
from curator.store.whole_files import whole_file

COLUMNS = (
    "label", "source_id", "source_class", "url", "fallback_url", "local_path", "license", "author", "title",
    "listed_split", "key",
)  # fmt: skip
"""The columns of the catalog that a picture with annotations has, and its ``key``."""

_NEEDED = ("images", "annotations", "categories")
_N_TRIED = 100


@dataclass(frozen=True)
class Coco(Source):
    """``kind = "coco"``: pictures with annotations in the JSON of COCO."""

    kind: ClassVar[str] = "coco"

    path: str | tuple[str, ...] = setting(doc="the annotations: a path or an address; several, a folder, a pattern")
    images: str = setting("", "the folder of the pictures; else their addresses are requested")
    links: bool = setting(False, "follow links that lead out of that folder")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def problems(self, labels: Sequence[str], base_dir: Path) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        problem = path_problem(self.path, base_dir)
        found = [("path", problem)] if problem else []
        if self.images and not problem and any(map(is_url, table_files(self.path, base_dir))):
            found.append(("images", "goes with a local path: annotations from an address must not name local files"))
        elif self.images and (problem := place_problem(self.images, base_dir, folder=True)):
            found.append(("images", problem))
        return found

    def local_state(self, base_dir: Path) -> str:
        """Name its local annotations with their sizes and times."""
        return state_of_files([one for one in table_files(self.path, base_dir) if not is_url(one)], base_dir)

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large the annotations are."""
        places = table_files(self.path, context.base_dir)
        kept = {place for place in places if is_url(place) and _is_kept(_copy(place, context), context)}
        sizes = [0 if place in kept else probe_size(place, context) for place in places]
        return [PlannedRead(shown_name(place), size, place in kept) for place, size in zip(places, sizes, strict=True)]

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List the pictures of ``labels``; those of others, of two, and without a file are counted and reported.

        Raises:
            SourceError: a file cannot be read or holds no annotations, or nothing is listed.
        """
        rows = self.rows(self.read(context), context)
        if not rows:
            raise SourceError(f"The annotations {self.path} have no picture of {', '.join(context.labels)}.", _WAY_OUT)
        wanted = [row for row in rows if row[0] in labels]
        columns = {name: pa.array([row[i] for row in wanted], pa.string()) for i, name in enumerate(COLUMNS)}
        listed = listed_rows(self.kind, self.title, tier, columns)
        self._note(context, self.title, {"that are listed already": listed.attrs[N_SAME]})
        return listed

    def read(self, context: ListingContext) -> dict[str, Annotated]:
        """Read each file of annotations; those from an address are kept as they came.

        Raises:
            SourceError: one cannot be read, or holds none.
        """
        found = {}
        for place in table_files(self.path, context.base_dir):
            try:
                found[place] = read_place(_kept_file(place, context) if is_url(place) else place, _read, context)
            except SourceError as error:
                message = error.message.removeprefix(place).strip().rstrip(".")
                raise SourceError(f"The annotations {place} {message}.", error.hint or _WAY_OUT) from error
        return found

    def rows(self, read: Mapping[str, Annotated], context: ListingContext) -> list[tuple[str | None, ...]]:
        """Return the pictures of the recipe's labels, as :data:`COLUMNS`, and report what is left out."""
        return [row for place, annotated in read.items() for row in self._listed(place, annotated, context)]

    def _listed(self, place: str, annotated: Annotated, context: ListingContext) -> Iterator[tuple[str | None, ...]]:
        """Yield the rows of one file, and report what of it is left out."""
        left_out, others = Counter[str](), Counter[str]()
        folder, side = self._folder(place, annotated, context), side_of_place(place)
        top = local_path(self.images, context.base_dir).absolute()
        space = json.dumps([self.name, self.images or place]) + "\n" if context.has_namesake else ""
        for image in annotated.images:
            categories = annotated.categories_of(image.get("id"))
            label, reason = _label_of(categories, context.find_label)
            path, missing = folder.find(_text(image.get("file_name")) or "") if folder else (None, "without an address")
            urls = [url for key in ("coco_url", "flickr_url") if isinstance(url := image.get(key), str) and url]
            if label is None and not reason:
                others.update(categories)
            if label is None or not (path or urls):
                left_out[reason or (missing if label else "")] += 1
                continue
            name = path.removeprefix(f"{top}/") if path else str(image.get("id"))
            known = [_text(image.get(key)) for key in ("author", "title")]
            category = next(one for one in sorted(categories) if context.find_label(one) == label)
            licence = annotated.licenses.get(image.get("license"))
            addresses = (*urls, None, None)[:2]
            yield (label, name, category, *addresses, path, licence, *known, side, urls[0] if urls else space + name)
        left_out[f"of labels outside the recipe ({most_frequent(others)})"] += left_out.pop("", 0)
        self._note(context, file_name(place), left_out)
        self._note(context, file_name(place), annotated.refused, "entries")

    def _folder(self, place: str, annotated: Annotated, context: ListingContext) -> PictureFolder | None:
        """Return the folder that the names of a file start at: ``images``, or one in it such as ``train2017``."""
        if not self.images or is_url(place):
            return None
        top = local_path(self.images, context.base_dir)
        names = [str(image.get("file_name", "")) for image in annotated.images[:_N_TRIED]]
        found = find_folder(top, Path(place).stem, names)
        return PictureFolder(found or top, follow_links=self.links)

    def _note(self, context: ListingContext, name: str, counts: dict[str, int], what: str = "pictures") -> None:
        for which, n in sorted(counts.items()):
            if n:
                context.emit(Noted(f"{name}: {n:,} {what} {which} were left out"))


_WAY_OUT = 'Write `labels` as its categories are called, or say which means what: `labels = { dog = ["Dog"], … }`.'


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
                found.refused[f"that are no JSON object, among its {name}"] += 1
        elif name == "images":
            found.images.append(item | {"id": _number(item.get("id")), "license": _number(item.get("license"))})
        elif name == "annotations":
            found.shown.setdefault(_number(item.get("image_id")), set()).add(_number(item.get("category_id")))
            n_of.update((key, _number(item.get(key))) for key in ("image_id", "category_id"))
        elif name == "categories":
            found.categories[_number(item.get("id"))] = _text(item.get("name")) or ""
        elif name == "licenses":
            found.licenses[_number(item.get("id"))] = _text(item.get("url") or item.get("name")) or ""
    if missing := [name for name in _NEEDED if name not in seen]:
        hint = 'Name annotations of COCO, such as `instances_train2017.json`; a list of addresses is kind = "url-list".'
        raise SourceError(f"has no {' and no '.join(missing)}", hint)
    known = {"image_id": {image.get("id") for image in found.images}, "category_id": {*found.categories}}
    for (key, number), n in n_of.items():
        if number not in known[key]:
            found.refused[f"among its annotations whose {key} is not in the file"] += n
    return found


def find_folder(top: Path, stem: str, names: Sequence[str]) -> Path | None:
    """Return the folder that file names start at: ``top``, one in it, or one of those in it; the one with most of them.

    Args:
        stem: the name of the annotations, whose side goes before others: ``train2017/`` for ``instances_train2017``.
    """
    n_top = sum(os.path.isfile(top / name) for name in names)  # noqa: PTH113 (False also where nobody may look)
    if n_top == len(names):
        return top if names else None
    side = side_of_name(stem)
    below = [folder for upper in _folders_in(top) for folder in (upper, *_folders_in(upper))]
    ranked = sorted(below, key=lambda folder: side_of_name(folder.name) != side)
    counts = {folder: sum(os.path.isfile(folder / name) for name in names) for folder in ranked}  # noqa: PTH113
    found = {top: n_top, **counts}
    best = max(found, key=lambda folder: found[folder])
    return best if found[best] else None


def _folders_in(folder: Path) -> list[Path]:
    """List the first folders in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
        return [folder / name for name in sorted(names)[:_N_TRIED]]
    return []


def _copy(place: str, context: ListingContext) -> Path:
    return CacheEntry(context, "coco", place_version(place, context.base_dir)).path.with_suffix(".json").absolute()


def _is_kept(copy: Path, context: ListingContext) -> bool:
    return copy.is_file() and (not context.refresh or copy in context.fresh)


def _kept_file(place: str, context: ListingContext) -> str:
    """Return the file that keeps what is at an address."""
    copy = _copy(place, context)
    if not _is_kept(copy, context):
        with whole_file(copy) as temporary, temporary.open("wb") as file:
            read_place(place, lambda stream: shutil.copyfileobj(stream, file, 1 << 20), context)
        context.fresh.add(copy)
    return str(copy)


def _read(stream: io.BufferedReader) -> Annotated:
    return read_annotations(whole_text(LineBlocks(stream)))


def _label_of(categories: set[str], find_label: Callable[[str], str | None]) -> tuple[str | None, str]:
    """Return the label of a picture with these categories in it, or why it has none; no reason: it has others."""
    labels = {label for category in categories if (label := find_label(category)) is not None}
    if len(labels) == 1:
        return labels.pop(), ""
    if labels:
        return None, "of two wanted labels or more"
    return None, "" if categories else "without annotations"


def _text(value: Any) -> str | None:
    """Return a value as text; half of a surrogate pair, which JSON may name, is none."""
    return None if value is None else str(value).encode("utf-8", "replace").decode()


def _number(value: Any) -> Any:
    """Return what identifies something in the file: a number or text, whatever a stranger wrote there."""
    return value if isinstance(value, int | float | str) or value is None else repr(value)
