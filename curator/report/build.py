"""The report: one self-contained page from the catalog, the manifest and the benchmark, whatever of them is there.

>>> build_report.__annotations__["return"]
'Path'
"""

from __future__ import annotations

from pathlib import Path

from curator.manifests.project import Project
from curator.report.facts import gather_facts
from curator.report.page import report_page
from curator.report.plots import draw_plots
from curator.store.whole_files import write_text_whole


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
    write_text_whole(project.paths.report, report_page(facts, has_plots))
    return project.paths.report
