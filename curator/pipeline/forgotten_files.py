"""Remove every file below a data folder that holds, shows or is named after contents that were forgotten.

Each step can be done again, and what tells the next ones where to look goes last: so a run that was killed is finished
by another.

>>> remove_everything(DataPaths(Path("nowhere"), Path(), "balls"), set(), [])
Removed(n_files=0, exports=(), pages=(), own_exports=())
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from curator.benchmark.saved_model import forget_trained_on
from curator.embed.row_file import forget_rows
from curator.errors import StateError
from curator.export.places import own_files, recover_exports, remove_export
from curator.fetch.fragments.folder import absorb_left
from curator.fetch.ledger.ledger import Ledger
from curator.manifests.inventory import export_folders
from curator.manifests.manifest import read_manifest
from curator.pipeline.against_cache import forget_seen
from curator.reasons import SPLITS
from curator.store import beneath
from curator.store.image_files import recover
from curator.store.judged_file import forget_judged
from curator.store.packed import digest_beneath
from curator.store.paths import SUMS, DataPaths
from curator.store.sums import lines_without, read_sums
from curator.store.suspects_file import forget_suspects
from curator.store.whole_files import disk_errors, remove_folder, remove_leftovers, write_text_whole


@dataclass(frozen=True)
class Removed:
    """What was removed: how many files of images, which exports and pages; and exports that hold somebody's own files.

    The latter are left alone.
    """

    n_files: int
    exports: tuple[Path, ...]
    pages: tuple[Path, ...]
    own_exports: tuple[Path, ...]


def remove_everything(paths: DataPaths, contents: Collection[str], named: Iterable[str]) -> Removed:
    """Remove what holds or shows these contents (SHA-256s); see the module.

    Args:
        paths: of the data set, whose lock is held.
        contents: all that was ever forgotten.
        named: files of the folders, below the data folder, that the manifest names for them.

    Raises:
        DiskError: the disk refused.
        StateError: a folder is a link.
    """
    if not paths.folder.is_dir():
        return Removed(0, (), (), ())
    with disk_errors(paths.folder):
        _recover(paths)
        names = paths.files_of(contents)
        exports, own = _remove_exports(paths, contents)
        pages = tuple(path for path in (paths.report, paths.duplicates) if names and _remove(paths, path))
        for folder in (paths.new_folders, paths.old_folders, *([paths.benchmark_cache] if names else ())):
            remove_folder(folder)
        for name in {*named, *_shown_in_folders(paths, names)}:
            beneath.remove(paths.folder, name)
        forget_seen(paths.cache, contents)
        forget_rows(paths.features, contents)
        forget_rows(paths.cache, contents)
        for path in (paths.judged, paths.judged_elsewhere):
            forget_judged(path, contents)
        forget_suspects(paths.suspects, contents)
        forget_trained_on(paths, contents)
        n_files = sum(beneath.remove(paths.folder, name) for name in reversed(names))  # the stored file last
        sums = read_sums(paths.folder)
        if sums.of and len(text := lines_without(sums, contents)) < (paths.folder / SUMS).stat().st_size:
            write_text_whole(paths.folder / SUMS, text)
    return Removed(n_files, exports, pages, own)


def _recover(paths: DataPaths) -> None:
    """Name or remove what killed runs were writing, and add what workers of a cluster committed."""
    absorb_left(paths)
    if paths.attempts.exists():
        with Ledger(paths.attempts) as ledger:
            recover(paths, ledger.stored_format)
    inner = (name for name in beneath.list_names(paths.folder) if name not in (*SPLITS, paths.images.name))
    remove_leftovers(paths.folder, [name for name in inner if (paths.folder / name).is_dir()], of_living=True)
    recover_exports(paths.exports)


def _remove(paths: DataPaths, path: Path) -> bool:
    return beneath.remove(paths.folder, path.relative_to(paths.folder).as_posix())


def _remove_exports(paths: DataPaths, contents: Collection[str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Remove the exports that hold one of these contents, except those with somebody's own files; return both."""
    found = [folder for folder in export_folders(paths) if _holds(folder / paths.manifest.name, contents)]
    own = tuple(folder for folder in found if own_files(folder))
    ours = tuple(folder for folder in found if folder not in own)
    for folder in ours:
        remove_export(folder)
    return ours, own


def _holds(manifest: Path, contents: Collection[str]) -> bool:
    """Say whether an export may hold one of these: one whose manifest cannot be read may."""
    try:
        return bool(contents) and bool(read_manifest(manifest)["sha256"].isin(list(contents)).any())
    except StateError:
        return True


def _shown_in_folders(paths: DataPaths, names: Collection[str]) -> Iterator[str]:
    """Find the files of the folders that are these files of the data folder, as another name or as a copy."""
    facts = [(paths.folder / name).lstat() for name in names]
    inodes, sizes = {(one.st_dev, one.st_ino) for one in facts}, {one.st_size for one in facts}
    digests: set[str] = set()
    for split in SPLITS if names else ():
        for name, status in beneath.walk(paths.folder, split):
            if (status.st_dev, status.st_ino) in inodes:
                yield name
            elif status.st_size in sizes:
                digests = digests or {digest_beneath(paths.folder, one) for one in names}
                if digest_beneath(paths.folder, name) in digests:
                    yield name
