"""The gallery of duplicates: a page of every group, the image that is kept beside its copies, largest group first.

It is light enough for ten thousand groups: the browser lays out only the groups near the window
(``content-visibility``) and loads only their pictures.

>>> table = catalog.conform(pd.DataFrame({
...     "record_id": ["x-1", "x-2", "x-3"], "label": ["a"] * 3, "source": ["x"] * 3, "kind": ["x"] * 3, "tier": [0] * 3,
...     "duplicate_of": [None, "x-1", None], "drop_reason": [None, "near-duplicate", None]}))
>>> [[row["record_id"] for row in group] for group in read_groups(table)]
[['x-1', 'x-2']]
>>> group = [{"record_id": "x-1", "label": "a", "sha256": None, "width": 4, "height": 3, "drop_reason": None},
...          {"record_id": "x-2", "label": "a", "sha256": None, "width": 4, "height": 3, "turn": "mirror",
...           "drop_reason": "near-duplicate", "distance_bits": 2}]
>>> "<b>near-duplicate</b> 2 bits, mirrored" in gallery_page("balls", [group], {})
True
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import as_arrow, rank_texts, read_integers
from curator.errors import StateError
from curator.manifests.project import Project
from curator.matching.components import label_components
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.observe.thumbnails import thumbnail
from curator.reasons import Drop
from curator.report.markup import Html, card, element, join, page, prose, times
from curator.report.style import style_sheet
from curator.store.catalog_files import read_catalog
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text, as_parts

MOST_SHOWN = 24
"""Images shown of one group; the rest is counted."""

Group = Sequence[Mapping[str, Any]]
"""The images of a group, what is kept first."""

_COLUMNS = ["record_id", "label", "sha256", "format", "width", "height", "distance_bits", "turn", "drop_reason"]


def build_gallery(project: Project) -> Path:
    """Write ``duplicates.html`` from the catalog after dedupe, with one small picture on disk for each image.

    Returns:
        The page's path. It names the pictures relative to itself, so the data set's folder can be moved as a whole.

    Raises:
        StateError: dedupe has not run yet, or its catalog is damaged.
    """
    paths = project.paths
    deduped = paths.catalog(catalog.Stage.DEDUPED)
    if not deduped.exists():
        raise StateError(f"No duplicates of {paths.name} were looked for yet.", ("Run ", Command("dedupe"), " first."))
    groups = read_groups(read_catalog(deduped))
    write_text_whole(paths.duplicates, gallery_page(paths.name, groups, _make_pictures(paths, groups), project.option))
    return paths.duplicates


def read_groups(table: pd.DataFrame) -> list[Group]:
    """Gather the groups of a catalog after dedupe: all that ``duplicate_of`` links, directly or through others.

    Returns:
        The largest group first; in a group what is kept comes first, then the nearest. Rows as dicts, unknown as None.
    """
    names = as_arrow(table["record_id"], pa.string())
    copies = np.flatnonzero(table["duplicate_of"].notna().to_numpy(dtype=bool))
    originals = pc.index_in(as_arrow(table["duplicate_of"].iloc[copies], pa.string()), names)
    originals = originals.to_numpy(zero_copy_only=False).astype(np.intp)
    group = label_components(len(table), copies, originals)
    size = np.bincount(group, minlength=len(table))[group]
    rows = np.flatnonzero(size > 1)
    dropped = ~catalog.is_kept(table)[rows]
    distance, place = read_integers(table["distance_bits"].iloc[rows], 0), rank_texts(table["record_id"])
    order = np.lexsort((place[rows], distance, dropped, place[group[rows]], -size[rows]))
    rows = rows[order]
    values = catalog.to_arrow(table.iloc[rows]).select(_COLUMNS).to_pylist()
    ends = np.flatnonzero(np.diff(group[rows], append=-1)) + 1
    return [values[start:end] for start, end in pairwise([0, *ends])]


def _make_pictures(paths: DataPaths, groups: Sequence[Group]) -> dict[str, str]:
    """Make the small pictures that are not there yet; return the address of each by SHA-256."""
    formats = {row["sha256"]: row["format"] for group in groups for row in group if row["sha256"] and row["format"]}

    def make(item: tuple[str, str]) -> bool:
        return paths.thumbnail(item[0]).exists() or thumbnail(paths, *item) is not None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made: dict[Any, bool] = dict(zip(formats, threads.map(make, formats.items()), strict=True))
    home = paths.duplicates.parent
    return {sha256: paths.thumbnail(sha256).relative_to(home).as_posix() for sha256, there in made.items() if there}


def gallery_page(name: str, groups: Sequence[Group], pictures: Mapping[str, str], option: str = "") -> str:
    """Write the page.

    Args:
        name: the data set's.
        groups: the largest first.
        pictures: SHA-256 to the address of its small picture.
        option: what a command needs to mean the data set.
    """
    order = "The image that is kept comes first, then its copies. "
    first = groups[0][0]["record_id"] if groups else ""
    story: Text = (Command.of("why", first), " tells the whole story of the first one.") if first else ""
    hint = (order, *as_parts(story))
    dropped = Counter(row["drop_reason"] for group in groups for row in group if row["drop_reason"])
    figures = [("group" if len(groups) == 1 else "groups", len(groups)), *dropped.most_common()]
    cards = element("div", [card(f"{n:,}", text) for text, n in figures], class_="cards")
    body = [
        element("header", element("p", name, class_="kicker"), element("h1", "Duplicates"), cards),
        element("p", prose(hint, option), class_="note"),
        element("div", [_group(number, group, pictures) for number, group in enumerate(groups, 1)], class_="groups"),
        element("footer", "Made by curator."),
    ]
    return page(f"{name}: duplicates", body, style_sheet("style.css", "gallery.css"))


def _group(number: int, group: Group, pictures: Mapping[str, str]) -> Html:
    labels = " and ".join(sorted({row["label"] for row in group}))
    more = len(group) - MOST_SHOWN
    return element(
        "section",
        element("h2", f"{number:,}", element("small", f" {times(len(group), 'image')} of {labels}")),
        element("div", [_image(row, pictures) for row in group[:MOST_SHOWN]], class_="copies"),
        element("p", f"and {more:,} more", class_="note") if more > 0 else None,
        class_="group card" if len(group) == 2 else "large group card",
    )


def _image(row: Mapping[str, Any], pictures: Mapping[str, str]) -> Html:
    source = pictures.get(row["sha256"] or "")
    shown = (
        element("img", src=source, alt=f"{row['label']}: {row['record_id']}", loading="lazy", decoding="async")
        if source
        else element("p", "no picture")
    )
    size = f"{row['width']} x {row['height']}" if row["width"] else "size unknown"
    about = element("small", f"{row['label']} · {size}", element("br"), element("code", row["record_id"]))
    fate = "picture kept" if row["drop_reason"] is None else "picture"
    return element("figure", shown, element("figcaption", _verdict(row), element("br"), about), class_=fate)


def _verdict(row: Mapping[str, Any]) -> Html:
    reason = row["drop_reason"]
    if reason is None:
        return element("b", "kept", class_="good")
    if row.get("distance_bits") is None:
        return element("b", reason)
    turn = ORIENTATION_PHRASES[ORIENTATIONS.index(row.get("turn") or ORIENTATIONS[0])]
    how = "same bytes" if reason == Drop.EXACT_DUPLICATE else times(row["distance_bits"], "bit")
    return join(element("b", reason), f" {how}{f', {turn}' if turn else ''}")
