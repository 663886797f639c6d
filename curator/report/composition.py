"""The part of the page on what the data set is made of, what was dropped, and what reveals the label.

>>> share_bar(0.25)
'<span class="bar"><span style="width: 25.0%"></span></span>'
"""

from __future__ import annotations

from collections import Counter

import pandas as pd

from curator import catalog
from curator.manifests.licences import UNKNOWN, licence_address, licence_name, licences
from curator.reasons import splits_of
from curator.report.facts import Facts
from curator.report.markup import (
    Content,
    Html,
    Section,
    element,
    label_name,
    link,
    number,
    prose,
    section,
    table,
)
from curator.report.plots import plot
from curator.text import Command, Text, as_parts, plural

MOST_LICENCES = 8
_MOST_COLUMNS = 6
"""Labels up to which a table has a column for each."""


def share_bar(share: float) -> Html:
    """Draw a share as a bar."""
    return element("span", element("span", style=f"width: {share * 100:.1f}%"), class_="bar")


def counts_section(facts: Facts) -> Section | None:
    """Count the images of each label by split and by source, and by licence."""
    images = facts.images
    if images is None:
        return None
    rows, splits = images.table, splits_of(images.table["split"].unique())
    sources = rows["source"].value_counts().index.tolist()
    by_split, by_source = (rows.groupby(["label", column]).size() for column in ("split", "source"))
    shown = sources if len(sources) > 1 else []
    counted = [
        [
            label_name(label),
            *(number(by_split.get((label, split), 0)) for split in splits),
            *(number(by_source.get((label, source), 0)) for source in shown),
        ]
        for label in images.labels
    ]
    origin = (
        "the columns on the right count by source"
        if shown
        else f"all are from the source {sources[0]}"
        if sources
        else ""
    )
    note = element("p", f"Images of each label by split; {origin}.", class_="note") if origin else None
    heads: list[Content] = ["", *splits, *(element("span", source, class_="source") for source in shown)]
    licensed = element("div", element("h3", "Licences"), _licences(rows))
    return section("counts", "Where the images come from", note, table(heads, counted), licensed)


def _licences(images: pd.DataFrame) -> Html:
    counts: Counter[str] = Counter()
    pages: dict[str, str | None] = {}
    for licence, n in licences(images).items():
        name = licence_name(licence)
        counts[name] += n
        pages.setdefault(name, licence_address(licence))
    if set(counts) <= {UNKNOWN}:
        return element("p", "No source states a licence.", class_="note")
    rows: list[list[Content]] = [[link(pages[name], name), number(n)] for name, n in counts.most_common(MOST_LICENCES)]
    if rest := counts.total() - sum(n for _, n in counts.most_common(MOST_LICENCES)):
        rows.append([plural(len(counts) - MOST_LICENCES, "other"), number(rest)])
    return table(["", "images"], rows, class_="narrow")


def drops_section(facts: Facts) -> Section | None:
    """Count what was dropped, by reason and label."""
    if facts.catalog is None:
        return None
    counts = catalog.counts(facts.catalog)
    by_label = catalog.counts_by(facts.catalog, "label")
    labels = [label for label in facts.project.recipe.labels if label in by_label]
    labels = labels if len(labels) <= _MOST_COLUMNS else []
    most = max(counts["dropped"].values(), default=1)
    rows = [
        [
            str(reason),
            number(n),
            *(number(by_label[label]["dropped"].get(reason, 0)) for label in labels),
            share_bar(n / most),
        ]
        for reason, n in counts["dropped"].items()
    ]
    dropped = facts.catalog["record_id"][facts.catalog["drop_reason"].notna().to_numpy(dtype=bool)]
    example: Text = (" ", Command.of("why", str(dropped.iloc[0])), " shows those of one.") if len(dropped) else ""
    text = (
        f"Of {plural(counts['listed'], 'listed image')}, {counts['kept']:,} are kept. A row is never deleted: each "
        "of the others has a stage, a reason and evidence.",
        *as_parts(example),
    )
    listed = table(["", "all", *map(label_name, labels), ""], rows) if rows else None
    return section("drops", "What was dropped, and why", element("p", prose(text, facts.project.option)), listed)


def confounds_section(facts: Facts) -> Section | None:
    """Say whether the label can be known without the picture."""
    check = facts.confounds
    if not check:
        return None
    verdict = (
        "Yes: facts about the file say more of it than they should."
        if check["warning"]
        else ("No: no size, format, source or host gives it away.")
    )
    text = (
        f"A random forest guesses the label of {plural(check['n_images'], 'image')} from facts about the file alone, "
        f"cross-validated in five parts with groups kept whole. Above the dashed line a test accuracy says little "
        f"about the pictures."
    )
    accuracy = ", ".join(f"{kind} {value:.2f}" for kind, value in check["accuracy"].items())
    in_words = f"Balanced accuracy of each kind of fact: {accuracy}; chance {check['chance']:.2f}"
    shown = plot(facts, "confounds", in_words)
    words = element("div", element("p", verdict, class_="lead"), element("p", text, class_="note"))
    return section(
        "confounds", "Can the label be told without looking?", element("div", shown, words, class_="side-by-side")
    )
