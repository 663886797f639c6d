"""Decode and resize every image once, into one memory-mapped array of 8-bit pixels that later runs read again.

>>> array_name(96, ["00" * 32])[:10]
'images-96-'
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from curator.benchmark.images.augment import PixelArray
from curator.embed.squares import CHANGED, raise_all, read_square, unreadable
from curator.errors import StateError
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.observe.pixels import DECODER_VERSION, MAX_PIXELS
from curator.store.catalog_files import fingerprint
from curator.store.image_store import size_of
from curator.store.paths import DataPaths
from curator.store.whole_files import whole_file

VERSION = DECODER_VERSION
"""Changes with decoding and resizing, so that no older array is taken for a new one."""

WORK = "decode"


def array_name(side: int, sha256s: Sequence[str]) -> str:
    """Name the array of these images, in this order, at ``side`` pixels."""
    return f"images-{side}-{fingerprint(VERSION, side, list(sha256s))[:16]}.npy"


def image_array(
    table: pd.DataFrame, paths: DataPaths, side: int, emit: Listener, max_pixels: int = MAX_PIXELS
) -> PixelArray:
    """Map the images of a manifest at ``side`` pixels square, decoding them if no earlier run did.

    The picture is squeezed to the square, as the article does; nothing is cropped. An array that an earlier run left is
    used if every file is still there with as many bytes as the manifest counts; which bytes, decoding has checked.

    Returns:
        Read-only uint8 memory map, shape (images, side, side, 3), RGB, EXIF turn applied.

    Raises:
        StateError: a file is gone, changed or unreadable; all such files are counted and the first few named.
    """
    path = paths.benchmark_cache / array_name(side, table["sha256"].tolist())
    if path.exists():
        _check_files(table, paths)
    else:
        with whole_file(path) as temporary:
            _decode_all(table, paths, temporary, emit, partial(read_square, side=side, max_pixels=max_pixels), side)
        for older in path.parent.glob(f"images-{side}-*.npy"):
            if older != path:
                older.unlink(missing_ok=True)
    pixels: PixelArray = np.load(path, mmap_mode="r")
    return pixels


def _stored_files(table: pd.DataFrame, paths: DataPaths) -> list[Path]:
    hashes, formats = table["sha256"].tolist(), table["format"].tolist()
    return [paths.image(sha256, image_format) for sha256, image_format in zip(hashes, formats, strict=True)]


def _check_files(table: pd.DataFrame, paths: DataPaths) -> None:
    problems = []
    for record_id, path, n_bytes in zip(table["record_id"], _stored_files(table, paths), table["n_bytes"], strict=True):
        size = size_of(path)
        if size is None:
            problems.append(f"{record_id}: {unreadable(path, os.strerror(errno.ENOENT))}")
        elif not pd.isna(n_bytes) and size != int(n_bytes):
            problems.append(f"{record_id}: {path} {CHANGED}")
    raise_all(problems)


def _decode_all(
    table: pd.DataFrame, paths: DataPaths, out: Path, emit: Listener, read: Callable[[Path, str], PixelArray], side: int
) -> None:
    pixels = np.lib.format.open_memmap(out, mode="w+", dtype=np.uint8, shape=(len(table), side, side, 3))
    hashes, files = table["sha256"].tolist(), _stored_files(table, paths)
    problems: list[str] = []

    def decode(row: int) -> None:
        try:
            pixels[row] = read(files[row], hashes[row])
        except StateError as error:
            problems.append(f"{table['record_id'].iloc[row]}: {error}")

    emit(WorkStarted(WORK, len(table)))
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for _ in pool.map(decode, range(len(table))):
            emit(WorkAdvanced(WORK))
    finally:
        pool.shutdown(cancel_futures=True)
        emit(WorkFinished(WORK))
    raise_all(problems)
    pixels.flush()
