"""``reviews.jsonl`` and ``forgotten.jsonl`` before a command works by them: half a last line is cut off, and reported.

>>> mend_records(Project(Recipe("balls", ("a", "b"), ()), DataPaths(Path("nowhere"), Path("nowhere"), "balls")))
"""

from __future__ import annotations

from pathlib import Path as Path

from curator.events import Noted
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.store.json_lines import mend_lines
from curator.store.paths import DataPaths as DataPaths
from curator.store.plain_json import shown
from curator.store.whole_files import disk_errors, remove_leftovers


def mend_records(project: Project) -> None:
    """Cut half a line off the end of each, and report it; remove what a killed run left beside them.

    Raises:
        DiskError: the disk refused.
    """
    paths = project.paths
    for path in (paths.reviews, paths.forgotten):
        with disk_errors(path):
            if torn := _mend(path):
                project.emit(Noted(f"{path} ended in half a line, which was never confirmed; cut off: {shown(torn)}"))
    if paths.manifest_folder.is_dir():
        with disk_errors(paths.manifest_folder):
            remove_leftovers(paths.manifest_folder)


def _mend(path: Path) -> str:
    try:
        return mend_lines(path)
    except ValueError:  # no text at all: the reader says so
        return ""
