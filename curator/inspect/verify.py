"""Check every file against the manifest: its bytes by SHA-256, the folders by name and link, the pictures by decoding.

>>> Finding("a1", "images/ab/ab.jpg", "missing").problem
'missing'
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.manifests.manifest import read_manifest
from curator.manifests.recipe import QualitySettings
from curator.observe.observation import Observation
from curator.observe.workers.look import look_at_files
from curator.reasons import SPLITS
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths

_HASHING, _DECODING = "verifying", "decoding"


@dataclass(frozen=True)
class Finding:
    """One file that is not what the manifest says, or that a reader would refuse."""

    record_id: str
    path: str
    problem: str


@dataclass(frozen=True)
class Verification:
    """How many images were checked, and every file that is not what the manifest says."""

    n_images: int
    findings: tuple[Finding, ...]


class _Image(NamedTuple):
    """A row of the manifest, and its files: the stored one, and the one in the folders."""

    record_id: str
    sha256: str
    stored: Path
    named: Path
    size: tuple[int, int] | None


def verify_files(paths: DataPaths, emit: Listener = ignore, *, fast: bool = False) -> Verification:
    """Check all files.

    Args:
        fast: compare the bytes only; else every picture is decoded too, in processes of their own.

    Raises:
        StateError: there is no manifest, or it cannot be read.
    """
    rows = read_manifest(paths.manifest)
    images = _read_images(rows, paths)
    found: dict[Path, list[str]] = {} if fast else _decode(images, emit)
    emit(WorkStarted(_HASHING, len(images)))
    findings: list[Finding] = []
    for image in images:
        problems = [(image.stored, text) for text in _check_stored(image)]
        problems += [(image.named, text) for text in _check_named(image, paths)]
        for path in {image.stored, image.named}:
            problems += [(path, text) for text in found.get(path, ())]
        findings += [Finding(image.record_id, str(path), text) for path, text in problems]
        emit(WorkAdvanced(_HASHING))
    emit(WorkFinished(_HASHING))
    files = [path for split in SPLITS for path in paths.split_folder(split).glob("*/*")]
    strangers = {path.relative_to(paths.folder).as_posix() for path in files} - set(rows["file"])
    findings += [Finding("", str(paths.folder / name), "is not in the manifest") for name in sorted(strangers)]
    return Verification(len(rows), tuple(findings))


def _read_images(rows: pd.DataFrame, paths: DataPaths) -> list[_Image]:
    unknown = pd.Series([None] * len(rows))
    sides = (rows.get("width", unknown), rows.get("height", unknown))
    columns = (rows["record_id"], rows["sha256"], rows["format"], rows["file"], *sides)
    return [
        _Image(
            record_id, sha256, paths.image(sha256, kind), paths.folder / file,
            None if pd.isna(width) or pd.isna(height) else (int(width), int(height)),
        )
        for record_id, sha256, kind, file, width, height in zip(*columns, strict=True)
    ]  # fmt: skip


def _check_stored(image: _Image) -> Iterator[str]:
    if not image.stored.is_file():
        yield "missing"
    elif file_digest(image.stored) != image.sha256:
        yield "its bytes differ from the manifest's SHA-256"


def _check_named(image: _Image, paths: DataPaths) -> Iterator[str]:
    candidates = (paths.converted_image(image.sha256), image.stored)
    original = next((path for path in candidates if path.is_file() and path.suffix == image.named.suffix), None)
    if not image.named.is_file():
        yield "missing"
    elif original is None or not _is_same(image.named, original):
        yield "differs from the stored image"


def _is_same(named: Path, original: Path) -> bool:
    return named.samefile(original) or file_digest(named) == file_digest(original)


def _decode(images: Sequence[_Image], emit: Listener) -> dict[Path, list[str]]:
    """Decode every file that is there, one with two names once; return what a reader has against each."""
    most = max((math.prod(image.size) for image in images if image.size), default=0)
    tasks = [(image, path) for image in images for path in _distinct_files(image)]
    emit(WorkStarted(_DECODING, len(tasks)))
    found = {}
    files = [path for _, path in tasks]
    for number, sighting in look_at_files(files, max(most, QualitySettings().max_pixels)):
        image, path = tasks[number]
        if sighting is None:
            found[path] = ["cannot be read"]
        elif problems := list(_problems(sighting.observation, image, path)):
            found[path] = problems
        emit(WorkAdvanced(_DECODING))
    emit(WorkFinished(_DECODING))
    return found


def _distinct_files(image: _Image) -> Iterator[Path]:
    """Yield the file in the folders, and the stored one if that is another."""
    if image.named.is_file():
        yield image.named
    if image.stored.is_file() and not (image.named.is_file() and image.named.samefile(image.stored)):
        yield image.stored


def _problems(seen: Observation, image: _Image, path: Path) -> Iterator[str]:
    if seen.flaw and not seen.flaw.traits.overruled:  # a person may keep what is whole, such as a blank picture
        yield f"cannot be decoded: {seen.flaw} ({seen.flaw_detail})"
    elif path == image.named and not seen.well_formed:
        yield "some readers refuse it: it is not a well-formed JPEG or PNG"
    elif image.size and (seen.width, seen.height) != image.size:
        yield f"shows {seen.width} x {seen.height} pixels; the manifest says {image.size[0]} x {image.size[1]}"
