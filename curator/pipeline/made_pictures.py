"""Make the pictures that are parts of fetched ones, or these turned upright, and look at each as at any file.

A made picture is a file of its own: a PNG below ``sources/made``, named by the file it is made of and by what was done,
which is read, looked at and stored as a local file of a source is. The row has its content then, and what it was made
of: see docs/decisions/0027-pictures-made-of-pictures.md.

>>> crops = [None, None, "crop 0 0 1 1"]
>>> columns = {"rotation": [90, 90, 0], "orientation": [1, 6, 1], "crop": crops, "kind": ["open-images"] * 3}
>>> find_makings(catalog.conform(pa.table(columns)))
['turn 90', '', 'crop 0 0 1 1']
>>> columns |= {"crop": ["crop 0 0 0.2 0.5"] * 3}
>>> find_makings(catalog.conform(pa.table(columns)))
['turn 90, crop 0 0.8 0.5 1', 'crop 0 0.8 0.5 1', 'crop 0 0 0.2 0.5']
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.catalog import FETCHED_FIELDS, Drop, Stage, Table
from curator.decide.row_places import spread
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.observe.renderings import Rendering
from curator.observe.workers.render import UndecodableError, render_to
from curator.store.making import join, read_making, turned_crop
from curator.store.whole_files import whole_file

if TYPE_CHECKING:
    import pandas as pd

_WORK = "making pictures of pictures"
_AS_SERVED = (
    *("from_fallback", "http_status", "final_url", "archive_url", "archived_at", "made_of", "made_by"),
    *("taken", "camera"),
)
"""The fetched columns that are those of the file as served."""
_REPLACED = (
    *(field.name for field in FETCHED_FIELDS if field.name not in _AS_SERVED),
    *("drop_stage", "drop_reason", "drop_detail"),
)
_TURNS = {90: "turn 90", 180: "turn 180", 270: "turn 270"}


def find_makings(table: pd.DataFrame | pa.Table) -> list[str]:
    """Say what is to be made of each row's file; empty: it is the image as it is.

    A picture is turned as Open Images states only if its EXIF has not turned it already: `Rotation` is the degrees,
    counter-clockwise, by which "the image and boxes" should be turned, so a box is turned by them whoever turns the
    picture (https://storage.googleapis.com/openimages/web/2018-05-17-rotation-information.html). What the column of
    another table means, nobody says.
    """
    kinds = catalog.as_arrow(table["kind"], pa.string())
    states = pc.fill_null(pc.equal(kinds, "open-images"), False).to_numpy(zero_copy_only=False)
    degrees = np.where(states, catalog.read_integers(table["rotation"], 0) % 360, 0)
    orientations = catalog.read_integers(table["orientation"], 0)
    turns = [_TURNS.get(int(n), "") if seen == 1 else "" for n, seen in zip(degrees, orientations, strict=True)]
    stated = catalog.as_arrow(table["crop"], pa.string()).to_pylist()
    crops = [turned_crop(crop, int(n)) for crop, n in zip(stated, degrees, strict=True)]
    return [join(turn, crop) for turn, crop in zip(turns, crops, strict=True)]


def make_pictures(project: Project, table: Table, makings: Sequence[str]) -> Table:
    """Put in the place of each fetched file that something is to be made of, what is made.

    Args:
        table: a fetched catalog; rows that are dropped, or have no file, stay as they are.
        makings: one for each row, as :func:`find_makings` returns them.

    Returns:
        The same rows; of those that were made the content is that of what was made, and ``made_of`` the file as served.
        What cannot be made, or cannot be seen, is dropped in stage ``fetched``.
    """
    has_file = catalog.is_kept(table) & catalog.is_known(table, "sha256")
    rows = np.flatnonzero(has_file & np.array([bool(one) for one in makings], bool))
    if not len(rows):
        return table
    chosen = [makings[row] for row in rows.tolist()]
    sha256s, formats = (_values_at(table, name, rows) for name in ("sha256", "format"))
    wanted = list(zip(sha256s, formats, chosen, strict=True))
    distinct = list(dict.fromkeys(wanted))
    project.emit(WorkStarted(_WORK, len(distinct)))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        problems = dict(zip(distinct, threads.map(partial(_make, project), distinct), strict=True))
    project.emit(WorkFinished(_WORK))
    paths = [str(project.paths.made_picture(sha256, making).absolute()) for sha256, _, making in wanted]
    columns = {name: _values_at(table, name, rows) for name in ("record_id", "label", "source", "kind", "tier")}
    made = fetch_images(catalog.conform(pa.table({**columns, "local_path": paths})), project)
    details = [problems[one] for one in wanted]
    made = catalog.drop(made, np.array([bool(one) for one in details], bool), Stage.FETCHED, Drop.CORRUPT, details)
    return _replaced(table, rows, made, chosen)


def _values_at(table: pd.DataFrame | pa.Table, name: str, rows: catalog.IntArray) -> list[Any]:
    values: list[Any] = catalog.as_arrow(table[name]).take(pa.array(rows)).to_pylist()
    return values


def _make(project: Project, wanted: tuple[str, str, str]) -> str:
    """Make one picture, unless it is there; return why it cannot be made, if it cannot."""
    sha256, image_format, making = wanted
    path = project.paths.made_picture(sha256, making)
    try:
        if not path.exists():
            done = read_making(making)
            stored = project.paths.image(sha256, image_format)
            rendering = Rendering("PNG", turn=done.turn, box=done.box)
            with whole_file(path) as temporary, temporary.open("w+b") as out:
                render_to(out, stored, rendering, project.recipe.quality.max_pixels, sha256)
    except (UndecodableError, ValueError) as error:
        return str(error)
    finally:
        project.emit(WorkAdvanced(_WORK))
    return ""


def _replaced(table: Table, rows: catalog.IntArray, made: pa.Table, makings: Sequence[str]) -> Table:
    """Put the facts of what was made into these rows."""
    is_made = np.zeros(len(table), bool)
    is_made[rows] = True
    columns = {}
    for name in _REPLACED:
        values = catalog.as_arrow(made[name], catalog.SCHEMA.field(name).type)
        columns[name] = pc.replace_with_mask(
            catalog.column_of(table, name).cast(values.type), pa.array(is_made), values
        )
    origins = catalog.as_arrow(table["sha256"], pa.string()).take(pa.array(rows))
    columns["made_of"] = spread(origins, rows, len(table))
    columns["made_by"] = spread(pa.array(makings, pa.string()), rows, len(table))
    return catalog.with_columns(table, columns)
