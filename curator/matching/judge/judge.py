"""Judge whether two pictures are one, by their sketches: lay one over the other, then compare cells and colours.

>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
>>> one, stranger = (cv2.resize(picture, (240, 200), interpolation=cv2.INTER_CUBIC) for picture in coarse)
>>> copy = np.ascontiguousarray(one[30:170, 20:200][:, ::-1])
>>> judged = judge_pairs([(make_sketch(one), make_sketch(other)) for other in (copy, stranger)])
>>> [judgement.same for judgement in judged], judged[0].orientation, judged[0].differs
([True, False], 4, ('mirrored', 'cropped to 53%'))
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2 as cv2
import numpy as np

from curator.matching.judge.compare import compare_colours, compare_luma
from curator.matching.judge.differences import name_differences
from curator.matching.judge.improve import improve
from curator.matching.judge.overlay import Box, Matrix, lay_over, measure_overlap
from curator.matching.judge.rules import Pose, Rating, rate
from curator.matching.judge.sketch import make_sketch as make_sketch
from curator.matching.judge.transforms import Proposal, Row, describe_turn, propose

JUDGE_VERSION = 2


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
    """

    same: bool
    doubtful: bool
    orientation: int
    transform: Matrix
    overlap: tuple[float, float]
    differs: tuple[str, ...]


TWO = Judgement(False, False, 0, np.eye(3)[:2], (0.0, 0.0), ())
"""Of pictures that have nothing in common; nothing but ``same`` and ``doubtful`` means anything."""


def judge_pairs(pairs: Iterable[tuple[Row, Row]], threads: int | None = None) -> list[Judgement]:
    """Judge many pairs of sketches, on all cores: see :func:`judge_pair`."""
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(lambda pair: judge_pair(*pair), pairs))


def judge_pair(one: Row, other: Row) -> Judgement:
    """Judge two pictures by the fields of their sketches.

    Args:
        one, other: see :data:`curator.matching.judge.sketch.SKETCH_FIELDS`.
    """
    best = TWO
    for proposal in propose(one, other):
        judgement = _judge_proposal(one, other, proposal)
        if judgement.same:
            return judgement
        if judgement.doubtful and not best.doubtful:
            best = judgement
    return best


def _judge_proposal(one: Row, other: Row, proposal: Proposal) -> Judgement:
    boxes = _box(one), _box(other)
    matrix = improve(one["luma"], other["luma"], proposal.matrix, boxes)
    overlay = lay_over(matrix, boxes)
    found = None if overlay is None else compare_luma(one["luma"], other["luma"], overlay)
    if overlay is None or found is None:
        return TWO
    agreement, where = found
    colours = compare_colours(one["colours"], other["colours"], overlay, where)
    orientation, degrees, stretch = describe_turn(one, other, matrix)
    pose = Pose(measure_overlap(matrix), orientation, stretch, proposal.n_points)
    rating = rate(agreement, colours, pose)
    if rating is Rating.TWO:
        return TWO
    differs = name_differences(agreement, colours, pose, degrees)
    return Judgement(rating is Rating.ONE, rating is Rating.DOUBTFUL, orientation, matrix, pose.overlap, differs)


def _box(row: Row) -> Box:
    left, top, right, bottom = (float(place) / 65_535 for place in row["box"])
    return left, top, right, bottom
