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

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from curator.errors import CuratorError
from curator.store import beneath
from curator.store.image_files import sync_files
from curator.store.json_lines import checked_line, is_changed
from curator.store.packed import digest_beneath
from curator.store.paths import EXPORT_RECORD, LEFT_BY_SYSTEMS
from curator.store.plain_json import Faults, read_json
from curator.store.whole_files import disk_errors, remove_folder

RECORD = EXPORT_RECORD
"""The files of an export with their sizes and SHA-256s, by which a later one knows what is nobody's own."""

_HIDDEN = ".curator-"
_ELSEWHERE = "Choose an empty folder or a new one."


def choose_place(output: str | Path | None, default: Path) -> Path:
    """Return the folder that an export goes to: ``output``, from the working folder, or ``default``.

    Raises:
        CuratorError: it is a file, the working folder itself, or holds what no export wrote.
    """
    folder = default if output is None else Path(output).expanduser().resolve()
    if output is not None and folder in (Path.cwd(), *Path.cwd().parents):
        raise CuratorError(f"{folder} is the working folder or above it; an export replaces its folder.", _ELSEWHERE)
    if folder.exists() and not folder.is_dir():
        raise CuratorError(f"{folder} is a file.", _ELSEWHERE)
    if strangers := own_files(folder):
        hint = _ELSEWHERE if output is not None else "Move them elsewhere: an export replaces its folder."
        raise CuratorError(f"{folder} holds files that no export wrote, first {strangers[0]}.", hint)
    return folder


def own_files(folder: Path) -> list[str]:
    """Name the files in an export's folder that the export did not write, or not so."""
    holds, recorded = _sizes(folder), _recorded(folder)
    return sorted(name for name, size in holds.items() if recorded.get(name) != size and name != RECORD)


def _sizes(folder: Path) -> dict[str, int]:
    """Return the files below a folder, and the folders that are empty, with their sizes in bytes; links are files."""
    found: dict[str, int] = {}
    for here, folders, files in os.walk(folder):
        names = [*files, *(name for name in folders if (Path(here) / name).is_symlink())]
        names = [name for name in names if name not in LEFT_BY_SYSTEMS]
        found |= {(Path(here) / name).relative_to(folder).as_posix(): _size(Path(here) / name) for name in names}
        if not folders and not files and Path(here) != folder:
            found[Path(here).relative_to(folder).as_posix() + "/"] = 0
    return found


def _size(path: Path) -> int:
    return path.lstat().st_size


def _recorded(folder: Path) -> dict[str, int]:
    return {name: size for name, (size, _) in read_record(folder).items()}


def read_record(folder: Path) -> dict[str, tuple[int, str]]:
    """Read which files an export wrote: name to size in bytes and SHA-256, empty if an older version did not note it.

    Nothing, if there is no record that can be read.
    """
    try:
        facts = read_json(folder / RECORD)
    except (OSError, ValueError):
        return {}
    if not isinstance(facts, dict) or is_changed(facts):
        return {}
    faults = Faults()
    holds, sums = (faults.take(facts, name, dict) for name in ("holds", "sha256"))
    return {name: (size, str(sums.get(name, ""))) for name, size in holds.items() if isinstance(size, int)}


def recover_exports(home: Path) -> None:
    """Bring back the exports that a run was killed amid replacing, and remove the halves that killed runs left.

    Raises:
        OSError: the disk refused.
    """
    hidden = [home / name for name in beneath.list_names(home) if name.startswith(_HIDDEN)] if home.is_dir() else []
    for folder in hidden:
        final = home / folder.name.removeprefix(f"{_HIDDEN}old-")
        if folder.name.startswith(f"{_HIDDEN}old-") and not final.exists():
            folder.rename(final)
        else:
            remove_folder(folder)


def remove_export(folder: Path) -> None:
    """Remove an export, whole: under another name first, so that of a run that is killed nothing is taken for one.

    Raises:
        OSError: the disk refused.
    """
    gone = folder.with_name(f"{_HIDDEN}gone-{folder.name}")
    remove_folder(gone)
    folder.rename(gone)
    remove_folder(gone)


@contextmanager
def replaced_folder(final: Path, about: Mapping[str, str]) -> Iterator[Path]:
    """Yield an empty folder to write to; on leaving without an error it takes the place of ``final``, whole.

    What a killed run left is removed first. ``about`` is recorded beside the files.

    Raises:
        DiskError: the disk refused; what was at ``final`` is kept.
    """
    new, old = (final.with_name(f"{_HIDDEN}{which}-{final.name}") for which in ("new", "old"))
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
        names = [name for name in holds if not name.endswith("/")]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            sums = dict(zip(names, threads.map(partial(digest_beneath, new), names), strict=True))
        (new / RECORD).write_text(checked_line({**about, "holds": holds, "sha256": sums}), encoding="utf-8")
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
