"""The report: one self-contained page from the catalog, the manifest and the benchmark, whatever of them is there.

>>> [section.__name__ for section in SECTIONS][:2]
['results_section', 'details_section']
"""

from __future__ import annotations

from pathlib import Path

from curator.benchmark.models.registry import model_title
from curator.manifests.project import Project
from curator.report.composition import confounds_section, counts_section, drops_section
from curator.report.facts import Facts, gather_facts
from curator.report.markup import Html, card, element, join, page, prose
from curator.report.picture_sections import duplicates_section, samples_section, wrong_section
from curator.report.plots import draw_plots
from curator.report.related_files import related_section
from curator.report.reproduce import reproduce_section
from curator.report.results import details_section, groups_section, results_section
from curator.report.style import model_style, style_sheet
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text, as_parts, from_json, percent

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
    related_section,
    reproduce_section,
)
"""The sections in the page's order; each returns what it can say, or None."""


def build_report(project: Project) -> Path:
    """Write ``report.html`` and the plots from what is on disk; nothing is trained, and Keras is not needed.

    If matplotlib and scikit-learn are not installed, plots of an earlier run are used and the page says so.

    Returns:
        The page's path.

    Raises:
        StateError: there is nothing to report yet, or a file is damaged.
    """
    facts = gather_facts(project)
    has_plots = draw_plots(facts)
    sections = [made for make in SECTIONS if (made := make(facts)) is not None]
    body = [_header(facts), *_warnings(facts, has_plots), *sections, element("footer", "Made by curator.")]
    write_text_whole(project.paths.report, page(f"{project.recipe.name}: report", body, style_sheet("style.css")))
    return project.paths.report


def _header(facts: Facts) -> Html:
    labels = facts.images.labels if facts.images else facts.project.recipe.labels
    names = [element("span", label, class_=f"label{index % 6}") for index, label in enumerate(labels)]
    against = element("span", " against ", class_="against")
    title = join(names[:1], [join(against, name) for name in names[1:]])
    cards = []
    if facts.images:
        splits = facts.images.table["split"].value_counts()
        about = f"images: {splits.get('train', 0):,} train, {splits.get('test', 0):,} test"
        cards.append(card(f"{len(facts.images.table):,}", about))
    elif facts.catalog is not None:
        cards.append(card(f"{len(facts.catalog):,}", "images listed; not split yet"))
    if facts.metrics:
        smoke = ", smoke test" if facts.metrics["smoke_test"] else ""
        for model, figures in facts.metrics["models"].items():
            accuracy = figures["accuracy"]
            about = f"{model_title(model)}, ±{(accuracy['high'] - accuracy['low']) * 50:.1f}{smoke}"
            cards.append(card(percent(accuracy["mean"]), about, model_style(model)))
    name = element("p", facts.project.recipe.name, class_="kicker")
    return element("header", name, element("h1", title), element("div", cards, class_="cards"))


def _warnings(facts: Facts, has_plots: bool) -> list[Html]:
    found: list[tuple[Text, str]] = []
    if metrics := facts.metrics:
        for model, why in metrics.get("missing_text", metrics["missing"]).items():
            found.append(((f"{model_title(model)} is missing. ", *as_parts(from_json(why))), "danger"))
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
    return [element("p", prose(text, facts.project.option), class_=f"flag {kind}") for text, kind in found]
