r"""The whole page: head, warnings, contents, sections; one file that needs nothing else.

>>> page("A & B", [element("p", "hello")], style="p { margin: 0 }")[:41]
'<!DOCTYPE html>\n<html lang="en"><head><me'
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from curator.benchmark.figures.colours import MODEL_NAMES
from curator.manifests.project import option_for
from curator.report.beside import beside_section
from curator.report.dataset import confounds_section, counts_section, drops_section, groups_section
from curator.report.facts import Facts
from curator.report.markup import Html, element, join, prose
from curator.report.pictures import duplicates_section, samples_section, wrong_section
from curator.report.repeat import repeat_section
from curator.report.results import details_section, results_section
from curator.store.paths import DATA
from curator.text import Command, Text, as_parts, from_json

SECTIONS = (
    results_section,
    details_section,
    wrong_section,
    confounds_section,
    groups_section,
    samples_section,
    counts_section,
    drops_section,
    duplicates_section,
    beside_section,
    repeat_section,
)
"""The sections in the page's order; each tells what it can, or None."""


def report_page(facts: Facts, has_plots: bool) -> str:
    """Write the page of a data set."""
    sections = [made for make in SECTIONS if (made := make(facts)) is not None]
    style = resources.files("curator.report").joinpath("style.css").read_text("utf-8")
    body = [_header(facts), *_warnings(facts, has_plots), *sections, element("footer", "Made by curator.")]
    return page(f"{facts.recipe.name}: report", body, style)


def page(title: str, body: Sequence[Html], style: str) -> str:
    """Put a title, a style and a body together as an HTML document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', element('main', body)), lang='en')}\n"


def _header(facts: Facts) -> Html:
    labels = facts.images.labels if facts.images else facts.recipe.labels
    title = join(*(part for index, label in enumerate(labels) for part in (_against(index), _label(index, label))))
    return element("header", element("p", facts.recipe.name, class_="kicker"), element("h1", title), _cards(facts))


def _against(index: int) -> Html | None:
    return element("span", " against ", class_="against") if index else None


def _label(index: int, label: str) -> Html:
    return element("span", label, class_=f"label{index % 6}")


def _cards(facts: Facts) -> Html:
    cards = []
    if facts.images:
        splits = facts.images.table["split"].value_counts()
        cards.append(
            _card(
                f"{len(facts.images.table):,}",
                f"images: {splits.get('train', 0):,} train, {splits.get('test', 0):,} test",
            )
        )
    elif facts.catalog is not None:
        cards.append(_card(f"{len(facts.catalog):,}", "images listed; not split yet"))
    if facts.metrics:
        smoke = ", smoke test" if facts.metrics["smoke_test"] else ""
        for model, figures in facts.metrics["models"].items():
            accuracy = figures["accuracy"]
            half = (accuracy["high"] - accuracy["low"]) * 50
            cards.append(_card(f"{accuracy['mean'] * 100:.1f}%", f"{MODEL_NAMES[model]}, ±{half:.1f}{smoke}", model))
    return element("div", cards, class_="cards")


def _card(figure: str, text: str, class_: str = "") -> Html:
    return element("div", element("b", figure), element("span", text), class_=f"card {class_}".strip())


def _warnings(facts: Facts, has_plots: bool) -> list[Html]:
    found: list[tuple[Text, str]] = []
    metrics = facts.metrics
    if metrics:
        for model, why in metrics["missing"].items():
            found.append(((f"{MODEL_NAMES[model]} is missing. ", *as_parts(from_json(why))), "danger"))
        found += [(text, "danger") for text in metrics["warnings"]]
        if metrics["interrupted"]:
            resume = ("The benchmark was interrupted; ", Command("benchmark --resume"), " goes on from here.")
            found.append((resume, "danger"))
    else:
        train = ("No model was trained yet: ", Command("benchmark"), " adds accuracy, curves and comparison.")
        found.append((train, "plain"))
    if facts.is_stale:
        stale = "The manifest has changed since the benchmark: its figures belong to other images. Run "
        found.append(((stale, Command("benchmark"), "."), "danger"))
    if not has_plots:
        old = "Plots are missing or old: `pip install 'imageset-curator[benchmark]'`, then "
        found.append(((old, Command("report"), "."), "plain"))
    option = option_for(facts.recipe.name, DATA)
    return [element("p", prose(text, option), class_=f"flag {kind}") for text, kind in found]
