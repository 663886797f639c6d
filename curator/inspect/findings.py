"""What ``verify`` found, and what a person does about each kind of it.

>>> Finding("a1", "data/balls/images/ab/ab.jpg", "missing").problem
'missing'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.reasons import SPLITS, Stage
from curator.store.paths import SUMS, DataPaths
from curator.store.thumbnails_file import is_thumbnails
from curator.text import Command, Text


@dataclass(frozen=True)
class Finding:
    """One file that is not what the manifest or another record says, or that a reader would refuse.

    Without ``is_fault`` it is only a file that nothing is known of, or that a person may have changed.
    """

    record_id: str
    path: str
    problem: str
    is_fault: bool = True


def remedies(findings: Sequence[Finding], paths: DataPaths) -> list[Text]:
    """Say, for each kind of file among the faults, what mends it."""
    kinds = {_kind(Path(finding.path), finding, paths): None for finding in findings if finding.is_fault}
    return [_REMEDIES[kind] for kind in _REMEDIES if kind in kinds]


_DELETE = "Delete the file named, then run "
_REMEDIES: dict[str, Text] = {
    "stranger": "Move out of the folders what is yours.",
    "manifest.csv": (
        "Take the manifest back from version control; or delete it, then run ", Command("split"),
        ": it writes the manifest anew, of the images that the catalog kept.",
    ),
    "manifest.json": (_DELETE, Command("split"), ": it writes it anew."),
    "lines": "Take the lines named back from version control; of a line that you wrote yourself, remove `check`.",
    "image": (
        "Delete the stored images whose bytes differ, then run ", Command("fetch"),
        ": it gets them again, and drops what is damaged at its source.",
    ),
    "missing": ("Run ", Command("fetch"), ": it gets the stored images that are missing again."),
    "folder": (Command("split --force"), " makes the folders and the PNG forms anew."),
    "fetched": (_DELETE, Command("fetch"), ": it writes it anew; what is stored is not requested again."),
    "decided": (_DELETE, Command("split"), ": it writes it anew."),
    "judged": (
        "Delete the files below features/ and the table of suspects that are named, then run ",
        Command("suspects --force"), ": it computes anew what is gone; no decision is lost.",
    ),
    "shard": (
        "With the address of the object store in [store] of the recipe, run ",
        Command("fetch"), ": it writes what is sound in the shards named into new ones, and gets the rest again.",
    ),
    "ledger": (
        "Take attempts.sqlite from a backup; or delete it, then run ", Command("fetch"),
        ": without it every address is requested again.",
    ),
    "export": "Delete the folder of the export, then export again.",
    "other": "Delete the other files named: the command that made each makes it anew.",
}  # fmt: skip


def _kind(path: Path, finding: Finding, paths: DataPaths) -> str:
    """Return the key of what mends a finding."""
    beside = {paths.manifest: "manifest.csv", paths.made_with: "manifest.json"}
    beside |= {paths.reviews: "lines", paths.forgotten: "lines", paths.attempts: "ledger"}
    if path in beside:
        return beside[path]
    if "://" in finding.path:
        return "shard"
    top = path.relative_to(paths.folder).parts[0] if path.is_relative_to(paths.folder) else ""
    if top in SPLITS:
        return "folder" if finding.record_id else "stranger"
    if path == paths.suspects or top == paths.features.name:
        return "judged"
    if top == "catalog":
        of_fetch = path in (paths.catalog(Stage.LISTED), paths.catalog(Stage.FETCHED)) or is_thumbnails(path.name)
        return "fetched" if of_fetch else "decided"
    image = "missing" if finding.problem == "missing" else "image"
    kinds = {paths.images.name: image, paths.converted.name: "folder", paths.exports.name: "export"}
    return {**kinds, paths.fetched_from.name: "fetched", SUMS: "other"}.get(top, "other")
