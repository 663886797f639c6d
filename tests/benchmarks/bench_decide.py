"""Measure the decisions on 1,000,000 synthetic rows, each in a process of its own: ``python bench_decide.py``.

The rows have two labels, three sources, authors of very different diligence, photo pages, random hashes in eight
orientations and a twentieth of planted near-duplicates, some of them turned.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path[:0] = [str(Path(__file__).parents[2])]
from verdict import Verdict, at_most, conclude  # noqa: E402

from curator import catalog  # noqa: E402
from curator.catalog import SCHEMA  # noqa: E402
from curator.decide.allocation import divide_groups  # noqa: E402
from curator.decide.balance import balance_labels  # noqa: E402
from curator.decide.placeholders import drop_suspected_placeholders  # noqa: E402
from curator.decide.split import split_images  # noqa: E402
from curator.manifests.settings import BalanceSettings, SplitSettings  # noqa: E402
from curator.matching.hamming import collapse, find_pairs  # noqa: E402
from tests.decide.test_split import feasible_groups  # noqa: E402

N_ROWS = 1_000_000
LABELS = ("rugby", "soccer")
COMPOSED = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [1, 2, 3, 0, 7, 4, 5, 6],
        [2, 3, 0, 1, 6, 7, 4, 5],
        [3, 0, 1, 2, 5, 6, 7, 4],
        [4, 5, 6, 7, 0, 1, 2, 3],
        [5, 6, 7, 4, 3, 0, 1, 2],
        [6, 7, 4, 5, 2, 3, 0, 1],
        [7, 4, 5, 6, 1, 2, 3, 0],
    ]
)
"""``COMPOSED[t][s]``: the turn that equals t, then s."""

TARGETS = {  # task: (seconds, GB)
    "balance": (20, 3),
    "split": (20, 3),
    "train, val and test": (20, 2),
    "five folds": (30, 2),
    "exact counts": (600, 1),
    "placeholders": (5, 3),
    "pairs within 4 bits": (5, 1),
    "pairs within 8 bits": (15, 1),
}


def random_hashes(chance, n):
    """Eight unrelated 64-bit hashes a picture; the last twentieth are near-duplicates of others, every other turned."""
    turns = chance.integers(0, 2**64, (n, 8), dtype=np.uint64)
    copies = np.arange(n - n // 20, n)
    turn = np.where(copies % 2, chance.integers(0, 8, len(copies)), 0)
    originals = turns[chance.integers(0, n - len(copies), len(copies))]
    noise = np.uint64(1) << chance.integers(0, 64, (len(copies), 3)).astype(np.uint64)
    turns[copies] = np.take_along_axis(originals, COMPOSED[turn], axis=1) ^ np.bitwise_or.reduce(noise, axis=1)[:, None]
    return turns


def synthetic_rows(n):
    """A catalog of ``n`` fetched rows."""
    chance = np.random.default_rng(0)
    names = [f"{value:016x}" for value in chance.permutation(n)]
    authors = [f"author {value}" if value < 200_000 else None for value in chance.zipf(1.3, n)]
    pages = [f"https://www.flickr.com/photos/someone/{value}/" for value in chance.integers(0, 2 * n, n)]
    hashes = random_hashes(chance, n).astype(">u8")
    columns = {
        "record_id": [f"open-images-{name}" for name in names],
        "label": np.array(LABELS, object)[chance.integers(0, 2, n)],
        "source": np.array(["imagenet", "open-images", "folder"], object)[chance.integers(0, 3, n)],
        "kind": ["open-images"] * n,
        "tier": np.zeros(n, np.int8),
        "landing_url": pages,
        "author": authors,
        "sha256": [name * 4 for name in names],
        "n_bytes": chance.integers(10_000, 200_000, n),
        "width": chance.integers(200, 1_024, n),
        "height": chance.integers(200, 1_024, n),
        "detail": np.full(n, 40.0),
        "phash_turns": fixed_bytes(hashes, 64),
        "phash256": fixed_bytes(np.zeros((n, 32), np.uint8), 32),
    }
    arrays = [as_column(columns.get(field.name), field.type, n) for field in SCHEMA]
    return catalog.from_arrow(pa.Table.from_arrays(arrays, schema=SCHEMA))


def fixed_bytes(values, width):
    """An Arrow column of binary values of ``width`` bytes."""
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(values.tobytes())])


def as_column(values, kind, n):
    """An Arrow column of ``kind``, null where there are no values."""
    if values is None:
        return pa.nulls(n, kind)
    return (values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)).cast(kind)


def with_placeholders(table):
    """The same rows at Flickr's addresses, a tenth of them answered by one picture."""
    n = len(table)
    urls = [f"http://farm{k % 9}.static.flickr.com/{k % 9000}/{k}_ab.jpg" for k in range(n)]
    gone = np.random.default_rng(1).random(n) < 0.1
    contents = np.where(gone, "e" * 64, table["sha256"].to_numpy(object))
    return catalog.with_columns(table, {"url": urls, "sha256": contents})


def prepare(task):
    """Make the input of a task and give the call to measure."""
    if task == "exact counts":
        return count_exact
    if task.startswith("pairs"):
        hashes = collapse(np.random.default_rng(0).integers(0, 2**64, N_ROWS, dtype=np.uint64)).values
        return lambda: find_pairs(hashes, int(task.split()[2]))
    table = synthetic_rows(N_ROWS)
    if task == "placeholders":
        table = with_placeholders(table)
    calls = {
        "placeholders": lambda: drop_suspected_placeholders(table),
        "balance": lambda: balance_labels(table, BalanceSettings(400_000), LABELS),
        "split": lambda: split_images(table, SplitSettings(), LABELS),
        "train, val and test": lambda: split_images(table, SplitSettings(ratio=0.8, val=0.1), LABELS),
        "five folds": lambda: split_images(table, SplitSettings(folds=5), LABELS),
    }
    return calls[task]


def count_exact():
    """Divide 1,000 chance tables that can be divided exactly among six sides, ten labels each; 950 must come out."""
    n_exact = 0
    for trial in range(1_000):
        groups, wanted = feasible_groups(np.random.default_rng([trial, 6, 10]), 10, 6)
        side = divide_groups(groups, wanted, np.ones(wanted.shape, bool))
        counts = np.zeros_like(wanted)
        np.add.at(counts, (groups.label, side[groups.group]), 1)
        n_exact += (counts == wanted).all()
    if n_exact < 950:
        raise SystemExit(f"only {n_exact} of 1,000 tables have exact counts")


def measure(task):
    """Print seconds of one run and the process's peak memory in GB, as JSON."""
    run = prepare(task)
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    unit = 1e9 if sys.platform == "darwin" else 1e6
    print(json.dumps({"seconds": seconds, "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}))


def judge(task) -> list[Verdict]:
    """Measure a task in its own process."""
    done = subprocess.run([sys.executable, __file__, task], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    seconds, gb = TARGETS[task]
    name = f"{task}, {N_ROWS:,} {'hashes' if task.startswith('pairs') else 'rows'}"
    return [at_most(f"{name}: time", found["seconds"], seconds, "s"), at_most(f"{name}: peak", found["gb"], gb, "GB")]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        sys.exit(conclude([verdict for task in TARGETS for verdict in judge(task)]))
