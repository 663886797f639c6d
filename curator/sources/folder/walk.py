"""List the files of a folder in a fixed order, and count what is left out: hidden files are none of a data set's.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("b/2.jpg", "a/1.jpg", ".git/x", "0.jpg"):
...     (root / name).parent.mkdir(exist_ok=True)
...     (root / name).touch()
>>> (root / "a" / "up").symlink_to(root)
>>> left_out = Counter()
>>> list(list_files(root, left_out, follow_links=True)), dict(left_out)
(['0.jpg', 'a/1.jpg', 'b/2.jpg'], {'links that lead in a circle': 1})
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from curator.text import plural

CIRCLES = "links that lead in a circle"
BROKEN = "links whose file is not here"
ELSEWHERE = "links that lead out of the folder, or to folders"
AGAIN = "links to folders that are listed already"
UNREADABLE = "folders that cannot be read"
UNNAMEABLE = "files or folders whose names are not UTF-8"

_OF_ONE = {
    CIRCLES: "link that leads in a circle",
    BROKEN: "link whose file is not here",
    ELSEWHERE: "link that leads out of the folder, or to a folder",
    AGAIN: "link to a folder that is listed already",
    UNREADABLE: "folder that cannot be read",
    UNNAMEABLE: "file or folder whose name is not UTF-8",
}


def count_left_out(left_out: Counter[str]) -> list[str]:
    """Say how many of each kind were left out.

    >>> count_left_out(Counter({CIRCLES: 1, BROKEN: 2}))
    ['1 link that leads in a circle', '2 links whose file is not here']
    """
    return [plural(n, _OF_ONE.get(what, what), what) for what, n in sorted(left_out.items())]


def list_files(root: Path, left_out: Counter[str], *, follow_links: bool) -> Iterator[str]:
    """Yield the files below ``root`` as paths relative to it, with ``/``: those of a folder by name, then its folders.

    Args:
        root: an absolute path without links.
        left_out: counts what is left out, and why.
        follow_links: list what links to files and folders lead to, each folder once, after what is here by itself;
            else only links to files below ``root`` are files.
    """
    here, linked, seen = [""], deque[str](), {_identity(str(root))}
    while here or linked:
        folder = here.pop() if here else linked.popleft()
        try:
            if folder and (identity := _identity(f"{root}/{folder}")) in seen:
                left_out[CIRCLES if _leads_up(root, folder) else AGAIN] += 1
                continue
            elif folder:
                seen.add(identity)
            with os.scandir(f"{root}/{folder}") as found:
                entries = sorted((entry for entry in found if entry.name[0] != "."), key=lambda entry: entry.name)
        except OSError:
            left_out[UNREADABLE] += 1
            continue
        folders = []
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if not _is_dir(entry) or not _is_text(entry.name):
                if reason := _reason_against(entry, root, follow_links):
                    left_out[reason] += 1
                elif entry.is_symlink() or entry.is_file():
                    yield name
            elif not entry.is_symlink():
                folders.append(name)
            elif not follow_links:
                left_out[ELSEWHERE] += 1
            elif _leads_up(root, name):
                left_out[CIRCLES] += 1
            else:
                linked.append(name)
        here += reversed(folders)


def _is_dir(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; a link to itself, or to where nobody may look, is none."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116 (paths are text here: objects would take a third of the time)
    return status.st_dev, status.st_ino


def _leads_up(root: Path, name: str) -> bool:
    """Return whether a folder is one of those that it lies in, or that ``root`` lies in."""
    target = Path(os.path.realpath(root / name))
    return (root / name).parent.resolve().is_relative_to(target) or root.is_relative_to(target)


def _reason_against(entry: os.DirEntry[str], root: Path, follow_links: bool) -> str:
    """Say why an entry that is no folder is left out, if it is."""
    if not _is_text(entry.name):
        return UNNAMEABLE
    if not entry.is_symlink():
        return ""
    if not follow_links and not Path(os.path.realpath(entry.path)).is_relative_to(root):
        return ELSEWHERE
    return "" if os.path.isfile(entry.path) else BROKEN  # noqa: PTH113 (False for a link to itself too)


def _is_text(name: str) -> bool:
    return name.encode("utf-8", "ignore").decode() == name
