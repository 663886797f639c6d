"""The parts of the page that show pictures: samples, the most confidently wrong, and duplicates beside what they copy.

>>> caption_of(["a", None, "b"])
'a · b'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from curator.observe.thumbnails import data_uri
from curator.reasons import Drop
from curator.report.facts import Facts
from curator.report.markup import Content, Html, element, join, link, section, times
from curator.report.results import smoke_note
from curator.report.style import swatch
from curator.text import Command, percent

N_SAMPLES, N_WRONG, N_PAIRS = 12, 12, 8
"""Pictures shown: samples of a label, wrong test images of a model, pairs of a kind of duplicate."""


def caption_of(parts: Iterable[Any]) -> str:
    """Join what is known."""
    return " · ".join(str(part) for part in parts if part is not None and not pd.isna(part) and part != "")


def picture(facts: Facts, row: pd.Series[Any], *caption: Content) -> Html:
    """Show one stored image with a caption, or in its place that it cannot be read."""
    is_stored = not (pd.isna(row["sha256"]) or pd.isna(row["format"]))
    address = data_uri(facts.project.paths.image(row["sha256"], row["format"])) if is_stored else None
    shown = (
        element("img", src=address, alt=f"{row['label']}: {row['record_id']}")
        if address
        else element("p", "no picture")
    )
    return element("figure", shown, element("figcaption", *caption) if caption else None, class_="picture")


def samples_section(facts: Facts) -> Html | None:
    """Show a grid of pictures of each label, spread evenly over the manifest."""
    images = facts.images
    if images is None:
        return None
    grids = []
    for label in images.labels:
        rows = images.table[images.table["label"] == label]
        chosen = rows.iloc[:: max(1, len(rows) // N_SAMPLES)].head(N_SAMPLES)
        title = element("h3", label, element("small", f" {times(len(rows), 'image')}"))
        grids.append(join(title, element("div", [picture(facts, row) for _, row in chosen.iterrows()], class_="grid")))
    return section("samples", "What the images look like", grids)


def wrong_section(facts: Facts) -> Html | None:
    """Show the test images that the models are most sure of and wrong about, with where they come from."""
    if not facts.metrics or facts.images is None or facts.is_stale:
        return None
    by_id = facts.images.table.set_index("record_id", drop=False)
    grids = [
        join(
            element("h3", swatch(model)),
            element("div", [_wrong(facts, by_id, one) for one in figures["wrong"][:N_WRONG]], class_="grid wide"),
        )
        for model, figures in facts.metrics["models"].items()
        if figures["wrong"]
    ]
    if not grids:
        return None
    hint = "Wrong labels show up here first. The command under a picture tells its whole story."
    note = element("p", hint, class_="note")
    return section("wrong", "Most confidently wrong", smoke_note(facts.metrics), note, grids)


def _wrong(facts: Facts, by_id: pd.DataFrame, one: dict[str, Any]) -> Html:
    row = by_id.loc[one["record_id"]]
    predicted, label = element("b", one["predicted"], class_="danger"), element("b", one["label"])
    said = join(predicted, f" {percent(one['confidence'])}, labelled ", label)
    size = None if pd.isna(row["width"]) else f"{row['width']} x {row['height']}"
    facts_line = caption_of([row["source"], row["source_class"], size, row["license"], row["author"]])
    address = row["landing_url"] if not pd.isna(row["landing_url"]) else row["url"]
    source_id = "" if pd.isna(row["source_id"]) else str(row["source_id"])
    page = join(source_id) if pd.isna(address) else link(str(address), "source page")
    command = element("code", Command.of("why", one["record_id"]).spelled(facts.project.option))
    small = element("small", facts_line, element("br"), page, element("br"), command)
    return picture(facts, row, said, element("br"), small)


def duplicates_section(facts: Facts) -> Html | None:
    """Show pairs of copies that were found, each dropped image beside the one that it copies."""
    table = facts.catalog
    if table is None or table["duplicate_of"].isna().all():
        return None
    reasons = (Drop.NEAR_DUPLICATE, Drop.LABEL_CONFLICT, Drop.EXACT_DUPLICATE)
    return section("duplicates", "Copies that were found", [_pairs(facts, table, reason) for reason in reasons])


def _pairs(facts: Facts, table: pd.DataFrame, reason: Drop) -> Html | None:
    # What an image was a copy of may have been forgotten since: then there is no pair to show.
    paired = (table["drop_reason"] == str(reason)) & table["duplicate_of"].isin(table["record_id"])
    rows = table[paired.fillna(False).to_numpy(dtype=bool)]
    if rows.empty:
        return None
    # The farthest apart are the ones to judge by eye: copies of a distance of 0 need no second look.
    shown = rows.sort_values(["distance_bits", "record_id"], ascending=[False, True]).head(N_PAIRS)
    others = table.set_index("record_id", drop=False).loc[shown["duplicate_of"].tolist()]
    pairs = [_pair(facts, row, other) for (_, row), (_, other) in zip(shown.iterrows(), others.iterrows(), strict=True)]
    about = element("small", f" {times(len(rows), 'image')}, the least alike first")
    return join(element("h3", str(reason).replace("-", " "), about), element("div", pairs, class_="pairs"))


def _pair(facts: Facts, dropped: pd.Series[Any], other: pd.Series[Any]) -> Html:
    bits = None if pd.isna(dropped["distance_bits"]) else times(int(dropped["distance_bits"]), "bit") + " apart"
    turn = None if pd.isna(dropped["turn"]) or dropped["turn"] == "none" else dropped["turn"]
    return element(
        "div",
        picture(facts, dropped, element("small", caption_of(["dropped", dropped["label"], bits, turn]))),
        picture(facts, other, element("small", caption_of(["of", other["label"], other["record_id"]]))),
        class_="pair",
    )
