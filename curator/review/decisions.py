"""The decisions of all windows and processes, as the file has them now; a new one counts once it is on the disk.

>>> import tempfile
>>> log = DecisionLog(Path(tempfile.mkdtemp()) / "reviews.jsonl", "ann")
>>> log.decide("ab" * 32, "rugby", "keep").decision
'keep'
>>> log.latest()["ab" * 32, "rugby"].who, log.decide("ab" * 32, "rugby", "undo")
('ann', None)
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.manifests.reviews import Key, Review, append_reviews, read_reviews, standing_reviews
from curator.review.images import Images, as_mask, file_signature


class DecisionLog:
    """The reviews file, read again whenever it has changed."""

    def __init__(self, path: Path, who: str) -> None:
        self._path = path
        self._who = who
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._latest: dict[Key, Review] = {}
        self.version = 0
        """The number of lines in the file: each decision adds one, whoever made it."""

    def latest(self) -> Mapping[Key, Review]:
        """Return the latest decision about each image and label, unless it was undone.

        Raises:
            StateError: the file holds lines that are no reviews.
        """
        with self._lock:
            seen = file_signature(self._path)
            if seen != self._seen:
                reviews = read_reviews(self._path)
                self._latest, self.version, self._seen = standing_reviews(reviews), len(reviews), seen
            return self._latest

    def is_mine(self, review: Review | None, decision: str, new_label: str, reason: str) -> bool:
        """Say whether a standing decision is the very one that this person makes, so that it is written only once."""
        found = review and (review.who, review.decision, review.new_label, review.reason)
        return found == (self._who, decision, new_label, reason)

    def decide(self, sha256: str, label: str, decision: str, new_label: str = "", reason: str = "") -> Review | None:
        """Write one decision, wait until it is on the disk, and return the latest one on that image; None after undo.

        Raises:
            DiskError: the disk refused the write; nothing was decided.
        """
        self.decide_all([self.make((sha256, label), decision, new_label, reason)])
        return self.latest().get((sha256, label))

    def make(self, key: Key, decision: str, new_label: str = "", reason: str = "") -> Review:
        """Make a decision of now and of this person, which is not written."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Review(now, self._who, *key, decision, new_label, reason)

    def decide_all(self, reviews: Sequence[Review]) -> None:
        """Write several decisions in one write: all of them or none.

        Raises:
            DiskError: the disk refused the write; nothing was decided.
        """
        if reviews:
            append_reviews(self._path, reviews)

    def changed_since(self, version: int) -> set[Key]:
        """Return what was decided about, by anyone, since the file had so many lines."""
        return {review.key for review in read_reviews(self._path)[version:]}


def match_rows(images: Images, latest: Mapping[Key, Review]) -> dict[int, Review]:
    """Find the rows that decisions are about: row to decision."""
    if not latest:
        return {}
    hashes = pa.array(list({sha256 for sha256, _ in latest}), pa.string())
    rows = np.flatnonzero(as_mask(pc.is_in(images.table["sha256"], hashes)))
    near = images.table.select(["sha256", "listed_label"]).take(pa.array(rows))
    keys = zip(near["sha256"].to_pylist(), near["listed_label"].to_pylist(), strict=True)
    return {int(row): latest[key] for row, key in zip(rows, keys, strict=True) if key in latest}
