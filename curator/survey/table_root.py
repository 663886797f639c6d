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
import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from curator.sources.local_pictures import ENDINGS, LINKED, MISSING, PictureFolder, PictureFolders, find_folder
from curator.sources.reading.places import local_path
from curator.sources.sides import side_of
from curator.sources.url_list.joined_tables import Tables
from curator.sources.url_list.url_list_source import UrlList

N_TRIED = 100
"""How many files of a table are looked for."""

_WORDS = (
    r"(images?|imgs?|pictures?|pics?|photos?|photographs?|jpe?g(images)?|jpe?gs|png|files?|media|data|raw|originals?"
    r"|thumbs?|thumbnails?|\w+[-_ .]?(images|pictures|photos))"
)
_PICTURES = re.compile(
    rf"({_WORDS}|train|val|test)([-_ .]?(part|batch|set)?[-_ .]?\d.*)?|\w+[-_ .]?(images|pictures|photos)",
    re.IGNORECASE,
)
_ENOUGH = 10
_DEPTH = 2
"""A folder just below the root of the disk, such as ``/home``, is not one for pictures."""


def with_root(source: UrlList, tables: Tables, base_dir: Path) -> UrlList:
    """Name in a source the folders that the files of its table are relative to, if they are not the table's own."""
    places = [source.path] if isinstance(source.path, str) else source.path
    table = local_path(tables.places[0], base_dir)
    names = [name.strip() for name in tables.rows[tables.roles["path"]].to_pylist() if name and name.strip()]
    roots = _roots(table, names)
    pictures = PictureFolders([PictureFolder(root, table.parent) for root in roots])
    needs_links = any(pictures.find(name)[1] == LINKED for name in spread(names))
    texts = [_spelled(root, base_dir) if not Path(places[0]).is_absolute() else str(root) for root in roots]
    if [root.absolute() for root in roots] == [table.parent.absolute()]:
        texts = []
    return replace(source, root=texts[0] if len(texts) == 1 else tuple(texts) or "", links=needs_links)


def _roots(table: Path, names: Sequence[str]) -> list[Path]:
    """Find the folders that hold the files: one, or several such as ``images_part_1`` and ``images_part_2``.

    A further one is a part if fewer of its files are in those before it than are not: else it holds other versions.
    """
    tops = [table.parent, *[top for top in table.absolute().parents[1:3] if len(top.parts) > 2]]
    if upward := [name for name in spread(names) if name.replace("\\", "/").startswith("../")]:
        n_ups = [posixpath.normpath(name.replace("\\", "/")).split("/").count("..") for name in upward]
        n_up = max({*n_ups}, key=n_ups.count)
        outer = [table.absolute().parents[n_up]] if n_up < len(tops) and _has(table.absolute().parent, upward) else []
        return [*outer, *([] if outer and len(upward) == len(spread(names)) else [table.parent])]
    if top := _common_folder(names):
        return [top]
    roots, left = list[Path](), names
    while left and (root := folder_of_files(tops, table.stem, spread(left))) and root not in roots:
        pictures = PictureFolder(root)
        found = {name for name in left if pictures.find(name)[1] != MISSING}
        others = PictureFolders([PictureFolder(one) for one in roots]) if roots else None
        n_again = sum(pictures.find(name)[0] is not None for name in names if name not in found) if others else 0
        if not found or n_again > len(found):
            break
        roots.append(root)
        left = [name for name in left if name not in found]
    return roots or [table.parent]


def _spelled(root: Path, base_dir: Path) -> str:
    """Write a folder as seen from the recipe, unless the two have nothing but the disk in common."""
    apart = len(Path(os.path.commonpath([root.absolute(), base_dir.absolute()])).parts) == 1
    return str(root) if apart else os.path.relpath(root, base_dir)


def _common_folder(names: Sequence[str]) -> Path | None:
    """Return the folder that all of the names are in, if they are absolute, of pictures, and not from all over."""
    if not all(os.path.isabs(name) and name.lower().endswith(ENDINGS[1:]) for name in names):  # noqa: PTH117
        return None
    top = Path(os.path.commonpath([os.path.dirname(name) for name in names]))  # noqa: PTH120
    return top if len(top.parts) > _DEPTH and _has(top, spread(names)) else None


def spread(names: Sequence[str]) -> list[str]:
    """Return some of the names, from all over."""
    return list(names[:: -(-len(names) // N_TRIED) or 1])


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


def speaks_of_pictures(name: str) -> bool:
    """Return whether the name of a folder says that pictures are in it, and not of what.

    >>> [name for name in ("images_part_1", "HAM10000_images_part_2", "heron", "photos2") if speaks_of_pictures(name)]
    ['images_part_1', 'HAM10000_images_part_2', 'photos2']
    """
    return bool(_PICTURES.fullmatch(name))


def _is_meant(name: str, stem: str, folder: Path, files: Sequence[str]) -> bool:
    """Return whether a folder beside that of a table is likely to be the one that it speaks of."""
    if (
        speaks_of_pictures(name)
        or side_of(name)
        or stem.casefold() in name.casefold()
        or name.casefold() in stem.casefold()
    ):
        return True
    return len(files) >= _ENOUGH and all(os.path.isfile(folder / file) for file in files)  # noqa: PTH113
