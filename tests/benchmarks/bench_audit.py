"""Measure an audit: 100,000 images beyond decoding, and 86 photographs of train that are in the test too.

``python bench_audit.py [PHOTOS]``: a folder with a folder a label. The images are made up, hashes and features: a tenth
are copies, a fifth are test, of ten labels. The photographs are divided at random; 60 of train are copied into the test
and 26 saved anew there, and every one of these pairs has to be found.
"""

from __future__ import annotations

import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits
from verdict import at_least, at_most, conclude

import curator
from curator import catalog
from curator.inspect.audit.confounds import find_confounds
from curator.inspect.audit.copies import find_pairs
from curator.inspect.audit.cost import measure_cost
from curator.inspect.audit.shared_groups import find_shared, join_groups
from curator.inspect.suspects.principal import judged_by
from curator.inspect.suspects.rows import compose_table
from curator.manifests.settings import SuspectsSettings

N_IMAGES, N_LABELS, N_SAME, N_SAVED_ANEW = 100_000, 10, 60, 26
LOOK = np.array([10, 240, 90, 0.09, 0.17], np.float32)


def made_up(n: int) -> pd.DataFrame:
    """A catalog of pictures unlike each other, of which a tenth have a copy."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (n, 8), dtype=np.uint64) * 2
    hashes256, thumbnails = (rng.integers(0, 256, (n, width), dtype=np.uint8) for width in (32, 512))
    copies = rng.choice(n, n // 10, replace=False)
    for column in (hashes, hashes256, thumbnails):
        column[copies[::2]] = column[copies[1::2]]
    width, height = rng.integers(200, 900, (2, n))
    rows = {
        "record_id": [f"x-{number:07}" for number in range(n)],
        "label": [f"label{number % N_LABELS}" for number in range(n)],
        "listed_split": np.where(np.arange(n) % 5 == 0, "test", "train"),
        "sha256": [f"{number:064x}" for number in range(n)],
        "phash_turns": [row.tobytes() for row in hashes.astype(">u8")],
        "phash256": [row.tobytes() for row in hashes256],
        "thumbnail": [row.tobytes() for row in thumbnails],
        "author": [f"author {number}" for number in rng.integers(0, n // 3, n)],
        "width": width, "height": height, "n_bytes": rng.integers(5_000, 90_000, n),
        "detail": 50.0, "format": "jpeg", "source": "x", "kind": "x", "tier": 0,
    }  # fmt: skip
    return catalog.conform(pd.DataFrame(rows))


def timed(what: str, work: Callable[[], Any]) -> Any:
    start, used = time.perf_counter(), time.process_time()
    result = work()
    print(f"  {what:<12} {time.perf_counter() - start:6.1f} s, {time.process_time() - used:6.1f} s of processor time")
    return result


def measure_work() -> float:
    """Do all of an audit but decoding, features and the page; return the seconds of processor time that it took."""
    table, labels = made_up(N_IMAGES), np.arange(N_IMAGES) % N_LABELS
    rng, names = np.random.default_rng(1), [f"label{number}" for number in range(N_LABELS)]
    centres = rng.normal(size=(N_LABELS, 1280)).astype(np.float32)
    features = centres[labels] + 3 * rng.normal(size=(N_IMAGES, 1280)).astype(np.float32)
    facts = table.assign(camera_model="x", jpeg_quality=rng.integers(50, 95, N_IMAGES))
    is_test = (table["listed_split"] == "test").to_numpy(dtype=bool)
    start = time.process_time()
    copies = timed("copies", lambda: find_pairs(table))
    groups = timed("groups", lambda: (find_shared(table), join_groups(table, copies.groups))[1])
    timed("confounds", lambda: find_confounds(facts, labels, names, groups))
    with threadpool_limits(1):
        inputs = timed("directions", lambda: judged_by(features))
        together = copies.groups
        timed("cost", lambda: measure_cost(inputs, labels, ~is_test, is_test, copies.is_leaked, together, N_LABELS))
        looks = np.tile(LOOK, (N_IMAGES, 1))
        timed("suspects", lambda: compose_table(table, features, looks, groups, names, SuspectsSettings()))
    return time.process_time() - start


def plant(photos: Path, root: Path) -> set[frozenset[str]]:
    """Divide photographs into train and test at random, and put 86 of train into the test too; return the pairs."""
    chance, planted = random.Random(0), set[frozenset[str]]()
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        chance.shuffle(files)
        for number, file in enumerate(files):
            home = root / ("train" if number < 0.8 * len(files) else "test") / folder.name
            home.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, home / file.name)
    for number, file in enumerate(chance.sample(sorted(root.glob("train/*/*")), N_SAME + N_SAVED_ANEW)):
        copy = root / "test" / file.parent.name / f"copy{number}.jpg"
        if number < N_SAME:
            shutil.copyfile(file, copy)
        else:
            Image.open(io.BytesIO(file.read_bytes())).convert("RGB").save(copy, quality=92)
        planted.add(frozenset(str(path.relative_to(root)) for path in (file, copy)))
    return planted


def find_planted(photos: Path) -> int:
    """Audit such a set; return how many of the planted pairs were found."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        planted = plant(photos, root / "set")
        start = time.perf_counter()
        found = curator.audit(root / "set", output=root / "page.html", cache=root / "cache")
        facts = found.to_json()
        print(f"  {len(found.table):,} photographs in {time.perf_counter() - start:.1f} s: {found.counts}")
        print(f"  {json.dumps(facts['cost'])}")
        return len(planted & {frozenset((one["image"], one["copy"])) for one in facts["leaks"]["pairs"]})


def main() -> None:
    """Print the figures and hold them to what is promised."""
    print(f"{N_IMAGES:,} images, made up")
    checks = [at_most("beyond decoding, processor time", measure_work(), 300, "s")]
    checks.append(at_most("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 4, "GB"))
    if len(sys.argv) > 1:
        print("photographs")
        n = find_planted(Path(sys.argv[1]))
        checks.append(at_least(f"of {N_SAME + N_SAVED_ANEW} planted pairs", n, N_SAME + N_SAVED_ANEW))
    sys.exit(conclude(checks))


if __name__ == "__main__":
    main()
