"""The part of the page that tells what the data set is made of, what was dropped, and what gives the label away.

>>> share_bar(0.25)
'<span class="bar"><span style="width: 25.0%"></span></span>'
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from curator import catalog
from curator.benchmark.figures.colours import MODEL_NAMES
from curator.report.facts import Facts
from curator.report.figures import figure
from curator.report.markup import Html, element, join, number, percent, prose, section, table, times
from curator.report.results import smoke_note
from curator.text import Command


def share_bar(share: float) -> Html:
    """Draw a share as a bar."""
    return element("span", element("span", style=f"width: {share * 100:.1f}%"), class_="bar")


def counts_section(facts: Facts) -> Html | None:
    """Count the images by source, label and split."""
    images = facts.images
    if images is None:
        return None
    counts = images.table.groupby(["source", "label", "split"]).size().unstack(fill_value=0)
    rows = [
        [f"{source}, {label}", *(number(int(counts.loc[(source, label)].get(split, 0))) for split in ("train", "test"))]
        for source, label in counts.index
    ]
    totals = images.table["split"].value_counts()
    rows.append(["all", *(number(int(totals.get(split, 0))) for split in ("train", "test"))])
    text = "Images by source and label, in train and test; the table beside it has the counts"
    plot = figure(facts, "class-counts", text)
    counted = element("div", table(["", "train", "test"], rows), class_="grow")
    return section("counts", "Where the images come from", element("div", plot, counted, class_="side-by-side"))


def drops_section(facts: Facts) -> Html | None:
    """Count what was dropped, by reason and label."""
    if facts.catalog is None:
        return None
    counts = catalog.counts(facts.catalog)
    by_label = catalog.counts_by(facts.catalog, "label")
    labels = [label for label in facts.recipe.labels if label in by_label]
    most = max(counts["dropped"].values(), default=1)
    rows = [
        [
            str(reason).replace("-", " "),
            number(n),
            *(number(by_label[label]["dropped"].get(reason, 0)) for label in labels),
            share_bar(n / most),
        ]
        for reason, n in counts["dropped"].items()
    ]
    rows.append(["kept", number(counts["kept"]), *(number(by_label[label]["kept"]) for label in labels), ""])
    text = (
        f"Of {times(counts['listed'], 'listed image')}, {counts['kept']:,} are kept. A row is never deleted: each "
        "of the others has a stage, a reason and evidence, and ",
        Command("why"),
        " tells it.",
    )
    return section(
        "drops", "What was dropped, and why", element("p", prose(text)), table(["", "all", *labels, ""], rows)
    )


def confounds_section(facts: Facts) -> Html | None:
    """Tell whether the label can be known without the picture."""
    check = facts.confounds
    if not check:
        return None
    verdict = check["warning"] or (
        "Facts about the files tell little of the label: no size, format, source or host gives it away."
    )
    text = (
        f"A random forest guesses the label of {times(check['n_images'], 'image')} from facts about the file alone, "
        f"cross-validated in five parts with groups kept whole. Chance is {check['chance']:.2f}; above "
        f"{check['level']:.2f} a test accuracy says little about the pictures."
    )
    rows = [[kind, f"{accuracy:.2f}"] for kind, accuracy in check["accuracy"].items()]
    return section(
        "confounds",
        "Can the label be told without looking?",
        element("p", verdict, class_="flag danger" if check["warning"] else "flag good"),
        element(
            "div",
            figure(facts, "confounds", "Balanced accuracy of each kind of fact; the table beside it has the figures"),
            element(
                "div", element("p", text, class_="note"), table(["known", "balanced accuracy"], rows), class_="grow"
            ),
            class_="side-by-side",
        ),
    )


def groups_section(facts: Facts) -> Html | None:
    """Break test accuracy down by source and by author."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    models = list(metrics["models"])
    parts = [_by_name(metrics, models, "source", {model: metrics["models"][model]["by_source"] for model in models})]
    authors = {model: metrics["models"][model]["by_author"] for model in models}
    first = authors[models[0]]
    if first["n_authors"]:
        parts.append(_by_name(metrics, models, "author", {model: authors[model]["largest"] for model in models}))
        once = ", ".join(f"{MODEL_NAMES[model]} {percent(authors[model]['each_author_once'])}" for model in models)
        parts.append(
            element("p", f"Counting each of {times(first['n_authors'], 'author')} once: {once}.", class_="note")
        )
    if first["n_unknown"]:
        unknown = ", ".join(f"{MODEL_NAMES[model]} {percent(authors[model]['unknown'])}" for model in models)
        text = f"{times(first['n_unknown'], 'test image')} of unknown author: {unknown}."
        parts.append(element("p", text, class_="note"))
    return section("groups", "Accuracy by source and author", smoke_note(metrics), parts)


def _by_name(
    metrics: dict[str, Any], models: list[str], what: str, lists: dict[str, list[dict[str, Any]]]
) -> Html | None:
    frames = [pd.DataFrame(lists[model], columns=["name", "n", "accuracy"]).set_index("name") for model in models]
    rows = [
        [name, number(int(frames[0]["n"][name])), *(percent(frame["accuracy"][name]) for frame in frames)]
        for name in frames[0].index
    ]
    if not rows:
        return None
    return join(table([what, "test images", *(MODEL_NAMES[model] for model in models)], rows))
