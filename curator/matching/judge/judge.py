"""Judge whether two pictures are one, by their sketches: lay one over the other, then compare cells and colours.

>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
>>> one, stranger = (cv2.resize(picture, (240, 200), interpolation=cv2.INTER_CUBIC) for picture in coarse)
>>> copy = np.ascontiguousarray(one[30:150, 20:200][:, ::-1])
>>> judged = judge_pairs([(make_sketch(one), make_sketch(other)) for other in (copy, stranger)])
>>> [judgement.same for judgement in judged], judged[0].orientation, judged[0].differs
([True, False], 4, ('45% of one in the other',))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2 as cv2
import numpy as np

from curator.matching.judge.agreement import Agreement, Bools, compare_luma
from curator.matching.judge.colours import Colours, compare_colours
from curator.matching.judge.differences import name_differences
from curator.matching.judge.improve import COARSE, improve
from curator.matching.judge.inside import measure_inside
from curator.matching.judge.light import read_rgb, relight, to_luma
from curator.matching.judge.marks import measure_marks
from curator.matching.judge.overlay import (
    Box,
    Bytes,
    Floats,
    Matrix,
    Overlay,
    lay_over,
    measure_overlap,
    sample,
    square,
)
from curator.matching.judge.pose import Pose, Rating
from curator.matching.judge.rules import agree, agree_once_alike, may_be_marked, nearly_agree, rate
from curator.matching.judge.sharpness import match_sharpness
from curator.matching.judge.sketch import make_sketch as make_sketch
from curator.matching.judge.transforms import Proposal, Row, describe_turn, propose
from curator.matching.orientations import invert_orientation
from curator.matching.threads import one_thread_a_core

_WHOLLY, _MOSTLY, _LEAST_PATCH = 0.85, 0.5, 0.05
"""Shares of the detailed cells that agree from which on all do, and most; least share of a patch that is laid over
anew."""
_AT_ONCE = 32
"""Pairs that one thread takes."""
_MOST_STEP = 2.5
"""Greys between neighbouring cells, in the mean, of a picture that may be plain."""
_SURE = 24
"""Paired points whose transform is better than one that another ground has pulled at: a cut-out has so many."""
_LEAST_START, _LEAST_NEAR, _LEAST_FITTED = 0.5, 0.65, 0.8
"""Least correlation of the outlines by a transform that fewer points say: as it is; once it was made to fit on few
cells; and once it fits. Of strangers most have less."""


@dataclass(frozen=True)
class Judgement:
    """Whether two pictures are one, and how one lies on the other.

    Attributes:
        same: they are one picture.
        doubtful: neither surely one nor surely two; ``same`` is False then.
        orientation: index in :data:`curator.matching.orientations.ORIENTATIONS`: how to turn the other to lie like one.
        transform: float64 (2, 3): shares of the other's sides to shares of the one's, x before y.
        overlap: the share of the one picture that the other covers, and of the other that lies in the one.
        differs: what differs, in words.
        part: float64 (2, 3): shares of the unit square to the box on the one in which they agree, if not all does.
    """

    same: bool
    doubtful: bool
    orientation: int
    transform: Matrix
    overlap: tuple[float, float]
    differs: tuple[str, ...]
    part: Matrix | None = None


TWO = Judgement(False, False, 0, np.eye(3)[:2], (0.0, 0.0), ())
"""Of pictures that have nothing in common; nothing but ``same`` and ``doubtful`` means anything."""


def judge_pairs(pairs: Iterable[tuple[Row, Row]], threads: int | None = None) -> list[Judgement]:
    """Judge many pairs of sketches, on all cores: see :func:`judge_pair`."""
    given = list(pairs)
    blocks = [given[start : start + _AT_ONCE] for start in range(0, len(given), _AT_ONCE)]
    with one_thread_a_core(threads) as pool:
        judged = pool.map(lambda block: [judge_pair(*pair) for pair in block], blocks)
        return [judgement for block in judged for judgement in block]


def judge_pair(one: Row, other: Row) -> Judgement:
    """Judge two pictures by the fields of their sketches; which of them comes first does not matter.

    Args:
        one, other: see :data:`curator.matching.judge.sketch.SKETCH_FIELDS`.
    """
    if one["luma"].tobytes() <= other["luma"].tobytes():
        return _judge_in_order(one, other)
    judged = _judge_in_order(other, one)
    back = np.linalg.inv(square(judged.transform))[:2]
    return replace(
        judged,
        orientation=invert_orientation(judged.orientation),
        transform=np.asarray(back, np.float64),
        overlap=judged.overlap[::-1],
        part=None if judged.part is None else back @ square(judged.part),
    )


def _judge_in_order(one: Row, other: Row) -> Judgement:
    best = TWO
    for proposal in propose(one, other):
        evidence = find_evidence(one, other, proposal)
        judgement = TWO if evidence is None else _conclude(evidence)
        if judgement.same:
            return judgement
        if judgement.doubtful and not best.doubtful:
            best = judgement
    return best


@dataclass(frozen=True)
class Evidence:
    """What was seen of a pair, the other laid over the one by ``matrix``, turned by ``degrees`` beyond ``pose``.

    ``part`` takes the unit square to the box in which they agree; None: all that both show agrees.
    """

    matrix: Matrix
    agreement: Agreement
    colours: Colours
    pose: Pose
    degrees: float
    part: Matrix | None


def find_evidence(one: Row, other: Row, proposal: Proposal) -> Evidence | None:
    """Lay one picture over the other as proposed, make it fit, and compare; None: too little is there, or agrees."""
    boxes = _box(one), _box(other)
    fitted = _fit(one["luma"], other["luma"], proposal, boxes)
    if fitted is None and (proposal.n_points or not (_may_be_plain(one) and _may_be_plain(other))):
        return None
    fitted = proposal.matrix if fitted is None else fitted
    best = _compare(one, other, fitted, boxes)
    if best is None or best.agreement.agreeing < _WHOLLY:
        # A part may agree, and fit better where the rest, another ground or words, does not pull.
        start = best if proposal.n_points < _SURE else _compare(one, other, proposal.matrix, boxes)
        if start is not None and _may_hold_a_part(start.agreement, proposal):
            where = start.patch.astype(np.float32)
            refitted, _ = improve(one["luma"], other["luma"], start.matrix, boxes, where)
            again = _compare(one, other, refitted, boxes)
            best = max((each for each in (best, again) if each is not None), key=_count_agreeing, default=None)
    if best is None:
        return None
    matrix, agreement = best.matrix, best.agreement
    orientation, degrees, stretch = describe_turn(one, other, matrix)
    pose = Pose(measure_overlap(matrix), orientation, stretch, proposal.n_points)
    if not agree(agreement, pose):
        best = _look_for_marks(one, other, best)
        agreement = best.agreement
    if not agree(agreement, pose):
        if not nearly_agree(agreement, pose) and not may_be_marked(agreement, pose):
            return None
        alike = _compare_alike(one, other, best)
        if alike is not None and agree_once_alike(alike.agreement, pose):
            best, agreement = alike, alike.agreement
    if proposal.n_points < _SURE:
        inside = measure_inside(*_read_luma(one, other, best.overlay), best.overlay.cover)
        agreement = replace(agreement, inside=inside)
    in_patch = best.agrees & best.patch
    is_partial = agreement.agreeing < _WHOLLY and in_patch.any()
    colours = compare_colours(one, other, best.overlay, in_patch if is_partial else best.agrees)
    return Evidence(matrix, agreement, colours, pose, degrees, _box_part(best) if is_partial else None)


def _may_be_plain(row: Row) -> bool:
    """Return whether a picture has so few outlines that there may be none to be laid on those of the other."""
    luma = row["luma"].astype(np.int16)
    return max(float(np.abs(np.diff(luma, axis=axis)).mean()) for axis in (0, 1)) < _MOST_STEP


def _may_hold_a_part(agreement: Agreement, proposal: Proposal) -> bool:
    """Return whether a part may be one picture where all is not: many points say so, or most cells."""
    is_likely = proposal.n_points >= _SURE or agreement.agreeing >= _MOSTLY
    return is_likely and agreement.patch.share >= _LEAST_PATCH


def _fit(one: Bytes, other: Bytes, proposal: Proposal, boxes: tuple[Box, Box]) -> Matrix | None:
    """Make a transform fit, on few cells, then on more; None: it leads nowhere. This is where most strangers end."""
    is_sure = proposal.n_points >= _SURE
    start, near, fitted = (-1.0, -1.0, -1.0) if is_sure else (_LEAST_START, _LEAST_NEAR, _LEAST_FITTED)
    matrix, likeness = improve(one, other, proposal.matrix, boxes, most=COARSE, steps=2, least=start)
    if likeness < start:
        return None
    matrix, likeness = improve(one, other, matrix, boxes, least=near)
    return matrix if likeness >= fitted else None


@dataclass(frozen=True)
class _Compared:
    """A transform, and the comparison of a pair by it: see :func:`curator.matching.judge.agreement.compare_luma`."""

    matrix: Matrix
    overlay: Overlay
    agreement: Agreement
    agrees: Bools
    patch: Bools


def _compare(one: Row, other: Row, matrix: Matrix, boxes: tuple[Box, Box]) -> _Compared | None:
    overlay = lay_over(matrix, boxes)
    if overlay is None:
        return None
    found = compare_luma(*_read_luma(one, other, overlay), overlay.cover)
    return None if found is None else _Compared(matrix, overlay, *found)


def _read_luma(one: Row, other: Row, overlay: Overlay) -> tuple[Floats, Floats]:
    canvas = overlay.canvas
    return sample(one["luma"], canvas, np.eye(3)), sample(other["luma"], canvas, overlay.back)


def _look_for_marks(one: Row, other: Row, seen: _Compared) -> _Compared:
    marks = measure_marks(*_read_luma(one, other, seen.overlay), seen.overlay.cover)
    return replace(seen, agreement=replace(seen.agreement, marks=marks))


def _compare_alike(one: Row, other: Row, seen: _Compared) -> _Compared | None:
    """Compare once more, in one light and equally sharp; how the greys are as they are is kept."""
    overlay, cover = seen.overlay, seen.overlay.cover
    first, second = read_rgb(one, overlay, np.eye(3)), read_rgb(other, overlay, overlay.back)
    lit = relight(first, second, cover > 0)
    if lit is not None:
        first = lit
    elif (lit := relight(second, first, cover > 0)) is not None:
        second = lit
    found = compare_luma(*match_sharpness(to_luma(first), to_luma(second), cover, _measure_cell(one, overlay)), cover)
    if found is None:
        return None
    as_they_are = {name: getattr(seen.agreement, name) for name in ("unchanged", "lined", "gain")}
    return _Compared(seen.matrix, overlay, replace(found[0], **as_they_are), *found[1:])


def _measure_cell(one: Row, overlay: Overlay) -> float:
    """Return how many times as high as wide a cell of the canvas is, in pixels."""
    (width, height), (n_y, n_x) = one["size"].tolist(), overlay.canvas.shape
    return float(overlay.canvas.height * height / n_y / (overlay.canvas.width * width / n_x))


def _box_part(seen: _Compared) -> Matrix:
    """Return the matrix that takes the unit square to the box on the one picture of the patch that agrees."""
    rows, columns = (np.flatnonzero(seen.patch.any(axis=axis)) for axis in (1, 0))
    n_x, n_y = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    box = np.array([[n_x, 0, columns[0] - 0.5], [0, n_y, rows[0] - 0.5], [0, 0, 1]])
    return np.asarray((seen.overlay.canvas.to_shares() @ box)[:2])


def _count_agreeing(compared: _Compared) -> float:
    return compared.agreement.agreeing * compared.agreement.n_detail


def _conclude(evidence: Evidence) -> Judgement:
    rating = rate(evidence.agreement, evidence.colours, evidence.pose)
    if rating is Rating.TWO:
        return TWO
    differs = name_differences(evidence.agreement, evidence.colours, evidence.pose, evidence.degrees)
    return Judgement(
        same=rating is Rating.ONE,
        doubtful=rating is Rating.DOUBTFUL,
        orientation=evidence.pose.orientation,
        transform=evidence.matrix,
        overlap=evidence.pose.overlap,
        differs=differs,
        part=evidence.part,
    )


def _box(row: Row) -> Box:
    left, top, right, bottom = (float(place) / 65_535 for place in row["box"])
    return left, top, right, bottom
