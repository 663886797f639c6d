"""Read what a tier of Open Images needs of its metadata, filtered while it streams and kept, so that it is read once.

>>> context = ListingContext(labels=("rugby",), cache_dir=Path("sources"))
>>> wanted = Wanted({"rugby": ("Rugby",)})
>>> reader = MetadataReader("https://storage.googleapis.com/openimages", "human", wanted, context)
>>> reader.place("v7/oidv7-class-descriptions.csv")
'https://storage.googleapis.com/openimages/v7/oidv7-class-descriptions.csv'
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.sources.base import ListingContext, PlannedRead
from curator.sources.budget import budget
from curator.sources.open_images.boxes import BoxFilter
from curator.sources.open_images.classes import ClassNames, read_class_names
from curator.sources.open_images.files import class_file, place_of
from curator.sources.open_images.hierarchy import HIERARCHY, Children, below, read_children, with_children
from curator.sources.open_images.image_ids import read_ids
from curator.sources.open_images.rows import EXTRA_COLUMNS, IMAGE_COLUMNS, PresentImages, present_images, without
from curator.sources.open_images.sorted_ids import ImageIds, ids_of, parts_by_id
from curator.sources.open_images.wanted_rows import filter_csv, filter_labels
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows
from curator.sources.reading.places import file_name, is_url, local_path, place_version
from curator.sources.reading.read import probe_size, read_place

_OPTIONAL_IMAGE_COLUMNS = (*IMAGE_COLUMNS, *EXTRA_COLUMNS, "Rotation")
Answer = TypeVar("Answer")
_WAY_OUT = 'Run again later, or download the tables yourself and name their folder: `metadata = "path"`.'
_CLASS_HINT = "Write a class's own name or its MID into `classes`; those that are near are named."
_BOXES_HINT = 'Only 600 classes have boxes; labels_from = "human" knows some 20,000.'


@dataclass(frozen=True)
class Wanted:
    """What a recipe wants: each label's classes, those below them or not, but for some; which boxes, which images."""

    classes: Mapping[str, tuple[str, ...]]
    with_children: bool = False
    excepted: tuple[str, ...] = ()
    boxes: BoxFilter = field(default_factory=BoxFilter)
    lists: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetadataReader:
    """Reads class names, labels and image facts under ``metadata``, for all classes of a recipe at once.

    All classes, not only those of the labels that are short just now: a file of gigabytes is not read a second time
    because another label has become short.
    """

    metadata: str
    labels_from: str
    wanted: Wanted
    context: ListingContext

    def place(self, path: str) -> str:
        """Return the address or local path of a metadata file."""
        return place_of(self.metadata, path, self.context.base_dir)

    def mids(self) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        """Find each label's MIDs, and those that are excepted, with those below them if they are wanted.

        Raises:
            SourceError: the class descriptions cannot be read, or a class is unknown or ambiguous.
        """
        mids, excepted = self._named()
        if not self.wanted.with_children:
            return mids, excepted
        named, children = {mid for own in mids.values() for mid in own}, self._children()
        excepted = tuple(dict.fromkeys(low for mid in excepted for low in (mid, *below(children, mid, named))))
        return with_children(mids, excepted, children), excepted

    def tell_childless(self) -> None:
        """Say which of the classes that are named have none below them, if those below are wanted."""
        if not self.wanted.with_children:
            return
        (mids, _), children = self._named(), self._children()
        if alone := sorted({mid for own in mids.values() for mid in own if mid not in children}):
            what = "has no class below it" if len(alone) == 1 else "have no class below them"
            rest = "in the hierarchy, which holds the 600 classes with boxes"
            self.context.emit(Noted(f"open-images: {', '.join(alone)} {what} {rest}"))

    def _named(self) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        entry = self._classes_entry()
        table = entry.load()
        if table is None:
            place = self.place(class_file(self.labels_from))
            names = self._read(place, read_class_names)
            names.tally.tell(self.context.emit, file_name(place))
            table = pa.table({"mid": list(names.names), "name": list(names.names.values())})
            entry.save(table, {"origin": place})
        names = ClassNames(dict(zip(table["mid"].to_pylist(), table["name"].to_pylist(), strict=True)))
        try:
            mids = names.find_all(self.wanted.classes)
            excepted = names.find_all({"except": self.wanted.excepted})["except"]
        except SourceError as error:
            raise SourceError(error.message, _BOXES_HINT if self.labels_from == "boxes" else _CLASS_HINT) from error
        named = {mid for own in mids.values() for mid in own}
        if both := sorted(named & {*excepted}):
            raise SourceError(f"Open Images: {', '.join(both)} is named both in `classes` and in `except`.")
        return mids, excepted

    def _children(self) -> Children:
        """Read which classes are right below others."""
        entry = self._entry("open-images-hierarchy", HIERARCHY, {})
        if (table := entry.load()) is None:
            children = self._read(self.place(HIERARCHY), read_children)
            pairs = [(mid, low) for mid, lows in children.items() for low in lows]
            table = pa.table({"mid": [mid for mid, _ in pairs], "child": [low for _, low in pairs]})
            entry.save(table, {"origin": self.place(HIERARCHY)})
        found: dict[str, list[str]] = {}
        for mid, low in zip(table["mid"].to_pylist(), table["child"].to_pylist(), strict=True):
            found.setdefault(mid, []).append(low)
        return found

    def present(self, path: str) -> PresentImages:
        """Read the image and class pairs that the label file ``path`` says are present, of images that are wanted."""
        entry, (_, excepted) = self._labels_entry(path), self.mids()
        filter_rows = partial(filter_labels, mids=entry.key["mids"], labels_from=self.labels_from)
        if self.wanted.boxes.columns:
            filter_rows = partial(filter_rows, boxes=self.wanted.boxes, anyway=excepted)
        labels = self._rows(entry, path, filter_rows)
        lists = [ids_of(self._rows(self._list_entry(place), place, read_ids)["ImageID"]) for place in self.wanted.lists]
        kept, counts = budget().spilled(), PresentImages(labels.slice(0, 0), n_bad_ids=labels.num_rows)
        for (part,) in parts_by_id(labels):
            found = without(present_images(part, self.labels_from), excepted)
            are_in = [ids.are_in(found.rows["ImageID"]) for ids in lists]
            kept.add(found.rows.filter(reduce(pc.or_, are_in)) if are_in else found.rows)
            counts = counts.plus(replace(found, n_bad_ids=found.n_bad_ids - part.num_rows))
        return replace(counts, rows=kept.whole())

    def images(self, path: str, ids: ImageIds) -> pa.Table:
        """Read the rows of the image table ``path`` for these image ids."""
        filter_rows = partial(
            filter_csv,
            columns=("ImageID", "OriginalURL"),
            key="ImageID",
            wanted=ids.are_in,
            optional=_OPTIONAL_IMAGE_COLUMNS,
        )
        return self._rows(self._images_entry(path, ids), path, filter_rows)

    def _rows(self, entry: CacheEntry, path: str, filter_rows: Callable[..., Rows]) -> pa.Table:
        table = entry.load()
        if table is not None:
            return table
        place = entry.key["place"]
        found = self._read(place, filter_rows)
        found.tally.tell(self.context.emit, file_name(place))
        entry.save(found.rows, {"origin": place, "tally": found.tally.as_facts()})
        return found.rows

    def _read(self, place: str, read: Callable[[io.BufferedReader], Answer]) -> Answer:
        try:
            return read_place(place, read, self.context)
        except SourceError as error:
            message = error.message if place in error.message else f"{place}: {error.message}"
            raise SourceError(f"Open Images: {message}", error.hint or _WAY_OUT) from error

    def plan_classes(self) -> PlannedRead:
        """Return what reading the class descriptions will transfer."""
        return self._planned(class_file(self.labels_from), self._classes_entry().exists)

    def plan_hierarchy(self) -> list[PlannedRead]:
        """Return what reading the hierarchy will transfer, if it is to be read."""
        if not self.wanted.with_children:
            return []
        return [self._planned(HIERARCHY, self._entry("open-images-hierarchy", HIERARCHY, {}).exists)]

    def plan_labels(self, path: str) -> PlannedRead:
        """Return what reading the labels will transfer."""
        is_known = self._classes_entry().exists and all(one.cached for one in self.plan_hierarchy())
        return self._planned(path, is_known and self._labels_entry(path).exists)

    def plan_images(self, path: str, ids: ImageIds | None) -> PlannedRead:
        """Return what reading the image table will transfer; ``ids`` is None if the labels are not read yet."""
        return self._planned(path, ids is not None and self._images_entry(path, ids).exists)

    def _planned(self, path: str, cached: bool) -> PlannedRead:
        place = self.place(path)
        return PlannedRead(file_name(place), 0 if cached else probe_size(place, self.context), cached)

    def _classes_entry(self) -> CacheEntry:
        return self._entry("open-images-classes", class_file(self.labels_from), {})

    def _labels_entry(self, path: str) -> CacheEntry:
        found, excepted = self.mids()
        key: dict[str, Any] = {"mids": sorted({*excepted, *(mid for mids in found.values() for mid in mids)})}
        if boxes := self.wanted.boxes.wanted:
            key |= {"boxes": dict(boxes), "anyway": sorted(excepted)}
        if self.wanted.boxes.cropped:
            key |= {"cropped": True, "anyway": sorted(excepted)}
        return self._entry(f"open-images-{Path(path).stem}", path, key)

    def _list_entry(self, place: str) -> CacheEntry:
        where = place if is_url(place) else str(local_path(place, self.context.base_dir).absolute())
        return CacheEntry(self.context, "open-images-ids", place_version(where, self.context.base_dir))

    def _images_entry(self, path: str, ids: ImageIds) -> CacheEntry:
        return self._entry(f"open-images-{Path(path).stem}", path, {"ids": ids.digest()})

    def _entry(self, stem: str, path: str, key: Mapping[str, Any]) -> CacheEntry:
        return CacheEntry(self.context, stem, {**place_version(self.place(path), self.context.base_dir), **key})
