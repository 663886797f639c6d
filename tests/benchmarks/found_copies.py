"""Count which copies of 47 kinds end as one picture with their originals, and what comparing costs.

What ``curator dedupe`` does with pictures is done here, by itself.

Copies are planted among photographs, several of each original; a copy is found if pairs that the judge holds to be one
picture lead from it to its original, by way of other copies or not. Beside it stands what pairs within 8 bits of
imagehash's hash lead to: :mod:`curator.matching.perceptual_hash` of a picture that was decoded whole. Photographs that
a fetch drops, such as blank ones, are no originals.

    python found_copies.py --photos ../shared/photos/scenes ../shared/neardup --copies 100 --seed h8
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from copy_kinds import COPY_KINDS, encode_copy, make_copy
from PIL import Image
from pixel_judge import ORIGINALS, PHOTOS, TARGETS, list_photos
from verdict import Verdict, at_least, at_most, conclude

from curator.decide.judged import ONE, TWO
from curator.events import ignore
from curator.manifests.settings import DedupeSettings, EmbedSettings, QualitySettings
from curator.matching import perceptual_hash
from curator.matching.components import label_components
from curator.matching.pictures import Pictures
from curator.observe.luma import shrink
from curator.observe.observation import observe_image
from curator.observe.pixels import MAX_PIXELS, as_grey, decode_rgb
from curator.pipeline.judging.compare_pictures import compare_pictures
from curator.pipeline.judging.contents import Contents, number_equal
from curator.pipeline.judging.likely import open_network
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.pair_tables import number_pairs

BITS = 8
"""Within which two hashes of `imagehash` are held to be of one picture."""


def write(job):
    """Write a file or a copy of it: the path, and what is known of it; None: it does not decode."""
    kind, path, other, seed, folder = job
    data = path.read_bytes()
    try:
        if kind:
            data = encode_copy(kind, make_copy(kind, *(decode_rgb(file.read_bytes()) for file in (path, other)), seed))
    except ValueError:
        return None
    seen = observe_image(data, max_pixels=MAX_PIXELS)
    if seen.phash256 is None or seen.flaw or (not kind and min(seen.width, seen.height) < QualitySettings().min_side):
        return None
    (folder / seen.sha256).write_bytes(data)
    luma = shrink(as_grey(Image.open(io.BytesIO(data))))
    hash64 = perceptual_hash.orientation_bytes(perceptual_hash.transform(luma[None]))[0].tobytes()[:8]
    return seen.sha256, (seen.phash_turns, seen.phash256, seen.thumbnail), int.from_bytes(hash64)


def list_jobs(files, n_copies, seed, folder):
    """Every photograph, then the copies of a few; and the place of the original of each."""
    chance, names = random.Random(f"copies {seed}"), sorted(files)
    chosen = chance.sample(range(len(names)), min(ORIGINALS, len(names)))
    jobs = [("", files[name], None, "", folder) for name in names]
    origins = list(range(len(names)))
    for kind in COPY_KINDS if n_copies else ():
        for place in chance.sample(chosen, min(n_copies, len(chosen))):
            jobs.append((kind, files[names[place]], files[chance.choice(names)], f"{seed} {names[place]}", folder))
            origins.append(place)
    return jobs, origins


def compare(seen, folder, network):
    """Compare contents as dedupe does: the contents, the verdicts, and the processor time."""
    names, facts = zip(*sorted({name: facts for name, facts, _ in filter(None, seen)}.items()), strict=True)
    pictures = Pictures.unpack(*zip(*facts, strict=True))
    files = np.array([str(folder / name) for name in names], object)
    contents = Contents(np.array(names, object), files, pictures, number_equal(pictures))
    means = Means(folder / "judged.parquet", folder / "cache", folder / "cache", network, MAX_PIXELS, ignore)
    start = sum(os.times()[:4])
    judged = compare_pictures(contents, DedupeSettings(), means)
    return contents, judged, sum(os.times()[:4]) - start


def link_by_hash(seen, origins):
    """Link those of one original whose hashes of 64 bits differ in 8 at most: a group each, int64 of shape (files,).

    Pairs of strangers, which lead to an original, too, do not count.
    """
    hashes = np.array([one[2] if one else 0 for one in seen], np.uint64)
    origins = np.array(origins)
    near = [
        np.flatnonzero((np.bitwise_count(hashes ^ one) <= BITS) & (origins == origin))
        for one, origin in zip(hashes, origins, strict=True)
    ]
    rows = np.repeat(np.arange(len(hashes)), [len(found) for found in near])
    return label_components(len(hashes), rows, np.concatenate(near))


def count_found(photos, n_copies, seed, with_network=False) -> list[Verdict]:
    """Count, print, and compare with the targets."""
    files = list_photos(photos)
    network = open_network(EmbedSettings(), Path()) if with_network else None
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs, origins = list_jobs(files, n_copies, seed, Path(place))
        seen = list(pool.map(write, jobs, chunksize=8))
        start = time.perf_counter()
        contents, judged, cpu_s = compare(seen, Path(place), network)
        wall_s = time.perf_counter() - start
    n = len(contents)
    number = {name: row for row, name in enumerate(contents.sha256.tolist())}
    verdict = np.array(judged["verdict"])
    ones = np.flatnonzero(verdict == ONE)
    group = label_components(n, *np.divmod(number_pairs(judged.take(ones), contents.sha256).to_numpy(), n))
    by_hash = link_by_hash(seen, origins)
    found, hashed, all_of, parted = Counter(), Counter(), Counter(), set[int]()
    for (kind, *_), one, origin, place in zip(jobs, seen, origins, range(len(jobs)), strict=True):
        if kind and one and seen[origin]:
            all_of[kind] += 1
            is_found = group[number[one[0]]] == group[number[seen[origin][0]]]
            parted |= set() if is_found else {origin}
            found[kind] += is_found
            hashed[kind] += by_hash[place] == by_hash[origin]
    strangers = (verdict == TWO).sum()
    print(f"\n{n:,} pictures; {len(verdict) / n:.2f} pairs judged a picture, {strangers / n:.2f} of strangers")
    print(f"{1000 * cpu_s / n:.1f} ms of processor time a picture, {wall_s:.0f} s in all, nothing kept from before")
    if n_copies:
        print(
            f"{len(parted)} of {len(set(origins[len(files) :]))} originals have a copy that a split may part from them"
        )
    for kind in COPY_KINDS if n_copies else ():
        print(f"   {kind:<24}{found[kind]:>6} of {all_of[kind]}; imagehash {hashed[kind]}")
    below = [kind for kind in all_of if found[kind] < hashed[kind]]
    results = [at_most("kinds of which imagehash finds more", len(below), 0)] if n_copies else []
    for what, (target, kinds) in TARGETS.items():
        if of := sum(all_of[kind] for kind in kinds):
            results.append(at_least(f"{what}, several an original", sum(found[kind] for kind in kinds) / of, target))
    return results


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", default=[PHOTOS])
    parser.add_argument("--copies", type=int, default=24, help="of each kind; 0: what the photographs alone cost")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--network", action="store_true", help="ask a network, too (the extra embed)")
    given = parser.parse_args()
    return conclude(count_found(given.photos, given.copies, given.seed, given.network))


if __name__ == "__main__":
    sys.exit(main())
