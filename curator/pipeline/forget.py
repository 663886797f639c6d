"""Take images out for good: files, folders, manifest and catalogs; tombstones prevent that they come back.

>>> kind_of_target("https://photos.example/1.jpg"), kind_of_target("host:photos.example"), kind_of_target("Ann")
(('address', 'https://photos.example/1.jpg'), ('host', 'photos.example'), ('', 'Ann'))
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from curator import catalog
from curator.catalog import Stage
from curator.decide.forgotten import drop_forgotten, find_forgotten
from curator.errors import CuratorError, StoreError
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import FILE_SCHEME
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.manifest import manifest_text, read_manifest
from curator.manifests.project import Project
from curator.manifests.records import mend_records
from curator.manifests.tombstones import KINDS, Tombstones, append_tombstones, digest, read_tombstones
from curator.pipeline.forgotten_files import Removed, remove_everything
from curator.store.catalog_files import read_catalog, read_record, write_catalog
from curator.store.image_store import store_of
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.store.shards.commit import forget_images
from curator.store.shards.object_store import SAFE
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text, as_parts, plural

_PREFIXES = {"sha256": "content", "url": "address", "author": "author", "host": "host"}
_REQUESTED = ("url", "fallback_url", "final_url", "archive_url", "local_path")


@dataclass(frozen=True)
class Holder:
    """What may still show or hold what was forgotten, and what to do about it."""

    path: Path
    remedy: Text


@dataclass(frozen=True)
class Forgotten:
    """What was taken out, which exports went with it, and what else must be made again or deleted."""

    n_listed: int
    n_files: int
    n_manifest: int
    exports: tuple[Path, ...]
    others: tuple[Holder, ...]


def forget(project: Project, target: str) -> Forgotten:
    """Forget the images that ``target`` names: a URL, an author, a host or a SHA-256.

    The known copies of a picture go with it, except if a host is forgotten: other hosts keep theirs. What a run left
    that was killed is finished by the next one, whatever that forgets.

    Raises:
        CuratorError: nothing of that name is known.
        StoreError: the object store refused or cannot be reached; the same command goes on from there.
        LockedError, DiskError: see there.
    """
    paths = project.paths
    with locked(paths.lock, "forget"):
        mend_records(project)
        catalogs = {stage: paths.catalog(stage) for stage in Stage if paths.catalog(stage).exists()}
        tables = {stage: read_catalog(path) for stage, path in catalogs.items()}
        manifest = read_manifest(paths.manifest) if paths.manifest.exists() else pd.DataFrame()
        known = [*tables.values(), manifest]
        stones = _known_stones(paths, target, known)
        contents = _contents(known, stones)
        stones = {**stones, "content": frozenset(contents | stones["content"])}
        contents |= _contents(known, stones)  # what else was made of the same picture
        stones = {**stones, "content": frozenset(contents | stones["content"])}
        # Where the images came from, so that no later fetch even requests them.
        stones["address"] |= {digest(address) for _, address in _requested(known, stones)}
        append_tombstones(paths.forgotten, stones)
        listed = tables.get(Stage.FETCHED, next(iter(tables.values()), catalog.empty()))
        n_listed = int(find_forgotten(listed, stones).sum())
        everything = read_tombstones(paths.forgotten)  # also what a run that was killed did not finish
        had_metrics = paths.metrics.exists()
        out = find_forgotten(manifest, everything)
        removed = remove_everything(paths, everything["content"], manifest["file"][out] if out.any() else ())
        n_files = removed.n_files + _forget_stored(paths, everything["content"])  # the name is known until it is done
        _restate(paths, manifest, out, everything["content"])
        _forget_requests(paths, tables.values(), everything)
        for stage, path in catalogs.items():
            write_catalog(path, drop_forgotten(tables[stage], everything), read_record(path))
    others = tuple(_others(paths, contents, removed, bool(out.any()) and had_metrics)) if n_listed or contents else ()
    return Forgotten(n_listed, n_files, int(out.sum()), removed.exports, others)


def _forget_stored(paths: DataPaths, contents: Collection[str]) -> int:
    """Take images out of the object store, if there is one; return how many were in it."""
    store = store_of(paths.folder)
    if store is None or not contents:
        return 0
    try:
        return forget_images(store, contents)
    except StoreError as error:
        done = "The tombstones are written and this disk is clear, but not the store: run the same command again."
        raise StoreError(error.message, str(error.hint).replace(SAFE, done)) from error


def _known_stones(paths: DataPaths, target: str, tables: Iterable[pd.DataFrame]) -> dict[str, frozenset[str]]:
    """See :func:`_name_stones`; before a name is refused, what was forgotten before leaves the object store."""
    try:
        return _name_stones(target, tables)
    except CuratorError as error:
        n_gone = _forget_stored(paths, read_tombstones(paths.forgotten)["content"])
        if not n_gone:
            raise
        news = f"{plural(n_gone, 'image')} forgotten before left the object store now."
        raise CuratorError(error.message, (news, " ", *as_parts(error.hint))) from error


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
            contents |= set(table["made_of"][named].dropna()) if "made_of" in table else set()
    return contents


def _requested(tables: Iterable[pd.DataFrame], stones: Tombstones) -> Iterator[tuple[str, str]]:
    """Find where the images came from: column and address."""
    for table in tables:
        rows = table[find_forgotten(table, stones)]
        for name in _REQUESTED:
            yield from ((name, address) for address in (rows[name].dropna() if name in rows else ()))


def _restate(paths: DataPaths, manifest: pd.DataFrame, out: catalog.BoolArray, contents: Collection[str]) -> None:
    """Take rows out of the manifest; let ``manifest.json`` state its hash, and remember no side of what is gone.

    ``manifest.json`` comes first: after a kill between the two, the next run takes the rows out.
    """
    before = read_made_with(paths.made_with)
    left = {side: [one for one in hashes if one not in contents] for side, hashes in before.left.items()}
    text = manifest_text(manifest[~out]) if out.any() else ""
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest() if text else before.manifest_sha256
    now = replace(before, left=left, manifest_sha256=sha256)
    if before not in (now, MadeWith()):  # the latter: there is no file
        write_made_with(paths.made_with, now)
    if text:
        write_text_whole(paths.manifest, text)


def _forget_requests(paths: DataPaths, tables: Iterable[pd.DataFrame], stones: Tombstones) -> None:
    if not paths.attempts.exists():
        return
    found = _requested(tables, stones)
    urls = {f"{FILE_SCHEME}{address}" if name == "local_path" else address for name, address in found}
    with Ledger(paths.attempts) as ledger:
        ledger.forget(urls, [bytes.fromhex(sha256) for sha256 in stones["content"]])


def _others(paths: DataPaths, contents: set[str], removed: Removed, is_trained_on: bool) -> Iterator[Holder]:
    """List what else may show the images, or was removed, with the remedy."""
    makers = {paths.report: Command("report"), paths.duplicates: Command("dedupe --gallery")}
    for page in removed.pages:
        yield Holder(page, ("removed; to make it anew, run ", makers[page]))
    for folder in removed.own_exports:
        yield Holder(folder, "it holds files that no export wrote, and was left: move those away, then forget again")
    if is_trained_on:
        yield Holder(paths.benchmark, ("the models were trained on it: run ", Command("benchmark")))
    if paths.sources.exists() and any(paths.sources.iterdir()):
        yield Holder(paths.sources, "the sources' lists as obtained may name it: delete them")
    for folder in sorted(paths.holders_of(contents)):
        yield Holder(folder, "another data set: forget it there too, or delete it")
