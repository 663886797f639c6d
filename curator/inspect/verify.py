"""Check every file against the manifest: the stored bytes by SHA-256, the folders by name and link.

>>> Finding("a1", "images/ab/ab.jpg", "missing").problem
'missing'
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.manifests.manifest import read_manifest
from curator.reasons import SPLITS
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths

_WHAT = "verifying"


@dataclass(frozen=True)
class Finding:
    """One file that is not what the manifest says: missing, changed, not linked to the store, or unknown to it."""

    record_id: str
    path: str
    problem: str


@dataclass(frozen=True)
class Verification:
    """How many images were checked, and every file that is not what the manifest says."""

    n_images: int
    findings: tuple[Finding, ...]


def verify_files(paths: DataPaths, emit: Listener = ignore) -> Verification:
    """Check all files.

    Raises:
        StateError: there is no manifest, or it cannot be read.
    """
    rows = read_manifest(paths.manifest)
    emit(WorkStarted(_WHAT, len(rows)))
    findings: list[Finding] = []
    columns = (rows["record_id"], rows["sha256"], rows["format"], rows["file"])
    for record_id, sha256, kind, file in zip(*columns, strict=True):
        findings.extend(_check(record_id, sha256, kind, file, paths))
        emit(WorkAdvanced(_WHAT))
    emit(WorkFinished(_WHAT))
    files = [path for split in SPLITS for path in paths.split_folder(split).glob("*/*")]
    strangers = {path.relative_to(paths.folder).as_posix() for path in files} - set(rows["file"])
    findings += [Finding("", str(paths.folder / name), "is not in the manifest") for name in sorted(strangers)]
    return Verification(len(rows), tuple(findings))


def _check(record_id: str, sha256: str, kind: str, file: str, paths: DataPaths) -> list[Finding]:
    stored, named = paths.image(sha256, kind), paths.folder / file
    findings = []
    if not stored.is_file():
        findings.append(Finding(record_id, str(stored), "missing"))
    elif file_digest(stored) != sha256:
        findings.append(Finding(record_id, str(stored), "its bytes differ from the manifest's SHA-256"))
    if not named.is_file():
        findings.append(Finding(record_id, str(named), "missing"))
    elif not _is_same(named, stored, paths.converted_image(sha256)):
        findings.append(Finding(record_id, str(named), "differs from the stored image"))
    return findings


def _is_same(named: Path, stored: Path, converted: Path) -> bool:
    original = next((path for path in (converted, stored) if path.is_file() and path.suffix == named.suffix), None)
    if original is None:
        return False
    return named.samefile(original) or file_digest(named) == file_digest(original)
