"""Find the local files that a table names: only below its folders, whatever a stranger wrote into the table.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "images").mkdir(), (folder / "images" / "a1.jpg").touch()
>>> pictures = PictureFolder(folder)
>>> [pictures.find(name)[1] for name in ("images/a1.jpg", "images/a1", "images/a2.jpg")]
['', '', 'whose file does not exist']
>>> {pictures.find(name)[1] for name in ("../a1.jpg", "/etc/hostname")}
{'whose file lies outside of the folder (`root` names one that holds all)'}
>>> Path(PictureFolder(folder, folder / "tables").find("../images/a1.jpg")[0]).relative_to(folder).as_posix()
'images/a1.jpg'
"""

from __future__ import annotations

import os
import posixpath
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from curator.sources.sides import side_of_name

MISSING = "whose file does not exist"
OUTSIDE = "whose file lies outside of the folder (`root` names one that holds all)"
LINKED = "whose file is a link that leads out of the folder (`links = true` follows it)"
AMBIGUOUS = "whose file is in more than one of the folders that `root` names"
ENDINGS = ("", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".JPG", ".JPEG", ".PNG")
"""What is tried behind a name that a table has."""

_N_TRIED = 100


class NameSet:
    """Names, each kept as the 64 bits of its hash: of a folder with a million files that is 8 MB.

    >>> names = NameSet(["b.jpg", "a.jpg"])
    >>> "a.jpg" in names, "c.jpg" in names, "a.jpg" in NameSet([])
    (True, False, False)
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._numbers = np.array(array("q", map(hash, names)))
        self._numbers.sort()

    def __contains__(self, name: str) -> bool:
        number = hash(name)
        place = int(self._numbers.searchsorted(number))
        return place < len(self._numbers) and bool(self._numbers[place] == number)


class PictureFolder:
    """The files below ``root``, looked up by what a table says; each folder is read once.

    Args:
        root: the folder.
        base: what a name that leads out of the root is relative to: the folder of the table; none: the root.
        follow_links: let links lead out of it, as in the trees of DVC, git-annex and the cache of Hugging Face.
    """

    def __init__(self, root: Path, base: Path | None = None, *, follow_links: bool = False) -> None:
        self.root, self._follow_links = root.absolute(), follow_links
        self._real, self._base = Path(os.path.realpath(self.root)), str((base or root).absolute())
        self._folders: dict[str, tuple[NameSet, NameSet]] = {}

    def find(self, text: str) -> tuple[str | None, str]:
        r"""Return the absolute path of a file, or None and why it is refused.

        A name is relative to the root, or absolute and below it; with ``/`` or ``\`` between its folders; an id
        without an ending is the picture of that name.
        """
        name = self._relative(text.strip())
        if name is None:
            return None, OUTSIDE
        folder, _, last = name.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self._read(folder)
        files, links = self._folders[folder]
        found = next((last + ending for ending in ENDINGS if last + ending in files), None)
        if found is None or found in links:
            return None, MISSING if found is None else LINKED
        return f"{self.root}/{folder}{'/' * bool(folder)}{found}", ""

    def place_of(self, text: str) -> str | None:
        """Return where a file would be that is refused; None if that is outside of the root."""
        name = self._relative(text.strip())
        return None if name is None else f"{self.root}/{name}"

    def _relative(self, text: str) -> str | None:
        """Return a path relative to the root, without ``.`` and ``..``; None if it leads out of it."""
        if os.path.isabs(text):  # noqa: PTH117 (a million names: objects would take three times as long)
            return self._below(text)
        name = posixpath.normpath(text if "/" in text else text.replace("\\", "/"))
        return self._below(posixpath.normpath(f"{self._base}/{name}")) if name == ".." or name[:3] == "../" else name

    def _below(self, text: str) -> str | None:
        path = Path(posixpath.normpath(text))
        return next((str(path.relative_to(top)) for top in (self.root, self._real) if path.is_relative_to(top)), None)

    def _read(self, folder: str) -> tuple[NameSet, NameSet]:
        """Return the files of a folder, and those of them that lie outside of the root."""
        links: list[str] = []

        def files(entries: Iterable[os.DirEntry[str]]) -> Iterable[str]:
            for entry in filter(_is_file, entries):
                is_outside = not self._is_inside(entry.path) if entry.is_symlink() else not is_inside
                if is_outside and not self._follow_links:
                    links.append(entry.name)
                yield entry.name

        try:
            is_inside = self._is_inside(f"{self.root}/{folder}")
            with os.scandir(f"{self.root}/{folder}") as found:
                return NameSet(files(found)), NameSet(links)
        except (OSError, ValueError):
            return NameSet([]), NameSet([])

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self._real)


class PictureFolders:
    """Several folders that the names of one table start at: a name must lead to one file."""

    def __init__(self, folders: Sequence[PictureFolder]) -> None:
        self._folders = folders

    def find(self, text: str) -> tuple[str | None, str]:
        """Return the absolute path of a file, or None and why it is refused; see :meth:`PictureFolder.find`."""
        if len(self._folders) == 1:
            return self._folders[0].find(text)
        found = [folder.find(text) for folder in self._folders]
        paths = {path for path, _ in found if path}
        if len(paths) == 1:
            return paths.pop(), ""
        return None, AMBIGUOUS if paths else max((reason for _, reason in found), key=_TELLING.index)

    def places_of(self, text: str) -> list[str]:
        """Return where the file of a name that is refused is, or would be."""
        places = [folder.find(text)[0] or folder.place_of(text) for folder in self._folders]
        return [place for place in places if place is not None]


_TELLING = (OUTSIDE, MISSING, LINKED)
"""Why a name is refused: of what several folders say, the last one here is said."""


def find_folder(top: Path, stem: str, names: Sequence[str]) -> Path | None:
    """Return the folder that file names start at: ``top``, one in it, or one of those in it; the one with most of them.

    Args:
        stem: the name of the annotations, whose side goes before others: ``train2017/`` for ``instances_train2017``.
    """
    n_top = sum(os.path.isfile(top / name) for name in names)  # noqa: PTH113 (False also where nobody may look)
    if n_top == len(names):
        return top if names else None
    side = side_of_name(stem)
    below = [folder for upper in _folders_in(top) for folder in (upper, *_folders_in(upper))]
    ranked = sorted(below, key=lambda folder: side_of_name(folder.name) != side)
    counts = {folder: sum(os.path.isfile(folder / name) for name in names) for folder in ranked}  # noqa: PTH113
    found = {top: n_top, **counts}
    best = max(found, key=lambda folder: found[folder])
    return best if found[best] else None


def _folders_in(folder: Path) -> list[Path]:
    """List the first folders in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
        return [folder / name for name in sorted(names)[:_N_TRIED]]
    return []


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file; a link to itself, or to where nobody may look, is none."""
    return os.path.isfile(entry.path) if entry.is_symlink() else entry.is_file()  # noqa: PTH113
