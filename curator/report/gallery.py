"""The gallery of duplicates: a page of every group, the image that is kept beside its copies, hardest to judge first.

The page holds the groups as data, which its script filters by reason and shows 24 at a time, so that ten thousand
groups open as quickly as ten; the browser loads the pictures of those that are shown.

>>> table = catalog.conform(pd.DataFrame({
...     "record_id": ["x-1", "x-2", "x-3"], "label": ["a"] * 3, "source": ["x"] * 3, "kind": ["x"] * 3, "tier": [0] * 3,
...     "duplicate_of": [None, "x-1", None], "drop_reason": [None, "near-duplicate", None]}))
>>> [[row["record_id"] for row in group] for group in read_groups(table)]
[['x-1', 'x-2']]
>>> group = [{"record_id": "x-1", "label": "a", "sha256": None, "width": 4, "height": 3, "drop_reason": None},
...          {"record_id": "x-2", "label": "a", "sha256": None, "width": 4, "height": 3, "turn": "mirror",
...           "drop_reason": "near-duplicate", "distance_bits": 2}]
>>> page_data([group], {}, {})["groups"]
[[['kept', 0, '4 x 3', 'x-1', None, None], ['near-duplicate, 2 bits apart, mirrored', 0, '4 x 3', 'x-2', None, None]]]
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import as_arrow, read_integers
from curator.decide.conflicts import way_out_of_all
from curator.decide.row_places import rank_texts
from curator.errors import StateError
from curator.manifests.project import Project
from curator.matching.components import label_components
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.observe.thumbnails import thumbnail
from curator.reasons import Drop
from curator.report.laid_over import lay_over
from curator.report.markup import Html, data_script, element, join, page, prose
from curator.report.style import read_resource, style_sheet
from curator.store.catalog_files import read_catalog
from curator.store.judged_file import read_judged
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text, as_parts, is_web_address, plural

Group = Sequence[Mapping[str, Any]]
"""The images of a group, what is kept first."""

_COLUMNS = [
    "record_id",
    "label",
    "sha256",
    "format",
    "width",
    "height",
    "distance_bits",
    "turn",
    "drop_reason",
    "landing_url",
]


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
    pictures = _make_pictures(paths, groups, project.recipe.quality.max_pixels)
    data = page_data(groups, pictures, {sha256: _links(paths, row) for sha256, row in _stored(groups).items()})
    data["laid"] = lay_over(read_judged(paths.judged), groups)
    write_text_whole(paths.duplicates, gallery_page(paths.name, data, project.option))
    return paths.duplicates


def read_groups(table: pd.DataFrame) -> list[Group]:
    """Gather the groups of a catalog after dedupe: all that ``duplicate_of`` links, directly or through others.

    Returns:
        The group with the pair that is hardest to judge first: the farthest apart, then what has two labels, then what
        was turned. In a group what is kept comes first, then the hardest. Rows as dicts, unknown as None.
    """
    names = as_arrow(table["record_id"], pa.string())
    copies = np.flatnonzero(table["duplicate_of"].notna().to_numpy(dtype=bool))
    originals = pc.index_in(as_arrow(table["duplicate_of"].iloc[copies], pa.string()), names)
    originals = originals.to_numpy(zero_copy_only=False).astype(np.intp)
    group = label_components(len(table), copies, originals)
    size = np.bincount(group, minlength=len(table))[group]
    rows = np.flatnonzero(size > 1)
    hardness, place = _hardness(table.iloc[rows]), rank_texts(table["record_id"])
    hardest = np.zeros(len(table), np.int64)
    np.maximum.at(hardest, group[rows], hardness)
    dropped = ~catalog.is_kept(table)[rows]
    rows = rows[np.lexsort((place[rows], -hardness, dropped, place[group[rows]], -hardest[group[rows]]))]
    values = catalog.to_arrow(table.iloc[rows]).select(_COLUMNS).to_pylist()
    ends = np.flatnonzero(np.diff(group[rows], append=-1)) + 1
    return [values[start:end] for start, end in pairwise([0, *ends])]


def _hardness(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Rank how closely a person has to look at each copy: by distance; of one distance, conflicts first."""
    reasons = rows["drop_reason"].fillna("").astype(str).to_numpy(dtype=object)
    turned = rows["turn"].fillna(ORIENTATIONS[0]).to_numpy(dtype=object) != ORIENTATIONS[0]
    kinds = 4 * (reasons == Drop.LABEL_CONFLICT) + 2 * turned + (reasons == Drop.NEAR_DUPLICATE)
    ranks: npt.NDArray[np.int64] = 8 * read_integers(rows["distance_bits"], 0).astype(np.int64) + kinds
    return ranks


def _stored(groups: Sequence[Group]) -> dict[str, Mapping[str, Any]]:
    """Return a row of each file that is in the store, by SHA-256."""
    return {row["sha256"]: row for group in groups for row in group if row["sha256"] and row["format"]}


def _make_pictures(paths: DataPaths, groups: Sequence[Group], max_pixels: int) -> dict[str, str]:
    """Make the small pictures that are not there yet; return the address of each by SHA-256."""
    formats = {sha256: row["format"] for sha256, row in _stored(groups).items()}

    def make(item: tuple[str, str]) -> bool:
        return paths.thumbnail(item[0]).exists() or thumbnail(paths, *item, max_pixels) is not None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made: dict[Any, bool] = dict(zip(formats, threads.map(make, formats.items()), strict=True))
    return {sha256: _address(paths, paths.thumbnail(sha256)) for sha256, there in made.items() if there}


def _links(paths: DataPaths, row: Mapping[str, Any]) -> str:
    return _address(paths, paths.image(row["sha256"], row["format"]))


def _address(paths: DataPaths, file: Path) -> str:
    return file.relative_to(paths.duplicates.parent).as_posix()


def page_data(groups: Sequence[Group], pictures: Mapping[str, str], files: Mapping[str, str]) -> dict[str, Any]:
    """Gather what the page's script shows.

    Args:
        groups: in the page's order.
        pictures: SHA-256 to the address of its small picture.
        files: SHA-256 to the address of the stored file.

    Returns:
        ``labels``; ``reasons``, with the places of the groups that each is found in; ``groups``, an image as its fate,
        the place of its label, its size, its id, and the addresses of its picture and of its page or file; and
        ``n_conflicts``, the groups of which none is kept because of their labels.
    """
    labels = list(dict.fromkeys(row["label"] for group in groups for row in group))
    places = {label: place for place, label in enumerate(labels)}
    reasons: dict[str, list[int]] = {}
    rows = []
    for number, group in enumerate(groups):
        for reason in dict.fromkeys(row["drop_reason"] for row in group if row["drop_reason"]):
            reasons.setdefault(reason, []).append(number)
        rows.append([_image(row, places[row["label"]], pictures, files) for row in group])
    n_conflicts = sum(all(row["drop_reason"] == Drop.LABEL_CONFLICT for row in group) for group in groups)
    in_order = dict(sorted(reasons.items(), key=lambda item: -len(item[1])))
    return {"labels": labels, "reasons": in_order, "groups": rows, "n_conflicts": n_conflicts}


def _image(row: Mapping[str, Any], label: int, pictures: Mapping[str, str], files: Mapping[str, str]) -> list[Any]:
    size = f"{row['width']} x {row['height']}" if row["width"] else "size unknown"
    page = row.get("landing_url")
    sha256 = row["sha256"] or ""
    goal = page if is_web_address(page) else files.get(sha256)
    return [_fate(row), label, size, row["record_id"], pictures.get(sha256), goal]


def _fate(row: Mapping[str, Any]) -> str:
    """Say what became of an image, and how it is like the one that is kept."""
    reason, bits = row["drop_reason"], row.get("distance_bits")
    if reason is None:
        return "kept"
    turn = ORIENTATION_PHRASES[ORIENTATIONS.index(row.get("turn") or ORIENTATIONS[0])]
    how = "same bytes" if reason == Drop.EXACT_DUPLICATE else None if bits is None else f"{plural(bits, 'bit')} apart"
    return ", ".join(part for part in (reason, how, turn) if part)


def gallery_page(name: str, data: Mapping[str, Any], option: str = "") -> str:
    """Write the page.

    Args:
        name: the data set's.
        data: see :func:`page_data`.
        option: what a command needs to mean the data set.
    """
    groups = data["groups"]
    story: Text = (Command.of("why", groups[0][0][3]), " tells the whole story of the first one.") if groups else ""
    hint: Text = ("The pairs that are hardest to judge come first. ", *as_parts(story))
    without: Text = ("This page needs JavaScript. ", Command("dedupe --explain"), " lists the groups in a terminal.")
    main = element(
        "main",
        element("header", element("p", name, class_="kicker"), element("h1", "Duplicates")),
        element("p", prose(hint, option), class_="note"),
        element("p", prose(way_out_of_all(n), option), class_="note") if (n := data["n_conflicts"]) else None,
        _toolbar(data) if groups else element("p", "No group of duplicates was found.", class_="lead"),
        element("noscript", element("p", prose(without, option))),
        element("div", id="groups"),
        element("footer", "Made by curator."),
        class_="gallery",
    )
    style = style_sheet("style.css", "pairs.css", "gallery.css")
    scripts = "".join(map(read_resource, ("pairs.js", "gallery.js"))) if groups else ""
    return page(f"{name}: duplicates", [main, data_script(data)], style, scripts)


def _toolbar(data: Mapping[str, Any]) -> Html:
    """Offer the reasons and the pages; the script makes both work."""
    n_found = {"": len(data["groups"]), **{reason: len(places) for reason, places in data["reasons"].items()}}
    choices = [
        element(
            "label",
            element("input", type="radio", name="reason", value=reason, checked=None if reason else ""),
            element("span", reason or "all groups", element("small", f" {n:,}")),
        )
        for reason, n in n_found.items()
    ]
    pages = (
        element("button", "Previous", type="button", id="previous", aria_keyshortcuts="ArrowLeft"),
        element("span", id="where", role="status"),
        element("button", "Next", type="button", id="next", aria_keyshortcuts="ArrowRight"),
        element("small", "Keys: ← → pages, j k groups", class_="keys"),
    )
    only_one = "" if len(n_found) < 3 else None  # then there is nothing to choose
    reasons = element("fieldset", element("legend", "Reason"), choices, hidden=only_one)
    return join(reasons, element("nav", pages, class_="pages", aria_label="Pages"))
