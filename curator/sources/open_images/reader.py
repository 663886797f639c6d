"""Read what a tier of Open Images needs of its metadata, filtered while it streams and kept, so that it is read once.

>>> context = ListingContext(labels=("rugby",), cache_dir=Path("sources"))
>>> wanted = Wanted({"rugby": ("Rugby",)})
>>> reader = MetadataReader("https://storage.googleapis.com/openimages", "human", wanted, context)
>>> reader.place("v7/oidv7-class-descriptions.csv")
'https://storage.googleapis.com/openimages/v7/oidv7-class-descriptions.csv'
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.sources.base import ListingContext, PlannedRead
from curator.sources.budget import budget
from curator.sources.open_images.boxes import CROP, BoxFilter
from curator.sources.open_images.classes import ClassNames, read_class_names
from curator.sources.open_images.files import class_file, place_of
from curator.sources.open_images.hierarchy import HIERARCHY, Children, below, read_children, with_children
from curator.sources.open_images.image_ids import read_ids
from curator.sources.open_images.rows import EXTRA_COLUMNS, IMAGE_COLUMNS, PresentImages, present_images, without
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows, read_delimited
from curator.sources.reading.places import file_name, is_url, local_path, place_version
from curator.sources.reading.read import probe_size, read_place
from curator.sources.reading.records import Shape

_OPTIONAL_IMAGE_COLUMNS = (*IMAGE_COLUMNS, *EXTRA_COLUMNS, "Rotation")
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
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
        filter_rows = partial(_filter_labels, mids=entry.key["mids"], labels_from=self.labels_from)
        if self.wanted.boxes.columns:
            filter_rows = partial(filter_rows, boxes=self.wanted.boxes, anyway=excepted)
        present = without(present_images(self._rows(entry, path, filter_rows), self.labels_from), excepted)
        if not self.wanted.lists:
            return present
        rows = [self._rows(self._list_entry(place), place, read_ids)["ImageID"] for place in self.wanted.lists]
        named = pa.chunked_array([chunk for column in rows for chunk in column.chunks], pa.string())
        return replace(present, rows=present.rows.filter(pc.is_in(present.rows["ImageID"], value_set=named)))

    def images(self, path: str, ids: pa.Array) -> pa.Table:
        """Read the rows of the image table ``path`` for these image ids."""
        filter_rows = partial(
            filter_csv, columns=("ImageID", "OriginalURL"), key="ImageID", wanted=ids, optional=_OPTIONAL_IMAGE_COLUMNS
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

    def plan_images(self, path: str, ids: pa.Array | None) -> PlannedRead:
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

    def _images_entry(self, path: str, ids: pa.Array) -> CacheEntry:
        digest = hashlib.sha256("\n".join(sorted(ids.to_pylist())).encode("ascii")).hexdigest()
        return self._entry(f"open-images-{Path(path).stem}", path, {"ids": digest})

    def _entry(self, stem: str, path: str, key: Mapping[str, Any]) -> CacheEntry:
        return CacheEntry(self.context, stem, {**place_version(self.place(path), self.context.base_dir), **key})


def _filter_labels(
    stream: io.BufferedReader,
    mids: Sequence[str],
    labels_from: str,
    boxes: BoxFilter | None = None,
    anyway: Sequence[str] = (),
) -> Rows:
    """Read the rows of these classes; of boxes those that are wanted, and ``anyway`` those of some classes."""
    boxes = boxes or BoxFilter()
    columns = boxes.columns if labels_from == "boxes" else ("Confidence",)
    found = filter_csv(stream, ("ImageID", "LabelName", *columns), "LabelName", mids)
    if labels_from == "boxes":
        readable = boxes.readable(found.rows)
        for line in found.lines.filter(pc.invert(readable)).to_pylist():
            found.tally.refuse("with a box that is none", line)
        rows, lines = found.rows.filter(readable), found.lines.filter(readable)
        kept = pc.or_(boxes.keep(rows), pc.is_in(rows["LabelName"], value_set=pa.array(anyway, pa.string())))
        rows = rows.filter(kept)
        crops = {CROP: boxes.crops(rows)} if boxes.cropped else {}
        pairs = {name: rows[name] for name in ("ImageID", "LabelName")}
        return Rows(pa.table({**pairs, **crops}), lines.filter(kept), found.tally)
    is_number = pc.match_substring_regex(found.rows["Confidence"], _NUMBER)
    if found.rows.num_rows and not pc.any(is_number).as_py():
        raise SourceError("The labels hold a Confidence that is not a number in every row.")
    for line in found.lines.filter(pc.invert(is_number)).to_pylist():
        found.tally.refuse("with a Confidence that is not a number", line)
    return Rows(found.rows.filter(is_number), found.lines.filter(is_number), found.tally)


def filter_csv(
    stream: io.BufferedReader,
    columns: Sequence[str],
    key: str,
    wanted: Sequence[str] | pa.Array,
    optional: Sequence[str] = (),
) -> Rows:
    r"""Read the rows whose ``key`` is among ``wanted``: ``columns`` as text, of a CSV with a header line.

    Bytes that are not UTF-8 become U+FFFD.

    >>> lines = b"ImageID,Source,LabelName,Confidence\n0a,verification,/m/06bqd,1\n0b,verification,/m/02vx4,0\n"
    >>> found = filter_csv(io.BufferedReader(io.BytesIO(lines)), ("ImageID", "LabelName"), "LabelName", ["/m/06bqd"])
    >>> found.rows.to_pylist()
    [{'ImageID': '0a', 'LabelName': '/m/06bqd'}]

    Args:
        optional: further columns, all null if the table does not have them.

    Raises:
        SourceError: it lacks a column, or cannot be parsed.
    """
    lines = LineBlocks(stream)
    line = (lines.take_line() or b"").decode("utf-8", "replace")
    budget().columns(line.count(",") + 1)
    names = [name.decode() for name in Shape(n_fields=0).fields_of_line(line.strip().encode())]
    if missing := [name for name in columns if name not in names]:
        seen = ", ".join(names)[:200] or "nothing"
        raise SourceError(f"The table has no column {', '.join(missing)}; its first line is: {seen}.")
    present = [*columns, *(name for name in optional if name in names)]
    values = pa.array(wanted, pa.string()).cast(pa.binary())
    where, witness = (lambda rows: pc.is_in(rows[key], values)), ("ImageID", "[0-9a-f]{16}")
    found = read_delimited(lines, names, present, is_text=False, where=where, witness=witness)
    texts = {name: _as_text(found.rows[name]) for name in present}
    nulls = pa.nulls(found.rows.num_rows, pa.string())
    table = pa.table({name: texts.get(name, nulls) for name in (*columns, *optional)})
    return Rows(table, found.lines, found.tally)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([[value.decode("utf-8", "replace") for value in column.to_pylist()]], pa.string())
