"""The part of the page on what the data set is made of, what was dropped, and what reveals the label.

>>> share_bar(0.25)
'<span class="bar"><span style="width: 25.0%"></span></span>'
"""

from __future__ import annotations

from curator import catalog
from curator.reasons import splits_of
from curator.report.facts import Facts
from curator.report.markup import Html, element, number, prose, section, table, times
from curator.report.plots import plot
from curator.text import Command, Text, as_parts


def share_bar(share: float) -> Html:
    """Draw a share as a bar."""
    return element("span", element("span", style=f"width: {share * 100:.1f}%"), class_="bar")


def counts_section(facts: Facts) -> Html | None:
    """Count the images by source, label and split."""
    images = facts.images
    if images is None:
        return None
    counts = images.table.groupby(["source", "label", "split"]).size().unstack(fill_value=0)
    splits = splits_of(images.table["split"].unique())
    by_split = counts.reindex(columns=list(splits), fill_value=0).itertuples(name=None)
    rows = [[f"{source}, {label}", *map(number, counted)] for (source, label), *counted in by_split]
    totals = images.table["split"].value_counts().reindex(list(splits), fill_value=0)
    text = "Images by source and label, in each split; the table beside it has the counts"
    counted = element("div", table(["", *splits], [*rows, ["all", *map(number, totals)]]), class_="grow")
    both = element("div", plot(facts, "class-counts", text), counted, class_="side-by-side")
    return section("counts", "Where the images come from", both)


def drops_section(facts: Facts) -> Html | None:
    """Count what was dropped, by reason and label."""
    if facts.catalog is None:
        return None
    counts = catalog.counts(facts.catalog)
    by_label = catalog.counts_by(facts.catalog, "label")
    labels = [label for label in facts.project.recipe.labels if label in by_label]
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
    dropped = facts.catalog["record_id"][facts.catalog["drop_reason"].notna().to_numpy(dtype=bool)]
    example: Text = (" ", Command.of("why", str(dropped.iloc[0])), " shows those of one.") if len(dropped) else ""
    text = (
        f"Of {times(counts['listed'], 'listed image')}, {counts['kept']:,} are kept. A row is never deleted: each "
        "of the others has a stage, a reason and evidence.",
        *as_parts(example),
    )
    listed = table(["", "all", *labels, ""], rows)
    return section("drops", "What was dropped, and why", element("p", prose(text, facts.project.option)), listed)


def confounds_section(facts: Facts) -> Html | None:
    """Say whether the label can be known without the picture."""
    check = facts.confounds
    if not check:
        return None
    harmless = "Facts about the files say little of the label: no size, format, source or host gives it away."
    flag = element("p", check["warning"] or harmless, class_="flag danger" if check["warning"] else "flag good")
    text = (
        f"A random forest guesses the label of {times(check['n_images'], 'image')} from facts about the file alone, "
        f"cross-validated in five parts with groups kept whole. Chance is {check['chance']:.2f}; above "
        f"{check['level']:.2f} a test accuracy says little about the pictures."
    )
    rows = [[kind, f"{accuracy:.2f}"] for kind, accuracy in check["accuracy"].items()]
    shown = plot(facts, "confounds", "Balanced accuracy of each kind of fact; the table beside it has the figures")
    note = element("p", text, class_="note")
    listed = element("div", note, table(["known", "balanced accuracy"], rows), class_="grow")
    both = element("div", shown, listed, class_="side-by-side")
    return section("confounds", "Can the label be told without looking?", flag, both)
