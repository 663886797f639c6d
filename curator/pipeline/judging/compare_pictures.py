"""Compare the pictures of a set pixel by pixel: choose the pairs, make sketches, judge, and keep what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray
from curator.decide.judged import (
    DOUBTFUL,
    ONE,
    OTHER_COMPOSED,
    OTHER_FADED,
    OTHER_MARKED,
    THIS_COMPOSED,
    THIS_FADED,
    THIS_MARKED,
    TWO,
)
from curator.embed.embedder import Embedder
from curator.embed.row_file import RowFile, open_rows
from curator.errors import StateError, why
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.cluster.orders import NO_FOLDER
from curator.fetch.cluster.spread import Spread
from curator.manifests.project import Project
from curator.manifests.settings import DedupeSettings
from curator.matching.candidates import find_candidates
from curator.matching.components import label_components
from curator.matching.first_look import look_again, may_be_one
from curator.matching.judge.flaws import find_faded, find_flaws
from curator.matching.judge.judge import Judgement, judge_pairs
from curator.matching.neighbours import IsWanted, Neighbours
from curator.matching.pictures import Indices
from curator.pipeline.judging.contents import Contents, Texts
from curator.pipeline.judging.likely import find_likely
from curator.pipeline.judging.seen import made_by
from curator.pipeline.judging.sketches import make_sketches, open_sketches, sketches_name
from curator.pipeline.judging.spread_search import spread_search
from curator.store.judged_file import SCHEMA, read_judged, write_judged

WORK = "comparing pictures"
AT_ONCE = 4096
"""Pairs between two reports, and at least between two writes."""

_BORDER = 0.03
"""Least share of a picture that bars take, more than of its copy."""
_WHOLE = 0.95
"""Least share that each of two copies has of the other, for their colours and lights to be compared as a whole."""


@dataclass(frozen=True)
class Means:
    """With what pictures are compared, and where is kept what was seen.

    Attributes:
        judged: the file of judged pairs.
        sketches, features: folders.
        network: that finds more pairs than hashes do; None: there is none.
        max_pixels: larger pictures are not decoded.
        emit: receives the progress.
        spread: a cluster that helps; None: this machine does all.
    """

    judged: Path
    sketches: Path
    features: Path
    network: Embedder | None
    max_pixels: int
    emit: Listener
    spread: Spread | None = None

    @classmethod
    def of(cls, project: Project, network: Embedder | None) -> Means:
        """Name those of a data set."""
        paths, recipe = project.paths, project.recipe
        spread = Spread(recipe.engine, paths.folder, project.emit) if recipe.engine.kind == "ray" else None
        return cls(paths.judged, paths.cache, paths.features, network, recipe.quality.max_pixels, project.emit, spread)


def compare_pictures(
    contents: Contents, settings: DedupeSettings, means: Means, is_wanted: IsWanted | None = None
) -> pa.Table:
    """Judge the pairs that deserve it, but for those that are judged already.

    Contents of equal hashes are compared with the first of them; what is told apart from it is then compared with all.

    Args:
        contents: to compare.
        settings: ``max_distance`` and ``rotations``, as dedupe takes them.
        means: with what.
        is_wanted: whether pairs of contents are worth comparing, of arrays that broadcast; without it all are.

    Returns:
        The pairs, of :data:`curator.store.judged_file.SCHEMA`; one that lacks a sketch is not in it.

    Raises:
        DiskError: the disk refuses to keep what was seen.
    """
    judge = _Judge(contents, means)
    members = np.flatnonzero(contents.equal != np.arange(len(contents)))
    equal = judge.judge(contents.equal[members], members)
    apart = np.isin(contents.sha256, equal.filter(pc.equal(equal["verdict"], TWO))["other_sha256"].to_numpy())
    nodes = np.flatnonzero((contents.equal == np.arange(len(contents))) | apart)
    wanted = None if is_wanted is None else lambda i, j: is_wanted(nodes[i], nodes[j])
    pairs, others = _choose(contents.take(nodes), settings, means, wanted)
    found = judge.judge(nodes[pairs.i], nodes[pairs.j], pairs.cosine)
    group = _group_copies(contents, [equal, found])
    has_copy = np.bincount(group, minlength=len(contents))[group] > 1
    more = others.where(look_again(others, group[nodes], has_copy[nodes]))
    table = pa.concat_tables([equal, found, judge.judge(nodes[more.i], nodes[more.j], more.cosine)])
    judge.keep(table)
    return table


def _group_copies(contents: Contents, judged: Sequence[pa.Table]) -> IntArray:
    """Return, for each content, the number of the picture that it shows, as far as was judged: shape (contents,)."""
    table = pa.concat_tables(judged)
    ones = number_pairs(table.filter(pc.equal(table["verdict"], ONE)), contents.sha256).to_numpy()
    return label_components(len(contents), *np.divmod(ones, len(contents)))


def _choose(
    nodes: Contents, settings: DedupeSettings, means: Means, is_wanted: IsWanted | None
) -> tuple[Neighbours, Neighbours]:
    """Choose the pairs that deserve a look, by hash and by what a network sees; and name the other neighbours."""
    search = spread_search(means.spread) if means.spread else None
    i, j = find_candidates(nodes.pictures, settings.max_distance, settings.rotations, is_wanted, search)
    unknown = np.full(len(i), np.nan, np.float32)
    by_hash = Neighbours(i.astype(np.int64), j.astype(np.int64), unknown, unknown)
    if means.network is None:
        return by_hash, by_hash.where(np.zeros(len(i), bool))
    near = find_likely(nodes, means.network, means.features, means.max_pixels, means.emit, is_wanted)
    n = max(1, len(nodes))
    is_known = np.isin(near.i * n + near.j, by_hash.i * n + by_hash.j)
    is_known[~is_known] = may_be_one(nodes.pictures, near.where(~is_known))
    return near.where(is_known).join(by_hash, n), near.where(~is_known)


class _Judge:
    """Judges pairs of contents, and remembers."""

    def __init__(self, contents: Contents, means: Means) -> None:
        self._contents, self._means = contents, means
        self._stored = read_judged(means.judged, made_by())
        self._known = SCHEMA.empty_table() if self._stored is None else self._stored
        self._n_kept = len(self._known)

    def judge(self, i: Indices, j: Indices, cosine: npt.NDArray[np.float32] | None = None) -> pa.Table:
        """Judge pairs i < j, in that order of the two; ``cosine`` is what a network sees of them."""
        names = pa.array(i.astype(np.int64) * len(self._contents) + j)
        place = pc.index_in(names, number_pairs(self._known, self._contents.sha256))
        lacking = np.flatnonzero(place.is_null().to_numpy(zero_copy_only=False))
        if len(lacking):
            self._judge_new(i[lacking], j[lacking])
            place = pc.index_in(names, number_pairs(self._known, self._contents.sha256))
        found, known = self._known.take(place.drop_null()), np.flatnonzero(place.is_valid().to_numpy(False))
        alike = np.full(len(i), np.nan, np.float32) if cosine is None else cosine
        at = found.schema.get_field_index("cosine")
        return found.set_column(
            at, SCHEMA.field("cosine"), pa.array(alike[known], pa.float32(), mask=np.isnan(alike[known]))
        )

    def keep(self, table: pa.Table) -> None:
        """Write these pairs, and none of before; nothing if they are what the file holds."""
        if self._stored is None or not table.equals(self._stored):
            write_judged(self._means.judged, table, made_by())

    def _judge_new(self, i: Indices, j: Indices) -> None:
        file, place = self._sketch(np.unique(np.concatenate([i, j])))
        both = np.flatnonzero((place[i] >= 0) & (place[j] >= 0))
        self._means.emit(WorkStarted(WORK, len(both), "pair"))
        try:
            spread, names = self._means.spread, self._contents.sha256
            at_once = AT_ONCE // 8 if spread else AT_ONCE
            chosen = [both[start : start + at_once] for start in range(0, len(both), at_once)]
            blocks = ((names[i[one]], names[j[one]], place[i[one]], place[j[one]]) for one in chosen)
            folder = self._means.sketches.absolute()
            for found in (
                spread.map(judge_elsewhere, folder, blocks) if spread else map(partial(judge_block, file.rows), blocks)
            ):
                self._add(found)
                self._means.emit(WorkAdvanced(WORK, len(found)))
        finally:
            self._means.emit(WorkFinished(WORK))

    def _sketch(self, used: Indices) -> tuple[RowFile, IntArray]:
        """Make the sketches that are lacking; return the file, and the row of each content in it, -1: none."""
        file, sha256s = open_sketches(self._means.sketches), self._contents.sha256[used].tolist()
        files = [Path(name) for name in self._contents.files[used]]
        make_sketches(file, sha256s, files, self._means.max_pixels, self._means.emit, self._means.spread)
        place = np.full(len(self._contents), -1)
        place[used] = file.find(sha256s)
        return file, place

    def _add(self, found: pa.Table) -> None:
        """Remember verdicts; they are written when they are half as many as all before, so that little is lost."""
        self._known = pa.concat_tables([self._known, found])
        if len(self._known) >= 1.5 * max(self._n_kept, AT_ONCE):
            write_judged(self._means.judged, self._known, made_by())
            self._stored, self._n_kept = None, len(self._known)


Block = tuple[Texts, Texts, IntArray, IntArray]
"""Pairs: the SHA-256s of the one and of the other, and the rows of their sketches."""


def judge_block(sketches: npt.NDArray[Any], block: Block) -> pa.Table:
    """Judge pairs by their sketches; see :func:`tabulate`."""
    one, other, left, right = block
    rows = list(zip(sketches[left], sketches[right], strict=True))
    return tabulate(one, other, rows, judge_pairs(rows))


def judge_elsewhere(folder: Path, block: Block) -> pa.Table:
    """Judge pairs on a worker of a cluster, which maps the sketches in ``folder`` itself.

    Raises:
        StateError: they are not as they were written.
    """
    try:
        sketches = open_rows(folder / sketches_name())
    except (OSError, ValueError) as error:
        raise StateError(f"{folder / sketches_name()} cannot be read ({why(error)}).", NO_FOLDER) from error
    if sketches is None:
        raise StateError(f"{folder / sketches_name()} holds no sketches.", NO_FOLDER)
    return judge_block(sketches, block)


def number_pairs(table: pa.Table, sha256s: Texts) -> pa.Array:
    """Number pairs by the places i, j of their contents among n SHA-256s: int64 i * n + j; -1: one is not there.

    >>> pairs = pa.table({"sha256": ["a", "a", "b"], "other_sha256": ["b", "d", "c"]})
    >>> number_pairs(pairs, np.array(["a", "b", "c"], object)).to_pylist()
    [1, -1, 5]
    """
    there = pa.array(sha256s, pa.string())
    i, j = (
        pc.fill_null(pc.index_in(table[name], there), -1).to_numpy().astype(np.int64)
        for name in ("sha256", "other_sha256")
    )
    return pa.array(np.where((i < 0) | (j < 0), -1, i * len(sha256s) + j))


def tabulate(one: Texts, other: Texts, rows: Sequence[tuple[Any, Any]], found: Sequence[Judgement]) -> pa.Table:
    """Write verdicts on pairs of contents as a table; ``rows`` are their sketches."""
    seen = [one if one.same or one.doubtful else None for one in found]
    columns = {
        "sha256": one,
        "other_sha256": other,
        "verdict": [ONE if each.same else DOUBTFUL if each.doubtful else TWO for each in found],
        "orientation": [each.orientation for each in found],
        "flaws": [_flaws(*pair, each) if each.same else 0 for pair, each in zip(rows, found, strict=True)],
        "cosine": pa.nulls(len(found), pa.float32()),
        "transform": [each and each.transform.ravel().tolist() for each in seen],
        "overlap": [each and list(each.overlap) for each in seen],
        "differs": [", ".join(each.differs) for each in found],
    }
    return pa.table(columns, SCHEMA)


def _flaws(one: Any, other: Any, judgement: Judgement) -> int:
    """Say what was done to either of two copies, as their sketches show."""
    flaws = find_flaws(one["luma"], other["luma"], judgement.transform)
    within = [_share(row["box"]) for row in (one, other)]
    composed = [flaws.composed[side] or within[side] < within[1 - side] - _BORDER for side in (0, 1)]
    is_whole = min(judgement.overlap) > _WHOLE
    faded = find_faded(one, other, judgement.transform) if is_whole else (False, False)
    bits = zip(
        (THIS_COMPOSED, OTHER_COMPOSED, THIS_MARKED, OTHER_MARKED, THIS_FADED, OTHER_FADED),
        (*composed, *flaws.marked, *faded),
        strict=True,
    )
    return sum(bit for bit, is_so in bits if is_so)


def _share(box: npt.NDArray[np.uint16]) -> float:
    """Return the share of a picture that lies within its borders and bars."""
    left, top, right, bottom = (float(edge) / 65_535 for edge in box)
    return (right - left) * (bottom - top)
