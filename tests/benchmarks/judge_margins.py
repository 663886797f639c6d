"""Measure how far each threshold of the judge may move until the first copy is lost, and the first stranger held.

Copies, with their originals: of 47 kinds, and graded in ten more ways. Strangers: the nearest neighbours of each
photograph, the same with copies in place of one of the two, and photographs recoloured so that one sees it. The same
is done with plain parts of the photographs, which have rules of their own. Pairs that a person judged to be one picture
(tests/matching/judged_pairs.csv), or is unsure of, are left out, and so are pairs within `neardup`, which holds copies
itself. Thresholds were chosen on photographs whose SHA-256 begins with an even digit; their copies are counted apart.

    python judge_margins.py --photos ../shared/photos ../shared/neardup --copies 40 --seed 1
"""

from __future__ import annotations

import argparse
import io
import math
import os
import random
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from copy_kinds import COPY_KINDS, QUALITY, encode_copy, make_copy
from PIL import Image, ImageOps
from pixel_judge import PHOTOS, ROOT, find_neighbours, list_photos, shrink, sketch_file, verdicts
from threshold_moves import THRESHOLDS, measure_pair
from verdict import Verdict, at_most, conclude

from curator.matching.judge.sketch import make_sketch
from curator.observe.pixels import decode_rgb

sys.path.insert(0, str(ROOT))
from tests.matching.judge.test_judge import GRADED, RECOLOURED, SIZE

KINDS = [*COPY_KINDS, *(kind for kind in GRADED if kind not in COPY_KINDS)]
PLAIN_KINDS = [
    *("half size", "quarter size", "224x224", "quality 20", "graded", "grey", "brighter", "darker", "more contrast"),
    *("less contrast", "blurred", *KINDS[len(COPY_KINDS) :]),
]
PLAIN = "plain part, "
WITH_COPIES = "neardup"
"""A folder whose pictures are copies of one another."""
OTHER, SEEN = 24.0, 0.05
"""A picture is recoloured if so large a share of it is so far, in Cb and Cr, from what it was."""
MOST_STEP, MOST_EDGE, LEAST_SPREAD = 2.5, 16.0, 2.0
"""Difference of neighbouring cells in a plain part, a ninth of a photograph, in the mean and at most, and least
deviation, in greys of 256."""
MOST_FALSE = 0.0005
"""Of strangers of which one is altered, the share that may be held one picture."""
ORIGINAL, ALTERED = "strangers as they are", "strangers of which one is altered"
NEAR = 2
"""Neighbours of its original that a copy is compared with."""


def sketch_kind(job):
    """The sketch of a copy, or of a recoloured photograph; None: one hardly sees it."""
    kind, path, other, seed = job
    cv2.setNumThreads(1)
    picture, another = (decode_rgb(file.read_bytes()).convert("RGB") for file in (path, other))
    if kind in RECOLOURED:
        picture = ImageOps.fit(picture, SIZE)
        changed = RECOLOURED[kind](picture)
        before, after = (np.asarray(each.convert("YCbCr"), float)[..., 1:] for each in (picture, changed))
        return make_sketch(np.asarray(changed)) if (np.hypot(*(after - before).T) > OTHER).mean() >= SEEN else None
    if kind in COPY_KINDS:
        copy = encode_copy(kind, make_copy(kind, picture, another, seed))
    else:
        GRADED[kind](picture).convert("RGB").save(file := io.BytesIO(), "jpeg", quality=QUALITY)
        copy = file.getvalue()
    return make_sketch(shrink(Image.open(io.BytesIO(copy))))


def write_plain(folder, named):
    """Write the plainest ninth of a photograph if it is plain, and not of one grey: the name and the file, or None."""
    name, path = named
    try:
        picture = decode_rgb(path.read_bytes()).convert("RGB")
    except ValueError:
        return None
    width, height = (side // 3 for side in picture.size)
    boxes = [(x * width, y * height, (x + 1) * width, (y + 1) * height) for x in range(3) for y in range(3)]
    greys = [np.asarray(picture.crop(box).convert("L").resize((80, 80)), float) for box in boxes]
    steps = [[np.abs(np.diff(part, axis=axis)) for axis in (0, 1)] for part in greys]
    means = [max(step.mean() for step in both) for both in steps]
    plain = [
        k
        for k in range(len(boxes))
        if means[k] < MOST_STEP and max(map(np.max, steps[k])) <= MOST_EDGE and greys[k].std() >= LEAST_SPREAD
    ]
    if min(width, height) < 80 or not plain:
        return None
    picture.crop(boxes[min(plain, key=means.__getitem__)]).save(folder / f"{name}.png")
    return name, folder / f"{name}.png"


def list_pairs(files, kinds, n_copies, with_copies, draw, pool, label=""):
    """All pairs: whether they are one picture, the half of the original or 2, the two sketches, and what they are."""
    seen = dict(zip(files, pool.map(sketch_file, files.values(), chunksize=8), strict=True))
    names, known = sorted(name for name, one in seen.items() if one), verdicts()

    def are_strangers(one, other):
        is_said = known.get((min(one, other), max(one, other))) in ("same", "unsure")
        return one != other and not is_said and not {one, other} <= with_copies

    near = defaultdict(list)
    for i, j in find_neighbours([files[name] for name in names], [seen[name][1] for name in names]):
        one, other = names[i], names[j]
        if are_strangers(one, other):
            near[one].append(other)
            near[other].append(one)
            yield False, 2, seen[one][0], seen[other][0], (files[one], files[other])
    wanted = [(kind, name) for kind in kinds for name in draw.sample(names, min(n_copies, len(names)))]
    others = [draw.choice(names) for _ in wanted]
    seeds = [str(draw.random()) for _ in wanted]
    jobs = [(kind, files[one], files[two], at) for (kind, one), two, at in zip(wanted, others, seeds, strict=True)]
    for (kind, name), other, sketch in zip(wanted, others, pool.map(sketch_kind, jobs, chunksize=8), strict=True):
        if sketch is None:
            continue
        is_one = kind in KINDS
        yield is_one, int(name[0], 16) % 2 if is_one else 2, seen[name][0], sketch, (label + kind, files[name])
        strangers = [one for one in near[name] if are_strangers(other, one)] if is_one else []
        for stranger in draw.sample(strangers, min(NEAR, len(strangers))):
            yield False, 2, seen[stranger][0], sketch, (label + kind, files[name], files[stranger])


def list_all(photos, n_copies, seed, folder, pool):
    """The pairs of the photographs, then those of plain parts of them."""
    files, draw = list_photos(photos), random.Random(f"margins {seed}")
    with_copies = {name for name, path in files.items() if WITH_COPIES in path.parts}
    yield from list_pairs(files, [*KINDS, *RECOLOURED], n_copies, with_copies, draw, pool)
    plain = dict(filter(None, pool.map(partial(write_plain, folder), files.items(), chunksize=8)))
    yield from list_pairs(plain, PLAIN_KINDS, n_copies, with_copies, draw, pool, PLAIN)


def show(found, n_met=None):
    """The nearest and the fifth nearest in each direction, and how many there are; or none, of so many."""
    told = []
    for values in filter(None, found):
        fifth = f", {values[4][0]:.4g}" if len(values) > 4 else ""
        told.append(f"{values[0][0]:.4g}{fifth} ({len(values):,})")
    return "; ".join(told) or ("none" if n_met is None else f"none of {n_met:,}")


def print_table(found, met):
    """A row a threshold, then the pairs that are nearest, to look at."""
    print(
        "\n| threshold | value | farthest copies, odd | farthest copies, even | nearest strangers |\n"
        + "| --- " * 5
        + "|"
    )
    for name, value in THRESHOLDS.items():
        moved = [[found[name, half, toward] for toward in (-math.inf, math.inf)] for half in (1, 0, 2)]
        cells = show(moved[0]), show(moved[1]), show(moved[2], met[name])
        print(f"| `{name}` | {value:g} | {' | '.join(cells)} |")
    print("\nthe nearest of all")
    for (name, half, _), values in sorted(found.items()):
        for value, what in values[: 3 if half == 2 else 1]:
            print(f"   {name} {value:.4g} {('even', 'odd', 'stranger')[half]}:", *what)


def name_group(is_one, half, what):
    """What a pair is counted with."""
    if not is_one:
        return ALTERED if isinstance(what[0], str) else ORIGINAL
    return f"copies of {('even', 'odd')[half]}" + (", plain parts" if what[0].startswith(PLAIN) else "")


def measure_margins(photos, n_copies, seed, workers=None) -> list[Verdict]:
    """Print the table, and compare with what must hold."""
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool, tempfile.TemporaryDirectory() as place:
        pairs = list(list_all(photos, n_copies, seed, Path(place), pool))
        results = list(pool.map(measure_pair, [(is_one, *rows) for is_one, _, *rows, _ in pairs], chunksize=32))
    said, met, found = Counter(), Counter(), defaultdict(list)
    for (is_one, half, _, _, what), (rating, names, moved) in zip(pairs, results, strict=True):
        said[name_group(is_one, half, what), rating] += 1
        met.update((name, is_one) for name in names)
        for (name, toward), value in moved.items():
            found[name, half, toward].append((value, what))
        if rating == "one" and not is_one:
            print("one picture?", *what)
    for (name, _, _), values in found.items():
        values.sort(key=lambda one, at=THRESHOLDS[name]: (abs(one[0] - at), str(one[1])))
    groups = {group: [said[group, rating] for rating in ("one", "doubtful", "two")] for group, _ in sorted(said)}
    for group, (one, doubtful, two) in groups.items():
        print(f"{group}: {one:,} one, {doubtful:,} doubtful, {two:,} two")
    print_table(found, {name: met[name, False] for name in THRESHOLDS})
    unmet = [name for name in THRESHOLDS if not met[name, True] + met[name, False]]
    return [
        at_most(f"thresholds that no pair came to ({', '.join(unmet) or 'all are met'})", len(unmet), 0),
        at_most(f"{ORIGINAL}, held one picture", groups[ORIGINAL][0], 0),
        at_most(f"{ALTERED}, share held one picture", groups[ALTERED][0] / max(1, sum(groups[ALTERED])), MOST_FALSE),
    ]


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, nargs="+", default=[PHOTOS])
    parser.add_argument("--copies", type=int, default=40, help="of each kind")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--workers", type=int, help="processes; else one a core")
    given = parser.parse_args()
    return conclude(measure_margins(given.photos, given.copies, given.seed, given.workers))


if __name__ == "__main__":
    sys.exit(main())
