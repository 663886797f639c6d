"""Catalogs for the tests of decisions: rows with only the columns that a decision reads."""

import hashlib

import numpy as np
import pandas as pd

from curator import catalog
from curator.matching.orientations import ORIENTATIONS

LABELS = ("rugby", "soccer", "cricket")


def sha256(content):
    """The SHA-256 of a text."""
    return hashlib.sha256(str(content).encode()).hexdigest()


def make_table(rows):
    """A catalog from dicts; record ids are made of the row's number where none is given."""
    defaults = {"source": "folder", "kind": "folder", "tier": 0, "label": "rugby"}
    full = [defaults | {"record_id": f"folder-{n:016x}"} | row for n, row in enumerate(rows)]
    names = [field.name for field in catalog.SCHEMA]
    return catalog.conform(pd.DataFrame([{name: row.get(name) for name in names} for row in full], columns=names))


def shuffled(table, seed):
    """The same rows in another order."""
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def by_id(table):
    """The rows in the order of their ids, to compare tables."""
    return table.sort_values("record_id", ignore_index=True)


def _apply(turn, pixels):
    return np.rot90(np.fliplr(pixels) if turn >= 4 else pixels, turn % 4)


def _compose(first, second):
    """The turn that equals ``first``, then ``second``."""
    pixels = np.arange(4).reshape(2, 2)
    after = _apply(second, _apply(first, pixels))
    return next(t for t in range(len(ORIENTATIONS)) if np.array_equal(_apply(t, pixels), after))


COMPOSED = [[_compose(first, second) for second in range(8)] for first in range(8)]


def turn_picture(hashes, turn):
    """The eight hashes of a picture that is turned, from the eight of the picture as it is."""
    return [hashes[COMPOSED[turn][further]] for further in range(8)]


def packed(hashes):
    """Eight hashes as the catalog stores them."""
    return b"".join(int(value).to_bytes(8, "big") for value in hashes)


def random_picture(chance):
    """Eight unrelated hashes."""
    return [int(value) for value in chance.integers(0, 2**64, 8, dtype=np.uint64)]
