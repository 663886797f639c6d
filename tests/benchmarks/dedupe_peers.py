"""Run one task of one peer and print its CPU seconds as JSON: ``python dedupe_peers.py PEER FILE``.

It runs in an environment of its own, without curator. FILE is a list of image files (JSON), or hashes (``.npy``).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

RADIUS = 8


def imagehash(files):
    """Hash with a full decode."""
    import imagehash
    from PIL import Image

    return lambda: [int(str(imagehash.phash(Image.open(file))), 16) for file in files]


def libphash(files):
    """Hash with a decode at an eighth."""
    import libphash

    config = libphash.Config(decode_scale=8)
    return lambda: libphash.hash_files(files, config=config, threads=1)


def imagededup(files):
    """Hash with its own pHash."""
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    return lambda: [hasher.encode_image(image_file=file) for file in files]


def faiss_flat(hashes):
    """All pairs by comparing all with all."""
    import faiss
    import numpy as np

    codes = hashes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    return lambda: [index.range_search(codes[k : k + 10_000], RADIUS + 1) for k in range(0, len(codes), 10_000)]


def faiss_multi_hash(hashes):
    """All pairs by four tables of 16 bits, each probed with up to two bits flipped: exact for radius 8."""
    import faiss
    import numpy as np

    codes = hashes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryMultiHash(64, 4, 16)
    index.nflip = 2
    index.add(codes)
    return lambda: [index.range_search(codes[k : k + 10_000], RADIUS + 1) for k in range(0, len(codes), 10_000)]


PEERS = {
    "imagehash": imagehash,
    "python-libphash": libphash,
    "imagededup": imagededup,
    "faiss-flat": faiss_flat,
    "faiss-multi-hash": faiss_multi_hash,
}


def main(peer, name):
    """Measure the task after its imports."""
    if name.endswith(".npy"):
        import numpy as np

        given = np.load(name)
    else:
        given = json.loads(Path(name).read_text(encoding="utf-8"))
    run = PEERS[peer](given)
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    figures = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    figures["gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    figures["hashes"] = result if peer == "imagehash" else None
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
