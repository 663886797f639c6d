"""What tells pictures apart: their hashes in eight orientations, their 256-bit hashes and their luma signatures.

>>> pictures = Pictures.unpack([bytes(64)] * 2, [bytes(32)] * 2, [bytes([255]) * 512, None])
>>> len(pictures), pictures.has_signature.tolist(), int(pictures.read_signatures(np.array([0])).min())
(2, [True, False], 15)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curator.matching.luma_signatures import SIGNATURE_BYTES, unpack_signatures
from curator.matching.perceptual_hash import HashBytes, Hashes64, unpack_bytes, unpack_orientations

Indices = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pictures:
    """Pictures to compare, as four arrays.

    Attributes:
        hashes: uint64, shape (n, 8): the 64-bit hashes of each, in the order of ``ORIENTATIONS``.
        hashes256: uint8, shape (n, 32): the 256-bit hashes.
        signatures: uint8, shape (m, 512): packed luma signatures, in any order.
        places: shape (n,): the row of each picture's signature; -1: unknown.
    """

    hashes: Hashes64
    hashes256: HashBytes
    signatures: HashBytes
    places: Indices

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def unpack(
        cls, hashes: Sequence[bytes], hashes256: Sequence[bytes], signatures: Sequence[bytes | None]
    ) -> Pictures:
        """Read the bytes that the catalog has of each picture: 64, 32, and 512 or None."""
        known = np.array([signature is not None for signature in signatures], bool)
        packed = np.frombuffer(b"".join(filter(None, signatures)), np.uint8).reshape(-1, SIGNATURE_BYTES)
        places = np.where(known, np.cumsum(known) - 1, -1)
        return cls(unpack_orientations(hashes), unpack_bytes(hashes256), packed, places)

    @property
    def has_signature(self) -> BoolArray:
        """Whether each picture's luma signature is known: bool, shape (n,)."""
        return self.places >= 0

    def read_signatures(self, rows: Indices) -> HashBytes:
        """Read the luma signatures of some pictures, all of which must have one: greys, shape (rows, 32, 32)."""
        return unpack_signatures(self.signatures[self.places[rows]])

    def take(self, rows: Indices) -> Pictures:
        """Return these pictures only."""
        return Pictures(self.hashes[rows], self.hashes256[rows], self.signatures, self.places[rows])

    def append(self, others: Pictures) -> Pictures:
        """Return these pictures, then the others."""
        return Pictures(
            np.concatenate([self.hashes, others.hashes]),
            np.concatenate([self.hashes256, others.hashes256]),
            np.concatenate([self.signatures, others.signatures]),
            np.concatenate([self.places, np.where(others.places < 0, -1, others.places + len(self.signatures))]),
        )
