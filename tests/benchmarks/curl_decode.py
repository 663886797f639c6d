"""Download a list with curl, then decode each file strictly: ``python curl_decode.py FOLDER CONNECTIONS``.

The least that any fetch which proves its pictures must do. A file is read and decoded to grey at the scale at which
curator decodes (mostly an eighth), by the decoder that it uses, which goes through all the coefficients of every scan
and raises at its first warning: a file that is cut, or damaged, ends the run. One process a core, as curator has, so
that both pay the same for a machine whose cores share caches and clock. No hash, no quality, no ledger, no sync.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import simplejpeg

REDUCED_SIDE = 48
"""That of curator.observe.luma."""


def decode(files: Sequence[Path]) -> int:
    """Decode files; return how many.

    Raises:
        ValueError: the decoder has something to say of one.
    """
    for file in files:
        data = file.read_bytes()
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        scale = next((scale for scale in (8, 4, 2) if min(width, height) >= scale * REDUCED_SIDE), 1)
        least = {"min_height": -(-height // scale), "min_width": -(-width // scale), "min_factor": scale}
        simplejpeg.decode_jpeg(data, "GRAY", strict=True, **least)
    return len(files)


def main(folder: Path, connections: int) -> None:
    """Run curl on ``urls.cfg``, then decode what it brought."""
    curl = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(connections), "--config", "urls.cfg"]
    subprocess.run(curl, cwd=folder, check=True)
    files, n = sorted(folder.glob("*.jpg")), os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(n) as pool:
        decoded = sum(pool.map(decode, [files[start::n] for start in range(n)], chunksize=1))
        pool.close()
        pool.join()
    if decoded != len(files):
        raise RuntimeError(f"{decoded} of {len(files)} files were decoded")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
