"""On pairs of real photos that a person judged, the two stages find what one finds, and are wrong about none."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curator.decide.confirm import PictureEvidence
from curator.decide.confirm import confirm as confirm_pairs
from curator.decide.picture_matches import match_pictures
from curator.decide.thumbnails import THUMBNAIL_BYTES
from curator.observe import observe_image, unpack_bytes, unpack_turns

BALLS = Path(__file__).parents[2] / ".." / "shared" / "photos" / "balls"
JUDGED = Path(__file__).parent / "judged_pairs.csv"


def judged():
    """The verdict by pair of SHA-256."""
    with JUDGED.open(newline="") as file:
        return {(row["sha256_a"], row["sha256_b"]): row["verdict"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def balls():
    """Every photo of a ball, once: SHA-256, the hashes of eight turns, and the evidence."""
    if not BALLS.is_dir():
        pytest.skip("../shared is not there")
    files = {hashlib.sha256(data).hexdigest(): data for data in (p.read_bytes() for p in sorted(BALLS.glob("*/*")))}
    seen = [observe_image(data, max_pixels=100_000_000) for data in files.values()]
    thumbnails = pa.array([one.thumbnail for one in seen], pa.binary(THUMBNAIL_BYTES))
    evidence = PictureEvidence(unpack_bytes([one.phash256 for one in seen]), thumbnails)
    return list(files), unpack_turns([one.phash_turns for one in seen]), evidence


def verdicts_of(matches, names):
    """What the person said of the pairs found, each once."""
    pairs = {tuple(sorted((names[i], names[j]))) for i, j in zip(matches.i, matches.j, strict=True)}
    found = [judged()[pair] for pair in pairs]
    return found.count("same"), found.count("different")


def test_the_judged_pairs_are_all_there_once():
    """Of 390 pairs 140 are one picture, 248 are two, and of 2 a person is unsure."""
    verdicts = list(judged().values())
    assert [verdicts.count(word) for word in ("same", "different", "unsure")] == [140, 248, 2]
    assert all(a < b for a, b in judged())


@pytest.mark.real
def test_one_stage_trades_recall_for_precision(balls):
    """The reason for a second stage: within 10 bits of 64, 248 of 390 pairs are different pictures."""
    names, turns, _ = balls
    counts = [verdicts_of(match_pictures(turns, radius, rotations=True), names) for radius in (2, 4, 8, 10)]
    assert counts == [(138, 0), (139, 3), (139, 67), (140, 248)]


@pytest.mark.real
def test_two_stages_find_the_copies_and_nothing_else(balls):
    """139 of 140 found, none of 248 false; what is missed stands on another background."""
    names, turns, evidence = balls
    matches = match_pictures(turns, 10, True, lambda found: confirm_pairs(evidence, found.i, found.j, found.turn))
    same, different = verdicts_of(matches, names)
    assert (same, different) == (139, 0)
    assert np.all(matches.distance <= 10)
