"""Measure how fast images go into shards and come back: `make bench-stores`.

Files of random bytes, 100 kB each (as photographs on the web are), so nothing is decoded. A folder is the store, then
moto's S3 server in this process, which shares the processor with what is measured, and copies a shard for each range.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from curator.store.image_store import bring_here, here
from curator.store.paths import DataPaths
from curator.store.shards.commit import commit
from curator.store.shards.place import Place, write_place
from curator.store.shards.shard_store import N_AT_ONCE, ShardStore
from tests.s3_server import s3_server

N_BYTES = 100_000


def measure(root: Path, url: str, n_images: int, n_read: int) -> str:
    """Pack, upload, commit; then read a random sample one by one and together, from another folder."""
    paths = DataPaths(root / "data", root, "set")
    files = []
    for _ in range(n_images):
        data = os.urandom(N_BYTES)
        path = paths.image(hashlib.sha256(data).hexdigest(), "jpeg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.append((path.name, path))
    files.sort()
    write_place(paths.folder, Place(url, cache_bytes=0))
    store = ShardStore(paths.folder, Place(url, cache_bytes=0))
    cpu, start = time.process_time(), time.perf_counter()
    commit(store, files)
    put, put_cpu = time.perf_counter() - start, time.process_time() - cpu
    shutil.rmtree(paths.images)
    sample = random.Random(0).sample([path for _, path in files], n_read)
    start = time.perf_counter()
    for path in sample:
        here(path)
    alone = time.perf_counter() - start
    shutil.rmtree(paths.images)
    start = time.perf_counter()
    for first in range(0, n_read, N_AT_ONCE):
        bring_here(sample[first : first + N_AT_ONCE])
    together = time.perf_counter() - start
    rate, megabytes = n_images / put, n_images * N_BYTES / put / 1e6
    return (
        f"{rate:,.0f} images/s packed and put ({megabytes:,.0f} MB/s, {put_cpu:.1f} CPU s); "
        f"{n_read} random ones: {n_read / alone:,.0f}/s one by one, {n_read / together:,.0f}/s {N_AT_ONCE} at once"
    )


def main() -> None:
    """Print a line a store."""
    with tempfile.TemporaryDirectory() as folder:
        print("file://", measure(Path(folder) / "a", f"file://{folder}/elsewhere", 2_500, 1_000))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch, s3_server(patch):
        print("s3:// (moto)", measure(Path(folder) / "b", "s3://pictures/set", 300, 300))
    sys.stdout.flush()
    os._exit(0)  # moto's threads


if __name__ == "__main__":
    main()
