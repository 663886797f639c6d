"""The parts of the page on what more images would bring, and on what curation bought.

>>> curve_section.__annotations__["return"], ablation_section.__annotations__["return"]
('Section | None', 'Section | None')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curator.benchmark.ablation_words import HEAD, change, order_rows, tell_ablation, training_rows
from curator.benchmark.curve.words import rough, tell_curve
from curator.benchmark.models.registry import model_title
from curator.report.facts import Facts
from curator.report.markup import Content, Html, Section, element, join, section, table
from curator.report.plots import plot
from curator.report.style import swatch
from curator.text import percent, plural

STALE = "These figures are of another manifest than the one that there is now."


def curve_section(facts: Facts) -> Section | None:
    """Show how accuracy grows with the images of a label, and what more of them would bring."""
    found = facts.curve
    if not found:
        return None
    sentences = {model: " ".join(tell_curve(one)) for model, one in found["models"].items()}
    seeds, tested = plural(len(found["seeds"]), "seed"), plural(found["n_images"]["test"], "test image")
    note = (
        f"Each model is trained on parts of train, each within the next and of whole groups, with {seeds}, and tested "
        f"on the same {tested}. The line is error = floor + scale x images^-exponent; beyond the last point it is what "
        "may be expected of more images of the same kind. Its band, and the bars of the points, are 95%, by bootstrap "
        "over seeds and groups of test images."
    )
    text = " ".join(f"{model_title(model)}: {sentence}" for model, sentence in sentences.items())
    return section(
        "curve",
        "What more images would bring",
        [element("p", join(swatch(model), ": ", sentence), class_="lead") for model, sentence in sentences.items()],
        element("div", plot(facts, "learning-curve", text), _points(found), class_="side-by-side"),
        element("p", note, class_="note"),
        [_sources(model, one.get("sources")) for model, one in found["models"].items()],
        _stale(facts, found),
        badge="smoke test" if found["smoke_test"] else None,
    )


def _points(found: Mapping[str, Any]) -> Html:
    """List each model's accuracy at each size, and what twice and four times the images should bring."""
    rows: list[Sequence[Content]] = []
    for model, one in found["models"].items():
        rows.append([swatch(model), "", ""])
        for point in one["points"]:
            accuracy = point["accuracy"]
            span = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"
            rows.append([f"{point['images_per_label']:,.0f}", percent(accuracy["mean"]), span])
        last = one["points"][-1]["accuracy"]["mean"]
        for gain in one["gains"]:
            name = f"{rough(gain['images_per_label'])} (expected)"
            rows.append([name, percent(min(1.0, last + gain["mean"])), f"points {change(gain)}"])
    return table(["images a label", "accuracy", "95% interval"], rows, class_="narrow")


def _sources(model: str, found: Mapping[str, Any] | None) -> Html | None:
    """Show what each source is worth; nothing where there is one."""
    if not found:
        return None
    rows = [
        [element("bdi", name), f"{one['n']:,}", change(one["without"]), change(one["more"])]
        for name, one in found["sources"].items()
    ]
    head = ["source", "images", "left out, points", f"{found['n_more']:,} more of it, points"]
    level = f"{100 * found['confidence']:.3g}%"
    note = (
        "Left out: what the accuracy changes by if train has none of the source. More of it: what so many further "
        "images of it add to half of train, as many of each label from each source; empty where it has no such part. "
        f"Intervals are {level} each: all of them hold together with 95%."
    )
    title = element("h3", f"Which source helps {model_title(model)}")
    return join(title, element("p", note, class_="note"), table(head, rows, class_="narrow"))


def ablation_section(facts: Facts) -> Section | None:
    """Show what copies and wrong labels in training cost, and what a random split before dedupe pretends."""
    found = facts.ablation
    if not found:
        return None
    tested = plural(found["n_test"], "test image")
    cleaned = "" if found.get("unjudged") else ", and on that without suspects"
    about = (
        f"A model on the features of {found['features']} is trained on all that was fetched but what people took out "
        f"(raw), on what dedupe and relabelling left of it{cleaned}. The {tested} are the same for all, and none has a "
        "copy in any of them. Differences are from the row above, with the 95% interval of the paired bootstrap."
    )
    orders = (
        "The article split first and removed no copies. Here the same is done to all that was fetched, and beside it "
        "the order of this data set: copies out, groups whole. Each image is tested once in each of several divisions; "
        "the difference is what the wrong order pretends."
    )
    return section(
        "ablation",
        "What curation bought",
        [element("p", sentence) for sentence in tell_ablation(found)],
        element("p", about, class_="note"),
        _table(training_rows(found)),
        element("p", orders, class_="note"),
        _table(order_rows(found)),
        _stale(facts, found),
    )


def _table(rows: Iterable[Sequence[str]]) -> Html:
    named = ([row[0].strip() if row[1] else element("b", row[0]), *row[1:]] for row in rows)
    return table(list(HEAD), list(named), class_="narrow")


def _stale(facts: Facts, found: Mapping[str, Any]) -> Html | None:
    return element("p", STALE, class_="danger") if facts.is_of_another_manifest(found) else None
