"""Where a list stands: an http(s) URL, or a path that starts at the recipe's folder.

>>> is_url("HTTPS://example.org/list.txt"), is_url("lists/rugby.txt")
(True, False)
>>> place_problem("ftp://example.org/list.txt", Path())
'must be an http or https address or a local path, not ftp://example.org/list.txt'
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_URL = re.compile(r"(?i)https?://[^/\s]")
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:/?/")


def is_url(place: str) -> bool:
    """Tell whether ``place`` is an http or https address."""
    return bool(_URL.match(place))


def local_path(place: str, base_dir: Path) -> Path:
    """Resolve a local ``place``: ``~`` is the home folder, a relative path starts at ``base_dir``."""
    return base_dir / Path(place).expanduser()


def scheme_problem(place: str) -> str | None:
    """Say that a place has another scheme than http or https, or None."""
    if is_url(place) or not _SCHEME.match(place):
        return None
    return f"must be an http or https address or a local path, not {place}"


def place_problem(place: str, base_dir: Path, *, folder: bool | None = None) -> str | None:
    """Say what is wrong with a place, or None: another scheme, or a local path that is not there.

    Args:
        folder: the path must be a folder (True), a file (False), or either (None).
    """
    if is_url(place):
        return None
    if problem := scheme_problem(place):
        return problem
    path = local_path(place, base_dir)
    if folder is not False and path.is_dir():
        return None
    if folder is not True and path.is_file():
        return None
    what = {True: "a folder", False: "a file", None: "a file or folder"}[folder]
    return f"names {path}, which is not {what}"


def place_version(place: str, base_dir: Path) -> dict[str, Any]:
    """Identify what stands at a place as far as it can be told without reading it: its size and time where local."""
    if is_url(place):
        return {"place": place}
    path = local_path(place, base_dir)
    if not path.exists():
        return {"place": str(path)}
    status = path.stat()
    return {"place": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
