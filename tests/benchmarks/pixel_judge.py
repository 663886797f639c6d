"""Count which copies of 47 kinds the judge of pixels takes for one picture with their originals, and which strangers.

Thresholds were chosen on photographs whose SHA-256 begins with an even digit; those are counted apart from the others.
Strangers are the nearest neighbours of each photograph, by features where the extra ``embed`` is installed and by the
256-bit hash: the hardest pairs that a set has. What a person said of a pair (tests/matching/judged_pairs.csv) counts.

    python pixel_judge.py --photos ../shared/photos --copies 100 --seed 1
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from copy_kinds import COPY_KINDS, encode_copy, make_copy
from PIL import Image
from verdict import Verdict, at_least, at_most, conclude

from curator.errors import CuratorError
from curator.matching.judge.judge import judge_pair
from curator.matching.judge.sketch import SKETCH_SIDE, make_sketch
from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT.parent / "shared" / "photos"
JUDGED = ROOT / "tests" / "matching" / "judged_pairs.csv"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
ORIGINALS = 300
"""So many photographs are altered: with 47 kinds x 100 each has 16 copies."""
NEIGHBOURS = 4
MOST_FALSE = 0.005
"""Of all nearest neighbours that nobody judged to be one picture: the share that may be taken for one."""
TARGETS = {
    "crops to 50%": (0.97, [f"crop {percent}%" for percent in (2, 5, 10, 15, 20, 30, 40, 50)]),
    "crops to 70%": (0.90, ["crop 60%", "crop 70%"]),
    "borders, bars, padding": (
        0.95,
        [
            "border 3%",
            "border 5%",
            "border 10%",
            "two borders",
            "letterbox",
            "square",
            "caption bar",
            "crop 15%, border",
        ],
    ),
    "rotations to 5 degrees": (0.97, ["rotated 1", "rotated 2", "rotated 5"]),
    "text and watermarks": (0.95, ["text", "large text", "watermark", "brighter, text"]),
    "all kinds": (0.95, list(COPY_KINDS)),
}


def list_photos(folders):
    """The distinct files of folders that decode, by SHA-256."""
    files = {}
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
            files.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return files


def shrink(picture):
    """Shrink a picture to what a sketch is made of."""
    picture = picture.convert("RGB")
    picture.thumbnail((SKETCH_SIDE, SKETCH_SIDE), Image.Resampling.BICUBIC, reducing_gap=2)
    return np.asarray(picture)


def sketch_file(path):
    """The sketch of a file, and its 256-bit hash; None: it does not decode."""
    cv2.setNumThreads(1)
    data = path.read_bytes()
    seen = observe_image(data, max_pixels=100_000_000)
    return None if seen.phash256 is None else (make_sketch(shrink(decode_rgb(data))), seen.phash256)


def sketch_copy(job):
    """The sketch of a copy: its kind, its original, another picture, a seed."""
    cv2.setNumThreads(1)
    kind, path, other, seed = job
    picture, another = (decode_rgb(file.read_bytes()) for file in (path, other))
    copy = encode_copy(kind, make_copy(kind, picture, another, seed))
    return make_sketch(shrink(Image.open(io.BytesIO(copy))))


def judge(pair):
    """Judge two sketches."""
    cv2.setNumThreads(1)
    return judge_pair(*pair)


def verdicts():
    """What a person said of pairs of SHA-256."""
    with JUDGED.open(newline="", encoding="utf-8") as file:
        return {(row["sha256_a"], row["sha256_b"]): row["verdict"] for row in csv.DictReader(file)}


def embed(files):
    """Features of length one, float32 (files, n); None without the extra."""
    try:
        from curator.embed.models import open_embedder
        from curator.manifests.settings import EmbedSettings

        embedder = open_embedder(EmbedSettings(), Path())
    except (CuratorError, ImportError) as error:
        print(f"skipped the neighbours by features: {error}", flush=True)
        return None
    rows = []
    for path in files:
        picture = decode_rgb(path.read_bytes()).resize((embedder.side, embedder.side), Image.Resampling.BICUBIC)
        rows.append(np.ravel(embedder.run(np.asarray(picture)[None])))
    features = np.array(rows, np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def find_neighbours(files, hashes):
    """The pairs of places of each photograph and its nearest by features and by hash."""
    bits = np.unpackbits(np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1), axis=1).astype(np.float32)
    likenesses = [bits @ bits.T + (1 - bits) @ (1 - bits).T]
    features = embed(files)
    if features is not None:
        likenesses.append(features @ features.T)
    pairs = set()
    for likeness in likenesses:
        np.fill_diagonal(likeness, -1)
        for one, others in enumerate(np.argsort(-likeness, axis=1)[:, :NEIGHBOURS].tolist()):
            pairs.update((min(one, other), max(one, other)) for other in others)
    return sorted(pairs)


def count_copies(pool, files, sketches, n_copies, seed):
    """The share found, by kind and by half, of copies of a few photographs."""
    draw = random.Random(f"copies {seed}")
    names = sorted(sketches)
    chosen = draw.sample(names, min(ORIGINALS, len(names)))
    jobs = [(kind, name) for kind in COPY_KINDS for name in draw.sample(chosen, min(n_copies, len(chosen)))]
    made = pool.map(
        sketch_copy,
        [(kind, files[name], files[draw.choice(names)], f"{seed} {name}") for kind, name in jobs],
        chunksize=8,
    )
    pairs = [(sketches[name], copy) for (_, name), copy in zip(jobs, made, strict=True)]
    found, all_of = Counter(), Counter()
    for (kind, name), judgement in zip(jobs, pool.map(judge, pairs, chunksize=32), strict=True):
        half = int(name[0], 16) % 2
        all_of[kind, half] += 1
        found[kind, half] += judgement.same
    return found, all_of


def count_strangers(pool, files, sketches, hashes):
    """What the judge says of the nearest neighbours, by what a person says: a counter, and the pairs to look at."""
    names = sorted(sketches)
    pairs = find_neighbours([files[name] for name in names], [hashes[name] for name in names])
    said, known, open_pairs = Counter(), verdicts(), []
    judged = pool.map(judge, [(sketches[names[i]], sketches[names[j]]) for i, j in pairs], chunksize=32)
    for (i, j), judgement in zip(pairs, judged, strict=True):
        verdict = known.get((names[i], names[j]), "not judged")
        rating = "one" if judgement.same else "doubtful" if judgement.doubtful else "two"
        said[verdict, rating] += 1
        if judgement.same and verdict != "same":  # false, until a person has judged it
            open_pairs.append((verdict, files[names[i]], files[names[j]]))
    return said, open_pairs


def judge_pixels(photos, n_copies, seed) -> list[Verdict]:
    """Count both, print both, and compare with the targets the half on which no threshold was chosen."""
    files = list_photos(photos)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        seen = dict(zip(files, pool.map(sketch_file, files.values(), chunksize=8), strict=True))
        sketches = {name: one[0] for name, one in seen.items() if one}
        hashes = {name: one[1] for name, one in seen.items() if one}
        found, all_of = count_copies(pool, files, sketches, n_copies, seed)
        said, open_pairs = count_strangers(pool, files, sketches, hashes)
    print(f"\ncopies that the judge finds, of {len(COPY_KINDS)} kinds; chosen on, and not chosen on")
    for kind in COPY_KINDS:
        print(f"   {kind:<24}" + "".join(f"{found[kind, half]:>6} of {all_of[kind, half]:<4}" for half in (0, 1)))
    print(f"\n{sum(said.values()):,} pairs of nearest neighbours: a person's verdict, and the judge's")
    for (verdict, rating), n in sorted(said.items()):
        print(f"   {verdict:<12}{rating:<10}{n:>7,}")
    for verdict, one, other in open_pairs:
        print(f"   one picture? ({verdict}) {one} {other}")
    results = []
    for what, (target, kinds) in TARGETS.items():
        if n := sum(all_of[kind, 1] for kind in kinds):
            share = sum(found[kind, 1] for kind in kinds) / n
            results.append(at_least(f"{what}, found given the pair", share, target))
    n_strangers = sum(n for (verdict, _), n in said.items() if verdict != "same")
    across = [1 for _, one, other in open_pairs if one.parent.name != other.parent.name]
    return [
        *results,
        at_most("strangers by a person's verdict, taken for one picture", said["different", "one"], 0),
        at_most(
            f"of {n_strangers:,} strangers, taken for one picture", len(open_pairs) / max(1, n_strangers), MOST_FALSE
        ),
        at_most("strangers in folders of two names, taken for one picture", len(across), 0),
    ]


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", default=[PHOTOS])
    parser.add_argument("--copies", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", default="1")
    given = parser.parse_args()
    return conclude(judge_pixels(given.photos, given.copies, given.seed))


if __name__ == "__main__":
    sys.exit(main())
