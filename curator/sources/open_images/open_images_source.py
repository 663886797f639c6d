"""The Open Images source: images whose labels are verified, with licence, author and landing page.

Validation and test come first, then the train images that the bucket holds, then all other train images.

>>> source = OpenImages(classes={"rugby": ("Rugby", "Rugby ball"), "soccer": ("Soccer",)})
>>> source.subsets, source.labels_from
(('train', 'validation', 'test'), 'human')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.events import Noted
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, known_labels, listed_rows
from curator.sources.budget import budget
from curator.sources.named_files import state_of_files
from curator.sources.open_images.boxes import BoxFilter
from curator.sources.open_images.files import (
    ALL_TRAIN_TIER,
    BOXABLE_TRAIN_IMAGES,
    LABELS_FROM,
    N_TIERS,
    SUBSETS,
    class_file,
    image_file,
    label_files,
    place_of,
)
from curator.sources.open_images.hierarchy import HIERARCHY
from curator.sources.open_images.reader import MetadataReader, Wanted
from curator.sources.open_images.rows import PresentImages, catalog_columns, label_rows
from curator.sources.open_images.sorted_ids import ImageIds, ids_of, parts_by_id
from curator.sources.reading.places import is_url, local_path, missing_place, scheme_problem
from curator.store.spilled import pieces
from curator.text import plural, was

UNSUPPORTED = (
    "the files of segmentations (…-annotations-object-segmentation.csv) and of point labels (…-point-labels.csv) are "
    "not read"
)
METADATA = "https://storage.googleapis.com/openimages"
IMAGES = "https://open-images-dataset.s3.amazonaws.com"


@dataclass(frozen=True)
class OpenImages(Source):
    """``kind = "open-images"``: images by class name or MID."""

    kind: ClassVar[str] = "open-images"

    classes: Mapping[str, tuple[str, ...]] = setting(doc="label to classes: display names or MIDs")
    with_children: bool = setting(False, "list the classes below these too")
    except_: tuple[str, ...] = setting(
        (), "classes whose images are left out; with those below them, if children are listed"
    )
    subsets: tuple[str, ...] = setting(SUBSETS, "the subsets to list", choices=SUBSETS)
    labels_from: str = setting("human", "who says that an image shows a class", choices=LABELS_FROM, remark=UNSUPPORTED)
    boxes: Mapping[str, bool | float] | None = setting(None, "which boxes count: see below")
    crop: str = setting("", "`boxes`: each box that counts is an image of its own", choices=("", "boxes"))
    margin: float = setting(
        0.1, "how much of a box's width and height is added on each side, with `crop`", minimum=0, maximum=1
    )
    image_ids: tuple[str, ...] = setting((), "lists of image ids, an id a line: only these images")
    metadata: str = setting(METADATA, "where the tables are: an address or a folder")
    images: str = setting(IMAGES, "where the images are, as {subset}/{id}.jpg: an address or a folder")
    name: str = setting("", "the source's name in tables; its kind if not given")

    @property
    def n_tiers(self) -> int:
        """Validation and test, the boxable part of train, all of train."""
        return N_TIERS

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.classes.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("classes", self.classes, labels)
        if not self.subsets:
            found.append(("subsets", "must name at least one subset"))
        if self.boxes and self.labels_from != "boxes":
            found.append(("boxes", 'goes with labels_from = "boxes"'))
        if self.crop and self.labels_from != "boxes":
            found.append(("crop", 'goes with labels_from = "boxes"'))
        found += [("boxes", problem) for problem in BoxFilter(self.boxes or {}).problems()]
        found += [("image_ids", problem) for place in self.image_ids if (problem := scheme_problem(place))]
        return found + [(key, problem) for key, place in self._places.items() if (problem := scheme_problem(place))]

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        found = {key: missing_place(place, base_dir, folder=True) for key, place in self._places.items()}
        lists = [("image_ids", missing_place(place, base_dir, folder=False)) for place in self.image_ids]
        return [(key, problem) for key, problem in (*found.items(), *lists) if problem]

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its tables, if they are in a local folder."""
        lists = [str(local_path(one, base_dir).absolute()) for one in self.image_ids if not is_url(one)]
        if is_url(self.metadata):
            return state_of_files(lists, f"{base_dir}/")
        names = {class_file(self.labels_from), *([HIERARCHY] if self.with_children else [])}
        for tier in range(N_TIERS):
            files = label_files(self.labels_from, tier, self.subsets)
            names |= {*files.values(), *(image_file(tier, subset) for subset in files)}
        paths = (place_of(self.metadata, name, base_dir) for name in sorted(names))
        return state_of_files([*paths, *lists], f"{base_dir}/")

    @property
    def _places(self) -> dict[str, str]:
        return {"metadata": self.metadata, "images": self.images}

    def bulk_address(self) -> str:
        """Return the bucket's address."""
        return self.images

    def _reader(self, context: ListingContext) -> MetadataReader:
        boxes = BoxFilter(self.boxes or {}, cropped=self.crop == "boxes")
        wanted = Wanted(self.classes, self.with_children, self.except_, boxes, self.image_ids)
        return MetadataReader(self.metadata, self.labels_from, wanted, context)

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return which tables the tier will read; a table that an earlier tier has read is cached."""
        reader = self._reader(context)
        files = label_files(self.labels_from, tier, self.subsets)
        reads = [reader.plan_classes(), *reader.plan_hierarchy()] if files else []
        for subset, path in files.items():
            reads.append(reader.plan_labels(path))
            ids = ids_of(reader.present(path).rows["ImageID"]) if reads[-1].cached else None
            if tier == ALL_TRAIN_TIER:
                reads.append(reader.plan_images(BOXABLE_TRAIN_IMAGES, ids))
                ids = _not_boxable(reader, ids) if ids is not None and reads[-1].cached else None
            reads.append(reader.plan_images(image_file(tier, subset), ids))
        return reads

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List a tier's images that are verified (or boxed, or machine-labelled) present.

        Raises:
            SourceError: a table could not be read, or a class is unknown or ambiguous.
        """
        reader = self._reader(context)
        files = label_files(self.labels_from, tier, self.subsets)
        if files and not any(label_files(self.labels_from, before, self.subsets) for before in range(tier)):
            reader.tell_childless()  # once a run, whether the hierarchy was read before or not
        parts = [self._list_file(subset, path, tier, labels, reader) for subset, path in files.items()]
        return catalog.conform(pd.concat(parts, ignore_index=True)) if parts else catalog.empty()

    def _list_file(
        self, subset: str, path: str, tier: int, labels: Sequence[str], reader: MetadataReader
    ) -> pd.DataFrame:
        (mids, _), present = reader.mids(), reader.present(path)
        _tell_left_out(present, subset, reader.context)
        ids = ids_of(present.rows["ImageID"])
        wanted = _not_boxable(reader, ids) if tier == ALL_TRAIN_TIER else ids
        images = reader.images(image_file(tier, subset), wanted)
        kept, copies, n_unknown = budget().spilled(), budget().spilled(), 0
        for some, of_some in parts_by_id(present.rows, images):
            listed = label_rows(some, mids, labels)
            listed = listed.filter(wanted.are_in(listed["ImageID"]))
            frame = self._addressed(
                catalog_columns(listed, of_some, subset, need_metadata=tier > 0), subset, tier, reader
            )
            n_unknown += pc.count_distinct(listed["ImageID"]).as_py() - frame["source_id"].nunique()
            rows = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            kept.add(rows)
            if "local_path" in rows.column_names:
                copies.add(rows.select(["local_path"]))
        if (watched := copies.whole()).num_rows:
            reader.context.watch(watched["local_path"])
        if tier == ALL_TRAIN_TIER and n_unknown:
            what = plural(n_unknown, "image has", "images have")
            reader.context.emit(Noted(f"open-images train: {what} no known address and {was(n_unknown)} left out"))
        del present, images  # what is mapped of them need not stay
        rows = _by_label(kept.whole(), labels)
        return listed_rows(self.kind, self.title, tier, {name: rows[name] for name in rows.column_names})

    def _addressed(self, frame: pd.DataFrame, subset: str, tier: int, reader: MetadataReader) -> pd.DataFrame:
        """Say where each image is; those that are nowhere are left out."""
        if self.crop and self.margin:
            frame["crop"] = frame["crop"] + f" margin {self.margin:.6f}".rstrip("0").rstrip(".")
        original = frame.pop("original_url")
        files = f"/{subset}/" + frame["source_id"] + ".jpg"
        if tier == ALL_TRAIN_TIER:  # what is not in the bucket
            return frame.assign(url=original)[original.notna()]
        if is_url(self.images):
            return frame.assign(url=self.images.rstrip("/") + files, fallback_url=original)
        copies = str(local_path(self.images, reader.context.base_dir).absolute()) + files
        return frame.assign(local_path=copies, fallback_url=original)


def _tell_left_out(present: PresentImages, subset: str, context: ListingContext) -> None:
    said = [
        (present.n_contested, "label", "that people verified both present and absent"),
        (present.n_bad_ids, "row", "with no image id"),
        (present.n_excepted, "image", "with a class of `except`"),
    ]
    for n, one, which in said:
        if n:
            context.emit(Noted(f"open-images {subset}: {plural(n, one)} {which} {was(n)} left out"))


def _by_label(rows: pa.Table, labels: Sequence[str]) -> pa.Table:
    """Put the rows of each label together, the labels in ascending order."""
    found = budget().spilled()
    for label in sorted(labels):
        for piece in pieces(rows):
            found.add(piece.filter(pc.equal(piece["label"], label)))
    return found.whole() if len(labels) > 1 else rows


def _not_boxable(reader: MetadataReader, ids: ImageIds) -> ImageIds:
    return ids.beside(reader.images(BOXABLE_TRAIN_IMAGES, ids)["ImageID"])
