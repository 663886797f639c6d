"""What a kind of mirror is, what may become of an image in one, and which address of an image is listed.

>>> row = {"url": "http://h.example/a b.jpg", "fallback_url": None, "archive_url": "http://h.example/a%20b.jpg"}
>>> addresses_of(row)
['http://h.example/a%20b.jpg']
>>> served_name({"file": "train/rugby/x.png", "format": "webp"})
'train/rugby/x.webp'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd

from curator.addresses import request_url
from curator.store.paths import ENDINGS, DataPaths
from curator.text import is_web_address

OUTCOMES = WRITTEN, PRESENT, REPAIRED = "written", "there already", "written anew: it was damaged"
"""What becomes of an image that is in the mirror afterwards; every other text is the reason why it is not."""
NOT_STORED, DAMAGED = "not in the store", "damaged in the store"
MADE = "made of another picture, which alone has an address"
NO_ADDRESS = "without an address of the web"
OF_OTHERS = "something of others is in its place"

_ADDRESSES = ("archive_url", "url", "fallback_url")
"""An image that has an address of a web archive came from there, as its own was dead."""


@dataclass(frozen=True)
class Kind:
    """A kind of mirror.

    Attributes:
        name: what ``curator mirror --to`` calls it.
        summary: what it is, in a few words.
        write: given the manifest's rows, the data set's files, the folder (or the address) and what to call for each
            image, writes the mirror, and returns what became of each row.
        snippet: given the data set's name, returns the lines that use it, from within its folder.
    """

    name: str
    summary: str
    write: Callable[[pd.DataFrame, DataPaths, Any, Callable[[], None]], Sequence[str]]
    snippet: Callable[[str], str]

    def __repr__(self) -> str:
        return f"Kind({self.name!r})"


def served_name(row: Mapping[str, Any]) -> str:
    """Name the file as it was served: as in the folders, with the ending of its own format."""
    return f"{row['file'].rpartition('.')[0]}.{ENDINGS.get(row['format'], row['format'])}"


def addresses_of(row: Mapping[str, Any]) -> list[str]:
    """Return the addresses at which an image was or may be, as they are requested, each once, the likeliest first."""
    found = []
    for name in _ADDRESSES:
        if is_web_address(address := row.get(name)):
            with suppress(ValueError):
                found.append(request_url(str(address)))
    return list(dict.fromkeys(found))
