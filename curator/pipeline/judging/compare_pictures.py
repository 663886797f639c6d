"""Compare the pictures of a set pixel by pixel: choose the pairs, make sketches, judge, and keep what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray
from curator.decide.judged import ONE
from curator.embed.row_file import RowFile, open_rows
from curator.errors import StateError, why
from curator.events import Warned, WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.cluster.orders import NO_FOLDER
from curator.manifests.settings import DedupeSettings
from curator.matching.candidates import find_candidates
from curator.matching.components import label_components
from curator.matching.judge.judge import judge_pairs
from curator.matching.neighbours import IsWanted, Neighbours
from curator.matching.pictures import Indices
from curator.pipeline.judging import sharing
from curator.pipeline.judging.contents import Contents, Texts
from curator.pipeline.judging.likely import find_likely
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.pair_tables import COPIES, TURNED_COPIES, WHOLE_COPIES, name_pairs, number_pairs, tabulate
from curator.pipeline.judging.seen import made_by
from curator.pipeline.judging.sharing import BY_HASH_ONLY, find_sharing
from curator.pipeline.judging.spread_search import spread_search
from curator.pipeline.judging.summaries import GLIMPSES, SKETCHES, Summary, make_summaries
from curator.store.judged_file import SCHEMA, read_judged, write_judged

WORK = "comparing pictures"
AT_ONCE = 4096
"""Pairs between two reports, and at least between two writes."""
_MOST_LIKE = 3
"""Pictures that a turned one is compared with, since one may be a copy, or doubtful."""


def compare_pictures(
    contents: Contents, settings: DedupeSettings, means: Means, is_wanted: IsWanted | None = None
) -> pa.Table:
    """Judge the pairs that deserve it, but for those that are judged already.

    Contents of equal hashes are compared with the first of them; what is not wholly the same is then compared with all.

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
    is_same = pc.and_(pc.equal(equal["verdict"], ONE), pc.equal(equal["differs"], ""))
    apart = np.isin(contents.sha256, equal.filter(pc.invert(is_same))["other_sha256"].to_numpy())
    nodes = np.flatnonzero((contents.equal == np.arange(len(contents))) | apart)
    found = [equal]
    for pairs, near in _choose(contents, nodes, settings, means, judge, found, is_wanted):
        found.append(judge.judge(*pairs, near))
    others = pa.concat_tables(found[1:])
    is_again = pc.is_in(*(number_pairs(pairs, contents.sha256) for pairs in (equal, others)))
    table = pa.concat_tables([equal.filter(pc.invert(is_again)), others])
    judge.keep(table)
    return table


def _choose(
    contents: Contents,
    nodes: Indices,
    settings: DedupeSettings,
    means: Means,
    judge: _Judge,
    found: Sequence[pa.Table],
    is_wanted: IsWanted | None,
) -> Iterator[tuple[tuple[Indices, Indices], Neighbours]]:
    """Choose pairs of some contents, by hash, by points that they share, and of those that are turned; ``found`` grows.

    Yields:
        The pairs, and what a network sees of all.
    """
    wanted = None if is_wanted is None else lambda i, j: is_wanted(nodes[i], nodes[j])
    are_few = len(nodes) <= sharing.MOST
    near = find_likely(contents.take(nodes), means if are_few else replace(means, network=None), wanted)
    near = near.renumber(nodes)
    yield _find_by_hash(contents, nodes, settings, means, wanted), near
    if are_few:
        known, copies = (name_pairs(contents, found, only) for only in (None, WHOLE_COPIES))
        yield find_sharing(*judge.look_up(GLIMPSES, nodes), known, copies, is_wanted), near
    else:
        means.emit(Warned(BY_HASH_ONLY))
    turned = _nearest_of_turned(contents, found, near)
    yield (turned.i, turned.j), near


def _find_by_hash(
    contents: Contents, nodes: Indices, settings: DedupeSettings, means: Means, is_wanted: IsWanted | None
) -> tuple[Indices, Indices]:
    """Find the pairs of some contents that hashes bring near; ``is_wanted`` is asked by their numbers among these."""
    pictures = contents.pictures.take(nodes)
    i, j = find_candidates(pictures, settings.max_distance, settings.rotations, is_wanted, spread_search(means.spread))
    return nodes[i], nodes[j]


def _nearest_of_turned(contents: Contents, judged: Sequence[pa.Table], near: Neighbours) -> Neighbours:
    """Name what a network holds most alike of each picture that is another one turned, but for its copies.

    How alike those are, the strangers among them, says which of the two is upright: see :mod:`curator.decide.flaws`.
    """
    turned = name_pairs(contents, judged, TURNED_COPIES)
    group = label_components(len(contents), *name_pairs(contents, judged, COPIES))
    near = near.where(group[near.i] != group[near.j]).nearest_of(np.union1d(*turned), _MOST_LIKE)
    known = np.ravel_multi_index(name_pairs(contents, judged), (len(contents), len(contents)))
    return near.where(~np.isin(near.i * len(contents) + near.j, known))


class _Judge:
    """Judges pairs of contents, and remembers."""

    def __init__(self, contents: Contents, means: Means) -> None:
        self._contents, self._means = contents, means
        self._stored = read_judged(means.judged, made_by())
        self._known = SCHEMA.empty_table() if self._stored is None else self._stored
        self._n_kept, self._unread = len(self._known), np.empty(0, np.intp)

    def judge(self, i: Indices, j: Indices, near: Neighbours | None = None) -> pa.Table:
        """Judge pairs i < j, in that order of the two; ``near`` says what a network sees of some of them."""
        n = len(self._contents)
        names = pa.array(i.astype(np.int64) * n + j)
        place = pc.index_in(names, number_pairs(self._known, self._contents.sha256))
        lacking = np.flatnonzero(place.is_null().to_numpy(zero_copy_only=False))
        if len(lacking):
            self._judge_new(i[lacking], j[lacking])
            place = pc.index_in(names, number_pairs(self._known, self._contents.sha256))
        found, known = self._known.take(place.drop_null()), names.filter(place.is_valid())
        cosine = pa.nulls(len(found), pa.float32())
        if near is not None:
            cosine = pa.array(near.cosine).take(pc.index_in(known, pa.array(near.i.astype(np.int64) * n + near.j)))
        return found.set_column(found.schema.get_field_index("cosine"), SCHEMA.field("cosine"), cosine)

    def keep(self, table: pa.Table) -> None:
        """Write these pairs, and none of before; nothing if they are what the file holds."""
        if self._stored is None or not table.equals(self._stored):
            write_judged(self._means.judged, table, made_by())

    def _judge_new(self, i: Indices, j: Indices) -> None:
        file, place = self.look_up(SKETCHES, np.unique(np.concatenate([i, j])))
        both = np.flatnonzero((place[i] >= 0) & (place[j] >= 0))
        self._means.emit(WorkStarted(WORK, len(both), "pair"))
        try:
            spread, names = self._means.spread, self._contents.sha256
            at_once = AT_ONCE // 8 if spread else AT_ONCE
            chosen = [both[start : start + at_once] for start in range(0, len(both), at_once)]
            blocks = ((names[i[one]], names[j[one]], place[i[one]], place[j[one]]) for one in chosen)
            folder = self._means.sketches.absolute()
            for found in (
                spread.map(judge_elsewhere, folder, ((block,) for block in blocks))
                if spread
                else map(partial(judge_block, file.rows), blocks)
            ):
                self._add(found)
                self._means.emit(WorkAdvanced(WORK, len(found)))
        finally:
            self._means.emit(WorkFinished(WORK))

    def look_up(self, summary: Summary, used: Indices) -> tuple[RowFile, IntArray]:
        """Make the summaries that are lacking; return the file, and the row of each content in it, -1: none.

        What could not be read is not tried again, and told once.
        """
        used = np.setdiff1d(used, self._unread)
        file, sha256s = summary.open(self._means.sketches), self._contents.sha256[used].tolist()
        files = [Path(name) for name in self._contents.files[used]]
        make_summaries(summary, file, sha256s, files, self._means.max_pixels, self._means.emit, self._means.spread)
        place = np.full(len(self._contents), -1)
        place[used] = file.find(sha256s)
        self._unread = np.union1d(self._unread, used[place[used] < 0])
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
        sketches = open_rows(folder / SKETCHES.file_name())
    except (OSError, ValueError) as error:
        raise StateError(f"{folder / SKETCHES.file_name()} cannot be read ({why(error)}).", NO_FOLDER) from error
    if sketches is None:
        raise StateError(f"{folder / SKETCHES.file_name()} holds no sketches.", NO_FOLDER)
    return judge_block(sketches, block)
