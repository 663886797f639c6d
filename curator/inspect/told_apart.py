"""Why pixels tell two pictures apart whose outlines agree: their sketches are made and compared once more.

>>> from curator.matching.judge.sketch import make_sketch
>>> coarse = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
>>> import cv2
>>> one = cv2.resize(coarse, (240, 200), interpolation=cv2.INTER_CUBIC)
>>> seen = find_reason(make_sketch(one), make_sketch(np.ascontiguousarray(one[:, ::-1, ::-1])))
>>> seen["differs"], np.round(seen["transform"])[[0, 2, 4]].tolist()
('other colours; also mirrored', [-1.0, 1.0, 1.0])
"""

from __future__ import annotations

from cmath import phase
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curator.errors import StateError
from curator.inspect.compared import Found, say_crop
from curator.manifests.project import Project
from curator.matching.judge.judge import Evidence, find_evidence
from curator.matching.judge.overlay import square
from curator.matching.judge.pose import Rating
from curator.matching.judge.rules import (
    COLOURED,
    GREY,
    LEAST_LIKENESS,
    LEAST_OUTLINES,
    MOST_PATCH,
    MOST_TURN,
    agrees_in_shades,
    differs_inside,
    rate,
)
from curator.matching.judge.transforms import Row, propose
from curator.matching.orientations import ORIENTATION_PHRASES, invert_orientation
from curator.pipeline.judging.summaries import SKETCHES


def explain(project: Project, this: Mapping[str, Any], apart: Sequence[Found]) -> list[Found]:
    """Add why to images that were told apart from ``this`` one, to those for which it can be seen; these come first.

    Args:
        this: ``sha256`` and ``format``.
        apart: see :func:`curator.inspect.compared.find_told_apart`.
    """
    if not apart or (own := _sketch(project, this)) is None:
        return list(apart)
    found = []
    for one in apart:
        other = None if one["transform"] else _sketch(project, one)
        reason = find_reason(own, other) if other is not None else None
        found.append(one if reason is None else {**one, **reason, "differs": f"{reason['differs']}; {one['differs']}"})
    return sorted(found, key=lambda one: one["transform"] is None)


def _sketch(project: Project, row: Mapping[str, Any]) -> Row | None:
    """Make the sketch of a stored image; None if it is not on this disk, or does not decode."""
    file = project.paths.image(row["sha256"], row["format"])
    try:
        return SKETCHES.of_file(file, row["sha256"], project.recipe.quality.max_pixels) if file.exists() else None
    except StateError:
        return None


def find_reason(this: Row, other: Row) -> dict[str, Any] | None:
    """Find why two pictures are not one though their outlines agree; None: they do not, or no more is told apart.

    Args:
        this, other: see :data:`curator.matching.judge.sketch.SKETCH_FIELDS`.

    Returns:
        ``differs``, ``transform`` and ``overlap``, as :func:`curator.inspect.compared.find_compared` has them.
    """
    is_first = this["luma"].tobytes() <= other["luma"].tobytes()
    pair = (this, other) if is_first else (other, this)
    seen = (find_evidence(*pair, proposal) for proposal in propose(*pair))
    evidence = next((one for one in seen if one is not None), None)
    if evidence is None or rate(evidence.agreement, evidence.colours, evidence.pose) is not Rating.TWO:
        return None
    overlap, turn, matrix = evidence.pose.overlap, evidence.pose.orientation, square(evidence.matrix)
    if not is_first:
        overlap, turn, matrix = overlap[::-1], invert_orientation(turn), np.asarray(np.linalg.inv(matrix), np.float64)
    shares = [float(share) for share in overlap]
    also = ", ".join(filter(None, (ORIENTATION_PHRASES[turn], say_crop(shares))))
    differs = f"{_name_reason(evidence)}; also {also}" if also else _name_reason(evidence)
    return {"differs": differs, "transform": matrix[:2].ravel().tolist(), "overlap": shares}


def _name_reason(evidence: Evidence) -> str:
    """Name what alone made two pictures of these: see :func:`curator.matching.judge.rules.rate`."""
    agreement, colours, pose = evidence.agreement, evidence.colours, evidence.pose
    is_outlined = agreement.outlines >= LEAST_OUTLINES
    if is_outlined and differs_inside(agreement, pose) and not agrees_in_shades(agreement, pose):
        return "other fine outlines"
    if min(colours.most) < GREY and max(colours.most) > COLOURED:
        return "one is grey, of other shades"
    likeness = colours.likeness
    is_of_same_hues = likeness is not None and likeness.real >= LEAST_LIKENESS and abs(phase(likeness)) <= MOST_TURN
    return "a part has another colour" if is_of_same_hues and colours.patch > MOST_PATCH else "other colours"
