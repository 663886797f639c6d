"""What the page requests and decides: the catalog, the decisions, and the selections that its windows show.

A selection is fixed when it is made, so that no image moves while a person decides; it is made again when they change a
filter, or when a stage has written a new catalog.

>>> MOST_SELECTIONS
16
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from curator.embed.current import suspects_news
from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.manifests.reviews import DECISIONS, Review, digest_reviews
from curator.review.batches import Batches, ConflictError, rows_of_ranges
from curator.review.decisions import DecisionLog, match_rows
from curator.review.images import BoolArray, Images, LatestImages, release_memory
from curator.review.picture_map import describe_points
from curator.review.query import Query, find_rows
from curator.review.sorting import SORTS, Known, sort_rows
from curator.review.views import VIEWS, Selection, find_view
from curator.text import Command, spell

MOST_SELECTIONS = 16
"""Selections kept at once; a window whose selection is no longer kept makes it again."""

FIRST_ROWS, MOST_ROWS = 120, 500
"""Rows returned with a new selection, and at most at once."""


class StaleError(CuratorError):
    """The selection is no longer kept, or is of an older catalog: the page must select again."""


class ReviewService:
    """Answers the requests of the page; safe to use from several threads."""

    def __init__(self, project: Project, who: str) -> None:
        self.project = project
        self.latest_images = LatestImages(project)
        self.log = DecisionLog(project.paths.reviews, who)
        self._batches = Batches(self.log)
        self._selections: OrderedDict[int, tuple[Images, Selection]] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._deciding = threading.Lock()
        self._counted: Images | None = None
        self._counts: dict[str, int] = {}

    def about(self) -> dict[str, Any]:
        """Return what the page shows of the data set: its name, labels, counts, and the values to filter by."""
        with self._lock:
            images = self.latest_images.read()
        return {
            "name": self.project.recipe.name,
            "labels": list(self.project.recipe.labels),
            "stage": str(images.stage),
            "n": len(images),
            "facets": images.facets,
            "views": self._describe_views(images),
            "is_judged": self.project.paths.suspects.exists(),
            "sorts": [{"name": sort.name, "title": sort.title} for sort in SORTS],
            "commands": {name: self._spelled(name) for name in ("review", "dedupe", "split", "benchmark")},
        }

    def _spelled(self, command: str, *arguments: str) -> str:
        return Command.of(command, *arguments).spelled(self.project.option)

    def _describe_views(self, images: Images) -> list[dict[str, Any]]:
        """Say what each view is and holds without filters: ``n`` groups if it has groups, else rows."""
        everything = np.ones(len(images), bool)
        if self._counted is not images:
            self._counts = {view.name: self._count(view.name, images, everything) for view in VIEWS if view.is_grouped}
            self._counted = images
            release_memory()
        plain = {view.name: self._count(view.name, images, everything) for view in VIEWS if not view.is_grouped}
        counts = self._counts | plain
        news = spell(suspects_news(self.project), self.project.option)
        return [
            {
                **{name: getattr(view, name) for name in ("name", "title", "is_grouped", "order")},
                "hint": f"{view.hint} {news}".strip() if view.command == "suspects" else view.hint,
                "n": counts[view.name],
                "command": self._spelled(view.command),
            }
            for view in VIEWS
        ]

    def _count(self, view: str, images: Images, everything: BoolArray) -> int:
        found = find_view(view).choose(images, everything, self.project.paths)
        return len(found.rows if found.sizes is None else found.sizes)

    def select(self, query: Query) -> dict[str, Any]:
        """Make a selection: its number, number of rows, the sizes of its groups, and what :meth:`rows` returns."""
        with self._lock:
            images = self.latest_images.read()
            decided = match_rows(images, self.log.latest())
            passing = find_rows(images, query, {row: review.decision for row, review in decided.items()})
            selection = find_view(query.view).choose(images, passing, self.project.paths)
            if query.sort and selection.sizes is None:
                rows, facts = sort_rows(selection.rows, query.sort, Known(images, decided, self.project, query.like))
                selection = dataclasses.replace(selection, rows=rows, facts=_merged(facts, selection.facts))
            number = next(self._numbers)
            self._selections[number] = images, selection
            while len(self._selections) > MOST_SELECTIONS:
                self._selections.popitem(last=False)
        release_memory()
        sizes = None if selection.sizes is None else selection.sizes.tolist()
        about = {"selection": number, "total": len(selection.rows), "sizes": sizes}
        like = {"like": self.row(query.like)} if query.like else {}
        return {**about, **like, **self.rows(number, 0, FIRST_ROWS)}

    def points(self, number: int) -> dict[str, Any]:
        """Return where each row of a selection is on the map: see :func:`describe_points`, in the selection's order."""
        images, selection = self._find(number)
        decided = match_rows(images, self.log.latest())
        return describe_points(images, selection.rows, self.project.paths, decided, self.project.recipe.labels)

    def progress(self, images: Images, selection: Selection | None = None) -> dict[str, Any]:
        """Return how many images are decided, in all and of a selection, and the version of the decisions."""
        decided = np.fromiter(match_rows(images, self.log.latest()), np.int64)
        facts = {"decided": len(decided), "version": self.log.version, "is_applied": self._is_applied(images)}
        if selection is not None:
            facts["decided_here"] = int(np.isin(selection.rows, decided).sum()) if len(decided) else 0
        return facts

    def _is_applied(self, images: Images) -> bool:
        """Say whether the catalog was made with the decisions of now."""
        latest = self.log.latest()
        return digest_reviews(latest) == images.reviews if latest else not images.reviews.get("n")

    def rows(self, number: int, offset: int, limit: int) -> dict[str, Any]:
        """Return some rows of a selection, with what was decided about each.

        Raises:
            StaleError: the page must select again.
        """
        images, selection = self._find(number)
        indices = selection.rows[offset : offset + min(limit, MOST_ROWS)]
        rows = images.rows(indices)
        latest = self.log.latest()
        for row in rows:
            row["review"] = as_facts(latest.get((row.get("sha256", ""), row["listed_label"])))
            row["why"] = self._spelled("why", row["record_id"])
            row |= selection.facts.get(row["record_id"], {})
        return {"offset": offset, "rows": rows, **self.progress(images, selection)}

    def next_undecided(self, number: int, after: int) -> int | None:
        """Find the next row of a selection that has a picture and no decision, starting again at the end; or None."""
        images, selection = self._find(number)
        has_picture = np.asarray(images.table["width"].is_valid().to_numpy())[selection.rows]
        is_decided = np.isin(selection.rows, list(match_rows(images, self.log.latest())))
        candidates = np.flatnonzero(has_picture & ~is_decided)
        if not len(candidates):
            return None
        return int(candidates[np.searchsorted(candidates, after, side="right") % len(candidates)])

    def _find(self, number: int) -> tuple[Images, Selection]:
        with self._lock:
            found = self._selections.get(number)
            if found is None or found[0] is not self.latest_images.read():
                raise StaleError("The catalog has changed; select again.")
            self._selections.move_to_end(number)
            return found

    def row(self, record_id: str) -> dict[str, Any] | None:
        """Return one row's facts, or None if there is no such row."""
        with self._lock:
            images = self.latest_images.read()
        index = images.row_of(record_id)
        return images.rows(np.array([index]))[0] if index >= 0 else None

    def decide(
        self, record_id: str, decision: str, new_label: str = "", reason: str = "", seen: str | None = None
    ) -> dict[str, Any]:
        """Decide about the content of one row; when this returns, the decision is on the disk.

        Args:
            seen: the ``id`` of the decision that the page shows, empty: none; None decides whatever was decided before.

        Raises:
            ValueError: this cannot be decided; the message says why.
            ConflictError: what was decided before is not what the page shows.
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
        key = row["sha256"], row["listed_label"]
        with self._deciding:
            before = self.log.latest().get(key)
            is_saved = self.log.is_mine(before, decision, new_label, reason)
            if seen is not None and seen != _digest(before) and not is_saved:
                said = f"{before.who} has decided about it" if before else "its decision was taken back"
                raise ConflictError(f"Meanwhile {said}: look again.")
            review = before if is_saved else self.log.decide(*key, decision, new_label, reason)
        return {"review": as_facts(review), **self.progress(self.latest_images.read())}

    def decide_all(
        self, number: int, ranges: Any, version: int, decision: str, new_label: str = "", reason: str = ""
    ) -> dict[str, Any]:
        """Decide about rows of a selection, all of them or none; a row without content is left out.

        Args:
            ranges: places in the selection, as pairs of a first and a last one.
            version: what the page has seen of the decisions.
            new_label: for ``relabel``; an image that was listed under it is kept.

        Raises:
            ValueError, StaleError, ConflictError, DiskError: nothing was decided.
        """
        if decision not in ("keep", "drop", "relabel"):
            raise ValueError("decision must be one of keep, drop, relabel")
        if (decision == "relabel") != (new_label in self.project.recipe.labels):
            raise ValueError("relabel needs new_label, a label of the recipe, and nothing else has it")
        images, selection = self._find(number)
        places = rows_of_ranges(ranges, len(selection.rows))
        found = images.table.select(["sha256", "listed_label"]).take(selection.rows[places])
        keys = zip(found["sha256"].to_pylist(), found["listed_label"].to_pylist(), strict=True)
        wanted = [
            (key, "keep", "", reason) if new_label == key[1] else (key, decision, new_label, reason)
            for key in keys
            if key[0]
        ]
        return {**self._batches.decide(wanted, version), **self.progress(images, selection)}

    def decide_pair(self, kept: list[str], dropped: list[str], version: int) -> dict[str, Any]:
        """Keep some images and drop the others as their duplicates, by record id, all or none."""
        rows = {record_id: self.row(record_id) for record_id in (*kept, *dropped)}
        if not rows or any(row is None or "sha256" not in row for row in rows.values()):
            raise ValueError("there is no such image, or it has no content to decide about")
        keys = {name: (row["sha256"], row["listed_label"]) for name, row in rows.items() if row}
        wanted = [(keys[name], "keep", "", "") for name in kept]
        wanted += [
            (keys[name], "drop", "", "duplicate") for name in dropped if keys[name] not in [keys[k] for k in kept]
        ]
        return {**self._batches.decide(wanted, version), **self.progress(self.latest_images.read())}

    def undo_batch(self, number: int) -> dict[str, Any]:
        """Take a batch back, whole."""
        return {**self._batches.undo(number), **self.progress(self.latest_images.read())}


def _merged(*facts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put facts by record id together; of two of the same name the later one holds."""
    names = dict.fromkeys(name for one in facts for name in one)
    return {name: {key: value for one in facts for key, value in one.get(name, {}).items()} for name in names}


def as_facts(review: Review | None) -> dict[str, str] | None:
    """Return what the page shows of a decision."""
    if review is None:
        return None
    names = ("decision", "new_label", "who", "when", "reason")
    return {"id": _digest(review), **{name: getattr(review, name) for name in names}}


def _digest(review: Review | None) -> str:
    """Name a decision, so that a page can say which one it shows; none is empty."""
    return hashlib.sha256("\0".join(dataclasses.astuple(review)).encode()).hexdigest()[:16] if review else ""
