"""The catalog as the page needs it: the columns that it shows, in memory, read again when a stage has run.

>>> add_host(pa.table({"url": ["http://a.example/1.jpg", None]}))["host"].to_pylist()
['a.example', None]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator.catalog import SCHEMA
from curator.errors import StateError
from curator.manifests.project import Project
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.pipeline import made_from
from curator.reasons import Stage
from curator.store.catalog_files import read_record
from curator.text import Command

BoolArray = npt.NDArray[np.bool_]

COLUMNS = (
    *("record_id", "label", "relabelled_from", "source", "source_id", "source_class", "url", "landing_url", "license"),
    *("author", "title", "sha256", "n_bytes", "format", "width", "height", "duplicate_of", "distance_bits", "turn"),
    *("split", "drop_stage", "drop_reason", "drop_detail", "phash"),
)
"""What the page shows of the catalog, and the hash by which it groups."""

FACETS = ("label", "source", "split", "drop_reason", "host", "license")
"""The columns that a person filters by value."""

MOST_VALUES = 300
"""Values of one column offered to choose from, the most frequent first."""


@dataclass(frozen=True)
class Images:
    """The rows of one catalog: an Arrow table of :data:`COLUMNS`, ``host`` and ``listed_label``.

    ``reviews`` sums up the decisions that it was made with: see :func:`curator.manifests.reviews.digest_reviews`.
    """

    table: pa.Table
    stage: Stage
    facets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reviews: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def row_of(self, record_id: str) -> int:
        """Find a row by its record id; -1 if there is none."""
        return int(pc.index(self.table["record_id"], record_id).as_py())

    def rows(self, indices: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return the facts of some rows, without those that are unknown; ``turn`` as a person says it."""
        found = self.table.drop_columns(["phash"]).take(pa.array(indices)).to_pylist()
        for row in found:
            row["turn"] = (row["turn"] and ORIENTATION_PHRASES[ORIENTATIONS.index(row["turn"])]) or None
        return [{name: value for name, value in row.items() if value is not None} for row in found]


class LatestImages:
    """The latest catalog of a project; :meth:`read` reads it again if a stage has written since."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: object = None
        self._images: Images | None = None

    def read(self) -> Images:
        """Return the rows of the latest catalog, whatever was decided since.

        Raises:
            StateError: nothing was fetched yet, or a catalog is damaged.
        """
        seen = [file_signature(self._project.paths.catalog(stage)) for stage in Stage]
        if self._images is None or seen != self._seen:
            self._images, self._seen = read_images(self._project), seen
            release_memory()
        return self._images


def file_signature(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written again; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def read_images(project: Project) -> Images:
    """Read the latest catalog; see :meth:`LatestImages.read`."""
    stage = made_from.latest_stage(project, with_reviews=False)
    if stage in (None, Stage.LISTED):
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))
    path = project.paths.catalog(stage)
    reviews = read_record(path).settings.get("reviews", {})
    present = [name for name in COLUMNS if name in pq.read_schema(path).names]
    table = pq.read_table(path, columns=present, use_threads=False, pre_buffer=False).replace_schema_metadata(None)
    for name in set(COLUMNS) - set(present):  # an older catalog lacks it
        table = table.append_column(name, pa.nulls(len(table), SCHEMA.field(name).type))
    table = add_host(table)
    table = table.append_column("listed_label", pc.coalesce(table["relabelled_from"], table["label"]))
    return Images(table.combine_chunks(), stage, {name: _count(table[name]) for name in FACETS}, reviews)


def add_host(table: pa.Table) -> pa.Table:
    """Add the host of each row's address."""
    found = pc.extract_regex(table["url"].cast(pa.string()), r"^[a-z]+://(?:[^/@]*@)?(?P<host>[^/:?#]+)")
    return table.append_column("host", pc.struct_field(found, "host"))


def _count(column: pa.ChunkedArray) -> list[dict[str, Any]]:
    counts = pc.value_counts(column.drop_null()).to_pylist()
    counts.sort(key=lambda entry: (-entry["counts"], entry["values"]))
    return [{"value": entry["values"], "n": entry["counts"]} for entry in counts[:MOST_VALUES]]


def release_memory() -> None:
    """Return to the system what Arrow keeps for later: a page left open all day should not hold it."""
    pa.default_memory_pool().release_unused()


def as_mask(array: pa.Array | pa.ChunkedArray) -> BoolArray:
    """Turn an Arrow bool column into a NumPy mask; unknown is false."""
    mask: BoolArray = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return mask
