"""Which boxes of Open Images count: by what their annotators say of them, and by the share of the picture they cover.

>>> rows = {name: ["0"] for name in BOX_COLUMNS} | {"XMax": ["0.5"], "YMax": ["0.5"], "IsGroupOf": ["1"]}
>>> wanted = BoxFilter({"group_of": False}), BoxFilter({"least_area": 0.2}), BoxFilter({"least_area": 0.3})
>>> [one.keep(pa.table(rows)).to_pylist() for one in wanted]
[[False], [True], [False]]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from curator.manifests.toml_settings import suggest
from curator.store.making import crop_text

FLAGS = {
    "group_of": "IsGroupOf",
    "depiction": "IsDepiction",
    "occluded": "IsOccluded",
    "truncated": "IsTruncated",
    "inside": "IsInside",
}
"""What the annotators say of a box, 1, 0 or (unknown) -1: https://storage.googleapis.com/openimages/web/factsfigures_v7.html."""
AREA = "least_area"
_SIDES = ("XMin", "XMax", "YMin", "YMax")
_EDGES = ("XMin", "YMin", "XMax", "YMax")
CROP = "crop"
BOX_COLUMNS = (*_SIDES, *FLAGS.values())
_SHARE = r"^\s*[0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?\s*$"


@dataclass(frozen=True)
class BoxFilter:
    """Boxes that a recipe wants: a flag must be 1 for true and 0 for false, so one that is unknown is neither."""

    wanted: Mapping[str, bool | float] = field(default_factory=dict)
    cropped: bool = False
    """Whether the boxes themselves are wanted, as parts of the picture, in the column :data:`CROP`."""

    def problems(self) -> list[str]:
        """List what cannot be."""
        found = []
        for key, value in self.wanted.items():
            if key not in (*FLAGS, AREA):
                found.append(
                    f"names {key!r}, which is none of {', '.join((*FLAGS, AREA))}{suggest(key, (*FLAGS, AREA))}"
                )
            elif key in FLAGS and not isinstance(value, bool):
                found.append(f"{key} must be true or false, not {value:g}")
            elif key == AREA and (isinstance(value, bool) or not 0 <= value <= 1):
                found.append(f"{AREA} must be a share of the picture's area from 0 to 1, not {value}")
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        flags = tuple(FLAGS[key] for key in self.wanted if key in FLAGS)
        return (*flags, *(_SIDES if AREA in self.wanted or self.cropped else ()))

    def readable(self, rows: pa.Table) -> pa.Array:
        """Say which rows hold what it reads: bool, shape (rows,)."""
        found = pa.array([True] * rows.num_rows, pa.bool_())
        for name in self.columns:
            pattern = _SHARE if name in _SIDES else r"^\s*(?:-1|0|1)\s*$"
            found = pc.and_(found, pc.fill_null(pc.match_substring_regex(rows[name], pattern), False))
        if self.cropped:
            found = pc.and_(found, _is_part(rows.filter(found), found))
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def crops(self, rows: pa.Table) -> pa.Array:
        """Say where each readable box is, as a text: left, top, right, bottom."""
        sides = (pc.utf8_trim_whitespace(rows[name]).cast(pa.float64()).to_pylist() for name in _EDGES)
        return pa.array([crop_text(*edges) for edges in zip(*sides, strict=True)], pa.string())

    def keep(self, rows: pa.Table) -> pa.Array:
        """Say which readable rows are wanted: bool, shape (rows,)."""
        found = pa.array([True] * rows.num_rows, pa.bool_())
        for key, value in self.wanted.items():
            if key in FLAGS:
                found = pc.and_(found, pc.equal(pc.utf8_trim_whitespace(rows[FLAGS[key]]), "1" if value else "0"))
        if AREA in self.wanted:
            left, right, top, bottom = (pc.utf8_trim_whitespace(rows[name]).cast(pa.float64()) for name in _SIDES)
            area = pc.multiply(pc.subtract(right, left), pc.subtract(bottom, top))
            found = pc.and_(found, pc.greater_equal(area, float(self.wanted[AREA])))
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _is_part(readable: pa.Table, mask: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Say of which rows, of those that the mask holds, the box is a part of the picture: bool, shape of the mask."""
    left, top, right, bottom = (pc.utf8_trim_whitespace(readable[name]).cast(pa.float64()) for name in _EDGES)
    inside = pc.and_(pc.less_equal(right, 1.0), pc.less_equal(bottom, 1.0))
    wide, high = (pc.greater(pc.subtract(b, a), 1e-6) for a, b in ((left, right), (top, bottom)))
    part = pc.and_(inside, pc.and_(wide, high))
    part = part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part
    mask = mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
    return pc.replace_with_mask(pa.array([False] * len(mask), pa.bool_()), mask, part)
