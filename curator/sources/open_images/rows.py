"""Decide which images Open Images' labels list, and make catalog columns of them: pure, from tables to tables.

>>> labels = pa.table({"ImageID": ["0" * 16, "1" * 16], "LabelName": ["/m/06bqd"] * 2, "Confidence": ["1", "0"]})
>>> present_images(labels, "human").rows.to_pylist()
[{'ImageID': '0000000000000000', 'LabelName': '/m/06bqd'}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.open_images.boxes import CROP

MACHINE_CONFIDENCE = 0.5
"""Least confidence of a machine label; the page of Open Images calls labels from 0.5 on "sufficiently" certain."""

IMAGE_COLUMNS: Mapping[str, str] = {
    "OriginalLandingURL": "landing_url",
    "License": "license",
    "AuthorProfileURL": "author_url",
    "Author": "author",
    "Title": "title",
}
EXTRA_COLUMNS: Mapping[str, str] = {"OriginalSize": "original_size", "OriginalMD5": "original_md5"}
_PAIR = ["ImageID", "LabelName"]


def _image_keys(rows: pa.Table) -> list[str]:
    """Return the columns that tell one image from another: its id, and its box if boxes are images."""
    return ["ImageID", CROP] if CROP in rows.column_names else ["ImageID"]


@dataclass(frozen=True)
class PresentImages:
    """Image and class pairs that are present, each once, sorted; and what was left out."""

    rows: pa.Table
    n_contested: int = 0
    n_bad_ids: int = 0
    n_excepted: int = 0

    def plus(self, others: PresentImages) -> PresentImages:
        """Count what was left out of these and of others; the rows are these."""
        names = ("n_contested", "n_bad_ids", "n_excepted")
        return replace(self, **{name: getattr(self, name) + getattr(others, name) for name in names})


def present_images(labels: pa.Table, labels_from: str) -> PresentImages:
    """Keep the pairs that the labels say are present: Confidence 1 by a person, from 0.5 by a machine, or any box.

    A pair that one person verified present and another absent is contested and left out: verified negatives are
    never listed. All boxes given count: see :mod:`curator.sources.open_images.boxes`.

    Args:
        labels: text columns ``ImageID``, ``LabelName``, ``Confidence``.
        labels_from: ``human``, ``machine`` or ``boxes``.

    Raises:
        SourceError: a Confidence is not a number.
    """
    good_ids = labels.filter(pc.match_substring_regex(labels["ImageID"], "^[0-9a-f]{16}$"))
    n_bad_ids = labels.num_rows - good_ids.num_rows
    if labels_from == "boxes":
        return PresentImages(_distinct(good_ids), n_bad_ids=n_bad_ids)
    try:
        confidence = pc.cast(good_ids["Confidence"], pa.float64())
    except pa.ArrowInvalid as error:
        raise SourceError(f"The labels hold a Confidence that is not a number ({error}).") from error
    least = MACHINE_CONFIDENCE if labels_from == "machine" else 1.0
    present = _distinct(good_ids.filter(pc.greater_equal(confidence, least)))
    if labels_from == "machine":
        return PresentImages(present, n_bad_ids=n_bad_ids)
    absent = _distinct(good_ids.filter(pc.less_equal(confidence, 0.0)))
    certain = present.join(absent, _PAIR, join_type="left anti").sort_by([(name, "ascending") for name in _PAIR])
    return PresentImages(certain, present.num_rows - certain.num_rows, n_bad_ids)


def without(present: PresentImages, excepted: Sequence[str]) -> PresentImages:
    """Leave out the images that show an excepted class (a MID), and count those that show a wanted one too."""
    if not excepted:
        return present
    is_excepted = pc.is_in(present.rows["LabelName"], value_set=pa.array(excepted, pa.string()))
    ids = pc.unique(present.rows["ImageID"].filter(is_excepted))
    wanted = present.rows.filter(pc.invert(is_excepted))
    kept = wanted.filter(pc.invert(pc.is_in(wanted["ImageID"], value_set=ids)))
    n = pc.count_distinct(wanted["ImageID"]).as_py() - pc.count_distinct(kept["ImageID"]).as_py()
    return replace(present, rows=kept, n_excepted=n)


def _distinct(rows: pa.Table) -> pa.Table:
    keys = [*_PAIR, *_image_keys(rows)[1:]]
    unique = rows.select(keys).group_by(keys).aggregate([])
    return unique.select(keys).sort_by([(name, "ascending") for name in keys])


def label_rows(present: pa.Table, mids: Mapping[str, Sequence[str]], labels: Sequence[str]) -> pa.Table:
    """Label every listed image: columns ``ImageID``, ``label``, ``source_class`` (the label's first such MID).

    An image under several classes of one label is one row; under two labels it is a row for each.
    """
    parts = []
    for label in labels:
        wanted = pa.array(list(mids.get(label, ())), pa.string())
        rank = pc.index_in(present["LabelName"], value_set=wanted)
        ranked = present.append_column("rank", rank).filter(pc.is_valid(rank))
        keys = _image_keys(present)
        first = ranked.group_by(keys).aggregate([("rank", "min")]).sort_by([(name, "ascending") for name in keys])
        columns = {
            **{name: first[name] for name in keys},
            "label": pa.array([label] * first.num_rows, pa.string()),
            "source_class": wanted.take(first["rank_min"].combine_chunks()),
        }
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def catalog_columns(listed: pa.Table, images: pa.Table, subset: str, *, need_metadata: bool) -> pd.DataFrame:
    """Join listed images with what is known of them: a frame of catalog columns, plus ``original_url``.

    Args:
        listed: as :func:`label_rows` returns them.
        images: the image table's rows (text columns of :data:`IMAGE_COLUMNS`, :data:`EXTRA_COLUMNS`, ``OriginalURL``,
            ``Rotation``); the first of each image counts.
        subset: the subset of all these images.
        need_metadata: leave out the images that ``images`` does not hold.
    """
    index = pa.array(range(images.num_rows), pa.int64())
    first = images.select(["ImageID"]).append_column("row", index).group_by("ImageID").aggregate([("row", "min")])
    how = "inner" if need_metadata else "left outer"
    joined = listed.join(images.take(first["row_min"]), "ImageID", join_type=how)
    keys = _image_keys(listed)
    joined = joined.sort_by([(name, "ascending") for name in ("label", *keys)])
    columns = {new: _null_if_empty(joined[old]) for old, new in IMAGE_COLUMNS.items()}
    columns |= {
        "source_id": joined["ImageID"],
        "key": joined["ImageID"],
        "label": joined["label"],
        "source_class": joined["source_class"],
        "original_url": _null_if_empty(joined["OriginalURL"]),
        "extra": pa.array(_extras(joined, subset), pa.string()),
    }
    if CROP in keys:  # the image's id and the box, not the order of the boxes: a table that grows renames none
        columns |= {"key": pc.binary_join_element_wise(joined["ImageID"], joined[CROP], " ")}
        columns |= {"listed_group": joined["ImageID"], CROP: joined[CROP]}
    frame = pd.DataFrame(
        {name: pd.Series(column, dtype=pd.ArrowDtype(pa.string())) for name, column in columns.items()}
    )
    degrees: pd.Series[Any] = pd.to_numeric(joined["Rotation"].to_pandas(), errors="coerce")
    return frame.assign(rotation=degrees.round().astype("Int16"))


def _null_if_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _extras(joined: pa.Table, subset: str) -> list[str]:
    names = EXTRA_COLUMNS.values()
    rows = zip(*(joined[name].to_pylist() for name in EXTRA_COLUMNS), strict=True)
    known = ({name: value for name, value in zip(names, row, strict=True) if value} for row in rows)
    return [json.dumps({"subset": subset, **facts}) for facts in known]
