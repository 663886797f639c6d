"""Measure what comparing by pixels costs with all at hand that is known of each picture by itself.

So many photographs are not there. Each picture is made of two photographs, warped, mirrored and laid over one another,
so that it is a stranger to all others; a twentieth are crops of others.

    python compared_cost.py --photos ../shared/photos --pictures 100000
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pixel_judge import PHOTOS, list_photos
from verdict import Verdict, at_most, conclude

from curator.decide.judged import ONE
from curator.events import ignore
from curator.manifests.settings import DedupeSettings
from curator.matching import perceptual_hash
from curator.matching.judge.sketch import SKETCH_SIDE, make_sketch
from curator.matching.luma_signatures import pack_signatures
from curator.matching.pictures import Pictures
from curator.matching.points.glimpse import GLIMPSE_SIDE, take_glimpse
from curator.observe.luma import shrink
from curator.observe.pixels import MAX_PIXELS, decode_rgb
from curator.pipeline.judging.compare_pictures import compare_pictures
from curator.pipeline.judging.contents import Contents, number_equal
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.summaries import GLIMPSES, SKETCHES

WIDTH, HEIGHT = GLIMPSE_SIDE, GLIMPSE_SIDE * 3 // 4
COPIES, AT_ONCE = 20, 256
"""One picture in so many is a crop of the one before it; so many are made at once."""
MOST_CPU_MS = 6.0
"""A picture: of 100,000 ten minutes."""
_photos: list[np.ndarray] = []


def read_photos(paths):
    """Read the photographs, small, in each process that makes pictures."""
    cv2.setNumThreads(1)
    for path in paths:
        try:
            rgb = np.asarray(decode_rgb(path.read_bytes()).convert("RGB"))
        except ValueError:
            continue
        _photos.append(cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def draw(number):
    """Make the picture of a number: uint8 of shape (height, width, 3)."""
    if number % COPIES == 1:
        chance, picture = np.random.default_rng([5, number]), draw(number - 1)
        left, top = chance.integers(0, WIDTH // 3), chance.integers(0, HEIGHT // 3)
        return picture[top : top + HEIGHT * 2 // 3, left : left + WIDTH * 2 // 3]
    chance = np.random.default_rng([5, number])
    one, other = (_warp(_photos[chance.integers(len(_photos))], chance) for _ in range(2))
    ramp = cv2.resize(chance.uniform(0.2, 0.8, (3, 4)).astype(np.float32), (WIDTH, HEIGHT))[..., None]
    return np.rint(one * ramp + other * (1 - ramp)).astype(np.uint8)


def _warp(picture, chance):
    moves = (chance.uniform(-40, 40, (2, 5, 6)) + chance.uniform(-90, 90, (2, 1, 1))).astype(np.float32)
    x, y = (cv2.resize(move, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for move in moves)
    x += np.arange(WIDTH, dtype=np.float32)
    y += np.arange(HEIGHT, dtype=np.float32)[:, None]
    warped = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return warped[:, ::-1] if chance.random() < 0.5 else warped


def look(numbers):
    """Make pictures, and what is known of each: its hashes, its sketch and its glimpse."""
    found = []
    for number in numbers:
        picture = draw(number)
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = shrink(Image.fromarray(luma))[None]
        coefficients = perceptual_hash.transform(small)
        hashes = (
            perceptual_hash.orientation_bytes(coefficients)[0].tobytes(),
            perceptual_hash.hash256(coefficients)[0].tobytes(),
            pack_signatures(small)[0],
        )
        scale = SKETCH_SIDE / max(picture.shape)
        sketch = make_sketch(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        found.append((hashlib.sha256(str(number).encode()).hexdigest(), hashes, sketch, take_glimpse(luma)))
    return found


def make(photos, n, folder):
    """Make ``n`` pictures, and keep what is known of each in the files that dedupe reads; return names and hashes."""
    known, files = {}, (SKETCHES.open(folder), GLIMPSES.open(folder))
    paths = [*list_photos(photos).values()]
    parts = [range(start, min(n, start + AT_ONCE)) for start in range(0, n, AT_ONCE)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=read_photos, initargs=(paths,)) as pool:
        for part in pool.map(look, parts):
            names = [name for name, *_ in part]
            known |= {name: hashes for name, hashes, *_ in part}
            for place, file in enumerate(files, 2):
                rows = [one[place] for one in part]
                file.add(names, **{field: np.stack([row[field] for row in rows]) for field in rows[0]})
    return known


def measure_cost(photos, n, folder) -> list[Verdict]:
    """Compare the pictures as dedupe does, twice: with their summaries at hand, and with all verdicts, too."""
    names, hashes = zip(*sorted(make(photos, n, folder).items()), strict=True)
    pictures = Pictures.unpack(*zip(*hashes, strict=True))
    files = np.array([str(folder / name) for name in names], object)
    contents = Contents(np.array(names, object), files, pictures, number_equal(pictures))
    means = Means(folder / "judged.parquet", folder, folder, None, MAX_PIXELS, ignore)
    cpu_ms = []
    for what in ("summaries at hand", "verdicts at hand, too"):
        start = sum(os.times()[:4]), time.perf_counter()
        judged = compare_pictures(contents, DedupeSettings(), means)
        cpu_ms.append(1000 * (sum(os.times()[:4]) - start[0]) / n)
        wall_s = time.perf_counter() - start[1]
        print(f"{n:,} pictures, {what}: {cpu_ms[-1]:.2f} ms of processor time each, {wall_s:.0f} s in all")
    n_ones = sum(verdict == ONE for verdict in judged["verdict"].to_pylist())
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"   {len(judged) / n:.2f} pairs judged a picture; {n_ones:,} of one picture; {peak_gb:.1f} GB")
    return [at_most(f"{n:,} pictures, summaries at hand: ms a picture", cpu_ms[0], MOST_CPU_MS)]


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", default=[PHOTOS])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="an empty folder, if the pictures' summaries are to stay")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return conclude(measure_cost(given.photos, given.pictures, given.folder or Path(name)))


if __name__ == "__main__":
    sys.exit(main())
