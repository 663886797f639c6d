"""Files for DVC: an import of each image, with its address and the MD5 by which DVC knows contents.

Their form: https://dvc.org/doc/user-guide/project-structure/dvc-files. The first line is a remark by which a later
mirror knows them; ``dvc update`` keeps it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from curator.errors import StateError
from curator.export.material import plain_records
from curator.export.mirror.kind import (
    DAMAGED,
    MADE,
    NO_ADDRESS,
    NOT_STORED,
    OF_OTHERS,
    PRESENT,
    WRITTEN,
    Kind,
    addresses_of,
    served_name,
)
from curator.reasons import SPLITS
from curator.store import beneath
from curator.store.image_files import stored_name
from curator.store.image_store import here
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole

_ENDING = ".dvc"
_PIECE_BYTES = 1 << 20


def write_imports(rows: pd.DataFrame, paths: DataPaths, folder: Path, advance: Callable[[], None]) -> list[str]:
    """Write an import for each row; see :class:`curator.export.mirror.kind.Kind`.

    An import that an earlier mirror of this data set wrote, and whose image has left the manifest or changed sides, is
    removed: it would bring the picture to the other side of the split.
    """
    mark = f"# curator mirror: {paths.name}\n"
    outcomes, names = [], set()
    for row in plain_records(rows, tuple(rows.columns)):
        name = served_name(row) + _ENDING
        names.add(name)
        outcomes.append(_write(row, name, mark, paths.folder, folder))
        advance()
    for split in SPLITS:
        for name, _ in beneath.walk(folder, split):
            if name.endswith(_ENDING) and name not in names and (_read(folder, name) or "").startswith(mark):
                beneath.remove(folder, name)
    return outcomes


def _write(row: Mapping[str, Any], name: str, mark: str, data: Path, folder: Path) -> str:
    if row.get("made_of") is not None:
        return MADE
    found = addresses_of(row)
    if not found:
        return NO_ADDRESS
    digests = _digests(data, stored_name(row["sha256"], row["format"]))
    if digests is None:
        return NOT_STORED
    sha256, md5, n_bytes = digests
    if sha256 != row["sha256"]:
        return DAMAGED
    address, out = (json.dumps(one, ensure_ascii=False) for one in (found[0], Path(name).name.removesuffix(_ENDING)))
    outs = f"- md5: {md5}\n  size: {n_bytes}\n  hash: md5\n  path: {out}\n"
    text = f"{mark}frozen: true\ndeps:\n- path: {address}\nouts:\n{outs}"
    before = _read(folder, name)
    if before is None or (before and not before.startswith(mark)):
        return OF_OTHERS
    said = {line.strip().removeprefix("- ") for line in before.splitlines()}  # quoted or not
    if f"md5: {md5}" in said and said & {f"path: {address}", f"path: {found[0]}"}:
        return PRESENT
    write_text_whole(folder / name, text)
    return WRITTEN


def _digests(data: Path, name: str) -> tuple[str, str, int] | None:
    """Return the SHA-256, the MD5 and the size of a stored file in bytes; None if it is not there."""
    sha256, md5, n_bytes = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    here(data / name)
    try:
        with beneath.opened_file(data, name) as source:
            while piece := os.read(source, _PIECE_BYTES):
                sha256.update(piece)
                md5.update(piece)
                n_bytes += len(piece)
    except FileNotFoundError:
        return None
    except StateError:
        return "", "", 0
    return sha256.hexdigest(), md5.hexdigest(), n_bytes


def _read(folder: Path, name: str) -> str | None:
    """Return the text at an import's place: empty if there is none, None if it is a link or no file."""
    try:
        with beneath.opened_file(folder, name) as source:
            return os.read(source, _PIECE_BYTES).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except StateError:
        return None


KIND = Kind(
    name="dvc",
    summary="an import for each image, with address and MD5, for a repository of DVC",
    write=write_imports,
    snippet=lambda name: (
        """dvc update --recursive .           # gets each image from its address
git diff -U0 | grep '^-- md5'      # the images that came with other bytes"""
    ),
)
