"""What became of an image since its manifest was written: the same bytes, the same picture, another one, or nothing.

And what helps where nothing could be had of any.

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
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.reasons import RETRIED, Drop
from curator.text import Command, Text

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


def why_nothing(rows: pd.DataFrame, table: pd.DataFrame, project: Project, recipe: Recipe | None) -> Text:
    """Say what would help where not one image could be had.

    Args:
        rows: the manifest.
        table: the catalog of the same images after the fetch.
        project: of the replay.
        recipe: the one that was named, if one was.
    """
    if rows.empty:
        return "It lists no image; name another manifest."
    if not rows["url"].notna().any():
        return _where_files_are(recipe)
    reasons = table["drop_reason"].value_counts()
    most = f"{int(reasons.iloc[0]):,} are out as {reasons.index[0]}: " if len(reasons) else ""
    known = f"; {most}{Drop(reasons.index[0]).traits.remedy}" if most else ""
    ways = [] if project.recipe.fetch.rescue else ["`--rescue` looks what is lost up in a web archive"]
    ways += [] if recipe else ["`--recipe NAME` takes the settings of a recipe"]
    return f"{project.paths.replayed_images} says why of each{known}. {', '.join(ways)}{'.' if ways else ''}".strip()


def _where_files_are(recipe: Recipe | None) -> Text:
    """Say how a person gets a data set of local files, which have no address to request."""
    what = "It lists local files, which nobody else can fetch"
    if recipe is None:
        by_hand = "hand on an export, or the photographs themselves; or name the recipe, `--recipe NAME`"
        return f"{what}: {by_hand}, if its [store] has them."
    store = f"the [store] of {recipe.name} has none of them" if recipe.store.url else f"{recipe.name} has no [store]"
    again = (Command("split"), " makes its folders again, and ", Command("export imagefolder"), " a copy to hand on.")
    return (f"{what}, and {store}. Where the photographs are, ", *again)
