"""Seeded choices that depend on each image alone: a keyed hash of its content, so that adding images moves few others.

Every choice (which images to try, to keep, to test on) takes the images with the smallest keyed hashes. Another purpose
or seed is another key, so that the choices are independent of each other.

>>> [hex(value) for value in choose_order(["imagenet-a572874ff3dc8fd4"], purpose="split", seed=0)]
['0xda6e59d39f32d5d9']
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import as_arrow
from curator.decide.row_places import read_bytes

if TYPE_CHECKING:
    import pandas as pd

Keys = npt.NDArray[np.uint64]

_DIGITS = 16
_NOT_HEX = 255
_WRONG_NAME = "every name must end in 16 hexadecimal digits"
_NIBBLES = np.full(256, _NOT_HEX, np.uint8)
_NIBBLES[list(b"0123456789abcdef")] = _NIBBLES[list(b"0123456789ABCDEF")] = range(16)


def choose_order(names: Sequence[str] | pd.Series[Any], purpose: str, seed: int) -> Keys:
    """Compute a uniform, repeatable 64-bit key of each image: whoever has the smallest comes first.

    Args:
        names: SHA-256s or record ids, shape (n,): texts that end in at least 16 hexadecimal digits.
        purpose: what is chosen, such as ``"balance"``.
        seed: another seed is another order.

    Returns:
        uint64, shape (n,). Equal names get equal keys.

    Raises:
        ValueError: a name is missing or does not end in 16 hexadecimal digits.
    """
    return mix(last_digits(names), purpose, seed)


def mix(values: Keys, purpose: str, seed: int) -> Keys:
    """Map 64-bit values one to one to keys that look random, by the output function of SplitMix64.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    key = hashlib.sha256(f"{purpose}\n{seed}".encode()).digest()[:8]
    mixed = values ^ np.uint64(int.from_bytes(key, "big"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def last_digits(names: Sequence[str] | pd.Series[Any]) -> Keys:
    """Read the last 16 hexadecimal digits of each name as a number: uint64, shape (n,).

    >>> last_digits(["folder-00000000000000ff"])
    array([255], dtype=uint64)
    """
    texts = as_arrow(names, pa.string())
    try:
        digits = pc.utf8_slice_codeunits(texts, -_DIGITS).cast(pa.binary()).cast(pa.binary(_DIGITS))
    except pa.ArrowInvalid as error:
        raise ValueError(_WRONG_NAME) from error
    nibbles = _NIBBLES[read_bytes(digits, _DIGITS)]
    if digits.null_count or (nibbles == _NOT_HEX).any():
        raise ValueError(_WRONG_NAME)
    return np.ascontiguousarray(nibbles[:, 0::2] << 4 | nibbles[:, 1::2]).view(">u8").ravel().astype(np.uint64)
