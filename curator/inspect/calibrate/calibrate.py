"""Calibrate dedupe on a person's own images: alter a sample of them in known ways, and see what is found again.

>>> Calibration({}, 1e-6, None, 0).as_json()["max_distance"] is None
True
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from curator import catalog
from curator.catalog import Stage
from curator.decide.keyed_hash import choose_order
from curator.decide.picture_columns import find_comparable
from curator.errors import StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.inspect.calibrate.alterations import alter, encode
from curator.inspect.calibrate.measure import RADII, Measured, choose_radius, find_certain, judge_copies, measure_copies
from curator.manifests.project import Project
from curator.matching.judge.sketch import SKETCH_SIDE, Sketch, make_sketch
from curator.matching.pictures import Pictures
from curator.observe.observation import Observation, observe_image
from curator.observe.pixels import decode_rgb
from curator.observe.renderings import Rendering
from curator.observe.workers.render import render_picture
from curator.store.catalog_files import read_catalog
from curator.text import Command

MOST_IMAGES = 300
_MOST_SIDE = 640
_MOST_PIXELS = 8 * _MOST_SIDE**2
_AS_IT_IS = "as it is"
_WORK = "calibrate"

Seen = tuple[Observation, Sketch]


@dataclass(frozen=True)
class Calibration:
    """What was measured for each kind of copy, and the radius that follows from it."""

    kinds: dict[str, Measured]
    false_rate: float
    max_distance: int | None
    n_images: int

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        kinds = {name: dataclasses.asdict(one) for name, one in self.kinds.items()}
        facts = {"images": self.n_images, "radii": RADII, "kinds": kinds, "false_rate": self.false_rate}
        return {**facts, "max_distance": self.max_distance}


def calibrate(project: Project, false_rate: float) -> Calibration:
    """Alter up to :data:`MOST_IMAGES` fetched images in each known way, and measure recall and false matches.

    The sample is the same each time. Flat images are left out, as dedupe leaves them to their bytes.

    Raises:
        StateError: nothing was fetched, or too little to compare.
    """
    path = project.paths.catalog(Stage.FETCHED)
    if not path.exists():
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))
    table = catalog.kept(read_catalog(path))
    table = table[find_comparable(table)].drop_duplicates("sha256")
    order = choose_order(table["sha256"], "calibrate", seed=0).argsort(kind="stable")
    rows = table.iloc[order[:MOST_IMAGES]][["sha256", "format"]]
    project.emit(WorkStarted(_WORK, len(rows)))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = list(threads.map(lambda row: _observe_copies(project, *row), rows.itertuples(index=False)))
    project.emit(WorkFinished(_WORK))
    whole = [copies for copies in found if copies and all(one.phash is not None for one, _ in copies.values())]
    if len(whole) < 2:
        raise StateError("Fewer than two images can be compared.", (Command("fetch"), " more of them first."))
    kinds = _measure(whole, project.recipe.dedupe.rotations)
    return Calibration(kinds, false_rate, choose_radius(kinds, false_rate), len(whole))


def _measure(whole: Sequence[Mapping[str, Seen]], rotations: bool) -> dict[str, Measured]:
    """Measure each kind of copy of pictures, by hash at each radius and by pixels."""
    samples = {kind: _read([copies[kind][0] for copies in whole]) for kind in whole[0]}
    sketches = {kind: [copies[kind][1] for copies in whole] for kind in whole[0]}
    originals, certain = samples[_AS_IT_IS], find_certain(samples[_AS_IT_IS])
    kinds = {}
    for kind, copies in samples.items():
        measured = measure_copies(originals, copies, certain, rotations)
        found, false = judge_copies(originals, copies, sketches[_AS_IT_IS], sketches[kind], certain)
        kinds[kind] = dataclasses.replace(measured, by_pixels=found, false_by_pixels=false)
    return kinds


def _observe_copies(project: Project, sha256: str, image_format: str) -> dict[str, Seen]:
    try:
        stored = project.paths.image(sha256, image_format)
        shrunk = Rendering(fit="within", side_px=_MOST_SIDE)
        picture = render_picture(stored, shrunk, project.recipe.quality.max_pixels)
        pictures = {_AS_IT_IS: picture, **alter(picture, sha256)}
        copies = {kind: encode(copy, kind) for kind, copy in pictures.items()}
    except Exception:  # decoders raise anything; a file that is no longer whole is left out of the sample
        return {}
    finally:
        project.emit(WorkAdvanced(_WORK))
    return {kind: (observe_image(data, max_pixels=_MOST_PIXELS), _sketch(data)) for kind, data in copies.items()}


def _sketch(data: bytes) -> Sketch:
    """Make the sketch of a copy that was written here."""
    picture = decode_rgb(data, max_pixels=_MOST_PIXELS, long_px=SKETCH_SIDE)
    picture.thumbnail((SKETCH_SIDE, SKETCH_SIDE))
    return make_sketch(np.asarray(picture))


def _read(observations: Sequence[Observation]) -> Pictures:
    """Take from whole observations what distinguishes pictures."""
    hashes, hashes256 = ([getattr(one, name) or b"" for one in observations] for name in ("phash_turns", "phash256"))
    return Pictures.unpack(hashes, hashes256, [one.thumbnail for one in observations])
