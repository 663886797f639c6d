"""The report: one self-contained page from the catalog, the manifest and the benchmark, whatever of them is there.

>>> [section.__name__ for section in SECTIONS][:2]
['results_section', 'details_section']
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from curator.manifests.project import Project
from curator.reasons import splits_of
from curator.report.cautions import cautions_section
from curator.report.composition import confounds_section, counts_section, drops_section
from curator.report.facts import Facts, gather_facts
from curator.report.learning import ablation_section, curve_section
from curator.report.map_section import map_section
from curator.report.markup import Html, contents, element, join, label_name, page
from curator.report.models import details_section, groups_section
from curator.report.picture_sections import duplicates_section, samples_section, wrong_section
from curator.report.plots import draw_plots
from curator.report.related_files import related_section
from curator.report.reproduce import reproduce_section
from curator.report.results import results_section
from curator.report.style import style_sheet
from curator.report.suspected import suspects_section
from curator.store.whole_files import write_text_whole
from curator.text import plural

SECTIONS = (
    results_section,
    details_section,
    curve_section,
    ablation_section,
    wrong_section,
    suspects_section,
    groups_section,
    samples_section,
    map_section,
    counts_section,
    confounds_section,
    drops_section,
    duplicates_section,
    related_section,
    reproduce_section,
)
"""The sections in the page's order; each returns what it can say, or None. The cautions come after the first."""

_MOST_NAMED = 6


def build_report(project: Project) -> Path:
    """Write ``report.html`` and the plots from what is on disk; nothing is trained, and Keras is not needed.

    If matplotlib and scikit-learn are not installed, plots of an earlier run are used and the page says so.

    Returns:
        The page's path.

    Raises:
        StateError: there is nothing to report yet, or a file is damaged.
    """
    facts = gather_facts(project)
    facts = replace(facts, has_plots=draw_plots(facts))
    made = [one for make in SECTIONS if (one := make(facts)) is not None]
    if cautions := cautions_section(facts):
        made.insert(1, cautions)
    main = element("main", [one.html for one in made], element("footer", "Made by curator."))
    body = [element("div", _header(facts), contents(made), main, class_="layout")]
    write_text_whole(project.paths.report, page(f"{project.recipe.name}: report", body, style_sheet("style.css")))
    return project.paths.report


def _header(facts: Facts) -> Html:
    """Name the data set, its labels and its sizes."""
    labels = (facts.images.labels if facts.images else ()) or facts.project.recipe.labels
    if len(labels) > _MOST_NAMED:
        named = join(f"{len(labels)} labels")
    else:
        *first, last = map(label_name, labels)
        named = join(
            [join(", " if place else "", name) for place, name in enumerate(first)], " and " if first else "", last
        )
    sizes = []
    if facts.images:
        splits = facts.images.table["split"].value_counts()
        sizes = [plural(len(facts.images.table), "image")]
        sizes += [f"{splits.get(split, 0):,} {split}" for split in splits_of(splits.index)]
    elif facts.catalog is not None:
        sizes = [f"{plural(len(facts.catalog), 'image')} listed, not split yet"]
    return element(
        "header",
        element("p", "Report on a data set", class_="kicker"),
        element("h1", facts.project.recipe.name),
        element("p", named, class_="lead"),
        element("ul", [element("li", size) for size in sizes], class_="sizes"),
    )
