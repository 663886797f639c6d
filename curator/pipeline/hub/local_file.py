"""A file of an export that is to be on the hub: its bytes, in pieces, and whether the hub has them.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "a.txt"
>>> _ = path.write_bytes(b"what is up, doc?")
>>> LocalFile(path, 16, "").is_same(Known("bd9dbf5aae1a3862dd1526723246b20206e5fc37", ""))  # as git names it
True
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from curator.errors import StateError
from curator.pipeline.hub.changes import Known
from curator.pipeline.hub.hub_api import SAMPLE_BYTES
from curator.text import Command


@dataclass(frozen=True)
class LocalFile:
    """A file, its size in bytes, and its SHA-256 in hex."""

    path: Path
    n_bytes: int
    sha256: str

    def read(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from an offset on."""
        with self.path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), n, offset)

    def sample(self) -> bytes:
        """Return its beginning, by which the hub decides where it goes."""
        return self.read(0, SAMPLE_BYTES)

    def content(self) -> bytes:
        """Return all of it.

        Raises:
            StateError: it is not what the export wrote.
        """
        data = self.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            hint = (Command("export --to hub"), " writes it anew.")
            raise StateError(f"{self.path} has changed since it was written.", hint)
        return data

    def is_same(self, known: Known) -> bool:
        """Return whether the hub has these bytes: by their SHA-256, or by git's name for a small file (a SHA-1)."""
        if known.sha256:
            return known.sha256 == self.sha256
        digest = hashlib.sha1(b"blob %d\0" % self.n_bytes, usedforsecurity=False)
        digest.update(self.path.read_bytes())
        return digest.hexdigest() == known.blob
