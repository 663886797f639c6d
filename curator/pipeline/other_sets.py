"""Whether another data set, which ours is compared with, has changed: a digest of its manifest, or of its folder.

>>> digest_others(["nowhere"], Path(), {"nowhere": "ab"})
{'nowhere': 'ab'}
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from curator.store.catalog_files import file_digest


def digest_others(places: Sequence[str], base_dir: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Return a SHA-256 of each place that changes when its files do: of a manifest, or of a folder's names and times.

    A place that is gone keeps its digest in ``known``, as a later stage is content with the comparison made; else it
    is empty.
    """
    return {place: _digest(base_dir / Path(place).expanduser()) or known.get(place, "") for place in places}


def _digest(path: Path) -> str:
    if not path.is_dir():
        return file_digest(path) if path.exists() else ""
    sums = hashlib.sha256()
    for file in walk(path):
        sums.update(mark(file, path) + b"\n")
    return sums.hexdigest()


def mark(path: Path, folder: Path) -> bytes:
    """Identify a file, as it is now, by its name below the folder, its size and its time."""
    facts = path.stat()
    return os.fsencode(path.relative_to(folder).as_posix()) + f"\0{facts.st_size} {facts.st_mtime_ns}".encode()


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order; hidden ones are left out."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = (Path(here) / name for name in sorted(names) if not name.startswith("."))
        yield from (path for path in files if path.is_file())
