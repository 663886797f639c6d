"""Count which copies of 47 kinds are compared with their originals at all, and how many strangers with them.

Copies are planted among photographs; what hashes, features (the extra ``embed``) and the first look choose is counted,
as ``curator dedupe`` chooses it, but for what it compares once it has found a copy.

    python first_look.py --photos ../shared/photos --copies 8 --seed seven
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from copy_kinds import COPY_KINDS, encode_copy, make_copy
from curator.matching.first_look import may_be_one
from pixel_judge import ORIGINALS, PHOTOS, list_photos

from curator.embed.models import open_embedder
from curator.manifests.settings import EmbedSettings
from curator.matching.candidates import find_candidates
from curator.matching.neighbours import find_neighbours
from curator.matching.pictures import Pictures
from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb
from curator.observe.renderings import Rendering, draw
from curator.pipeline.judging.likely import LEAST_COSINE, MOST

_MAX_PIXELS = 1_000_000_000


def read(job):
    """What is known of a file or of a copy of it: kind (empty: none), its original, another picture, a seed."""
    kind, path, other, seed = job
    data = path.read_bytes()
    try:
        if kind:
            pictures = (decode_rgb(file.read_bytes()) for file in (path, other))
            data = encode_copy(kind, make_copy(kind, *pictures, seed))
    except ValueError:  # it does not decode
        return None
    seen = observe_image(data, max_pixels=_MAX_PIXELS)
    return None if seen.phash256 is None else (data, seen.phash_turns, seen.phash256, seen.thumbnail)


def list_jobs(files, n_copies, seed):
    """Every photograph, then the copies of a few; and the place of the original of each."""
    chance, names = random.Random(f"copies {seed}"), sorted(files)
    chosen = chance.sample(range(len(names)), min(ORIGINALS, len(names)))
    jobs = [("", files[name], None, "") for name in names]
    origins = list(range(len(names)))
    for kind in COPY_KINDS:
        for place in chance.sample(chosen, min(n_copies, len(chosen))):
            jobs.append((kind, files[names[place]], files[chance.choice(names)], f"{seed} {names[place]}"))
            origins.append(place)
    return jobs, np.array(origins)


def embed(images):
    """Features of pictures, float32 (pictures, n)."""
    network = open_embedder(EmbedSettings(), Path())
    squeezed = Rendering(fit="squeeze", side_px=network.side, least={"short_px": network.side})
    return np.stack([network.run_image(np.asarray(draw(data, squeezed, _MAX_PIXELS))) for data in images])


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--copies", type=int, default=8, help="of each kind")
    parser.add_argument("--seed", default="seven")
    given = parser.parse_args()
    jobs, origins = list_jobs(list_photos(given.photos), given.copies, given.seed)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        seen = list(pool.map(read, jobs, chunksize=8))
    places = np.array([place for place, one in enumerate(seen) if one and seen[origins[place]]])
    number = np.cumsum(np.isin(np.arange(len(seen)), places)) - 1
    kinds, origin, n = [jobs[place][0] for place in places], number[origins[places]], len(places)
    data, *columns = zip(*(seen[place] for place in places), strict=True)
    pictures = Pictures.unpack(*columns)
    near, (i, j) = find_neighbours(embed(data), MOST, LEAST_COSINE), find_candidates(pictures, 10, rotations=True)
    passes = may_be_one(pictures, near)
    by_hash, by_features = i * n + j, near.i * n + near.j
    copies = np.flatnonzero(np.array(kinds) != "")
    pairs = np.minimum(copies, origin[copies]) * n + np.maximum(copies, origin[copies])
    chosen = np.union1d(by_hash, by_features[passes])
    strange = origin[near.i] != origin[near.j]
    print(f"{n:,} pictures, {len(copies):,} of them copies; {len(by_features) / n:.1f} neighbours an image")
    print(f"compared with the original: by hash {np.isin(pairs, by_hash).mean():.3f}, ", end="")
    print(f"neighbours {np.isin(pairs, by_features).mean():.3f}, in all {np.isin(pairs, chosen).mean():.3f}")
    print(
        f"strangers among the neighbours that pass: {passes[strange].mean():.3f}; pairs an image: {len(chosen) / n:.2f}"
    )
    missed = Counter(
        kinds[place] for place, pair in zip(copies, pairs, strict=True) if pair not in set(chosen.tolist())
    )
    for kind, n_missed in missed.most_common():
        print(f"   {kind:<24}{n_missed:>4} not compared")


if __name__ == "__main__":
    main()
