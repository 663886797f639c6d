"""What a format is: a name, how it is written, and how a reader opens it.

>>> Format("none", "nothing at all", lambda material, folder: None, "").name
'none'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curator.export.material import Material

PER_IMAGE = (
    "record_id",
    "label",
    "sha256",
    "width",
    "height",
    "source",
    "url",
    "landing_url",
    "license",
    "author",
    "author_url",
    "title",
)
"""What travels with each image in every format that has room for it. ``sha256`` is of the bytes as first served."""


@dataclass(frozen=True)
class Format:
    """One export format; add one with one file here and one entry in :data:`curator.export.FORMATS`.

    Attributes:
        name: what ``curator export`` calls it.
        summary: what it is, in a few words.
        write: writes all images of a data set into an empty folder; the same data set gives the same bytes.
        snippet: Python that opens it from within its folder.
        yaml: what the data card's YAML header tells Hugging Face about it.
    """

    name: str
    summary: str
    write: Callable[[Material, Path], None]
    snippet: str
    yaml: str = ""
