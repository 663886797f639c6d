"""Take images out for good: files, folders, manifest and catalogs; tombstones prevent that they come back.

>>> kind_of_target("https://photos.example/1.jpg"), kind_of_target("host:photos.example"), kind_of_target("Ann")
(('address', 'https://photos.example/1.jpg'), ('host', 'photos.example'), ('', 'Ann'))
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from curator import catalog
from curator.catalog import Stage
from curator.decide.forgotten import drop_forgotten, find_forgotten
from curator.embed.row_file import forget_rows
from curator.errors import CuratorError, StateError
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import FILE_SCHEME
from curator.manifests.inventory import export_folders
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.manifests.tombstones import KINDS, Tombstones, append_tombstones, digest
from curator.pipeline.against_cache import forget_seen
from curator.store.catalog_files import file_digest, read_catalog, read_record, write_catalog
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.store.suspects_file import forget_suspects
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text

_PREFIXES = {"sha256": "content", "url": "address", "author": "author", "host": "host"}
_REQUESTED = ("url", "fallback_url", "final_url", "local_path")


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

    The known copies of a picture go with it, except if a host is forgotten: other hosts keep theirs. A run that was
    killed is finished by the same command again.

    Raises:
        CuratorError: nothing of that name is known.
        LockedError, DiskError: see there.
    """
    paths = project.paths
    with locked(paths.lock, "forget"):
        catalogs = {stage: paths.catalog(stage) for stage in Stage if paths.catalog(stage).exists()}
        tables = {stage: read_catalog(path) for stage, path in catalogs.items()}
        manifest = read_manifest(paths.manifest) if paths.manifest.exists() else pd.DataFrame()
        known = [*tables.values(), manifest]
        stones = _name_stones(target, known)
        contents = _contents(known, stones)
        gone = contents | stones["content"]
        stones = {**stones, "content": frozenset(gone)}
        # Where the images came from, so that no later fetch even requests them.
        stones["address"] |= {digest(address) for _, address in _requested(known, stones)}
        append_tombstones(paths.forgotten, stones)
        listed = tables.get(Stage.FETCHED, next(iter(tables.values()), catalog.empty()))
        n_manifest = _leave_manifest(paths, manifest, stones)
        _restate(paths, gone, n_manifest > 0)
        n_files = _remove_files(paths, gone)
        if paths.attempts.exists():
            found = _requested(tables.values(), stones)
            urls = {f"{FILE_SCHEME}{address}" if name == "local_path" else address for name, address in found}
            with Ledger(paths.attempts) as ledger:
                ledger.forget(urls, map(bytes.fromhex, stones["content"]))
        for stage, path in catalogs.items():
            write_catalog(path, drop_forgotten(tables[stage], stones), read_record(path))
    n_listed = int(find_forgotten(listed, stones).sum())
    others = tuple(_others(paths, contents, n_manifest)) if n_listed or contents else ()
    return Forgotten(n_listed, n_files, n_manifest, tuple(_exports_with(paths, contents)), others)


def kind_of_target(target: str) -> tuple[str, str]:
    """Say what a name can only mean, as (kind, name); the kind is empty if only the catalog knows."""
    prefix, _, rest = target.partition(":")
    if prefix in _PREFIXES and rest and not rest.startswith("//"):
        kind = _PREFIXES[prefix]
        return kind, rest.lower() if kind == "content" else rest
    if len(target) == 64 and set(target.lower()) <= set("0123456789abcdef"):
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
    rest = "with `url:`, `author:`, `host:` or `sha256:` before it, it need not be here."
    raise CuratorError(f"No image is known by {name!r}.", f"Write it as the manifest has it; {rest}")


def _contents(tables: Iterable[pd.DataFrame], stones: Tombstones) -> set[str]:
    """Return the contents of the images named, of their copies, and of what they are copies of."""
    contents: set[str] = set()
    for table in tables:
        named = find_forgotten(table, stones)
        if named.any() and not stones["host"] and "duplicate_of" in table:
            pictures = [*table["record_id"][named], *table["duplicate_of"][named].dropna()]
            copies = table["duplicate_of"].isin(pictures) | table["record_id"].isin(pictures)
            named |= copies.fillna(False).to_numpy(dtype=bool)
        if named.any() and "sha256" in table:
            contents |= set(table["sha256"][named].dropna())
    return contents


def _requested(tables: Iterable[pd.DataFrame], stones: Tombstones) -> Iterator[tuple[str, str]]:
    """Find where the images came from: column and address."""
    for table in tables:
        rows = table[find_forgotten(table, stones)]
        for name in _REQUESTED:
            yield from ((name, address) for address in (rows[name].dropna() if name in rows else ()))


def _leave_manifest(paths: DataPaths, manifest: pd.DataFrame, stones: Tombstones) -> int:
    """Take the rows out of the manifest and their files out of the folders; return their number."""
    if manifest.empty:
        return 0
    out = find_forgotten(manifest, stones)
    for file in manifest["file"][out]:
        (paths.folder / file).unlink(missing_ok=True)
    if out.any():
        write_text_whole(paths.manifest, manifest_text(manifest[~out]))
    return int(out.sum())


def _restate(paths: DataPaths, contents: set[str], is_rewritten: bool) -> None:
    """Let ``manifest.json`` state the hash of the manifest as it is now, and remember no side of what is gone."""
    before = read_made_with(paths.made_with)
    left = {side: [one for one in hashes if one not in contents] for side, hashes in before.left.items()}
    now = replace(
        before, left=left, manifest_sha256=file_digest(paths.manifest) if is_rewritten else before.manifest_sha256
    )
    if before not in (now, MadeWith()):  # the latter: there is no file, or none that can be read
        write_made_with(paths.made_with, now)


def _remove_files(paths: DataPaths, contents: set[str]) -> int:
    """Remove what was stored and made of these contents; return the number of files.

    The arrays that the benchmark keeps hold many pictures in one file: all go, and are made again when they are needed.
    """
    forget_seen(paths.cache, contents)
    forget_rows(paths.features, contents)
    if paths.suspects.exists():
        forget_suspects(paths.suspects, contents)
    files = [path for sha256 in contents for path in paths.files_of(sha256)]
    for path in files:
        path.unlink(missing_ok=True)
    if files:
        shutil.rmtree(paths.benchmark_cache, ignore_errors=True)
    return len(files)


def _others(paths: DataPaths, contents: set[str], n_manifest: int) -> Iterator[Holder]:
    """List what else may show the images, with the remedy."""
    if paths.report.exists():
        yield Holder(paths.report, ("run ", Command("report")))
    if paths.duplicates.exists():
        yield Holder(paths.duplicates, ("run ", Command("dedupe --gallery")))
    if n_manifest and paths.metrics.exists():
        yield Holder(paths.benchmark, ("the models were trained on it: run ", Command("benchmark")))
    if paths.sources.exists() and any(paths.sources.iterdir()):
        yield Holder(paths.sources, "the sources' lists as obtained may name it: delete them")
    for folder in sorted({holder for sha256 in contents for holder in paths.holders_of(sha256)}):
        yield Holder(folder, "another data set: forget it there too, or delete it")


def _exports_with(paths: DataPaths, contents: set[str]) -> Iterator[Path]:
    """Find the exports that hold one of these contents."""
    for folder in export_folders(paths):
        try:
            rows = read_manifest(folder / paths.manifest.name)
        except StateError:
            continue
        if rows["sha256"].isin(list(contents)).any():
            yield folder
