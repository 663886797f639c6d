"""The report: one self-contained page from the catalog, the manifest and the benchmark, whatever of them is there.

>>> build_report.__annotations__["return"]
'Path'
"""

from __future__ import annotations

from pathlib import Path

from curator.manifests.recipe import Recipe
from curator.report.facts import gather_facts
from curator.report.figures import draw_figures
from curator.report.page import report_page
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole


def build_report(recipe: Recipe, paths: DataPaths) -> Path:
    """Write ``report.html`` and the plots from what is on disk; nothing is trained, and Keras is not needed.

    Where matplotlib and scikit-learn are not installed, plots of an earlier run are used and the page says so.

    Returns:
        The page's path.

    Raises:
        StateError: there is nothing to report yet, or a file is damaged.
    """
    facts = gather_facts(recipe, paths)
    has_plots = draw_figures(facts)
    write_text_whole(paths.report, report_page(facts, has_plots))
    return paths.report
