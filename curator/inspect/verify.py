"""Check every file against what is known of it: images by SHA-256 and by decoding, all else by recorded SHA-256s.

>>> verify_files.__name__
'verify_files'
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.inspect.findings import Finding as Finding
from curator.inspect.verify_records import check_exports, check_records, check_written
from curator.inspect.verify_shards import check_shards
from curator.manifests.manifest import read_manifest
from curator.observe.observation import Observation
from curator.observe.pixels import MAX_PIXELS
from curator.observe.workers.look import look_at_files
from curator.reasons import SPLITS
from curator.store import beneath
from curator.store.catalog_files import file_digest
from curator.store.image_store import makes_folders, size_of
from curator.store.packed import DIFFERS, check_files
from curator.store.paths import LEFT_BY_SYSTEMS, DataPaths
from curator.store.sums import read_sums
from curator.store.whole_files import TEMPORARY_PREFIX

_HASHING, _DECODING = "verifying", "decoding"
_DIFFERS = "its bytes differ from the manifest's SHA-256"


@dataclass(frozen=True)
class Verification:
    """How many images of the manifest were checked, every file that is not what it should be, and what is not known."""

    n_images: int
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...] = ()


class _Image(NamedTuple):
    """A row of the manifest, and its files: the stored one, and the one in the folders."""

    record_id: str
    sha256: str
    stored: Path
    sha1: str
    named: Path
    size: tuple[int, int] | None


def verify_files(
    paths: DataPaths, emit: Listener = ignore, *, fast: bool = False, max_pixels: int = MAX_PIXELS
) -> Verification:
    """Check all files below the data folder and beside the manifest.

    Args:
        fast: compare the bytes only; else every picture is decoded too, in processes of their own.
        max_pixels: width times height above which nothing is decoded, which is a finding.

    Raises:
        StateError: there is no manifest, or it cannot be read.
    """
    rows = read_manifest(paths.manifest)
    images = _read_images(rows, paths)
    shards = check_shards(paths, {one.sha256: one.sha1 for one in images if one.sha1}, emit)
    decoded: dict[Path, list[str]] = {} if fast else _decode(images, emit, max_pixels)
    found = [*check_records(paths), *shards.findings, *_check_images(images, decoded, shards.sound, paths, emit)]
    files = {name for split in SPLITS for name, _ in beneath.walk(paths.folder, split)} if paths.folder.is_dir() else ()
    strangers = sorted(name for name in set(files) - set(rows["file"]) if Path(name).name not in LEFT_BY_SYSTEMS)
    found += [Finding("", str(paths.folder / name), "is not in the manifest") for name in strangers]
    found += [*check_written(paths), *check_exports(paths)]
    faults = tuple(finding for finding in found if finding.is_fault)
    return Verification(len(rows), faults, tuple(finding for finding in found if not finding.is_fault))


def _check_images(
    images: Sequence[_Image],
    decoded: Mapping[Path, Sequence[str]],
    elsewhere: Collection[str],
    paths: DataPaths,
    emit: Listener,
) -> Iterator[Finding]:
    """Compare the stored files with their names, and those of the folders with what they were made from."""
    stored = [name for name, _ in beneath.walk(paths.folder, paths.images.name)] if paths.folder.is_dir() else []
    contents = [(name, {_content(name)}) for name in stored if not Path(name).name.startswith(TEMPORARY_PREFIX)]
    named = _named_files(images, paths)
    emit(WorkStarted(_HASHING, len(contents) + len(named)))
    problems = check_files(paths.folder, contents + named, lambda: emit(WorkAdvanced(_HASHING)))
    emit(WorkFinished(_HASHING))
    wrong = {name: text for (name, _), text in zip(contents + named, problems, strict=True) if text}
    here = [image for image in images if image.sha1 and image.sha256 not in elsewhere]
    stated = [(_below(image.stored, paths), {image.sha1}) for image in here]
    of_sha1 = dict(zip((name for name, _ in stated), check_files(paths.folder, stated, algorithm="sha1"), strict=True))
    for image in images:
        texts = [(image.stored, _DIFFERS if _below(image.stored, paths) in wrong else "")]
        is_lost = not image.stored.is_file() and image.sha256 not in elsewhere
        texts = [(image.stored, "missing")] if is_lost else texts
        if not texts[0][1] and of_sha1.get(_below(image.stored, paths)) == DIFFERS:
            texts = [(image.stored, "its bytes differ from the manifest's SHA-1")]
        texts.append((image.named, _problem_of_named(image, wrong, paths)))
        texts += [(path, text) for path in {image.stored, image.named} for text in decoded.get(path, ())]
        yield from (Finding(image.record_id, str(path), text) for path, text in texts if text)
    of_manifest = {_below(path, paths) for image in images for path in (image.stored, image.named)}
    for name, text in wrong.items():
        if name not in of_manifest:
            yield Finding("", str(paths.folder / name), text)


def _content(name: str) -> str:
    return Path(name).name.partition(".")[0]


def _below(path: Path, paths: DataPaths) -> str:
    return path.relative_to(paths.folder).as_posix()


def _named_files(images: Sequence[_Image], paths: DataPaths) -> list[tuple[str, set[str]]]:
    """Return the files of the folders that are not the stored ones themselves, with the SHA-256s that they may have."""
    sums, found = read_sums(paths.folder).of, []
    for image in images:
        if not image.named.is_file() or (image.stored.is_file() and image.named.samefile(image.stored)):
            continue
        converted = paths.converted_image(image.sha256)
        known = set(sums.get(_below(converted, paths), ()))
        if image.named.suffix == image.stored.suffix:
            known.add(image.sha256)
        if not known and converted.is_file():  # of an earlier version: nothing is known of the PNG form
            if image.named.samefile(converted):
                continue
            known.add(file_digest(converted))
        found.append((_below(image.named, paths), known))
    return found


def _problem_of_named(image: _Image, wrong: Mapping[str, str], paths: DataPaths) -> str:
    if not image.named.is_file():
        return "missing" if makes_folders(paths.folder) else ""
    if image.named.is_symlink():
        return "is a link"
    if _below(image.named, paths) in wrong:
        return "differs from the stored image"
    if _below(image.stored, paths) in wrong and image.stored.is_file() and image.named.samefile(image.stored):
        return _DIFFERS
    return ""


def _read_images(rows: pd.DataFrame, paths: DataPaths) -> list[_Image]:
    unknown = pd.Series([None] * len(rows))
    sides = (rows.get("width", unknown), rows.get("height", unknown))
    hashes = (rows["sha256"], rows["sha1"].fillna(""))
    columns = (rows["record_id"], *hashes, rows["format"], rows["file"], *sides)
    return [
        _Image(
            record_id, sha256, paths.image(sha256, kind), sha1, paths.folder / file,
            None if pd.isna(width) or pd.isna(height) else (int(width), int(height)),
        )
        for record_id, sha256, sha1, kind, file, width, height in zip(*columns, strict=True)
    ]  # fmt: skip


def _decode(images: Sequence[_Image], emit: Listener, max_pixels: int) -> dict[Path, list[str]]:
    """Decode every file that is there, one with two names once; return what a reader has against each."""
    tasks = [(image, path) for image in images for path in _distinct_files(image)]
    emit(WorkStarted(_DECODING, len(tasks)))
    found = {}
    files = [path for _, path in tasks]
    for number, sighting in look_at_files(files, max_pixels):
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
    if size_of(image.stored) is not None and not (image.named.is_file() and _is_same(image.named, image.stored)):
        yield image.stored


def _is_same(named: Path, stored: Path) -> bool:
    return stored.is_file() and named.samefile(stored)


def _problems(seen: Observation, image: _Image, path: Path) -> Iterator[str]:
    if seen.flaw and not seen.flaw.traits.overruled:  # a person may keep what is whole, such as a blank picture
        yield f"cannot be decoded: {seen.flaw} ({seen.flaw_detail})"
    elif path == image.named and not seen.well_formed:
        yield "some readers refuse it: it is not a well-formed JPEG or PNG"
    elif image.size and (seen.width, seen.height) != image.size:
        yield f"shows {seen.width} x {seen.height} pixels; the manifest says {image.size[0]} x {image.size[1]}"
