"""Where an audit writes: never into the set that it is about.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> (root / "pets").mkdir()
>>> choose_homes([str(root / "pets")], root / "pets" / "page.html", None)
Traceback (most recent call last):
curator.errors.CuratorError: ...page.html is inside of what is audited, where nothing is written. ...
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.errors import CuratorError
from curator.sources.reading.places import is_url
from curator.store.paths import DataPaths
from curator.store.root import shown
from curator.text import Command, Text

PAGE_TITLE = "<title>Audit of "
"""What the head of every page has."""

_HEAD_BYTES = 1024


@dataclass(frozen=True)
class Homes:
    """The page, and the folder that keeps what was seen for the next time."""

    page: Path
    cache: Path


def choose_homes(places: Sequence[str], output: str | Path | None, cache: str | Path | None) -> Homes:
    """Choose where the page and the cache go; see :func:`curator.inspect.audit.audit.audit`.

    Raises:
        CuratorError: there is no place, one is an address, or something would be written into one of them.
    """
    if not places:
        raise CuratorError("There is no set to audit.", "Name its folder: `curator audit pets`.")
    refuse_addresses(places, "audited")
    named = _resolve(places)
    folders = _folders(named)
    chosen = Path(cache).expanduser() if cache is not None else _user_cache(places)
    page = Path(output).expanduser() if output is not None else Path(f"{_name(places)}-audit.html")
    if len({*named}) < len(named):
        again = next(place for place, path in zip(places, named, strict=True) if named.count(path) > 1)
        raise CuratorError(f"{again} is named twice.", "Name each place once.")
    for option, path in (("--cache", chosen), ("--output", page)):
        if any(path.resolve().is_relative_to(folder) for folder in folders):
            if path is page and output is None:
                page = chosen / page.name
                continue
            raise _is_inside(option, path, folders, "audited")
    if page.exists() and not page.is_dir() and not _is_page(page):
        hint = f"Name another file: `--output {page.with_name(page.stem + '-audit.html')}`, for instance."
        raise CuratorError(f"{page} exists and is no page of an audit.", hint)
    if page.is_dir():
        raise CuratorError(f"{page} is a folder, not a page.", f"Name a file: `--output {page / 'audit.html'}`.")
    return Homes(page, chosen)


def choose_cache(places: Sequence[str], cache: str | Path | None, done: str) -> Path:
    """Choose where what is seen of some places is kept, which no page is written of; ``done`` is what is done there.

    Raises:
        CuratorError: it would be written into one of them.
    """
    chosen = Path(cache).expanduser() if cache is not None else _user_cache(places)
    folders = _folders(_resolve(places))
    if any(chosen.resolve().is_relative_to(folder) for folder in folders):
        raise _is_inside("--cache", chosen, folders, done)
    return chosen


def _resolve(places: Sequence[str]) -> list[Path]:
    return [Path(place).expanduser().resolve() for place in places]


def _folders(named: Sequence[Path]) -> list[Path]:
    """Return the folders that nothing is written into."""
    folders = [path for path in named if path.is_dir()]
    return folders + [DataPaths.of_manifest(path).folder.resolve() for path in named if path.name == "manifest.csv"]


def _is_inside(option: str, path: Path, folders: Sequence[Path], done: str) -> CuratorError:
    other = f"Name another place, such as `{option} {_outside(path, folders)}`."
    return CuratorError(f"{path} is inside of what is {done}, where nothing is written.", other)


def refuse_addresses(places: Sequence[str], done: str) -> None:
    """Refuse what is not on this machine; ``done`` is what would be done with it (``audited``)."""
    if address := next((place for place in places if is_url(place)), None):
        source = Command.of("init", "mine", options=("--from", address))
        hint: Text = ("Make a data set of it first: ", source, ", then ", Command("fetch"), ".")
        raise CuratorError(f"{address} is an address, and what is {done} must be here.", hint)


def _outside(path: Path, folders: Sequence[Path]) -> Path:
    """Return where a file could go instead: beside the outermost of the folders that it must not be in."""
    top = min((folder for folder in folders if path.resolve().is_relative_to(folder)), key=lambda one: len(one.parts))
    return shown(top.parent / path.name)


def _is_page(path: Path) -> bool:
    """Return whether a file is what an audit wrote before: nothing else is replaced, a picture or a device least."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return PAGE_TITLE.encode() in file.read(_HEAD_BYTES)


def _user_cache(places: Sequence[str]) -> Path:
    """Return a folder for these places below the user's cache folder (the XDG base directory specification)."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(said) if Path(said).is_absolute() else Path.home() / ".cache"
    named = "\n".join(sorted(str(Path(place).expanduser().resolve()) for place in places))
    return home / "curator" / "audits" / f"{_name(places)}-{hashlib.sha256(os.fsencode(named)).hexdigest()[:12]}"


def _name(places: Sequence[str]) -> str:
    """Name a set after its places."""
    paths = [Path(place).expanduser().resolve() for place in places]
    names = [
        path.parent.name if path.name == "manifest.csv" else path.stem if path.is_file() else path.name
        for path in paths
    ]
    return re.sub(r"[^\w.-]+", "-", "-".join(names))[:60].strip("-.") or "set"
