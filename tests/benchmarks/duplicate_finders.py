"""Run one peer over a folder of images and print the pairs that it names: ``python duplicate_finders.py PEER FOLDER``.

It runs in an environment of its own, without curator. Printed as JSON: for each of the peer's settings the pairs of
file names, and the seconds of the whole run. A peer that gives groups is taken at its word for all pairs of a group.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path


def pairs_within(names, rows, radii):
    """Name the pairs whose hashes, a list of uint8 rows for each image, are within each radius in some row."""
    import numpy as np

    codes = np.asarray(rows, np.uint8).reshape(len(names), -1, np.asarray(rows).shape[-1])
    least = np.full((len(names), len(names)), 999, np.int16)
    for turn in range(codes.shape[1]):
        for k, code in enumerate(codes[:, 0]):
            bits = np.unpackbits(codes[:, turn] ^ code, axis=1).sum(axis=1, dtype=np.int16)
            least[k] = np.minimum(least[k], bits)
    least = np.minimum(least, least.T)
    near = {radius: np.argwhere(np.triu(least <= radius, 1)).tolist() for radius in radii}
    return {f"{radius} bits": [(names[i], names[j]) for i, j in found] for radius, found in near.items()}


def all_pairs(groups):
    """Name every pair of each group."""
    return [pair for group in groups for pair in itertools.combinations(sorted(group), 2)]


def imagehash(files):
    """All pairs of pHashes within the three distances that people use."""
    import imagehash
    from PIL import Image

    rows = [[list(bytes.fromhex(str(imagehash.phash(Image.open(file)))))] for file in files]
    return pairs_within([file.name for file in files], rows, (4, 8, 10))


def pdqhash(files):
    """PDQ in its eight orientations, at the 31 of 256 bits that its authors name, skipping images of low quality."""
    import numpy as np
    import pdqhash
    from PIL import Image

    names, rows = [], []
    for file in files:
        turned, quality = pdqhash.compute_dihedral(np.asarray(Image.open(file).convert("RGB")))
        if quality >= 50:
            names.append(file.name)
            rows.append([np.packbits(one) for one in turned])
    return pairs_within(names, rows, (31,))


def imagededup(files):
    """PHash and DHash at the default distance of 10; the CNN wants weights that are not in its package."""
    from imagededup.methods import DHash, PHash

    found = {}
    for name, method in (("PHash, 10 bits", PHash), ("DHash, 10 bits", DHash)):
        near = method(verbose=False).find_duplicates(image_dir=str(files[0].parent), num_enc_workers=0)
        found[name] = sorted({tuple(sorted((one, other))) for one, others in near.items() for other in others})
    return found


def imgcheck(files):
    """The default of 3 bits and, wider, 8; as it is and blind to turns; stars, which its authors recommend."""
    import imgcheck

    found = {}
    for turns in (False, True):
        hashed = imgcheck.compute_hashes([str(file) for file in files], rotation_invariant=turns, show_progress=False)
        for bits in (3, 8):
            stars = imgcheck.cluster_duplicates(hashed, bits, method="medoid")
            named = [(star.kept, other) for star in stars for other in star.members if other != star.kept]
            key = f"{bits} bits{', turned' if turns else ''}"
            found[key] = [(Path(one).name, Path(other).name) for one, other in named]
    return found


def cleanvision(files):
    """Equal pHashes, the only rule that it has."""
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(files[0].parent))
    lab.find_issues({"near_duplicates": {}, "exact_duplicates": {}}, n_jobs=1, verbose=False)
    sets = [*lab.info["near_duplicates"]["sets"], *lab.info["exact_duplicates"]["sets"]]
    return {"default": sorted(set(all_pairs([[Path(name).name for name in one] for one in sets])))}


def czkawka(files):
    """The Rust library through its Python binding: the 15 of its examples, and stricter."""
    from czkawka import ImageSimilarity

    found = {}
    for level in (5, 15):
        finder = ImageSimilarity()
        finder.set_directories([files[0].parent])
        finder.set_similarity(level)
        groups = finder.find_similar()
        found[f"level {level}"] = all_pairs([[Path(name).name for name in group] for group in groups])
    return found


def fastdup(files):
    """Similarity of its own features: the default of 0.9, and what it calls near-duplicates, 0.98."""
    import fastdup

    with tempfile.TemporaryDirectory() as work:
        run = fastdup.create(work_dir=work, input_dir=str(files[0].parent))
        run.run(threshold=0.9, nearest_neighbors_k=5, num_threads=os.cpu_count(), verbose=False)
        table = run.similarity()
    rows = list(zip(table["filename_from"], table["filename_to"], table["distance"], strict=True))
    near = {
        least: {tuple(sorted((Path(a).name, Path(b).name))) for a, b, d in rows if d >= least} for least in (0.9, 0.98)
    }
    return {f"similarity {least}": sorted(pairs) for least, pairs in near.items()}


PEERS = {
    "imagehash": imagehash,
    "imagededup": imagededup,
    "imgcheck": imgcheck,
    "cleanvision": cleanvision,
    "czkawka": czkawka,
    "fastdup": fastdup,
    "pdqhash": pdqhash,
}


def main(peer, folder):
    """Run the peer; whatever it prints goes to stderr."""
    files = sorted(path.resolve() for path in Path(folder).iterdir())
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        found = PEERS[peer](files)
    print(json.dumps({"wall_s": time.perf_counter() - start, "found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
