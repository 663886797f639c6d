"""Whose a data folder is: two recipes of one ``name`` would overwrite each other's images, folders and manifest.

The folder remembers the recipe that first wrote to it, by a path relative to itself, so that a project may be moved or
copied as a whole, and a recipe be moved: a recipe that is not there any more owns nothing.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("one", "two"):
...     (root / name).mkdir()
...     _ = (root / name / "recipe.toml").write_text('name = "balls"')
>>> claim(root / "data" / "balls", root / "one" / "recipe.toml")
>>> find_other_owner(root / "data" / "balls", root / "two" / "recipe.toml").parent.name
'one'
>>> find_other_owner(root / "data" / "balls", root / "one" / "recipe.toml")
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from curator.errors import CuratorError
from curator.manifests.toml_settings import parse_toml
from curator.store.paths import LOCK, MANIFESTS, OWNER, RECIPE, SUMS
from curator.store.whole_files import write_text_whole


def claim(folder: Path, owner: Path | None) -> None:
    """Let a data folder remember its owner: a recipe, or a manifest that is replayed; None claims nothing.

    Raises:
        CuratorError: it has another owner.
        DiskError: it cannot be written.
    """
    if owner is None:
        return
    refuse_other_owner(folder, owner)
    text = Path(os.path.relpath(owner.resolve(), folder.resolve())).as_posix() + "\n"
    if _read(folder) != text:
        write_text_whole(folder / OWNER, text)


def refuse_other_owner(folder: Path, owner: Path | None) -> None:
    """Make sure that a data folder is nobody else's; nothing is written.

    Raises:
        CuratorError: it is; the message names both.
    """
    if owner is None or (other := find_other_owner(folder, owner)) is None:
        return
    here, there = (os.path.relpath(path) for path in (owner, other))
    if owner.suffix != ".toml":
        message = f"{folder} belongs to {there}, and a replay of {here} would be kept there too."
        raise CuratorError(message, "Replay into another place with --data.")
    message = f"{folder} belongs to {there}, and {here} has the same `name`: they would overwrite each other's images."
    raise CuratorError(message, f"Change `name` in {here}, or keep its data elsewhere with --data.")


def find_other_owner(folder: Path, owner: Path) -> Path | None:
    """Find who owns a data folder, if somebody else does.

    Of a folder without a record, made by an older version, the owner is the recipe that bears its name, if it is there.
    """
    if text := _read(folder):
        candidates = iter([folder / text.strip()])
    else:
        candidates = _namesakes(folder, owner) if _holds_data(folder) else iter(())
    others = (path for path in candidates if path.is_file() and not is_same(path, owner))
    return next((Path(os.path.normpath(path)) for path in others if _has_name(path, folder.name)), None)


def _holds_data(folder: Path) -> bool:
    """Say whether there is more in a folder than what a run that has just begun leaves there."""
    return folder.is_dir() and any(path.name not in (LOCK, SUMS) for path in folder.iterdir())


def _namesakes(folder: Path, owner: Path) -> Iterator[Path]:
    """List the recipes that may have made a folder of this name before owners were recorded."""
    homes = (folder.parent.parent / MANIFESTS, owner.absolute().parent.parent)
    natural = [home / folder.name / RECIPE for home in homes]
    if any(is_same(path, owner) for path in natural):
        return
    yield from natural
    for home in homes:
        yield from sorted(home.glob(f"*/{RECIPE}"))


def _read(folder: Path) -> str:
    try:
        return (folder / OWNER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _has_name(path: Path, name: str) -> bool:
    """Say whether a recipe has this name still; a manifest, or a recipe that cannot be read, counts as such."""
    if path.suffix != ".toml":
        return True
    try:
        found = parse_toml(path.read_text(encoding="utf-8-sig")).get("name", name)
    except (OSError, ValueError):
        return True
    return isinstance(found, str) and found.casefold() == name.casefold()


def is_same(path: Path, owner: Path) -> bool:
    """Say whether two paths mean one file, which need not be there yet."""
    if path.exists() and owner.exists():
        return path.samefile(owner)
    return os.path.abspath(path) == os.path.abspath(owner)  # noqa: PTH100 (without following links)
