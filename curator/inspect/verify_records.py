"""What ``verify`` reads beside the images: records with checksums, and every other file that curator wrote.

>>> [finding.problem for finding in check_records(DataPaths(Path("nowhere"), Path("nowhere"), "balls"))]
[]
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curator.embed.row_file import find_damage
from curator.errors import CuratorError, StateError
from curator.export.places import RECORD, own_files, read_record
from curator.fetch.ledger.ledger import Ledger
from curator.inspect.findings import Finding
from curator.manifests.inventory import export_folders
from curator.manifests.made_with import read_made_with
from curator.manifests.reviews import read_reviews
from curator.manifests.tombstones import read_tombstones
from curator.reasons import SPLITS, Stage
from curator.store import beneath
from curator.store.catalog_files import file_digest, find_thumbnails
from curator.store.json_lines import CHECK, is_changed, read_lines
from curator.store.lock import find_holder, was_killed
from curator.store.packed import check_files
from curator.store.paths import LEDGER, LOCK, RECIPE, SUMS, DataPaths
from curator.store.plain_json import parse_json, read_json
from curator.store.sums import read_sums

CHANGED = "it is not as it was written: its checksum differs"
_NOT_RECORDED = "its SHA-256 was not recorded when it was written, so only whether it opens was checked"


def check_records(paths: DataPaths) -> Iterator[Finding]:
    """Check the manifest and what lies beside it: each against the checksum that it or another states."""
    yield from _check_manifest(paths)
    for path, read in ((paths.reviews, read_reviews), (paths.forgotten, read_tombstones)):
        yield from _check_lines(path, read)


def _check_manifest(paths: DataPaths) -> Iterator[Finding]:
    if not paths.manifest.exists():
        return
    name = str(paths.made_with)
    try:
        stated = read_made_with(paths.made_with)
        facts = read_json(paths.made_with) if paths.made_with.exists() else {}
    except StateError as error:
        yield Finding("", name, error.message)
        return
    if is_changed(facts):
        yield Finding("", name, CHANGED)
    elif CHECK not in facts:
        why = "it is of an earlier version" if facts else "it is missing"
        yield Finding("", name, f"{why}, and states no checksum of itself", is_fault=False)
    recipe = paths.manifest_folder / RECIPE
    if stated.recipe_sha256 and recipe.is_file() and stated.recipe_sha256 != file_digest(recipe):
        yield Finding("", str(recipe), f"it has changed since {paths.made_with.name} was written", is_fault=False)
    if stated.manifest_sha256 and stated.manifest_sha256 != file_digest(paths.manifest):
        yield Finding("", str(paths.manifest), f"it is not the manifest that {paths.made_with.name} was written with")


def _check_lines(path: Path, read: Callable[[Path], object]) -> Iterator[Finding]:
    try:
        read(path)
        found = read_lines(path)
    except StateError as error:
        yield Finding("", str(path), error.message)
        return
    facts = [(number, parse_json(line)) for number, line in found.numbered]
    for number in (number for number, one in facts if is_changed(one)):
        yield Finding("", str(path), f"line {number:,} is not as it was written: its checksum differs")
    if found.torn:
        yield Finding("", str(path), "it ends in half a line; the next command cuts that off")
    if n := sum(CHECK not in one for _, one in facts):
        yield Finding("", str(path), f"{n:,} of its lines state no checksum: a person or an earlier version wrote them",
                      is_fault=False)  # fmt: skip


def check_written(paths: DataPaths) -> Iterator[Finding]:
    """Check every file below the data folder but the images: against its recorded SHA-256, or whether it opens."""
    folder = paths.folder
    if not folder.is_dir():
        return
    sums = read_sums(folder)
    if sums.damaged:
        lines = ", ".join(map(str, sums.damaged[:5]))
        yield Finding("", str(folder / SUMS), f"line {lines}{'…' if len(sums.damaged) > 5 else ''} is damaged")
    skipped = {paths.images.name, paths.exports.name, *SPLITS, LOCK, SUMS, f"{LEDGER}-wal", f"{LEDGER}-shm"}
    top = [name for name in beneath.list_names(folder) if name not in skipped]
    yield from (Finding("", str(folder / name), "is a link") for name in top if (folder / name).is_symlink())
    inner = [name for name in top if (folder / name).is_dir() and not (folder / name).is_symlink()]
    names = [name for name in top if (folder / name).is_file()]
    names += [name for one in inner for name, _ in beneath.walk(folder, one)]
    if was_killed(paths.lock) or find_holder(paths.lock):
        what = "a command is at work" if find_holder(paths.lock) else "the last command was killed: run it again"
        yield Finding("", str(paths.lock), f"{what}; what it writes is not vouched for", is_fault=False)
        if LEDGER in names:
            names.remove(LEDGER)
            yield from _check_ledger(paths)
    rows = {name: find_damage(folder / name) for name in names if name.endswith(".npy")}
    names = [name for name in names if rows.get(name) is None]  # a file of rows grows: each row has its own checksum
    yield from (Finding("", str(folder / name), problem) for name, problem in rows.items() if problem)
    of = {name: {PurePath(name).stem} for name in names if paths.is_held(name)} | dict(sums.of)
    known = [(name, of[name]) for name in names if name in of]
    for (name, _), problem in zip(known, check_files(folder, known), strict=True):
        if problem:
            yield Finding("", str(folder / name), problem)
    for name in names:
        if name not in of:
            yield _open(folder / name)
    yield from _check_thumbnails(paths)


def _check_thumbnails(paths: DataPaths) -> Iterator[Finding]:
    """Make sure that the file is there which each catalog names."""
    for stage in Stage:
        with suppress(StateError):  # damage of the catalog itself is found above
            named = find_thumbnails(paths.catalog(stage))
            if named and not (path := paths.catalog(stage).with_name(named)).is_file():
                yield Finding("", str(path), f"missing: {paths.catalog(stage).name} names it")
                return


def _check_ledger(paths: DataPaths) -> Iterator[Finding]:
    try:
        with Ledger(paths.attempts, to_read=True) as ledger:
            problem = ledger.damage()
    except CuratorError as error:
        problem = str(error)
    if problem:
        yield Finding("", str(paths.attempts), problem)


def _open(path: Path) -> Finding:
    """Open a file of which no SHA-256 is known."""
    try:
        _read(path)
    except (OSError, ValueError, EOFError, StateError, pa.ArrowException, zipfile.BadZipFile) as error:
        return Finding("", str(path), f"cannot be read ({(str(error).splitlines() or [type(error).__name__])[0]})")
    return Finding("", str(path), _NOT_RECORDED, is_fault=False)


def _read(path: Path) -> None:
    if path.suffix == ".parquet":
        pq.read_table(path)
    elif path.suffix == ".json":
        read_json(path)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path) as file:
            if bad := file.testzip():
                raise ValueError(f"{bad} in it is damaged")
    elif path.suffix == ".npy":
        np.load(path, mmap_mode="r")
    else:
        path.read_bytes()


def check_exports(paths: DataPaths) -> Iterator[Finding]:
    """Check every file of each export in its usual place against the SHA-256 that the export recorded."""
    for folder in export_folders(paths) if paths.folder.is_dir() else ():
        record = read_record(folder)
        if not record:
            yield Finding("", str(folder / RECORD), "it is missing or damaged, so nothing is known of this export")
            continue
        files = [(name, {sha256}) for name, (_, sha256) in record.items() if sha256]
        for (name, _), problem in zip(files, check_files(folder, files), strict=True):
            if problem:
                yield Finding("", str(folder / name), problem)
        if len(files) < sum(not name.endswith("/") for name in record):
            yield Finding("", str(folder), _NOT_RECORDED, is_fault=False)
        named = {name for name, _ in files}
        for name in own_files(folder):
            if name not in named:
                yield Finding("", str(folder / name), "no export wrote it")
