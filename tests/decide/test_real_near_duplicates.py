"""On real pictures: known copies are one group whatever their turn, other pictures stay, and no chain grows."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from curator.catalog import Drop, is_kept
from curator.decide.dedupe import find_duplicates
from curator.decide.leak_groups import find_leak_groups
from curator.manifests.settings import DedupeSettings
from curator.matching.orientations import ORIENTATIONS
from curator.observe.observation import observe_image
from tests.decide.rows import make_table

SHARED = Path(__file__).parents[2] / ".." / "shared"
PDQ = SHARED / "neardup" / "pdq" / "pdq" / "data" / "reg-test-input"
OBSERVED = ("detail", "phash", "phash_turns", "phash256", "thumbnail", "width", "height")

pytestmark = [pytest.mark.real, pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")]


def observed(paths):
    """The catalog of these files, in their order."""
    rows = []
    for path in paths:
        data = path.read_bytes()
        seen = observe_image(data, max_pixels=100_000_000)
        facts = {name: getattr(seen, name) for name in OBSERVED}
        rows.append(facts | {"sha256": hashlib.sha256(data).hexdigest(), "n_bytes": len(data)})
    return make_table(rows)


def test_the_eight_turns_of_one_photo_are_one_group():
    """Each copy is found in another of the eight orientations."""
    table = observed(sorted((PDQ / "dih").glob("*.jpg")))
    decided = find_duplicates(table, DedupeSettings(), ("rugby",))
    assert is_kept(decided).sum() == 1
    assert set(decided["turn"].dropna()) | {"none"} == set(ORIENTATIONS)
    assert len(np.unique(find_leak_groups(table, ("near-duplicate",)))) == 1


def test_four_photos_of_one_desk_are_four():
    """Taken one after the other, each with another EXIF orientation: alike, yet not copies."""
    decided = find_duplicates(observed(sorted((PDQ / "exif-rotn").glob("*.jpg"))), DedupeSettings(), ("rugby",))
    assert is_kept(decided).tolist() == [True] * 4


def test_different_photos_stay():
    """Ten photos of ten things, among them similar ones."""
    folder = SHARED / "neardup" / "imagededup" / "tests" / "data" / "base_images"
    table = observed(sorted(folder.glob("*.jpg")))
    assert is_kept(find_duplicates(table, DedupeSettings(), ("rugby",))).all()
    assert len(np.unique(find_leak_groups(table, ("near-duplicate",)))) == len(table)


def test_loose_matches_do_not_swallow_a_class():
    """Of 568 photos of balls on white ground, no leak group holds more than a hundredth after dedupe."""
    table = observed(sorted((SHARED / "photos" / "balls" / "soccer").iterdir()))
    decided = find_duplicates(table, DedupeSettings(), ("rugby",))
    kept = decided[is_kept(decided)]
    sizes = np.unique(find_leak_groups(kept, ("near-duplicate",)), return_counts=True)[1]
    assert set(decided["drop_reason"].dropna()) == {Drop.NEAR_DUPLICATE}
    assert sizes.max() <= len(kept) // 100
    assert len(kept) > 450
