"""Measure the listing and each deciding stage, from 100,000 to ten million rows: ``python bench_scale.py``.

The rows are made up, with texts as long as Flickr's and a picture each: a twentieth of them copies of others (hashes a
few bits away, the same thumbnail with a little noise), authors of very different diligence, two labels, three sources.
They are listed from a CSV file, and decided on from catalog to catalog. Each stage runs in a process of its own, as a
command does, and its peak counts what it holds itself: pages of files that are mapped into memory, which the system
takes back when it needs them, are not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

sys.path[:0] = [str(Path(__file__).parents[2])]
from verdict import Verdict, at_most, conclude  # noqa: E402

from curator import catalog  # noqa: E402
from curator.catalog import SCHEMA  # noqa: E402
from curator.manifests.file_names import find_shared_names  # noqa: E402
from curator.manifests.manifest import folder_rows, manifest_chunks  # noqa: E402
from curator.manifests.project import Project  # noqa: E402
from curator.manifests.read_recipe import load_recipe  # noqa: E402
from curator.pipeline.acquire import AcquireOptions, plan_listing  # noqa: E402
from curator.pipeline.kept_rows import KeptRows  # noqa: E402
from curator.pipeline.publish import NAMED, write_hashed  # noqa: E402
from curator.pipeline.stages import STAGES  # noqa: E402
from curator.sources.registry import source_kinds  # noqa: E402
from curator.store.catalog_files import (  # noqa: E402
    GROUP_ROWS,
    StageRecord,
    row_groups,
    with_decided,
    write_decided,
    write_groups,
    write_if_changed,
)
from curator.store.mapped_column import read_mapped  # noqa: E402
from curator.store.paths import DataPaths  # noqa: E402

TARGETS = {  # rows: {stage: (seconds, GB)}
    1_000_000: {"listed": (60, 1), "deduped": (60, 1.5), "balanced": (10, 1), "split": (10, 1), "manifest": (60, 1)},
    10_000_000: {
        "listed": (600, 12),
        "deduped": (600, 12),
        "balanced": (600, 12),
        "split": (600, 12),
        "manifest": (600, 12),
    },
}
ANY = float("inf")
ALIKE = {(1_000_000, 40, "deduped"): (150, 2)}
"""CPU seconds and GB at most, by rows, how many of them show one picture, and stage."""
HEADER = "rows,stage,seconds,cpu,gb\n"
STAGES_OF = {"listed": "", "deduped": "fetched", "balanced": "deduped", "split": "balanced", "manifest": "split"}
RECIPE = """name = "scale"
labels = ["rugby", "soccer"]

[[sources]]
kind = "url-list"
path = "list.csv"

[balance]
per_class = {per_class}

[split]
ratio = 0.8
val = 0.1
"""


def make_group(start: int, n: int, n_pictures: int = 0) -> pa.Table:
    """Rows ``start`` to ``start + n``, the same whenever they are made; all show one of ``n_pictures``, if given."""
    chance = np.random.default_rng([7, start])
    ids = mix(np.arange(start, start + n, dtype=np.uint64))
    names = [f"{value:016x}" for value in ids]
    is_copy = chance.random(n) < (1 if n_pictures else 0.05)
    originals = chance.integers(0, n_pictures or start + n, n).astype(np.uint64)
    shown = np.where(is_copy, mix(originals), ids)  # whose picture it is
    turns = np.stack([mix(shown + np.uint64(k + 1)) for k in range(8)], axis=1)
    noise = np.uint64(1) << chance.integers(0, 64, (n, 3)).astype(np.uint64)
    turns ^= np.where(is_copy, np.bitwise_or.reduce(noise, axis=1), np.uint64(0))[:, None]
    long = np.stack([mix(shown + np.uint64(100 + k)) for k in range(4)], axis=1)
    cells = np.stack([mix(shown + np.uint64(200 + k)) for k in range(64)], axis=1)
    authors = chance.zipf(1.3, n)
    owners = [int(value) if value < 200_000 else int(name[:7], 16) for value, name in zip(authors, names, strict=True)]
    columns = {
        "record_id": [f"open-images-{name}" for name in names],
        "label": np.array(["rugby", "soccer"], object)[chance.integers(0, 2, n)],
        "source": np.array(["imagenet", "open-images", "wikimedia"], object)[chance.integers(0, 3, n)],
        "kind": ["open-images"] * n,
        "source_id": names,
        "tier": np.zeros(n, np.int8),
        "url": [
            f"https://farm{value % 9}.staticflickr.com/{value % 9000}/{k}_{name[:10]}_o.jpg"
            for k, (value, name) in enumerate(zip(owners, names, strict=True), start)
        ],
        "fallback_url": [
            f"https://c{value % 9}.staticflickr.com/{value % 9000}/{k}_{name[:10]}_z.jpg"
            for k, (value, name) in enumerate(zip(owners, names, strict=True), start)
        ],
        "landing_url": [f"https://www.flickr.com/photos/person{value}/{k}" for k, value in enumerate(owners, start)],
        "license": ["https://creativecommons.org/licenses/by/2.0/"] * n,
        "author": [f"Person Number {value}" for value in owners],
        "author_url": [f"https://www.flickr.com/people/person{value}/" for value in owners],
        "title": [f"Match of the day, half time, picture {k} of many" for k in range(start, start + n)],
        "from_fallback": np.zeros(n, bool),
        "http_status": np.full(n, 200, np.int16),
        "final_url": [None] * n,
        "sha256": [name * 4 for name in names],
        "sha1": [name * 2 + name[:8] for name in names],
        "n_bytes": chance.integers(10_000, 200_000, n),
        "format": ["jpeg"] * n,
        "width": chance.integers(200, 1_024, n),
        "height": chance.integers(200, 1_024, n),
        "orientation": np.ones(n, np.int8),
        "mode": ["RGB"] * n,
        "n_frames": np.ones(n, np.int32),
        "well_formed": np.ones(n, bool),
        "detail": np.full(n, 40.0),
        "phash": turns[:, 0],
        "phash_turns": of_bytes(turns.astype(">u8"), pa.binary(64)).cast(pa.binary()),
        "phash256": of_bytes(long, pa.binary(32)).cast(pa.binary()),
        "thumbnail": of_bytes(cells, pa.binary(512)).cast(pa.binary()).cast(pa.large_binary()),
        "hash_version": np.full(n, 4, np.int16),
    }
    arrays = [
        pa.nulls(n, field.type)
        if field.name not in columns
        else (
            columns[field.name]
            if isinstance(columns[field.name], pa.Array)
            else pa.array(columns[field.name], from_pandas=True)
        ).cast(field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def mix(values: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers (the finaliser of SplitMix64), so that each is known without those before it."""
    with np.errstate(over="ignore"):
        mixed = (values + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


def of_bytes(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """An Arrow column of binary values of one width."""
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])


def write_list(folder: Path, n: int) -> None:
    """Write the addresses, labels, authors, licences and titles of ``n`` rows as CSV; see :func:`make_group`."""
    chosen = ["url", "label", "author", "license", "title"]
    with csv.CSVWriter(folder / "list.csv", catalog.schema_of(chosen)) as file:
        for start in range(0, n, GROUP_ROWS):
            file.write_table(make_group(start, min(GROUP_ROWS, n - start)).select(catalog.schema_of(chosen).names))


def write_fetched(folder: Path, n: int, n_pictures: int = 0) -> None:
    """Write the catalog of ``n`` fetched rows, a group at a time; see :func:`make_group`."""
    record = StageRecord("fetched", "made up", {}, {})
    groups = (make_group(start, min(GROUP_ROWS, n - start), n_pictures) for start in range(0, n, GROUP_ROWS))
    write_groups(folder / "fetched.parquet", groups, record)
    (folder / "recipe.toml").write_text(RECIPE.format(per_class=n // 3), encoding="utf-8")


class Peak(threading.Thread):
    """The most memory that this process holds itself, in GB, read every 20 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0

    def run(self) -> None:
        while True:
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            own = sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem")))
            self.most = max(self.most, own * 1024 / 1e9)
            time.sleep(0.02)


def run_stage(folder: Path, stage: str) -> None:
    """Run a stage as a command does, from file to file, and print seconds and GB as JSON."""
    peak = Peak()
    peak.start()
    project = Project(load_recipe(folder / "recipe.toml", source_kinds()), DataPaths(folder, folder, "scale"))
    before, after = folder / f"{STAGES_OF[stage]}.parquet", folder / f"{stage}.parquet"
    start = time.perf_counter(), time.process_time()
    if stage == "listed":
        rows = plan_listing(project, AcquireOptions(everything=True)).table
        write_if_changed(after, partial(row_groups, rows), StageRecord(stage, "made up", {}, {}))
    elif stage == "manifest":
        step = STAGES[-1]
        table = read_mapped(before, step.columns(project, {}, None))
        kept = KeptRows(table, lambda: with_decided(before, table), folder)
        sharing = find_shared_names(catalog.kept(table[[*NAMED, "drop_reason"]]))
        rows = (folder_rows(part, sharing) for part in kept)
        write_hashed(folder / "manifest.csv", manifest_chunks(rows, kept.optional))
    else:
        step = next(one for one in STAGES if one.name == stage)
        table, _ = step.decide(read_mapped(before, step.columns(project, {}, None)), project, {}, None)
        write_decided(after, before, table, StageRecord(stage, "made up", {}, {}))
    seconds, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    print(json.dumps({"seconds": seconds, "cpu": cpu, "gb": peak.most}))


def judge(n: int, alike: int, figures: Path | None) -> list[Verdict]:
    """Run all stages of ``n`` rows, of which ``alike`` show one picture each time; 1: a twentieth are copies."""
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        write_list(Path(name), n)
        write_fetched(Path(name), n, n // alike if alike > 1 else 0)
        for stage in STAGES_OF:
            command = [sys.executable, __file__, "--stage", stage, "--folder", name]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            if figures:
                with figures.open("a", encoding="utf-8") as file:
                    file.write("" if file.tell() else HEADER)
                    file.write(f"{n},{stage},{found['seconds']:.1f},{found['cpu']:.1f},{found['gb']:.2f}\n")
            what = f"{n:>10,} rows{f' of {n // alike:,} pictures' if alike > 1 else ''}, {stage}"
            if alike > 1:
                cpu, gb = ALIKE.get((n, alike, stage), (ANY, ANY))
                verdicts += [at_most(f"{what}: processor time", found["cpu"], cpu, "s")]
            else:
                seconds, gb = TARGETS.get(n, {}).get(stage, (ANY, ANY))
                verdicts += [at_most(f"{what}: time ({found['cpu']:.0f} CPU s)", found["seconds"], seconds, "s")]
            verdicts += [at_most(f"{what}: peak", found["gb"], gb, "GB")]
            conclude(verdicts[-2:])
    return verdicts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--alike", type=int, default=1, help="so many rows each show one picture, a few bits apart")
    parser.add_argument("--figures", type=Path, help="a CSV file to which what was measured is added")
    parser.add_argument("--stage", choices=STAGES_OF)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.stage:
        run_stage(given.folder, given.stage)
    else:
        sys.exit(
            1 if any(not verdict.is_met for n in given.rows for verdict in judge(n, given.alike, given.figures)) else 0
        )
