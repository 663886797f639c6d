"""What an image's file is called in ``train/`` and the other folders: a name that people know, or its record id.

A file of one's own keeps its name, made safe for every file system and archive, with 8 digits of its content's SHA-256
behind it. So the name stays the same however often the split is made, two files called ``1.jpg`` stay apart, and no two
names in a folder differ in case alone. What was fetched from the web has no name that says more than its record id.

>>> import pandas as pd
>>> safe_stem("photo 12"), safe_stem("Größe (2).final"), safe_stem("犬.."), safe_stem("***")
('photo_12', 'Größe_2_final', '犬', 'image')
>>> columns = {"record_id": ["folder-00a1", "url-list-00b2"], "local_path": ["/a/b 1.png", None], "url": [None, "http://h"]}
>>> table = pd.DataFrame(columns | {"label": "a", "sha256": ["3fa9c1d2" + "0" * 56, "00" * 32]})
>>> name_files(table).tolist()
['b_1-3fa9c1d2', 'url-list-00b2']
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[str, str]

_LONGEST_BYTES = 80
_OWN_NAME = re.compile(r"(?P<stem>.+)-[0-9a-f]{8}(?:-[0-9a-f]{1,16})?")


def safe_stem(name: str) -> str:
    """Make a file's name, without its ending, safe: letters and digits of any script, ``-`` and ``_``.

    Everything else becomes ``_``: a dot would end the name for WebDataset. It is in composed form (NFC) and at most 80
    bytes of UTF-8 long.
    """
    spaced = "".join(c if _is_safe(c) else " " for c in unicodedata.normalize("NFC", name))
    short = "_".join(spaced.split()).lstrip("-_").encode()[:_LONGEST_BYTES].decode("utf-8", "ignore")
    return short.rstrip("-_") or "image"


def _is_safe(character: str) -> bool:
    return character in "-_" or unicodedata.category(character)[0] in "LMN"


def is_own_name(name: str) -> bool:
    """Say whether :func:`name_files` can have given this name to somebody's own file.

    >>> [is_own_name(name) for name in ("Größe-3fa9c1d2", "Größe", "..-3fa9c1d2", "a b-3fa9c1d2")]
    [True, False, False, False]
    """
    found = _OWN_NAME.fullmatch(name)
    return found is not None and safe_stem(found["stem"]) == found["stem"]


def _stem(path: PurePath, sha256: str, source_id: str) -> str:
    """Return what a file is called; one that was taken out of a video or table, and kept by content, as it is there.

    >>> _stem(PurePath("frames/3f/3fa9.jpg"), "3fa9", "rugby/match 1.mp4#t=12.500")
    'match 1.mp4#t=12.500'
    """
    if path.stem != sha256:
        return path.stem
    name = PurePath(source_id)
    return name.stem if name.suffix[1:].isalpha() else name.name


def name_files(rows: pd.DataFrame, sharing: Collection[Key] | None = None) -> pd.Series[Any]:
    """Name the file of each row, without folder and ending: unique in a label's folder, whatever the case of letters.

    Args:
        rows: of a catalog: ``record_id``, ``label``, ``sha256``, ``local_path``, ``url`` and, for files that were taken
            out of others, ``source_id`` are read.
        sharing: what :func:`find_shared_names` returned, if the rows are only a part of those that are kept.
    """
    import pandas as pd

    if sharing is None:
        sharing = find_shared_names(rows)
    is_own = _is_own(rows)
    names = rows["record_id"].to_numpy(dtype=object, copy=True)
    ids = [record_id.rpartition("-")[2] for record_id in rows["record_id"][is_own]]
    names[np.flatnonzero(is_own)] = [
        f"{name}-{digits}" if (label, name.casefold()) in sharing else name
        for (label, name), digits in zip(_name_own(rows[is_own]), ids, strict=True)
    ]
    return pd.Series(names, index=rows.index, dtype=rows["record_id"].dtype)


def find_shared_names(rows: pd.DataFrame) -> set[Key]:
    """Find the names that several kept rows of one label would have.

    They are copies of one file that are all kept, as with ``[dedupe] mode = "off"``.

    Args:
        rows: all kept rows; see :func:`name_files`.

    Returns:
        Labels, and names with their letters folded.
    """
    own = rows[_is_own(rows)]
    contents = own["label"] + own["sha256"].str.slice(0, 8)
    several = own[contents.duplicated(keep=False).to_numpy(dtype=bool)]
    keys = Counter((label, name.casefold()) for label, name in _name_own(several))
    return {key for key, n in keys.items() if n > 1}


def _is_own(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (rows["local_path"].notna() & rows["url"].isna()).to_numpy(dtype=bool)
    return found


def _name_own(own: pd.DataFrame) -> list[Key]:
    """Return the label and the name of each of somebody's own files."""
    ids = (own["source_id"] if "source_id" in own else own["record_id"]).fillna(own["record_id"])
    facts = zip(own["label"], own["local_path"], own["sha256"], ids, strict=True)
    return [(label, f"{safe_stem(_stem(PurePath(path), sha, name))}-{sha[:8]}") for label, path, sha, name in facts]
