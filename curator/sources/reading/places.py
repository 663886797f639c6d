"""Where a list is: an http(s) URL, or a path that starts at the recipe's folder.

>>> is_url("HTTPS://example.org/list.txt"), is_url("lists/rugby.txt")
(True, False)
>>> place_problem("ftp://example.org/list.txt", Path(), folder=False)
'must be an http or https address or a local path, not ftp://example.org/list.txt'
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

_URL = re.compile(r"(?i)https?://[^/\s]")
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:/?/")


def is_url(place: str) -> bool:
    """Return whether ``place`` is an http or https address."""
    return bool(_URL.match(place))


def local_path(place: str, base_dir: Path) -> Path:
    """Resolve a local ``place``: ``~`` is the home folder, a relative path starts at ``base_dir``."""
    return base_dir / Path(place).expanduser()


def scheme_problem(place: str) -> str | None:
    """Say that a place has another scheme than http or https, or None."""
    is_known = is_url(place) or not _SCHEME.match(place)
    return None if is_known else f"must be an http or https address or a local path, not {place}"


def place_problem(place: str, base_dir: Path, *, folder: bool) -> str | None:
    """Say what is wrong with a place, or None: another scheme, or a local path that is no folder (or no file)."""
    if is_url(place):
        return None
    path = local_path(place, base_dir)
    exists, what = (path.is_dir(), "a folder") if folder else (path.is_file(), "a file")
    return scheme_problem(place) or (None if exists else f"names {path}, which is not {what}")


def place_version(place: str, base_dir: Path) -> dict[str, Any]:
    """Identify what is at a place as far as can be known without reading it: its size and time if local."""
    path = local_path(place, base_dir)
    if is_url(place) or not path.exists():
        return {"place": place if is_url(place) else str(path)}
    status = path.stat()
    return {"place": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def state_of_files(places: Sequence[str], base_dir: Path) -> str:
    """Return a text that changes when one of these local files does; empty if one is not there."""
    if not places or not all(local_path(place, base_dir).is_file() for place in places):
        return ""
    return json.dumps([place_version(place, base_dir) for place in places])


def file_name(place: str) -> str:
    """Name a place by the last part of its path.

    >>> file_name("https://example.org/v7/labels.csv?x=1"), file_name("https://example.org/?wnid=n1")
    ('labels.csv', 'example.org')
    """
    if not is_url(place):
        return Path(place).name
    parts = urlsplit(place)
    return PurePosixPath(parts.path).name or parts.netloc.rpartition("@")[2]


def shown_name(place: str) -> str:
    """Name a place for a person: shortly, and apart from others of the same server.

    >>> shown_name("https://example.org/api/geturls?wnid=n00470966")
    'geturls?wnid=n00470966'
    """
    query = urlsplit(place).query if is_url(place) else ""
    return file_name(place) + (f"?{query}" if query else "")
