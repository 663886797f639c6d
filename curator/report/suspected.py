"""The part of the page on the suspects: what they cost a model, and how many of them a person has decided on.

>>> points({"mean": 0.0123, "low": -0.002, "high": 0.0266})
('+1.2 points', '-0.2 to +2.7')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.report.facts import Facts
from curator.report.markup import Content, Html, Section, element, join, prose, section, table
from curator.store.suspects_file import HEADINGS, Suspects, count_decided
from curator.text import Command, Text, percent, plural

_WAYS = {"as they are": "As they are", "dropped": "Without the suspects", "relabelled": "Relabelled as suggested"}


def suspects_section(facts: Facts) -> Section | None:
    """Show accuracy with the suspects in, dropped and relabelled, and the state of their review."""
    found = facts.suspects
    if found is None:
        return None
    effect = found.effect
    return section(
        "suspects",
        "Suspects, and what they cost",
        element("p", _verdict(effect), class_="lead") if effect else None,
        _accuracies(effect) if effect else None,
        element("p", _how(found), class_="note") if effect else None,
        element("p", prose(_progress(facts, found), facts.project.option)),
        _kinds(facts, found),
        [element("p", note, class_="note") for note in found.notes],
    )


def points(difference: Mapping[str, float]) -> tuple[str, str]:
    """Write a difference of two accuracies, and its interval."""
    mean, low, high = (f"{100 * difference[name]:+.1f}" for name in ("mean", "low", "high"))
    return f"{mean} points", f"{low} to {high}"


def _verdict(effect: Mapping[str, Any]) -> str:
    """Say which way of dealing with the suspects helps, if one does."""
    said = []
    for way, doing in (("dropped", "leaving the suspects out"), ("relabelled", "relabelling them as suggested")):
        gain = effect["gain"][way]
        if gain["low"] > 0 or gain["high"] < 0:
            change = "raises" if gain["low"] > 0 else "lowers"
            said.append(f"{doing} {change} accuracy by {abs(100 * gain['mean']):.1f} points")
        else:
            said.append(f"{doing} makes no certain difference")
    if all("certain" in one for one in said):
        return "Neither leaving the suspects out nor relabelling them as suggested makes a certain difference."
    return f"{said[0][0].upper()}{'; '.join(said)[1:]}."


def _accuracies(effect: Mapping[str, Any]) -> Html:
    rows: list[list[Content]] = []
    for way, title in _WAYS.items():
        one, gain = effect[way], effect["gain"].get(way)
        interval = f"{percent(max(one['low'], 0))} to {percent(min(one['high'], 1))}"
        difference = _above(*points(gain)) if gain else ""
        rows.append([title, _above(percent(one["mean"]), interval), difference])
    return table(["Trained on the images", "Accuracy", "Difference"], rows, class_="narrow")


def _above(figure: str, interval: str) -> Html:
    return join(figure, element("br"), element("small", interval))


def _how(found: Suspects) -> str:
    images, suspects = (plural(found.effect[name], "image") for name in ("n_images", "n_suspects"))
    return (
        f"A softmax regression on the features of {found.model}, over {images}: trained on all folds "
        f"but one and tested on that one, fold by fold. Each time about {suspects} are suspected, by "
        "the training images alone; the test images keep their labels, wrong ones too. So no accuracy reaches 100%: "
        "only the differences mean something. Near-duplicates, one author's photos and one page's are in one fold, and "
        "count as one draw in the 95% intervals; a difference is paired, image by image."
    )


def _progress(facts: Facts, found: Suspects) -> Text:
    n, n_all = count_decided(found, facts.decided)
    judged = f"{plural(len(found.table), 'image was', 'images were')} judged. "
    if n == n_all:
        return f"{judged}{f'A person has decided on all suspects: {n_all:,}.' if n_all else 'Nothing is suspected.'}"
    counted = f"{judged}A person has decided on {n:,} of {plural(n_all, 'suspect')}. "
    return (counted, Command("review"), " opens on the others. Nothing is dropped without a decision.")


def _kinds(facts: Facts, found: Suspects) -> Html | None:
    """Count each kind in the table of now: suspected, and decided by a person."""
    rows: list[list[Content]] = []
    for heading, choose in HEADINGS.items():
        chosen = choose(found.table)
        keys = list(zip(chosen["sha256"], chosen["label"], strict=True))
        rows.append([heading, f"{len(keys):,}", f"{sum(key in facts.decided for key in keys):,}"])
    if not any(row[1] != "0" for row in rows):
        return None
    return table(["", "Suspected", "Decided by a person"], rows, class_="narrow")
