"""Lists for git-annex: the key of each image, made of its SHA-256 and size, its name, and the addresses it was at.

The key's form is that of the backend SHA256E (https://git-annex.branchable.com/internals/key_format/); the lists are
what ``git annex fromkey --batch`` and ``git annex registerurl --batch`` read: ``git annex get`` verifies what comes.

>>> key_of({"sha256": "ab" * 32, "n_bytes": 3000, "format": "jpeg"})[:18]
'SHA256E-s3000--aba'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from curator.errors import CuratorError
from curator.export.material import plain_records
from curator.export.mirror.kind import MADE, NO_ADDRESS, PRESENT, WRITTEN, Kind, addresses_of, served_name
from curator.store.paths import ENDINGS, DataPaths
from curator.store.whole_files import write_text_whole

_KEY = "SHA256E-"


def write_lists(rows: pd.DataFrame, paths: DataPaths, folder: Path, advance: Callable[[], None]) -> list[str]:
    """Write both lists whole; see :class:`curator.export.mirror.kind.Kind`.

    Raises:
        CuratorError: a file of one of these names is no such list.
    """
    files, addresses, outcomes = [], [], []
    for row in plain_records(rows, tuple(rows.columns)):
        is_made = row.get("made_of") is not None
        key, found = key_of(row), [] if is_made else addresses_of(row)
        if found:
            files.append(f"{key} {served_name(row)}\n")
            addresses += [f"{key} {address}\n" for address in found]
        outcomes.append(WRITTEN if found else MADE if is_made else NO_ADDRESS)
        advance()
    is_new = [
        _write(folder / name, lines) for name, lines in zip(list_names(paths.name), (files, addresses), strict=True)
    ]
    return outcomes if any(is_new) else [PRESENT if one == WRITTEN else one for one in outcomes]


def list_names(name: str) -> tuple[str, str]:
    """Name the lists of a data set, of the files and of their addresses: several data sets may share a folder."""
    return f"annex-files-{name}.txt", f"annex-urls-{name}.txt"


def key_of(row: Mapping[str, Any]) -> str:
    """Return git-annex' key of a row of a manifest; one without a size if the manifest does not state it."""
    size = f"-s{row['n_bytes']}" if row.get("n_bytes") else ""
    return f"{_KEY[:-1]}{size}--{row['sha256']}.{ENDINGS.get(row['format'], row['format'])}"


def _write(path: Path, lines: Sequence[str]) -> bool:
    """Write a list in the place of an earlier one; return whether it is another one."""
    text = "".join(lines)
    if path.exists():
        before = path.read_text("utf-8", errors="replace")
        if any(not line.startswith(_KEY) for line in before.splitlines()):
            raise CuratorError(f"{path} is no list of git-annex keys.", "Move it away, or choose another folder.")
        if before == text:
            return False
    write_text_whole(path, text)
    return True


def _snippet(name: str) -> str:
    files, addresses = list_names(name)
    return f"""git annex fromkey --force --batch < {files}
git annex registerurl --batch < {addresses}
git annex get ."""


KIND = Kind(
    name="git-annex",
    summary="lists of keys, names and addresses, for a repository of git-annex",
    write=write_lists,
    snippet=_snippet,
)
