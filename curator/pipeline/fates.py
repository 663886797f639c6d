"""What became of an image since its manifest was written: the same bytes, the same picture, another one, or nothing.

>>> row = {"phash": "00000000000000ff", "width": 400, "height": 300}
>>> looks_the_same(row, phash=0xFE, width=200, height=150), looks_the_same(row, phash=0xFF, width=200, height=200)
(True, False)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator import catalog
from curator.decide.picture_columns import find_comparable
from curator.manifests.manifest import SERVED_SIDES
from curator.reasons import RETRIED

SIMILAR_BITS = 4
"""Most differing bits of the 64-bit perceptual hashes of one picture in two files."""
_ASPECT_TOLERANCE = 0.03


class Fate(StrEnum):
    """What became of an image since the manifest was written."""

    SAME = "same"  # the same bytes
    SIMILAR = "similar"  # other bytes, the same picture
    CHANGED = "changed"  # the address serves something else
    GONE = "gone"  # the address serves nothing
    UNREACHED = "unreached"  # no answer this time; a second replay requests it again
    NO_ADDRESS = "no-address"  # the image was a local file


def judge_images(rows: pd.DataFrame, table: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Judge each image of a manifest by what its address serves now.

    Args:
        rows: the manifest.
        table: the catalog of the same images after the fetch, in the same order.
    """
    has_bytes = table["sha256"].notna().to_numpy(dtype=bool)
    is_same = (table["sha256"] == rows["sha256"]).fillna(False).to_numpy(dtype=bool)
    passing = table["drop_reason"].isin([str(reason) for reason in RETRIED]).to_numpy(dtype=bool)
    similar = np.zeros(len(rows), bool)
    comparable = catalog.is_kept(table) & find_comparable(table)
    for place in np.flatnonzero(has_bytes & ~is_same & comparable):
        now = table.iloc[place]
        row = dict(rows.iloc[place])
        similar[place] = looks_the_same(row, int(now["phash"]), int(now["width"]), int(now["height"]))
    nowhere = rows["url"].isna().to_numpy(dtype=bool)
    cases = [nowhere, is_same, similar, has_bytes, passing]
    fates = [Fate.NO_ADDRESS, Fate.SAME, Fate.SIMILAR, Fate.CHANGED, Fate.UNREACHED]
    return np.select(cases, [str(fate) for fate in fates], str(Fate.GONE)).astype(object)


def looks_the_same(row: Mapping[Any, Any], phash: int, width: int, height: int) -> bool:
    """Say whether another file shows the picture of a manifest's row: hashes within 4 bits, the same proportions."""
    sides: list[Any] = [row.get(name) for name in (SERVED_SIDES if SERVED_SIDES[0] in row else ("width", "height"))]
    if pd.isna(row.get("phash")) or any(map(pd.isna, sides)):
        return False
    distance = (int(str(row["phash"]), 16) ^ phash).bit_count()
    proportion = (width / height) / (float(sides[0]) / float(sides[1]))
    return distance <= SIMILAR_BITS and abs(proportion - 1) <= _ASPECT_TOLERANCE
