"""Which rows of a catalog somebody means by a name: a record id, an address, a file's path or name, a hash.

>>> table = catalog.conform(pd.DataFrame({"record_id": ["x-1", "x-2"], "url": ["http://a.example/1", None]}))
>>> find_rows(table, "http://a.example/1").tolist()
[True, False]
>>> table = catalog.conform(pd.DataFrame({"record_id": ["f-1", "f-2"], "source_id": ["a/1.jpg", "deep/b/1.jpg"]}))
>>> find_by_ending(table, "b/1.jpg").tolist(), find_by_ending(table, "1.jpg").tolist()
([False, True], [True, True])
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.errors import CuratorError
from curator.manifests.manifest import read_manifest
from curator.reasons import SPLITS
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.text import Command

MOST_CANDIDATES = 10
"""Images of one name that are listed; the rest are counted."""

_MOST_NEAR, _MOST_LOOKED_AT, _MANY = 3, 2_000, 100_000

_HEX = frozenset("0123456789abcdef")


def find_image(table: pd.DataFrame, image: str, paths: DataPaths, command: str = "why") -> catalog.BoolArray:
    """Find the rows that ``image`` names: bool array, shape (rows,).

    What names an image exactly comes first, then a file of the folders, then a file's content, then a file's name or
    the end of its path, then the end of an address.

    Raises:
        CuratorError: several images have the file name; the message lists commands, as ``command`` calls them, that
            name one of them.
        StateError: the manifest is damaged.
    """
    rows = find_rows(table, image)
    if not rows.any():
        rows = table["record_id"].isin(_find_in_folders(image, paths)).to_numpy(dtype=bool)
    if not rows.any() and os.path.isfile(image):  # noqa: PTH113 (a name may be too long for one, which pathlib raises)
        rows = _equals(table, "sha256", file_digest(Path(image)))
    if rows.any():
        return rows
    for find in (find_by_ending, find_by_label, find_by_address):
        rows = find(table, image)
        if rows.any():
            break
    if rows.sum() > 1:
        raise _ambiguous(table[rows], image, command)
    return rows


def find_rows(table: pd.DataFrame, image: str) -> catalog.BoolArray:
    """Find the rows that a record id, address, path, id at the source or 8 or more digits of a SHA-256 names."""
    rows = _equals(table, "record_id", image)
    for column in ("url", "fallback_url", "final_url", "archive_url", "landing_url", "local_path", "source_id"):
        rows |= _equals(table, column, image)
    for path in {os.path.abspath(image), os.path.realpath(image)}:  # noqa: PTH100 (one does not follow links)
        rows |= _equals(table, "local_path", path)
    digits = Path(image).stem.lower() if len(Path(image).stem) == 64 else image.lower()
    if len(digits) >= 8 and set(digits) <= _HEX:
        for column in ("sha256", "made_of"):
            rows |= table[column].str.startswith(digits).fillna(False).to_numpy(dtype=bool)
    return rows


def _equals(table: pd.DataFrame, column: str, text: str) -> catalog.BoolArray:
    return np.asarray((table[column] == text).fillna(False).to_numpy(dtype=bool))


def _find_in_folders(image: str, paths: DataPaths) -> list[str]:
    """Return the record id of a file in ``train/`` and the like, by its path, the end of that, or its name.

    Copies of one file under two labels have one name.
    """
    if not paths.manifest.exists():
        return []
    below = os.path.relpath(os.path.realpath(image), os.path.realpath(paths.folder))
    rows = read_manifest(paths.manifest)[["record_id", "file"]]
    is_path = below.startswith(tuple(f"{split}/" for split in SPLITS))
    wanted = below if is_path else os.path.normpath(image)
    return list(rows["record_id"][(rows["file"] == wanted) | rows["file"].str.endswith(f"/{wanted}")])


def find_by_ending(table: pd.DataFrame, image: str) -> catalog.BoolArray:
    """Find the rows whose file has this name, or a path that ends like this."""
    ending = os.path.normpath(image)
    rows = np.zeros(len(table), bool)
    for column in ("source_id", "local_path"):
        values = catalog.as_arrow(table[column], pa.string())
        same = pc.or_(pc.equal(values, ending), pc.ends_with(values, f"/{ending}"))
        rows |= pc.fill_null(same, False).to_numpy(zero_copy_only=False)
    return rows


def find_by_address(table: pd.DataFrame, image: str) -> catalog.BoolArray:
    """Find the rows of which an address ends like this, without its query; ``%20`` and a space are the same.

    >>> rows = {"record_id": ["x-1", "x-2"], "url": ["http://a.example/b/1.jpg?size=9", "http://a.example/11.jpg"]}
    >>> find_by_address(catalog.conform(pd.DataFrame(rows)), "1.jpg").tolist()
    [True, False]
    """
    wanted, rows = unquote(image), np.zeros(len(table), bool)
    for column in ("url", "fallback_url") if image else ():
        values = catalog.as_arrow(table[column], pa.string())
        may_be = pc.match_substring_regex(values, f"(?i)(?:^|/|%2F){_spell_either_way(wanted)}")
        some = np.flatnonzero(pc.fill_null(may_be, False).to_numpy(zero_copy_only=False))
        for place, address in zip(some.tolist(), values.take(pa.array(some)).to_pylist(), strict=True):
            path = unquote(re.split("[?#]", address, maxsplit=1)[0])
            rows[place] |= path.endswith(f"/{wanted}") or wanted in (path, unquote(address))
    return rows


def _spell_either_way(name: str) -> str:
    """Return a regular expression that matches a name whose characters are written as they are or with ``%``."""
    coded = ((re.escape(one), "".join(f"%{byte:02X}" for byte in one.encode(errors="replace"))) for one in name)
    return "".join(f"(?:{plain}|{percent})" for plain, percent in coded)


def find_by_label(table: pd.DataFrame, image: str) -> catalog.BoolArray:
    """Find the rows that ``LABEL/NAME`` means: a label, and a file's name with or without its ending.

    >>> rows = {"record_id": ["f-1", "f-2"], "label": ["dog", "cat"], "source_id": ["Dogs/1.jpg", "Cats/1.jpg"]}
    >>> find_by_label(catalog.conform(pd.DataFrame(rows)), "dog/1.jpg").tolist()
    [True, False]
    """
    label, _, name = image.rpartition("/")
    rows = _equals(table, "label", label)
    names = (str(one).rpartition("/")[2] for one in table["source_id"][rows])
    rows[rows] = [name in (one, one.rpartition(".")[0]) for one in names]
    return rows


def _ambiguous(found: pd.DataFrame, image: str, command: str) -> CuratorError:
    is_alone = ~found["source_id"].duplicated(keep=False) & found["source_id"].notna()
    names = found["source_id"].where(is_alone, found["record_id"])
    places = found["local_path"].fillna(found["url"]).fillna("")
    means = sorted(zip(names.tolist(), places.tolist(), strict=True))
    lines = [
        part
        for name, place in means[:MOST_CANDIDATES]
        for part in ("  ", Command.of(command, name), f"  {place}".rstrip(), "\n")
    ]
    more = f"  and {len(names) - MOST_CANDIDATES:,} more\n" if len(names) > MOST_CANDIDATES else ""
    return CuratorError(f"{len(names):,} images are called {image!r}. Which one?\n", (*lines, more))


def unknown_image(tables: Sequence[pd.DataFrame], image: str, name: str, command: str = "why") -> CuratorError:
    """Say that no image of the data set ``name`` is called so, and which names are near."""
    message = f"No image of {name} is called {image!r}."
    near = list(dict.fromkeys(one for table in tables for one in find_near_names(table, image)))[:_MOST_NEAR]
    if near:
        lines = [part for one in near for part in ("  ", Command.of(command, one), "\n")]
        return CuratorError(f"{message} Did you mean one of these?\n", tuple(lines))
    return CuratorError(message, "Give a record id, a URL, a file's path or name, or 8 or more digits of its SHA-256.")


def find_near_names(table: pd.DataFrame, image: str) -> list[str]:
    """Find names that are nearly this one: the nearest first, compared without case and without the ending.

    >>> table = catalog.conform(pd.DataFrame({"record_id": ["f-1", "f-2"], "source_id": ["a/Dog 1.jpg", "b/cat.jpg"]}))
    >>> find_near_names(table, "dgo 1.png"), find_near_names(table, "dog 1"), find_near_names(table, "zebra")
    (['a/Dog 1.jpg'], ['a/Dog 1.jpg'], [])
    """
    whole, stem = image.casefold(), Path(image.rstrip("/")).stem.casefold()
    named: dict[str, list[str]] = {}
    for column in ("source_id", "record_id", "url"):
        for text in _promising(catalog.as_arrow(table[column], pa.string()), stem):
            for form in {Path(text).stem.casefold(), text.casefold()}:
                named.setdefault(form, []).append(text)
    alike = [*_most_alike(named, whole, 0.85), *_most_alike(named, stem, 0.7)]
    found = [text for form in alike for text in named[form]]
    return list(dict.fromkeys(found))[:_MOST_NEAR]


def _promising(names: pa.Array, stem: str) -> list[str]:
    """Leave out, of very many names, those that do not have the first letters."""
    names = names.drop_null()
    if len(names) > _MANY:
        names = names.filter(pc.match_substring(names, stem[:4], ignore_case=True))
    return list(names.to_pylist())


def _most_alike(forms: Iterable[str], wanted: str, cutoff: float) -> list[str]:
    """Find the forms most alike, among the some thousand that share most letters: the close look takes long."""
    letters = Counter(wanted)
    near = [form for form in forms if abs(len(form) - len(wanted)) <= len(wanted) / 2]
    scored = sorted(((letters & Counter(form)).total() - abs(len(form) - len(wanted)) / 2, form) for form in near)
    looked_at = [form for _, form in scored[-_MOST_LOOKED_AT:]]
    beginnings = [form for form in looked_at if len(wanted) > 2 and form.startswith(wanted)]
    return [*difflib.get_close_matches(wanted, looked_at, n=_MOST_NEAR, cutoff=cutoff), *beginnings]
