"""Which contents are compared for points that they share, and which pairs are named."""

import numpy as np
import pytest

from curator.embed.row_file import RowFile
from curator.matching.points.glimpse import GLIMPSE_FIELDS
from curator.pipeline.judging.sharing import find_sharing
from tests.matching.points.test_points import glimpses, scene

NOTHING = np.empty(0, np.int64)


@pytest.fixture
def share(tmp_path):
    """Find the pairs of pictures, of whom some lack a glimpse."""

    def find(pictures, copies=(), known=(), lacking=(), is_wanted=None):
        file, rows = RowFile(tmp_path / "glimpses.npy", GLIMPSE_FIELDS), glimpses(pictures)
        names = [f"{number:064x}" for number in range(len(rows))]
        file.add(names, **{name: rows[name] for name in rows.dtype.names})
        place = file.find(names)
        place[list(lacking)] = -1
        pairs = [tuple(np.array(each, np.int64).reshape(-1, 2).T) for each in (known, copies)]
        found = find_sharing(file, place, *pairs, is_wanted)
        return list(zip(*(ends.tolist() for ends in found), strict=True))

    return find


def crop(picture):
    """Half of each side of it."""
    return picture[100:244, 150:342]


def test_pairs_are_named_but_those_that_are_known(share):
    """Nor those with one that has no glimpse, or that nobody wants."""
    pictures = [scene(0), crop(scene(0)), scene(1), crop(scene(1)), scene(2)]
    assert share(pictures) == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    "given", [{"known": [(0, 1)]}, {"lacking": [1]}, {"is_wanted": lambda i, j: i > 1}, {"lacking": [0, 1]}]
)
def test_a_pair_is_left_out(share, given):
    """It is judged, one of the two cannot be read, or nobody wants it."""
    assert share([scene(0), crop(scene(0)), scene(1), crop(scene(1))], **given) == [(2, 3)]


def test_three_stand_for_all_copies(share):
    """Those with most copies: points that all of ten have would be left out."""
    pictures = [scene(0)] * 10 + [crop(scene(0))]
    assert share(pictures) == []
    star = [(4, other) for other in range(10) if other != 4]
    pairs = [tuple(sorted(pair)) for pair in star]
    assert share(pictures, copies=pairs, known=pairs) == [(0, 1), (0, 10), (1, 10), (4, 10)]


def test_of_no_pictures_there_are_no_pairs(share):
    """Nor of one, nor of such without points."""
    plain = np.full((288, 384), 9, np.uint8)
    assert share([scene(0)]) == share([plain, plain]) == share([scene(0), plain], lacking=[0, 1]) == []
