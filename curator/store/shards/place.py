"""Where the images of a data set are besides its own disk, as its last run found it in the recipe.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> read_place(folder)
>>> write_place(folder, Place("file:///backup/balls"))
>>> read_place(folder)
Place(url='file:///backup/balls', keep_local=False, cache_bytes=2000000000)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from curator.errors import StateError
from curator.store.paths import STORE
from curator.store.plain_json import Faults, read_json
from curator.store.whole_files import write_text_whole

PLACE = "place.json"


@dataclass(frozen=True)
class Place:
    """An object store's address, and what of it stays on the disk.

    Attributes:
        url: of the data set's own part of the store.
        keep_local: every image stays here too, and the train and test folders are made.
        cache_bytes: else the most bytes of images that stay here to be read again.
    """

    url: str
    keep_local: bool = False
    cache_bytes: int = 2_000_000_000


def read_place(folder: Path) -> Place | None:
    """Read where the images of the data set in a data folder are; None: on this disk alone.

    Raises:
        StateError: the file is damaged.
    """
    path = folder / STORE / PLACE
    try:
        facts = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    faults = Faults()
    url = faults.take(facts, "url", str) or ""
    place = Place(url, facts.get("keep_local") is True, faults.take(facts, "cache_bytes", int) or 0)
    if faults.found or not url:
        raise _damaged(path, faults.sentence() or "it has no url")
    return place


def write_place(folder: Path, place: Place) -> None:
    """Note where the images are, if that is news.

    Raises:
        DiskError: the disk refused.
    """
    if read_place(folder) != place:
        write_text_whole(folder / STORE / PLACE, json.dumps(asdict(place), indent=1) + "\n")


def _damaged(path: Path, why: str) -> StateError:
    hint = (
        "Put the address of the object store into [store] url of the recipe, if it is not there, and delete the file: "
    )
    return StateError(f"{path} is damaged ({why}).", f"{hint}the next fetch writes it anew.")
