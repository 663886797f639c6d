"""The local files that the lists of a data set name: what they are now, by one look at each.

>>> import tempfile
>>> folder = tempfile.mkdtemp()
>>> paths = [f"{folder}/{name}" for name in ("1.jpg", "2")]
>>> state_of_files(paths)
''
>>> _ = Path(paths[0]).write_bytes(b"a")
>>> before = state_of_files(paths)
>>> _ = Path(f"{folder}/2.png").write_bytes(b"b")
>>> before == state_of_files(paths)
False
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path as Path

from curator.sources.local_pictures import ENDINGS, NameSet


def state_of_files(paths: Iterable[str], root: str = "") -> str:
    """Return a text that changes when one of these files does, comes or goes; empty if none of them is there.

    The same files below another ``root``, such as in a copy of the project, are no change.

    An id without an ending is there if a picture of that name is: its folder is read once for all that lie in it.
    """
    sums, n_found, folders = hashlib.sha256(), 0, dict[str, NameSet]()
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (a million paths: objects would take twice the time)
        except (OSError, ValueError):
            folder, _, name = path.rpartition("/")
            if folder not in folders:
                folders[folder] = _names_in(folder)
            endings = [ending for ending in ENDINGS if name + ending in folders[folder]]
            n_found += bool(endings)
            sums.update(f"{path.removeprefix(root)}\0{endings}\n".encode("utf-8", "surrogatepass"))
        else:
            n_found += 1
            facts = f"{path.removeprefix(root)}\0{status.st_size} {status.st_mtime_ns}\n"
            sums.update(facts.encode("utf-8", "surrogatepass"))
    return sums.hexdigest() if n_found else ""


def _names_in(folder: str) -> NameSet:
    with suppress(OSError, ValueError), os.scandir(folder) as entries:
        return NameSet(entry.name for entry in entries)
    return NameSet([])
