"""A mirror of files: ``images/<two digits>/<SHA-256>.<ending>`` as in the store, and the manifest that names them.

Several data sets may have the same folder. Files are copied, never linked: what happens to the store does not happen to
them.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from curator.errors import StateError
from curator.export.mirror.kind import DAMAGED, NOT_STORED, OF_OTHERS, PRESENT, REPAIRED, WRITTEN, Kind
from curator.store import beneath
from curator.store.catalog_files import file_digest
from curator.store.image_files import stored_name, sync_files
from curator.store.image_store import here
from curator.store.packed import digest_beneath
from curator.store.paths import IMAGES, MANIFESTS, DataPaths
from curator.store.whole_files import TEMPORARY_PREFIX, whole_file

_BATCH = 64
"""Files that are synced at once."""
_PIECE_BYTES = 1 << 20
_LEFTOVER = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}mirror-[0-9a-f]{{12}}-[0-9a-f]{{64}}\.[a-z0-9]+")


def write_images(rows: pd.DataFrame, paths: DataPaths, folder: Path, advance: Callable[[], None]) -> list[str]:
    """Copy the stored file of each row, verified by its SHA-256; see :class:`curator.export.mirror.kind.Kind`."""
    _remove_leftovers(folder)
    wanted = list(zip(rows["sha256"], map(stored_name, rows["sha256"], rows["format"]), strict=True))
    outcomes: dict[str, str] = {}
    distinct = list(dict.fromkeys(wanted))
    for start in range(0, len(distinct), _BATCH):
        outcomes |= _copy_batch(distinct[start : start + _BATCH], paths.folder, folder, advance)
    _keep_manifest(paths, folder)
    return [outcomes[name] for _, name in wanted]


def _copy_batch(
    batch: Sequence[tuple[str, str]], data: Path, folder: Path, advance: Callable[[], None]
) -> dict[str, str]:
    """Bring some files to the mirror; each gets its final name once the bytes of all are on the disk."""
    outcomes: dict[str, str] = {}
    written: dict[str, Path] = {}
    try:
        for sha256, name in batch:
            outcomes[name] = _look(folder, name, sha256)
            if outcomes[name] in (WRITTEN, REPAIRED):
                written[name] = folder / Path(name).parent / _temporary_name(name)
                if problem := _copy(data, name, sha256, written[name]):
                    outcomes[name] = problem
                    written.pop(name).unlink(missing_ok=True)
            advance()
        sync_files(folder, map(str, written.values()))
        for name, temporary in written.items():
            temporary.replace(folder / name)
        written.clear()
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)
    return outcomes


def _look(folder: Path, name: str, sha256: str) -> str:
    """Say what is to become of a file by what is at its place."""
    try:
        return PRESENT if digest_beneath(folder, name) == sha256 else REPAIRED
    except FileNotFoundError:
        return WRITTEN
    except StateError:  # a link, or no file
        return OF_OTHERS


def _copy(data: Path, name: str, sha256: str, temporary: Path) -> str:
    """Copy a stored file; return why it cannot be, if it cannot."""
    digest = hashlib.sha256()
    here(data / name)
    try:
        with beneath.opened_file(data, name) as source:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as out:
                while piece := os.read(source, _PIECE_BYTES):
                    digest.update(piece)
                    out.write(piece)
    except FileNotFoundError:
        return NOT_STORED
    except StateError:
        return DAMAGED
    temporary.chmod(0o444)
    return "" if digest.hexdigest() == sha256 else DAMAGED


def _temporary_name(name: str) -> str:
    return f"{TEMPORARY_PREFIX}mirror-{secrets.token_hex(6)}-{name.rpartition('/')[2]}"


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed mirrors were writing: what has the whole form of their names, and nothing else.

    Raises:
        StateError: one of the mirror's own folders is a link: what is written there would leave it.
    """
    beneath.list_names(folder, str(MANIFESTS))
    for shard in beneath.list_names(folder, IMAGES):
        if re.fullmatch("[0-9a-f]{2}", shard):
            for name in beneath.list_names(folder, f"{IMAGES}/{shard}"):
                if _LEFTOVER.fullmatch(name):
                    beneath.remove(folder, f"{IMAGES}/{shard}/{name}")


def kept_name(paths: DataPaths) -> str:
    """Name the manifest in a mirror, by its content too."""
    return f"{MANIFESTS}/{paths.name}-{file_digest(paths.manifest)[:12]}.csv"


def _keep_manifest(paths: DataPaths, folder: Path) -> None:
    """Keep the manifest under its name and content, so that none before it is replaced."""
    kept = folder / kept_name(paths)
    if not kept.exists():
        with whole_file(kept) as temporary:
            temporary.write_bytes(paths.manifest.read_bytes())


CHECK = 'for file in images/*/*; do name="${file##*/}"; echo "${name%.*}  $file"; done | sha256sum --check --quiet'

KIND = Kind(
    name="folder",
    summary="the files, each once, named by their SHA-256",
    write=write_images,
    snippet=lambda name: CHECK,
)
