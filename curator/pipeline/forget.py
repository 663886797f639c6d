"""Take images out for good: files, folders, manifest and catalogs; tombstones see to it that they do not come back.

>>> kind_of_target("https://photos.example/1.jpg"), kind_of_target("host:photos.example"), kind_of_target("Ann")
(('address', 'https://photos.example/1.jpg'), ('host', 'photos.example'), ('', 'Ann'))
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curator import catalog
from curator.benchmark.metrics_file import METRICS
from curator.catalog import BoolArray, Stage
from curator.decide.forgotten import ADDRESSES, drop_forgotten, find_forgotten
from curator.errors import CuratorError, StateError
from curator.export.export import FORMATS
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.local_files import FILE_SCHEME
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.manifests.tombstones import KINDS, Tombstones, append_tombstones, digest
from curator.pipeline.against_cache import forget_seen
from curator.store.catalog_files import file_digest, read_catalog, read_record, write_catalog
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text

_PREFIXES = {"sha256": "content", "url": "address", "author": "author", "host": "host"}
_HEX_DIGITS = 64
_ASKED = ("url", "fallback_url", "final_url", "local_path")


@dataclass(frozen=True)
class Holder:
    """What may still show or hold what was forgotten, and what to do about it."""

    path: Path
    remedy: Text


@dataclass(frozen=True)
class Forgotten:
    """What was taken out, and what still holds it and must be made again or deleted."""

    n_listed: int
    n_files: int
    n_manifest: int
    exports: tuple[Path, ...]
    others: tuple[Holder, ...]


def forget(project: Project, target: str) -> Forgotten:
    """Forget the images that ``target`` names: a URL, an author, a host or a SHA-256.

    The known copies of a picture go with it, except where a host is forgotten: other hosts keep theirs. A run that was
    killed is finished by the same command again.

    Raises:
        CuratorError: nothing of that name is known.
        LockedError, DiskError: see there.
    """
    paths = project.paths
    with locked(paths.lock, "forget"):
        tables = _catalogs(paths)
        manifest = read_manifest(paths.manifest) if paths.manifest.exists() else pd.DataFrame()
        stones = _name_stones(target, [*tables.values(), manifest])
        contents = _contents([*tables.values(), manifest], stones)
        gone = contents | stones["content"]
        stones = {**stones, "content": frozenset(gone)}
        stones["address"] |= _addresses([*tables.values(), manifest], stones)
        append_tombstones(paths.forgotten, stones)
        listed = tables.get(Stage.FETCHED, next(iter(tables.values()), catalog.empty()))
        n_manifest = _leave_manifest(paths, manifest, stones)
        _restate(paths, gone, n_manifest > 0)
        n_files = _remove_files(paths, gone)
        _leave_ledger(paths, tables.values(), stones)
        for stage, table in tables.items():
            _rewrite(paths, stage, drop_forgotten(table, stones))
    n_listed = int(find_forgotten(listed, stones).sum())
    others = tuple(_others(paths, contents, n_manifest)) if n_listed or contents else ()
    return Forgotten(n_listed, n_files, n_manifest, _exports_with(paths, contents), others)


def kind_of_target(target: str) -> tuple[str, str]:
    """Say what a name can only mean, as (kind, name); the kind is empty where the catalog must tell."""
    prefix, _, rest = target.partition(":")
    if prefix in _PREFIXES and rest and not rest.startswith("//"):
        kind = _PREFIXES[prefix]
        return kind, rest.lower() if kind == "content" else rest
    if len(target) == _HEX_DIGITS and set(target.lower()) <= set("0123456789abcdef"):
        return "content", target.lower()
    return ("address", target) if "://" in target else ("", target)


def _name_stones(target: str, tables: Iterable[pd.DataFrame]) -> dict[str, frozenset[str]]:
    kind, name = kind_of_target(target)
    nothing: dict[str, frozenset[str]] = {kind: frozenset() for kind in KINDS}
    if kind:
        return nothing | {kind: frozenset([name if kind == "content" else digest(name)])}
    guesses = [nothing | {kind: frozenset([digest(name)])} for kind in ("author", "host", "address")]
    found = [stones for stones in guesses if any(find_forgotten(table, stones).any() for table in tables)]
    if len(found) == 1:
        return found[0]
    if found:
        raise CuratorError(f"{name!r} is an author and a host.", f"Say `author:{name}` or `host:{name}`.")
    hint = (
        "Write it as the manifest has it; with `url:`, `author:`, `host:` or `sha256:` before it, it need not be here."
    )
    raise CuratorError(f"No image is known by {name!r}.", hint)


def _catalogs(paths: DataPaths) -> dict[Stage, pd.DataFrame]:
    found: dict[Stage, pd.DataFrame] = {}
    for stage in Stage:
        if paths.catalog(stage).exists():
            found[stage] = read_catalog(paths.catalog(stage))
    return found


def _contents(tables: Iterable[pd.DataFrame], stones: Tombstones) -> set[str]:
    """Give the contents of the images named, and of the copies known of them."""
    contents: set[str] = set()
    for table in tables:
        named = find_forgotten(table, stones)
        if named.any() and not stones["host"] and "duplicate_of" in table:
            named = _with_copies(table, named)
        if named.any() and "sha256" in table:
            contents |= set(table["sha256"][named].dropna())
    return contents


def _addresses(tables: Iterable[pd.DataFrame], stones: Tombstones) -> frozenset[str]:
    """Digest where the images were had from, so that no later fetch even asks."""
    found: set[str] = set()
    for table in tables:
        rows = table[find_forgotten(table, stones)]
        for name in _ASKED:
            found |= {digest(value) for value in rows[name].dropna()} if name in rows else set()
    return frozenset(found)


def _with_copies(table: pd.DataFrame, named: BoolArray) -> BoolArray:
    """Add the images that are copies of those named, and those that they are copies of."""
    pictures = set(table["record_id"][named]) | set(table["duplicate_of"][named].dropna())
    copies = table["duplicate_of"].isin(list(pictures)) | table["record_id"].isin(list(pictures))
    return np.asarray(named | copies.fillna(False).to_numpy(dtype=bool))


def _leave_manifest(paths: DataPaths, manifest: pd.DataFrame, stones: Tombstones) -> int:
    """Take the rows out of the manifest and their files out of the folders; give their number."""
    if manifest.empty:
        return 0
    out = find_forgotten(manifest, stones)
    for file in manifest["file"][out]:
        (paths.folder / file).unlink(missing_ok=True)
    if out.any():
        write_text_whole(paths.manifest, manifest_text(manifest[~out]))
    return int(out.sum())


def _restate(paths: DataPaths, contents: set[str], is_rewritten: bool) -> None:
    """Let ``manifest.json`` state the hash of the manifest that stands now, and remember no side of what is gone."""
    try:
        facts = json.loads(paths.manifest_settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    before = json.dumps(facts)
    if "left" in facts:
        facts["left"] = {side: [one for one in left if one not in contents] for side, left in facts["left"].items()}
    if is_rewritten:
        facts["manifest_sha256"] = file_digest(paths.manifest)
    if json.dumps(facts) == before:
        return
    text = json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_text_whole(paths.manifest_settings, text)


def _remove_files(paths: DataPaths, contents: set[str]) -> int:
    """Remove what was stored and made of these contents; give the number of files.

    The arrays that the benchmark keeps hold many pictures in one file: all go, and are made again when they are needed.
    """
    n_files = 0
    forget_seen(paths.cache, contents)
    for sha256 in contents:
        for path in _files_of(paths, sha256):
            path.unlink(missing_ok=True)
            n_files += 1
    if n_files:
        shutil.rmtree(paths.benchmark_cache, ignore_errors=True)
    return n_files


def _files_of(paths: DataPaths, sha256: str) -> Iterator[Path]:
    yield from (paths.images / sha256[:2]).glob(f"{sha256}.*")
    yield from (path for path in (paths.converted_image(sha256), paths.thumbnail(sha256)) if path.exists())


def _leave_ledger(paths: DataPaths, tables: Iterable[pd.DataFrame], stones: Tombstones) -> None:
    if not paths.attempts.exists():
        return
    addresses: set[str] = set()
    for table in tables:
        rows = table[find_forgotten(table, stones)]
        for name in ADDRESSES:
            scheme = FILE_SCHEME if name == "local_path" else ""
            addresses |= {f"{scheme}{value}" for value in rows[name].dropna()}
    with Ledger(paths.attempts) as ledger:
        ledger.forget(addresses, map(bytes.fromhex, stones["content"]))


def _rewrite(paths: DataPaths, stage: Stage, table: pd.DataFrame) -> None:
    path = paths.catalog(stage)
    write_catalog(path, table, read_record(path))


def _exports_with(paths: DataPaths, contents: set[str]) -> tuple[Path, ...]:
    """List the exports that hold one of these contents."""
    found = []
    for form in FORMATS:
        try:
            rows = read_manifest(paths.export(form.name) / paths.manifest.name)
        except StateError:
            continue
        if rows["sha256"].isin(list(contents)).any():
            found.append(paths.export(form.name))
    return tuple(found)


def _others(paths: DataPaths, contents: set[str], n_manifest: int) -> Iterator[Holder]:
    """List what else may show the images, with the remedy."""
    if paths.report.exists():
        yield Holder(paths.report, ("run ", Command("report")))
    if paths.duplicates.exists():
        yield Holder(paths.duplicates, ("run ", Command("dedupe --gallery")))
    if n_manifest and (paths.benchmark / METRICS).exists():
        yield Holder(paths.benchmark, ("the models were trained on it: run ", Command("benchmark")))
    if paths.sources.exists() and any(paths.sources.iterdir()):
        yield Holder(paths.sources, "the sources' lists as obtained may name it: delete them")
    for folder in sorted({found.parents[2] for sha256 in contents for found in _stored_elsewhere(paths, sha256)}):
        yield Holder(folder, "another data set: forget it there too, or delete it")


def _stored_elsewhere(paths: DataPaths, sha256: str) -> Iterator[Path]:
    found = paths.data_root.glob(f"*/{paths.images.name}/{sha256[:2]}/{sha256}.*")
    return (path for path in found if path.parents[2] != paths.folder)
