"""The map of the data set in the page: a point for each image, linked to its file, in its label's colour and shape.

>>> shape(0, 10, 20), shape(1, 10, 20)
('M6.6 20a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z', 'M7 17h6v6h-6z')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.report.facts import Facts
from curator.report.markup import Html, Section, element, label_name, prose, section
from curator.report.related_files import relative_address
from curator.store.map_file import PictureMap, read_map
from curator.store.suspects_file import read_suspects
from curator.text import Command, plural

MOST_POINTS = 3_000
"""Images drawn at most, every suspect among them: a larger page would open slowly."""

_SIDE, _EDGE = 720, 14
_SHAPES = (
    "M{l} {y}a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",
    "M{a} {b}h6v6h-6z",
    "M{x} {t}l4 7h-8z",
    "M{x} {t}l4.4 4.4l-4.4 4.4l-4.4-4.4z",
    "M{x} {t}v8.4M{c} {y}h8.4",
)


def map_section(facts: Facts) -> Section | None:
    """Draw the kept images where the map has them, the suspects in rings."""
    drawn = read_map(facts.project.paths.features)
    if drawn is None or facts.catalog is None:
        return None
    rows = _on_map(facts, catalog.kept(facts.catalog), drawn)
    if len(rows) < 2:
        return None
    n_all, labels = len(rows), list(facts.project.recipe.labels)
    if n_all > MOST_POINTS:
        rows = pd.concat([rows[rows["is_suspect"]], rows[~rows["is_suspect"]].sort_values("sha256")]).head(MOST_POINTS)
    counts = rows["label"].value_counts()
    about = f"Alike pictures lie near each other ({drawn.title}); each point is a link to its picture."
    few = f" {len(rows):,} of {n_all:,} images are drawn." if len(rows) < n_all else ""
    hint = (f"{about}{few} ", Command("review"), " has this map to hover over and to select on.")
    told = ", ".join(f"{label} {counts.get(label, 0):,}" for label in labels)
    description = f"Map of {plural(len(rows), 'image')}: {told}, {plural(int(rows['is_suspect'].sum()), 'suspect')}"
    points = [_point(facts, row, labels) for row in rows.to_dict("records")]
    picture = element("svg", points, viewBox=f"0 0 {_SIDE} {_SIDE}", role="img", aria_label=description, class_="map")
    return section(
        "map",
        "How the images lie beside each other",
        element("p", prose(hint, facts.project.option), class_="note"),
        _legend(labels, counts, int(rows["is_suspect"].sum())),
        picture,
    )


def _on_map(facts: Facts, kept: pd.DataFrame, drawn: PictureMap) -> pd.DataFrame:
    """Return the rows that are on the map, with ``x`` and ``y`` of the picture and ``is_suspect``."""
    places = pc.index_in(catalog.as_arrow(kept["sha256"], pa.string()), pa.array(drawn.sha256s, pa.string()))
    numbers = pc.fill_null(places, -1).to_numpy(zero_copy_only=False)
    columns = ["record_id", "label", "sha256", "format"]
    rows = kept[columns][numbers >= 0].reset_index(drop=True)
    x, y = (_EDGE + drawn.points[numbers[numbers >= 0]] * (_SIDE - 2 * _EDGE)).round().astype(np.int64).T
    found = read_suspects(facts.project.paths.suspects)
    keys = set()
    if found is not None:
        wrong = found.table[found.table["suggested_label"].notna().to_numpy(dtype=bool)]
        keys = set(zip(wrong["record_id"], wrong["label"], strict=True))
    suspect = [key in keys for key in zip(rows["record_id"], rows["label"], strict=True)]
    found_rows: pd.DataFrame = rows.assign(x=x, y=y, is_suspect=np.array(suspect, bool))
    return found_rows


def shape(label: int, x: int, y: int) -> str:
    """Return the path of a label's shape, 6 to 8 units wide, around a point."""
    form = _SHAPES[label % len(_SHAPES)]
    places = {"x": x, "y": y, "l": f"{x - 3.4:g}", "a": x - 3, "b": y - 3, "t": f"{y - 4.4:g}", "c": f"{x - 4.2:g}"}
    return form.format(**places)


def _point(facts: Facts, row: dict[Any, Any], labels: Sequence[str]) -> Html:
    number = labels.index(row["label"]) if row["label"] in labels else 0
    ring = f"M{row['x'] - 8} {row['y']}a8 8 0 1 0 16 0a8 8 0 1 0-16 0z"
    paths = facts.project.paths
    return element(
        "a",
        element("title", f"{row['label']}: {row['record_id']}{', suspect' if row['is_suspect'] else ''}"),
        element("path", d=shape(number, row["x"], row["y"]), class_=f"l{number % 6}"),
        element("path", d=ring, class_="ring") if row["is_suspect"] else None,
        href=relative_address(paths.image(row["sha256"], row["format"]), paths.report.parent),
        tabindex="-1",
    )


def _legend(labels: Sequence[str], counts: pd.Series[int], n_suspects: int) -> Html:
    def entry(form: str, class_: str, *words: Html | str) -> Html:
        mark = element("path", d=form, class_=class_)
        return element("li", element("svg", mark, viewBox="0 0 20 20", aria_hidden="true", class_="mark"), *words)

    present = [(number, label) for number, label in enumerate(labels) if counts.get(label, 0)]
    named = [
        entry(shape(number, 10, 10), f"l{number % 6}", label_name(label), f" {counts[label]:,}")
        for number, label in present
    ]
    ring = [entry("M2 10a8 8 0 1 0 16 0a8 8 0 1 0-16 0z", "ring", f"suspect {n_suspects:,}")] if n_suspects else []
    return element("ul", named, ring, class_="legend")
