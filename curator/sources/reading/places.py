"""Where a list is: an http(s) URL, or a path that starts at the recipe's folder.

>>> is_url("HTTPS://example.org/list.txt"), is_url("lists/rugby.txt")
(True, False)
>>> scheme_problem("ftp://example.org/list.txt")
'must be an http or https address or a local path, not ftp://example.org/list.txt'
"""

from __future__ import annotations

import re
from contextlib import suppress
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


def missing_place(place: str, base_dir: Path, *, folder: bool) -> str | None:
    """Say that a local place is no file (or no folder, or an empty one) now, or None."""
    path = local_path(place, base_dir)
    if is_url(place):
        return None
    if folder and path.is_dir():
        with suppress(OSError):  # where nobody may look is a reason of its own, of whoever reads it
            return None if any(path.iterdir()) else f"names {path}, which is empty"
        return None
    return None if path.is_file() and not folder else f"names {path}, which is not {'a folder' if folder else 'a file'}"


def place_version(place: str, base_dir: Path) -> dict[str, Any]:
    """Identify what is at a place as far as can be known without reading it: its size and time if local."""
    path = local_path(place, base_dir)
    if is_url(place) or not path.exists():
        return {"place": place if is_url(place) else str(path)}
    status = path.stat()
    return {"place": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


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
