"""The sections of an audit's page that hold figures: the findings, the cost, labels, confounds, groups, bad files.

>>> shown_count(None), shown_count(0), shown_count(1200)
('not looked for', 'none', '1,200')
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from curator import __version__
from curator.inspect.audit.page_pairs import suspect_rows
from curator.inspect.audit.page_parts import Pictures, above, figure
from curator.inspect.audit.result import WORDS, Audit
from curator.report.composition import share_bar
from curator.report.markup import Content, Html, Section, element, label_name, prose, section, table
from curator.report.suspected import points
from curator.text import hide_credentials, percent, plural

_MOST_LISTED, _MOST_LABELS = 50, 60
_ADVICE = {
    "leaks": "A model is tested on what it was trained on.",
    "groups": "An author's photos share a camera, a place, a day: a test on them is easier than it looks.",
    "conflicts": "No model can be right about both.",
    "copies": "They count double.",
    "unreadable": "Readers skip them, or fail.",
    "confounds": "A model may learn where an image is from, not what it shows.",
    "suspects": "Each is to be looked at; a good part of them is wrong.",
}
_TITLES = {
    "leaks": "Leaks", "groups": "Groups on several sides", "conflicts": "Contradictory labels",
    "copies": "Copies on one side", "unreadable": "Unusable files", "confounds": "What gives the label away",
    "suspects": "Labels that are probably wrong",
}  # fmt: skip
_GRAVE = ("leaks", "conflicts", "unreadable", "confounds")


def shown_count(n: int | None) -> str:
    """Write how many were found."""
    return "not looked for" if n is None else f"{n:,}" if n else "none"


def findings_section(found: Audit, pictures: Pictures) -> Section:
    """Say for each kind of finding how many there are."""
    items = []
    for word, n in found.counts.items():
        failed = element("span", "fails", class_="badge") if word in found.failed else None
        title = element("strong", f"{_TITLES[word]}: {shown_count(n)}", failed)
        about = f"{WORDS[word][0].upper()}{WORDS[word][1:]}." + (f" {_ADVICE[word]}" if n else "")
        more = element("a", "Show", href=f"#{word}") if n else None
        text = element("p", about, " " if more else None, more)
        items.append(element("li", title, text, class_="grave" if n and word in _GRAVE else None))
    notes = [element("p", prose(note), class_="note") for note in found.notes]
    return section("findings", "What was found", element("ul", items, class_="cautions"), notes)


def cost_section(found: Audit, pictures: Pictures) -> Section | None:
    """Say what the leaks are worth in points of accuracy."""
    if not found.cost:
        return None
    last = found.published.sides[-1]
    rows: list[list[Content]] = []
    for name, title in (
        ("with", f"All {last} images"), ("without", "Without the leaked ones"), ("leaked", "The leaked ones alone"),
        ("untrained", f"All {last} images, their copies not trained on"),
    ):  # fmt: skip
        cells: list[Content] = [_accuracy(one[name]) if name in one else "" for one in found.cost.values()]
        rows.append([title, *cells])
    for name, title in (("gain", "What the leaked ones add"), ("memorised", "What training on their copies adds")):
        rows.append([title, *(above(*points(one[name])) if name in one else "" for one in found.cost.values())])
    dearest = max(found.cost.values(), key=lambda one: one["gain"]["mean"])["gain"]
    certain = dearest["low"] > 0
    verdict = f"The leaked images raise the accuracy on {last} by up to {100 * dearest['mean']:.1f} points."
    verdict = verdict if certain else f"The leaked images make no certain difference to the accuracy on {last}."
    how = (
        f"Trained on {found.published.sides[0]}, on features of {found.model}. A softmax regression hardly memorises; "
        "the label of the most alike training image is nothing but memory. The first difference also holds what makes "
        "leaked images easier by themselves; the second one what fewer training images cost. 95% intervals by the "
        "bootstrap, paired, copies drawn together."
    )
    head: list[Content] = ["Accuracy", *found.cost]
    return section(
        "cost", "What the leaks are worth", element("p", verdict, class_="lead"), table(head, rows),
        element("p", how, class_="note"),
    )  # fmt: skip


def _accuracy(one: Mapping[str, float]) -> Html:
    return above(percent(one["mean"]), f"{percent(one['low'])} to {percent(one['high'])}")


def suspects_section(found: Audit, pictures: Pictures) -> Section | None:
    """Show the images whose label is probably wrong."""
    if not found.counts["suspects"]:
        return None
    wrong = found.wrong_labels
    evidence = [one[0] for one in wrong["evidence"].tolist()]
    told = zip(suspect_rows(found), evidence, strict=False)
    shown = [figure(found, pictures, row, text, element("br")) for row, text in told]
    rest = f"the {len(shown)} most suspicious of {len(wrong):,}" if len(shown) < len(wrong) else f"all {len(wrong):,}"
    text = f"Judged on features of {found.model} by what else bears which label, out of fold: {rest}."
    return section(
        "suspects", _TITLES["suspects"], element("p", text, class_="note"), element("div", shown, class_="grid wide")
    )


def confounds_section(found: Audit, pictures: Pictures) -> Section | None:
    """Say how well facts about the files predict the label."""
    if not found.confounds:
        return None
    telling = [one.fact for one in found.confounds if one.is_telling]
    verdict = f"Yes: {', '.join(telling)}." if telling else "No single fact about the files gives it away."
    how = (
        "One fact at a time guesses the label of each image from other images, cross-validated in five parts: the "
        f"share guessed right, labels counting alike. By chance it is {percent(found.confounds[0].chance)}."
    )
    rows: list[list[Content]] = [
        [one.fact, percent(one.accuracy), share_bar(one.accuracy), one.example] for one in found.confounds
    ]
    return section(
        "confounds", "Can the label be told without looking?", element("p", verdict, class_="lead"),
        table(["", "right", "", "for example"], rows, class_="texts"), element("p", how, class_="note"),
    )  # fmt: skip


def groups_section(found: Audit, pictures: Pictures) -> Section | None:
    """Name groups that are on several sides."""
    if not found.groups:
        return None
    rows: list[list[Content]] = [
        [one.kind, f"{one.n_groups:,}", f"{one.n_images:,}", element("code", " and ".join(one.examples[0]))]
        for one in found.groups
    ]
    return section(
        "groups", _TITLES["groups"], table(["what they share", "groups", "images", "such as"], rows, class_="texts")
    )


def unreadable_section(found: Audit, pictures: Pictures) -> Section | None:
    """List the files that are no usable picture."""
    if not (n := found.counts["unreadable"]):
        return None
    rows: list[list[Content]] = [
        [element("code", name), str(reason).replace("-", " "), detail]
        for name, reason, detail in found.unreadable[["record_id", "drop_reason", "drop_detail"]]
        .head(_MOST_LISTED)
        .to_numpy(dtype=object)
        .tolist()
    ]
    more = element("p", f"and {n - _MOST_LISTED:,} more (--json lists all)", class_="note") if n > len(rows) else None
    return section(
        "unreadable", _TITLES["unreadable"], table(["file", "why", "the evidence"], rows, class_="texts"), more
    )


def labels_section(found: Audit, pictures: Pictures) -> Section:
    """Count the images of each label by side."""
    counts = found.by_side()
    sides = [*found.published.sides, *([""] if any("" in one for one in counts.values()) else [])]
    sides = sides if found.published.sides else sorted({side for one in counts.values() for side in one})
    heads: list[Content] = ["", *(side or "no side" for side in sides)]
    rows: list[list[Content]] = [
        [label_name(label), *(f"{one.get(side, 0):,}" for side in sides)] for label, one in counts.items()
    ]
    rest = len(rows) - _MOST_LABELS
    more = element("p", f"and {plural(rest, 'more label')}", class_="note") if rest > 0 else None
    return section("labels", "Labels and sides", table(heads, rows[:_MOST_LABELS], class_="narrow"), more)


def about_section(found: Audit, pictures: Pictures) -> Section:
    """Say how the page is made again."""
    command = hide_credentials(shlex.join(["curator", "audit", *map(_short, found.places)]))
    compared = "bytes, and pictures by their perceptual hashes" if found.copies.n_compared is not None else "bytes only"
    text = f"Copies were looked for by {compared}. Nothing was written into the set. Made by curator {__version__} with"
    return section("about", "Made with", element("p", text, " ", element("code", command), "."))


def _short(place: str) -> str:
    return Path(place).name or place
