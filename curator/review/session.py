"""One running review: the catalog, the decisions, and the selections that its windows look at.

A selection is fixed when it is made, so that no image moves under a person's eyes while they decide; it is made anew
when they change a filter, or when a stage has written a new catalog.

>>> MOST_SELECTIONS
16
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.manifests.reviews import DECISIONS, Review
from curator.review.decisions import DecisionLog, match_rows
from curator.review.library import Images, Library, release_memory
from curator.review.query import Query, find_rows
from curator.review.views import GROUPED, Selection, select
from curator.review.wrong import read_wrong

MOST_SELECTIONS = 16
"""Selections kept at once; a window whose selection is no longer kept makes it anew."""

FIRST_ROWS, MOST_ROWS = 120, 500
"""Rows given with a new selection, and at most at once."""


class StaleError(CuratorError):
    """The selection is no longer kept, or is of an older catalog: the page is to select again."""


@dataclass(frozen=True)
class Chosen:
    """A selection and the catalog that it is of."""

    images: Images
    selection: Selection


class ReviewSession:
    """What the page asks for and what it decides; safe to use from several threads."""

    def __init__(self, project: Project, who: str) -> None:
        self.project = project
        self.library = Library(project)
        self.log = DecisionLog(project.paths.reviews, who)
        self._chosen: OrderedDict[int, Chosen] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._counted: Images | None = None
        self._counts: dict[str, int] = {}

    def about(self) -> dict[str, Any]:
        """Describe the data set: its name, labels, counts, and the values to filter by."""
        with self._lock:
            images = self.library.images()
        return {
            "name": self.project.recipe.name,
            "labels": list(self.project.recipe.labels),
            "stage": str(images.stage),
            "n": len(images),
            "facets": images.facets,
            "views": self._count_views(images),
        }

    def _count_views(self, images: Images) -> dict[str, int]:
        """Count what each view holds without filters: groups where it has groups, else rows."""
        if self._counted is not images:
            everything = np.ones(len(images), bool)
            self._counts = {"all": len(images)}
            for view in GROUPED:
                sizes = select(images, view, everything, {}).sizes
                self._counts[view] = 0 if sizes is None else len(sizes)
            self._counted = images
            release_memory()
        return self._counts | {"wrong": len(self._wrong("wrong"))}

    def _wrong(self, view: str) -> Any:
        return read_wrong(self.project.paths.predictions) if view == "wrong" else {}

    def select(self, query: Query) -> dict[str, Any]:
        """Make a selection: its number, how many rows it has, the sizes of its groups, and what :meth:`rows` gives."""
        with self._lock:
            images = self.library.images()
            decided = match_rows(images, self.log.standing())
            passing = find_rows(images, query, {row: review.decision for row, review in decided.items()})
            selection = select(images, query.view, passing, self._wrong(query.view))
            number = next(self._numbers)
            self._chosen[number] = Chosen(images, selection)
            while len(self._chosen) > MOST_SELECTIONS:
                self._chosen.popitem(last=False)
        release_memory()
        sizes = None if selection.sizes is None else selection.sizes.tolist()
        facts = {"selection": number, "total": len(selection.rows), "sizes": sizes}
        return facts | self.rows(number, 0, FIRST_ROWS)

    def progress(self, images: Images) -> dict[str, Any]:
        """Count the images decided so far, and name the state of the decisions."""
        standing = self.log.standing()
        return {"decided": len(match_rows(images, standing)), "version": self.log.version}

    def rows(self, number: int, offset: int, limit: int) -> dict[str, Any]:
        """Give some rows of a selection, with what was decided about each.

        Raises:
            StaleError: see there.
        """
        chosen = self._find(number)
        indices = chosen.selection.rows[offset : offset + min(limit, MOST_ROWS)]
        rows = chosen.images.rows(indices)
        standing = self.log.standing()
        for row in rows:
            row["review"] = as_facts(standing.get((row.get("sha256", ""), row["listed_label"])))
            if said := chosen.selection.wrong.get(row["record_id"]):
                row |= {"predicted": said.predicted, "confidence": said.confidence}
        return {"offset": offset, "rows": rows, **self.progress(chosen.images)}

    def next_undecided(self, number: int, after: int) -> int | None:
        """Find the next row of a selection that has a picture and no decision, going round at the end; or None."""
        chosen = self._find(number)
        rows = chosen.selection.rows
        is_open = np.asarray(chosen.images.table["width"].is_valid().to_numpy())[rows]
        decided = match_rows(chosen.images, self.log.standing())
        is_open &= ~np.isin(rows, np.fromiter(decided, np.int64, len(decided)))
        candidates = np.flatnonzero(is_open)
        if not len(candidates):
            return None
        return int(candidates[np.searchsorted(candidates, after, side="right") % len(candidates)])

    def _find(self, number: int) -> Chosen:
        with self._lock:
            chosen = self._chosen.get(number)
            if chosen is None or chosen.images is not self.library.images():
                raise StaleError("The catalog has changed; select again.")
            self._chosen.move_to_end(number)
            return chosen

    def row(self, record_id: str) -> dict[str, Any] | None:
        """Give one row's facts, or None where there is no such row."""
        with self._lock:
            images = self.library.images()
        index = images.row_of(record_id)
        return images.rows(np.array([index]))[0] if index >= 0 else None

    def decide(self, record_id: str, decision: str, new_label: str = "", reason: str = "") -> dict[str, Any]:
        """Decide about the content of one row; when this returns, the decision is on the disk.

        Raises:
            ValueError: there is nothing to decide like that; the message says why.
            DiskError: the disk refused; nothing was decided.
        """
        row = self.row(record_id)
        if row is None or "sha256" not in row:
            raise ValueError("there is no such image, or it has no content to decide about")
        if decision not in DECISIONS:
            raise ValueError(f"decision must be one of {', '.join(DECISIONS)}")
        if (decision == "relabel") != bool(new_label):
            raise ValueError("relabel needs new_label, and nothing else has it")
        if new_label and new_label not in set(self.project.recipe.labels) - {row["listed_label"]}:
            raise ValueError(f"{new_label!r} is no other label of the recipe")
        review = self.log.decide(row["sha256"], row["listed_label"], decision, new_label, reason)
        key = {"sha256": row["sha256"], "listed_label": row["listed_label"]}
        return {**key, "review": as_facts(review), **self.progress(self.library.images())}


def as_facts(review: Review | None) -> dict[str, str] | None:
    """Give what the page shows of a decision."""
    if review is None:
        return None
    names = ("decision", "new_label", "who", "when", "reason")
    return {name: getattr(review, name) for name in names}
