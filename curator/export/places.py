"""Where an export is written: whole, in the place of an earlier one, and never over somebody's own files.

An export says in ``.curator-export.json`` what it holds; a folder with anything else in it is left alone.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import CuratorError
from curator.store.image_files import sync_files
from curator.store.whole_files import disk_errors, remove_folder

RECORD = ".curator-export.json"
"""What an export holds at its top, so that a later one knows that nothing of it is anybody's own."""

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
    strangers = sorted({path.name for path in folder.iterdir()} - _recorded(folder)) if folder.exists() else []
    if strangers:
        raise CuratorError(f"{folder} holds files that no export wrote, first {strangers[0]}.", _ELSEWHERE)
    return folder


def _recorded(folder: Path) -> set[str]:
    try:
        return {RECORD, *json.loads((folder / RECORD).read_text("utf-8"))["holds"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextmanager
def replaced_folder(final: Path) -> Iterator[Path]:
    """Yield an empty folder to write to; on leaving without an error it takes the place of ``final``, whole.

    What a killed run left is removed first.

    Raises:
        DiskError: the disk refused; what was at ``final`` is kept.
    """
    new, old = (final.with_name(f".curator-{which}-{final.name}") for which in ("new", "old"))
    with disk_errors(final):
        remove_folder(new)
        new.mkdir(parents=True)
        try:
            yield new
        except BaseException:
            remove_folder(new)
            raise
        holds = sorted(path.name for path in new.iterdir())
        (new / RECORD).write_text(json.dumps({"holds": holds}) + "\n", encoding="utf-8")
        sync_files(new, [str(path) for path in new.rglob("*") if path.is_file()])
        remove_folder(old)
        if final.exists():
            final.rename(old)
        new.rename(final)
        remove_folder(old)
