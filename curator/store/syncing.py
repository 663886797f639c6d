"""Wait for the disk.

>>> import tempfile
>>> sync_file(Path(tempfile.mkdtemp()))
"""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path | str) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
