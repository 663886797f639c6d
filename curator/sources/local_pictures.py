"""Find the local files that a table names: only below one folder, whatever a stranger wrote into the table.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "images").mkdir(), (folder / "images" / "a1.jpg").touch()
>>> pictures = PictureFolder(folder)
>>> [pictures.find(name)[1] for name in ("images/a1.jpg", "images/a1", "images/a2.jpg", "../a1.jpg", "/etc/hostname")]
['', '', 'whose file does not exist', 'whose file lies outside of the folder', 'whose file lies outside of the folder']
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

MISSING = "whose file does not exist"
OUTSIDE = "whose file lies outside of the folder"
LINKED = "whose file is a link that leads out of the folder (`links = true` follows it)"
ENDINGS = ("", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".JPG", ".JPEG", ".PNG")
"""What is tried behind a name that a table has."""


class PictureFolder:
    """The files below ``root``, looked up by what a table says; each folder is read once.

    Args:
        root: the folder.
        follow_links: let links lead out of it, as in the trees of DVC, git-annex and the cache of Hugging Face.
    """

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        self.root, self._follow_links = root.absolute(), follow_links
        self._real = self.root.resolve()
        self._folders: dict[str, dict[str, str]] = {}

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
        files = self._folders[folder]
        last = next((last + ending for ending in ENDINGS if last + ending in files), last)
        if reason := files.get(last, MISSING):
            return None, reason
        return f"{self.root}/{folder}{'/' * bool(folder)}{last}", ""

    def _relative(self, text: str) -> str | None:
        """Return a path relative to the root, without ``.`` and ``..``; None if it leads out of it."""
        path = Path(text)
        if path.is_absolute():
            name = next(
                (str(path.relative_to(top)) for top in (self.root, self._real) if path.is_relative_to(top)), ".."
            )
        else:
            name = text if "/" in text else text.replace("\\", "/")
        name = posixpath.normpath(name)
        return None if name == ".." or name.startswith(("../", "/")) else name

    def _read(self, folder: str) -> dict[str, str]:
        """Map the files of a folder to why each is refused, if it is."""
        try:
            with os.scandir(f"{self.root}/{folder}") as found:
                entries = list(found)
        except (OSError, ValueError):
            return {}
        is_inside = Path(os.path.realpath(f"{self.root}/{folder}")).is_relative_to(self._real)
        if self._follow_links or (is_inside and not any(entry.is_symlink() for entry in entries)):
            return {entry.name: "" for entry in entries if os.path.isfile(entry.path)}  # noqa: PTH113
        reasons = {True: "", False: LINKED}
        return {
            entry.name: reasons[Path(os.path.realpath(entry.path)).is_relative_to(self._real)]
            for entry in entries
            if os.path.isfile(entry.path)  # noqa: PTH113 (a link to itself is none)
        }
