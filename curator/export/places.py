"""Where an export is written: whole, in the place of an earlier one, and never over somebody's own files.

An export says in ``.curator-export.json`` which files it holds; a folder with any other, or a changed one, is left
alone.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> choose_place(folder / "new", folder / "exports") == folder / "new"
True
>>> _ = (folder / "notes.txt").write_text("mine")
>>> choose_place(folder, folder)
Traceback (most recent call last):
curator.errors.CuratorError: ... holds files that no export wrote, first notes.txt. Choose an empty folder or a new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from curator.errors import CuratorError
from curator.store.image_files import sync_files
from curator.store.paths import EXPORT_RECORD
from curator.store.whole_files import disk_errors, remove_folder

RECORD = EXPORT_RECORD
"""The files of an export with their sizes, so that a later one knows that nothing there is anybody's own."""

_ELSEWHERE = "Choose an empty folder or a new one."


def choose_place(output: str | Path | None, default: Path) -> Path:
    """Return the folder that an export goes to: ``output``, from the working folder, or ``default``.

    Raises:
        CuratorError: it is a file, the working folder itself, or holds what no export wrote.
    """
    if output is None:
        return default
    folder = Path(output).expanduser().resolve()
    if folder in (Path.cwd(), *Path.cwd().parents):
        raise CuratorError(f"{folder} is the working folder or above it; an export replaces its folder.", _ELSEWHERE)
    if folder.exists() and not folder.is_dir():
        raise CuratorError(f"{folder} is a file.", _ELSEWHERE)
    holds, recorded = _sizes(folder), _recorded(folder)
    if strangers := sorted(name for name, size in holds.items() if recorded.get(name) != size and name != RECORD):
        raise CuratorError(f"{folder} holds files that no export wrote, first {strangers[0]}.", _ELSEWHERE)
    return folder


def _sizes(folder: Path) -> dict[str, int]:
    """Return the files below a folder, and the folders that are empty, with their sizes in bytes; links are files."""
    found: dict[str, int] = {}
    for here, folders, files in os.walk(folder):
        names = [*files, *(name for name in folders if (Path(here) / name).is_symlink())]
        found |= {(Path(here) / name).relative_to(folder).as_posix(): _size(Path(here) / name) for name in names}
        if not folders and not files and Path(here) != folder:
            found[Path(here).relative_to(folder).as_posix() + "/"] = 0
    return found


def _size(path: Path) -> int:
    return path.lstat().st_size


def _recorded(folder: Path) -> dict[str, int]:
    try:
        return dict(json.loads((folder / RECORD).read_text("utf-8"))["holds"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@contextmanager
def replaced_folder(final: Path, about: Mapping[str, str]) -> Iterator[Path]:
    """Yield an empty folder to write to; on leaving without an error it takes the place of ``final``, whole.

    What a killed run left is removed first. ``about`` is recorded beside the files.

    Raises:
        DiskError: the disk refused; what was at ``final`` is kept.
    """
    new, old = (final.with_name(f".curator-{which}-{final.name}") for which in ("new", "old"))
    with disk_errors(final):
        remove_folder(new)
        if old.exists() and not final.exists():  # a run was killed between two renames
            old.rename(final)
        new.mkdir(parents=True)
        try:
            yield new
        except BaseException:
            remove_folder(new)
            raise
        holds = dict(sorted(_sizes(new).items()))
        (new / RECORD).write_text(json.dumps({**about, "holds": holds}) + "\n", encoding="utf-8")
        sync_files(new, [str(path) for path in new.rglob("*") if path.is_file()])
        remove_folder(old)
        if final.exists():
            final.rename(old)
        try:
            new.rename(final)
        except OSError:
            if old.exists():
                old.rename(final)
            raise
        remove_folder(old)
