"""The parts of the page that show pictures: samples, the most confidently wrong, and duplicates beside what they copy.

>>> caption_of(["a", None, "b"])
'a · b'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from curator.benchmark.models.registry import model_title
from curator.decide.conflicts import find_conflicts, way_out_of_all
from curator.manifests.licences import licence_address, licence_name
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.observe.thumbnails import data_uri
from curator.reasons import Drop
from curator.report.facts import Facts
from curator.report.markup import Content, Html, Section, element, join, label_name, link, prose, section
from curator.report.related_files import relative_address
from curator.report.results import smoke_badge
from curator.report.style import model_style
from curator.text import Command, Text, is_web_address, percent, plural

N_SAMPLES, N_WRONG, N_PAIRS = 12, 12, 6
"""Pictures shown: samples of a label, wrong test images, pairs of a kind of duplicate."""
_FEW_LABELS, _MOST_LABELS = 4, 24
"""Labels up to which there is room for all samples of each, and labels shown at most."""


def caption_of(parts: Iterable[Any]) -> str:
    """Join what is known."""
    return " · ".join(str(part) for part in parts if is_known(part) and part != "")


def is_known(value: Any) -> bool:
    """Say whether a cell holds something."""
    return value is not None and not pd.isna(value)


def picture(facts: Facts, row: pd.Series[Any], *caption: Content) -> Html:
    """Show one stored image, linked to its page or else its file, with a caption; or say that it cannot be read."""
    is_stored = is_known(row["sha256"]) and is_known(row["format"])
    stored = facts.project.paths.image(row["sha256"], row["format"]) if is_stored else None
    address = data_uri(stored, facts.project.recipe.quality.max_pixels) if stored else None
    if stored is None or address is None:
        shown = element("p", "no picture")
    else:
        image = element("img", src=address, alt=f"{row['label']}: {row['record_id']}", loading="lazy")
        shown = _linked(facts, row, image, relative_address(stored, facts.project.paths.report.parent))
    return element("figure", shown, element("figcaption", *caption) if caption else None, class_="picture")


def _linked(facts: Facts, row: pd.Series[Any], image: Html, stored: str) -> Html:
    if is_known(row["landing_url"]) and is_web_address(row["landing_url"]):
        return link(row["landing_url"], image)
    file = row.get("file")
    if file is not None and is_known(file):
        paths = facts.project.paths
        stored = relative_address(paths.folder / file, paths.report.parent)
    return element("a", image, href=stored)


def samples_section(facts: Facts) -> Section | None:
    """Show a row of pictures of each label, spread evenly over the manifest; the more labels, the fewer of each."""
    images = facts.images
    if images is None or not len(images.table):
        return None
    is_few = len(images.labels) <= _FEW_LABELS
    n = N_SAMPLES if is_few else N_SAMPLES // 2
    grids = []
    for label in images.labels[:_MOST_LABELS]:
        rows = images.table[images.table["label"] == label]
        chosen = rows.iloc[:: max(1, len(rows) // n)].head(n)
        shown = element("div", [picture(facts, row) for _, row in chosen.iterrows()], class_="grid")
        grids.append(element("div", element("h3", label_name(label)), shown))
    more = len(images.labels) - _MOST_LABELS
    rest = element("p", f"and {plural(more, 'more label')}", class_="note") if more > 0 else None
    return section(
        "samples",
        "What the images look like",
        element("div", grids, class_=f"samples {'few' if is_few else 'many'}"),
        rest,
    )


def wrong_section(facts: Facts) -> Section | None:
    """Show the test images that a model is most sure of and wrong about, each once, with what is known of it."""
    if not facts.metrics or facts.images is None or facts.is_stale:
        return None
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for model, figures in facts.metrics["models"].items():
        for one in figures["wrong"]:
            found.setdefault(one["record_id"], []).append((model, one))
    if not found:
        return None
    surest = sorted(found, key=lambda record_id: -max(one["confidence"] for _, one in found[record_id]))[:N_WRONG]
    chosen = facts.images.table[facts.images.table["record_id"].isin(surest)]
    by_id = {row["record_id"]: row for _, row in chosen.iterrows()}
    hint: Text = ("Wrong labels show up here first. ", Command.of("why", surest[0]), " tells the first one's story.")
    shown = [_wrong(facts, by_id[record_id], found[record_id]) for record_id in surest]
    return section(
        "wrong",
        "Most confidently wrong",
        element("p", prose(hint, facts.project.option), class_="note"),
        element("div", shown, class_="grid wide"),
        badge=smoke_badge(facts.metrics),
    )


def _wrong(facts: Facts, row: pd.Series[Any], said: list[tuple[str, dict[str, Any]]]) -> Html:
    lines = [
        element(
            "span",
            f"{model_title(model)}: ",
            element("b", label_name(one["predicted"])),
            f" {percent(one['confidence'])}",
            class_="swatch",
            style=model_style(model),
        )
        for model, one in said
    ]
    source = row["source"] if facts.images is not None and facts.images.table["source"].nunique() > 1 else None
    known = caption_of([row["author"], source, row["source_class"]])
    licence = row["license"] if is_known(row["license"]) else None
    stated = join(" · " if known else "", link(licence_address(licence), licence_name(licence))) if licence else None
    named = [element("bdi", known), stated, element("br")] if known or stated else None
    about = element("small", named, element("code", row["record_id"]))
    return picture(facts, row, "labelled ", element("b", label_name(row["label"])), lines, about)


def duplicates_section(facts: Facts) -> Section | None:
    """Show pairs of copies that were found, each dropped image beside the one that it copies."""
    table = facts.catalog
    if table is None or table["duplicate_of"].isna().all():
        return None
    reasons = (Drop.LABEL_CONFLICT, Drop.NEAR_DUPLICATE, Drop.EXACT_DUPLICATE)
    pairs = [made for reason in reasons if (made := _pairs(facts, table, reason))]
    gallery, home = facts.project.paths.duplicates, facts.project.paths.report.parent
    address = element("a", "the gallery of duplicates", href=relative_address(gallery, home))
    note = join("All of them are in ", address, ".") if gallery.exists() else None
    make: Text = (Command("dedupe --gallery"), " makes a page of all of them.")
    return section(
        "duplicates",
        "Copies that were found",
        element("p", note or prose(make, facts.project.option), class_="note"),
        pairs,
    )


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
    about = (
        f" the least alike of {plural(len(rows), 'image')}" if len(rows) > N_PAIRS else f" {plural(len(rows), 'image')}"
    )
    title = element("h3", str(reason), element("small", about))
    n_open = len(find_conflicts(table)) if reason == Drop.LABEL_CONFLICT else 0
    note = element("p", prose(way_out_of_all(n_open), facts.project.option), class_="note") if n_open else None
    return join(title, note, element("div", pairs, class_="pairs"))


def _pair(facts: Facts, dropped: pd.Series[Any], other: pd.Series[Any]) -> Html:
    bits = None if pd.isna(dropped["distance_bits"]) else plural(int(dropped["distance_bits"]), "bit") + " apart"
    turn = ORIENTATION_PHRASES[ORIENTATIONS.index("none" if pd.isna(dropped["turn"]) else dropped["turn"])]
    fate = "kept" if pd.isna(other["drop_reason"]) else f"dropped as {other['drop_reason']}"
    return element(
        "div",
        picture(facts, dropped, element("small", caption_of(["dropped", bits, turn]), _labelled(dropped))),
        picture(facts, other, element("small", fate, _labelled(other))),
        class_="pair",
    )


def _labelled(row: pd.Series[Any]) -> Html:
    return join(element("br"), label_name(row["label"]))
