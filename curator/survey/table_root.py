r"""Find the folder that the files of a table are relative to.

>>> import tempfile
>>> top = Path(tempfile.mkdtemp())
>>> for folder in ("tables", "images", "somebody else's"):
...     (top / folder).mkdir()
>>> _ = (top / "somebody else's/1.jpg").touch()
>>> print(folder_of_files([top / "tables", top], "list", ["1.jpg"]))
None
>>> _ = (top / "images/1.jpg").touch()
>>> folder_of_files([top / "tables", top], "list", ["1.jpg"]).name
'images'
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from curator.sources.local_pictures import ENDINGS, LINKED, PictureFolder, find_folder
from curator.sources.reading.places import local_path
from curator.sources.sides import side_of
from curator.sources.url_list.joined_tables import Tables
from curator.sources.url_list.url_list_source import UrlList

N_TRIED = 100
"""How many files of a table are looked for."""

_WORDS = (
    r"(images?|imgs?|pictures?|pics?|photos?|photographs?|jpe?g(images)?|jpe?gs|png|files?|media|data|raw|originals?)"
)
_PICTURES = re.compile(rf"({_WORDS}|train|val|test)([-_ .]?\d.*)?|\w+[-_ .]?(images|pictures|photos)", re.IGNORECASE)
_ENOUGH = 10


def with_root(source: UrlList, tables: Tables, base_dir: Path) -> UrlList:
    """Name in a source the folder that the files of its table are relative to, if it is not the table's own."""
    places = [source.path] if isinstance(source.path, str) else source.path
    table = local_path(tables.places[0], base_dir)
    names = [name.strip() for name in tables.rows[tables.roles["path"]].slice(0, N_TRIED).to_pylist() if name]
    tops = [table.parent, *[top for top in table.absolute().parents[1:3] if len(top.parts) > 2]]
    root = folder_of_files(tops, table.stem, names) or table.parent
    pictures = PictureFolder(root)
    needs_links = any(pictures.find(name)[1] == LINKED for name in names)
    text = str(root) if Path(places[0]).is_absolute() else os.path.relpath(root, base_dir)
    text = "" if root.absolute() == table.parent.absolute() else text
    return replace(source, root=text, links=needs_links)


def folder_of_files(tops: Sequence[Path], stem: str, names: Sequence[str]) -> Path | None:
    """Find the folder that files are relative to; an id without an ending is the picture of that name.

    Args:
        tops: the folder of the table, and those above it. In the first it is looked for in every folder; beside it only
            in folders whose names speak of pictures or of the table, unless all of ten files or more are there; further
            up no folder but the named ones themselves: what lies there is somebody else's.
    """
    for ending in ENDINGS:
        files = [name + ending for name in names]
        for level, top in enumerate(tops):
            found = find_folder(top, stem, files) if level < 2 else top if _has(top, files) else None
            if found and (level != 1 or found == top or _is_meant(found.relative_to(top).parts[0], stem, found, files)):
                return found
    return None


def _has(folder: Path, files: Sequence[str]) -> bool:
    return any(os.path.isfile(folder / file) for file in files)  # noqa: PTH113 (False also where nobody may look)


def _is_meant(name: str, stem: str, folder: Path, files: Sequence[str]) -> bool:
    """Return whether a folder beside that of a table is likely to be the one that it speaks of."""
    if (
        _PICTURES.fullmatch(name)
        or side_of(name)
        or stem.casefold() in name.casefold()
        or name.casefold() in stem.casefold()
    ):
        return True
    return len(files) >= _ENOUGH and all(os.path.isfile(folder / file) for file in files)  # noqa: PTH113
