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
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.errors import DiskError, StateError, first_remedy, why
from curator.manifests.labels import label_problem
from curator.store.json_lines import CHECK, append_lines, checked_line, read_lines
from curator.store.plain_json import parse_json, shown

_SHA256 = re.compile("[0-9a-f]{64}")
_N_SHOWN = 20
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
        return checked_line({name: value for name, value in dataclasses.asdict(self).items() if value})

    def in_words(self) -> str:
        """Say it in words: who, when, why."""
        signed = f"{self.who}, {self.when[:10]}"
        return f"{signed}: {self.reason}" if self.reason else signed


def read_reviews(path: Path) -> tuple[Review, ...]:
    """Read every line of a reviews file, in order; no file means no decision, and half a line at the end is none.

    Raises:
        StateError: lines that are no reviews, all of them, with their numbers.
    """
    try:
        lines = read_lines(path).numbered
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read ({why(error)}).", "Restore it from version control.") from error
    reviews, problems = [], []
    for number, line in lines:
        try:
            reviews.append(parse_review(line))
        except ValueError as error:
            problems.append(f"line {number:,}: {error}")
    if problems:
        more = f"; and {len(problems) - _N_SHOWN:,} more" if len(problems) > _N_SHOWN else ""
        hint = "Mend or remove these lines; the others are untouched."
        raise StateError(f"{path}: {'; '.join(problems[:_N_SHOWN])}{more}.", hint)
    return tuple(reviews)


def parse_review(line: str) -> Review:
    """Read one line.

    Raises:
        ValueError: the line is not a review; the message says why.
    """
    facts: Any = parse_json(line)
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise ValueError("it is no JSON object of texts")
    facts.pop(CHECK, None)
    names = [field.name for field in dataclasses.fields(Review)]
    if unknown := sorted(set(facts) - set(names)):
        raise ValueError(f"{', '.join(map(shown, unknown))} is unknown")
    if missing := [name for name in names[:5] if not facts.get(name)]:
        raise ValueError(f"{', '.join(missing)} is missing")
    review = Review(**facts)
    if not _SHA256.fullmatch(review.sha256):
        raise ValueError(f"sha256 must be 64 hex digits, not {shown(review.sha256)}")
    if review.decision not in DECISIONS:
        raise ValueError(f"decision must be one of {', '.join(DECISIONS)}, not {shown(review.decision)}")
    for label in filter(None, (review.label, review.new_label)):
        if problem := label_problem(label):
            raise ValueError(problem)
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
        append_lines(path, [review.as_line() for review in reviews])
    except OSError as error:
        hint = f"Every decision before is still there. {first_remedy(error.errno)}, then decide again."
        raise DiskError(f"Cannot write {path}: {why(error)}.", hint) from error


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


def decided_keys(standing: Mapping[Key, Review]) -> set[Key]:
    """Return the contents with the label that somebody decided about, and with the label that was given instead."""
    return {*standing, *((review.sha256, review.new_label) for review in standing.values() if review.new_label)}


def digest_reviews(standing: Mapping[Key, Review]) -> dict[str, Any]:
    """Sum up these decisions for a stage's record: how many, and a hash of them whatever their order."""
    lines = sorted(review.as_line() for review in standing.values())
    return {"n": len(lines), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}
