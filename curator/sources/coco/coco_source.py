"""The COCO source: pictures with annotations in the JSON of COCO, whose labels are the categories of what is in them.

A picture is listed if all that is annotated in it, of what the recipe wants, is of one label. See
https://cocodataset.org/#format-data.

>>> Coco(path="instances_train2017.json").missing(Path())
[('path', 'names instances_train2017.json, which is not a file')]
"""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, listed_rows, most_frequent
from curator.sources.coco.annotations import Annotated, read_annotations, text_of
from curator.sources.local_pictures import PictureFolder, find_folder
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.json_text import whole_text
from curator.sources.reading.places import (
    file_name,
    is_url,
    local_path,
    missing_place,
    place_version,
    scheme_problem,
    shown_name,
)
from curator.sources.reading.read import probe_size, read_place
from curator.sources.table_forms import N_SAME
from curator.sources.url_list.table_files import (
    missing_tables,
    path_problem,
    side_of_place,
    state_of_tables,
    table_files,
)
from curator.store.whole_files import whole_file
from curator.text import plural, was

COLUMNS = (
    "label", "source_id", "source_class", "url", "fallback_url", "local_path", "license", "author", "title",
    "listed_split", "key",
)  # fmt: skip
"""The columns of the catalog that a picture with annotations has, and its ``key``."""

_N_TRIED = 100


@dataclass(frozen=True)
class Coco(Source):
    """``kind = "coco"``: pictures with annotations in the JSON of COCO."""

    kind: ClassVar[str] = "coco"

    path: str | tuple[str, ...] = setting(doc="the annotations: a path or an address; several, a folder, a pattern")
    images: str = setting("", "the folder of the pictures; else their addresses are requested")
    links: bool = setting(False, "follow links that lead out of that folder")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        problem = path_problem(self.path)
        found = [("path", problem)] if problem else []
        if self.images and any(map(is_url, [self.path] if isinstance(self.path, str) else self.path)):
            found.append(("images", "goes with a local path: annotations from an address must not name local files"))
        elif self.images and (problem := scheme_problem(self.images)):
            found.append(("images", problem))
        return found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        images = missing_place(self.images, base_dir, folder=True) if self.images else None
        found = {"path": missing_tables(self.path, base_dir), "images": images}
        return [(key, problem) for key, problem in found.items() if problem]

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its local annotations."""
        return state_of_tables(self.path, base_dir)

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
        self._note(context, self.title, {"listed already": listed.attrs[N_SAME]})
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
        named: list[str] = []
        for image in annotated.images:
            categories = annotated.categories_of(image.get("id"))
            label, reason = _label_of(categories, context.find_label)
            if label is None:
                others.update(categories if not reason else ())
                left_out[reason] += 1
                continue
            file = text_of(image.get("file_name")) or ""
            path, missing = folder.find(file) if folder else (None, "without an address")
            if folder and (place_of := path or folder.place_of(file)):
                named.append(place_of)
            urls = [
                text_of(url) for key in ("coco_url", "flickr_url") if isinstance(url := image.get(key), str) and url
            ]
            if not (path or urls):
                left_out[missing] += 1
                continue
            name = path.removeprefix(f"{top}/") if path else str(image.get("id"))
            known = [text_of(image.get(key)) for key in ("author", "title")]
            category = next(one for one in sorted(categories) if context.find_label(one) == label)
            licence = annotated.licenses.get(image.get("license"))
            addresses = (*urls, None, None)[:2]
            yield (label, name, category, *addresses, path, licence, *known, side, urls[0] if urls else space + name)
        context.watch(named)
        left_out[f"of labels outside the recipe ({most_frequent(others)})"] += left_out.pop("", 0)
        self._note(context, file_name(place), left_out)
        self._note(context, file_name(place), annotated.refused, "entry", "entries")

    def _folder(self, place: str, annotated: Annotated, context: ListingContext) -> PictureFolder | None:
        """Return the folder that the names of a file start at: ``images``, or one in it such as ``train2017``."""
        if not self.images or is_url(place):
            return None
        top = local_path(self.images, context.base_dir)
        names = [str(image.get("file_name", "")) for image in annotated.images[:_N_TRIED]]
        found = find_folder(top, Path(place).stem, names)
        return PictureFolder(found or top, follow_links=self.links)

    def _note(
        self, context: ListingContext, name: str, counts: dict[str, int], one: str = "picture", many: str = ""
    ) -> None:
        for which, n in sorted(counts.items()):
            if n:
                context.emit(Noted(f"{name}: {plural(n, one, many)} {which} {was(n)} left out"))


_WAY_OUT = 'Write `labels` as its categories are called, or say which means what: `labels = { dog = ["Dog"], … }`.'


def _copy(place: str, context: ListingContext) -> Path:
    return CacheEntry(context, "coco", place_version(place, context.base_dir)).path.with_suffix(".json").absolute()


def _is_kept(copy: Path, context: ListingContext) -> bool:
    return copy.is_file() and (not context.refresh or copy in context.fresh)


def _kept_file(place: str, context: ListingContext) -> str:
    """Return the file that keeps what is at an address."""
    copy = _copy(place, context)
    of_this_run = copy.with_suffix(".once.json")
    if of_this_run in context.fresh:
        return str(of_this_run)
    if not _is_kept(copy, context):
        with whole_file(copy) as temporary, temporary.open("wb") as file:
            read_place(place, lambda stream: shutil.copyfileobj(stream, file, 1 << 20), context)
        if place in context.doubted:
            copy = copy.rename(of_this_run)
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
