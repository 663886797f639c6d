"""Where a project is: it is looked for upwards from the working folder, as git looks for its repository.

A project is a folder with ``manifests/<name>/recipe.toml``, or ``data/<name>/recipe.toml`` as the demo leaves it. The
nearest one is meant, so one inside another wins.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> (folder / "manifests" / "birds").mkdir(parents=True)
>>> (folder / "manifests" / "birds" / "recipe.toml").touch()
>>> (folder / "notes" / "june").mkdir(parents=True)
>>> find_root(folder / "notes" / "june") == folder, root_of(folder / "manifests/birds/recipe.toml") == folder
(True, True)
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from curator.store.paths import DATA, MANIFESTS, RECIPE


def find_root(start: Path) -> Path | None:
    """Return the nearest project from the folder ``start`` upwards; None if there is none."""
    return next((here for here in _upwards(start) if _is_root(here)), None)


def _is_root(folder: Path) -> bool:
    return any(True for home in (MANIFESTS, DATA) for _ in folder.glob(f"{home}/*/{RECIPE}"))


def _upwards(start: Path) -> Iterator[Path]:
    """Yield a folder and those above it.

    Above the home folder, on another file system, and where anybody may write, such as ``/tmp``, is somebody else's:
    a recipe there was not meant, or was laid there for others to run.
    """
    yield start
    home, device = Path.home(), _status(start)[0]
    for here in start.parents:
        its_device, mode = _status(here)
        if start == home or its_device != device or mode & stat.S_IWOTH:
            return
        yield (start := here)


def _status(folder: Path) -> tuple[int, int]:
    status = next((one for one in map(_stat, (folder, *folder.parents)) if one), None)
    return (status.st_dev, status.st_mode) if status else (0, 0)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def working_place(name: Path) -> Path:
    """Return ``manifests`` or ``data`` of the project that the working folder is in, else of the working folder."""
    return shown((find_root(Path.cwd()) or Path.cwd()) / name)


def root_of(recipe: Path) -> Path:
    """Return the project of a recipe, in whose ``data/`` its images are kept; absolute.

    It is the folder that holds the ``manifests/`` (or ``data/``) that the recipe is in; of a recipe that is kept
    elsewhere the project around it, or around the working folder; else the working folder.
    """
    path = held(recipe)
    homes = path.parents[2:3] if path.parent.parent.name in (str(MANIFESTS), str(DATA)) else ()
    return next(iter(homes), None) or find_root(path.parent) or find_root(Path.cwd()) or Path.cwd()


def place_of(recipe: Path, name: Path) -> Path:
    """Return ``manifests`` or ``data`` in a recipe's project, absolute if ``recipe`` is."""
    place = root_of(recipe) / name
    return place if recipe.is_absolute() else shown(place)


def held(path: Path) -> Path:
    """Return a path as it is kept: absolute and without ``..``, so that it holds in whatever folder the process is.

    >>> held(Path("../data")) == Path.cwd().parent / "data"
    True
    """
    return Path(os.path.abspath(path))  # noqa: PTH100 (without following links)


def shown(path: Path) -> Path:
    """Return a path as it is printed: relative to the working folder if that is shorter.

    >>> shown(Path.cwd() / "data" / "birds").as_posix(), shown(Path("/")).as_posix()
    ('data/birds', '/')
    """
    relative = os.path.relpath(path)
    return Path(relative) if len(relative) < len(str(path)) else path
