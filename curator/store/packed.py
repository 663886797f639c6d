"""Read files before they are passed on: whether each still has the bytes that it is named or recorded by.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> _ = (root / "a.jpg").write_bytes(b"abc")
>>> good = hashlib.sha256(b"abc").hexdigest()
>>> check_files(root, [("a.jpg", {good}), ("b.jpg", {good}), ("a.jpg", {"0" * 64})])
[None, 'missing', 'its bytes differ from its SHA-256']
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from curator.errors import StateError, why
from curator.store import beneath
from curator.store.image_store import bring_here, here
from curator.store.shards.shard_store import N_AT_ONCE

DIFFERS = "its bytes differ from its SHA-256"


def check_files(
    root: Path,
    files: Sequence[tuple[str, Collection[str]]],
    advance: Callable[[], None] = lambda: None,
    algorithm: str = "sha256",
) -> list[str | None]:
    """Compare files with their SHA-256s, or the hashes of another algorithm, several at once.

    Args:
        root: the folder that the names start at; no link below it is followed.
        files: names, each with the hashes of which it must have one.
        advance: called for each file.

    Returns:
        What is wrong with each file; None if nothing is.
    """
    found: list[str | None] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(files), N_AT_ONCE):
            some = files[start : start + N_AT_ONCE]
            bring_here([root / name for name, _ in some])
            for problem in threads.map(partial(_check, root, algorithm), some):
                found.append(problem)
                advance()
    return found


def _check(root: Path, algorithm: str, file: tuple[str, Collection[str]]) -> str | None:
    name, known = file
    try:
        return None if digest_beneath(root, name, algorithm) in known else DIFFERS
    except FileNotFoundError:
        return "missing"
    except StateError as error:
        return error.message.removeprefix(f"{root / name} ").rstrip(".")
    except OSError as error:
        return f"cannot be read ({why(error)})"


def digest_beneath(root: Path, name: str, algorithm: str = "sha256") -> str:
    """Hash a file below ``root``, through no link; see :func:`curator.store.beneath.opened_file`."""
    here(root / name)
    with beneath.opened_file(root, name) as descriptor, os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
