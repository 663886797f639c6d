"""What people decided about single images: one JSON object a line in ``reviews.jsonl``, committed with the manifest.

A decision is about one content under one listed label, so that it survives a new fetch, another source of the same
file, and another machine. Lines are only ever added; an undo is a line too.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "reviews.jsonl"
>>> review = Review("2026-01-02T03:04:05Z", "ann", "ab" * 32, "rugby", "drop", reason="a logo")
>>> append_review(path, review)
>>> standing_reviews(read_reviews(path))[review.key].reason
'a logo'
>>> append_review(path, dataclasses.replace(review, decision="undo", reason=""))
>>> standing_reviews(read_reviews(path))
{}
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.errors import DiskError, StateError
from curator.store.hand_written import read_hand_written
from curator.store.whole_files import append_lines

DECISIONS = ("keep", "drop", "relabel", "undo")
Key = tuple[str, str]
"""What a decision is about: the SHA-256 of the bytes, and the label that they were listed under."""


@dataclass(frozen=True)
class Review:
    """One person's decision about one content under one label."""

    when: str
    """UTC, as in ``2026-01-02T03:04:05Z``."""
    who: str
    sha256: str
    label: str
    """The label that the image was listed under."""
    decision: str
    """``keep``, ``drop``, ``relabel`` (to ``new_label``), or ``undo``: takes back the latest one."""
    new_label: str = ""
    reason: str = ""

    @property
    def key(self) -> Key:
        """What the decision is about."""
        return self.sha256, self.label

    def as_line(self) -> str:
        """Format the decision as it is in the file, without what is empty."""
        facts = {name: value for name, value in dataclasses.asdict(self).items() if value}
        return json.dumps(facts, ensure_ascii=False) + "\n"

    def in_words(self) -> str:
        """Say it in words: who, when, why."""
        signed = f"{self.who}, {self.when[:10]}"
        return f"{signed}: {self.reason}" if self.reason else signed


def read_reviews(path: Path) -> tuple[Review, ...]:
    """Read every line of a reviews file, in order; no file means no decision.

    Raises:
        StateError: lines that are no reviews, all of them, with their numbers.
    """
    try:
        lines = read_hand_written(path).split("\n")  # not splitlines: a reason may hold U+2028
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read ({error}).", "Restore it from version control.") from error
    reviews, problems = [], []
    for number, line in enumerate(lines, 1):
        try:
            reviews += [parse_review(line)] if line.strip() else []
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise StateError(f"{path}: {'; '.join(problems)}.", "Mend or remove these lines; the others are untouched.")
    return tuple(reviews)


def parse_review(line: str) -> Review:
    """Read one line.

    Raises:
        ValueError: the line is not a review; the message says why.
    """
    try:
        facts: Any = json.loads(line)
    except ValueError as error:
        raise ValueError("not JSON") from error
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise ValueError("not a JSON object of texts")
    names = [field.name for field in dataclasses.fields(Review)]
    if unknown := sorted(set(facts) - set(names)):
        raise ValueError(f"{', '.join(unknown)} is unknown")
    if missing := [name for name in names[:5] if not facts.get(name)]:
        raise ValueError(f"{', '.join(missing)} is missing")
    review = Review(**facts)
    if len(review.sha256) != 64 or not set(review.sha256) <= set("0123456789abcdef"):
        raise ValueError(f"sha256 must be 64 hex digits, not {review.sha256!r}")
    if review.decision not in DECISIONS:
        raise ValueError(f"decision must be one of {', '.join(DECISIONS)}, not {review.decision!r}")
    if (review.decision == "relabel") != bool(review.new_label):
        raise ValueError("relabel needs new_label, and nothing else has it")
    return review


def append_review(path: Path, review: Review) -> None:
    """Add one line: see :func:`append_reviews`."""
    append_reviews(path, (review,))


def append_reviews(path: Path, reviews: Iterable[Review]) -> None:
    """Add a line each, in one write: when this returns all are on the disk, and after an error none is.

    Several processes may do so at once: none loses a line.

    Raises:
        DiskError: the disk refused the write; every line before is still there.
    """
    try:
        append_lines(path, "".join(review.as_line() for review in reviews))
    except OSError as error:
        hint = "Every decision before is still there. Mend that, then decide again."
        raise DiskError(f"Cannot write {path}: {error.strerror}.", hint) from error


def standing_reviews(reviews: Iterable[Review]) -> dict[Key, Review]:
    """Find the latest decision about each content and label that was not taken back."""
    stacks: dict[Key, list[Review]] = {}
    for review in reviews:
        stack = stacks.setdefault(review.key, [])
        if review.decision != "undo":
            stack.append(review)
        elif stack:
            stack.pop()
    return {key: stack[-1] for key, stack in stacks.items() if stack}


def digest_reviews(standing: Mapping[Key, Review]) -> dict[str, Any]:
    """Sum up these decisions for a stage's record: how many, and a hash of them whatever their order."""
    lines = sorted(review.as_line() for review in standing.values())
    return {"n": len(lines), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}
