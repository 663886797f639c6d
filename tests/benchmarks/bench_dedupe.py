"""Measure hashing, what is found, the search and ``curator dedupe``: ``python bench_dedupe.py [--size full]``.

The peers are installed into an environment of their own under the system's temporary folder. Compared runs are
interleaved, each in a process of its own, and judged by the median ratio of their CPU seconds. ``--size full`` adds ten
million hashes and imagededup (5.6 GB installed).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
import simplejpeg
from bench_decide import as_column, fixed_bytes, random_hashes, synthetic_rows
from compared_cost import measure_cost
from found_copies import count_found
from judge_margins import measure_margins
from made_pictures import make_pictures
from PIL import Image
from pixel_judge import judge_pixels
from planted_copies import judge_planted
from verdict import Verdict, at_most, conclude

from curator import catalog
from curator.catalog import SCHEMA, Stage
from curator.matching.hamming import collapse, find_pairs
from curator.matching.perceptual_hash import hash64, transform
from curator.matching.picture_matches import match_pictures
from curator.observe.jpeg_header import read_plain_jpeg
from curator.observe.luma import decode_reduced_grey, shrink_reduced
from curator.observe.observation import hash_sightings, look_at
from curator.store.catalog_files import StageRecord, write_catalog
from curator.store.paths import DataPaths

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT.parent / "shared" / "photos"
HOME = Path(tempfile.gettempdir()) / "curator-bench-peers"
PYTHON = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
PACKAGES = {
    "imagehash": "ImageHash",
    "python-libphash": "python-libphash",
    "imagededup": "imagededup",
    "faiss-flat": "faiss-cpu",
    "faiss-multi-hash": "faiss-cpu",
}
ROUNDS = 3
COPIES = 100
N_PHOTOS = 4400
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For tasks that run on one core, as the observing processes of a fetch do."""


def install(names):
    """Install peers; give those that are there, and print why another is not."""
    if not PYTHON.exists():
        venv.create(HOME, with_pip=True)
    there = []
    for name in names:
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGES[name]]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            print(f"skipped {name}: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}", flush=True)
        else:
            there.append(name)
    return there


def figures_of(command, environment):
    """Run a process that prints its figures as JSON."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)
    if done.returncode:
        raise RuntimeError(f"{command[-2:]}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def ours(task, file):
    """Run one of our tasks."""
    environment = {} if task in ("pairs", "turns") else ONE_THREAD
    return figures_of([sys.executable, __file__, "--task", task, "--file", str(file)], environment)


def peer(name, file):
    """Run one peer."""
    environment = {} if name.startswith("faiss") else ONE_THREAD
    return figures_of([str(PYTHON), str(Path(__file__).with_name("dedupe_peers.py")), name, str(file)], environment)


def ratios(runs):
    """Run the named calls in turn, round after round; median CPU seconds, and of the first against each other."""
    seconds = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            seconds[name].append(run()["cpu_s"])
    first = next(iter(runs))
    print("CPU s:", {name: round(statistics.median(values), 2) for name, values in seconds.items()}, flush=True)
    return {
        name: statistics.median(a / b for a, b in zip(seconds[first], values, strict=True))
        for name, values in seconds.items()
        if name != first
    }


def photo_list(folder):
    """A list of as many JPEG photos as a small data set has: real ones where they are at hand, else drawn, repeated."""
    found = sorted(str(file) for file in PHOTOS.rglob("*.jp*g") if read_plain_jpeg(file.read_bytes()))
    if not found:
        chance = np.random.default_rng(0)
        for number in range(N_PHOTOS // 10):
            coarse = Image.fromarray(chance.integers(0, 256, (48, 64, 3), dtype=np.uint8))
            coarse.resize((1024, 768), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
        found = sorted(str(file) for file in folder.glob("*.jpg"))
    path = folder / "photos.json"
    path.write_text(json.dumps((found * (N_PHOTOS // len(found) + 1))[:N_PHOTOS]), encoding="utf-8")
    return path


def judge_hashing(folder, size) -> list[Verdict]:
    """(a) CPU of all our hashes of a photo against the peers' one, and against decoding alone."""
    photos = photo_list(folder)
    limits = {"imagehash": 0.4, "python-libphash": 1.0} | ({"imagededup": 1 / 7} if size == "full" else {})
    if size != "full":
        print("skipped imagededup: 5.6 GB installed; --size full measures it", flush=True)
    there = install(limits)
    runs = {"curator": lambda: ours("hash", photos), "decode": lambda: ours("decode", photos)}
    runs |= {name: lambda name=name: peer(name, photos) for name in there}
    measured = ratios(runs)
    limits["decode"] = 1.7
    names = {"decode": "the bare reduced decode"}
    verdicts = [at_most(f"hashing, CPU against {names.get(k, k)}", value, limits[k]) for k, value in measured.items()]
    return verdicts + (judge_like_for_like(photos) if "python-libphash" in there else [])


def judge_like_for_like(photos) -> list[Verdict]:
    """Our decoding and 64-bit hash alone, at an eighth, against the peer that does just that."""
    name = "python-libphash"
    ratio = ratios({"curator": lambda: ours("hash64", photos), name: lambda: peer(name, photos)})[name]
    return [at_most(f"like for like: 64 bits alone from 1/8, CPU against {name}", ratio, 1)]


def judge_pairs(folder, size) -> list[Verdict]:
    """(c) All pairs within 8 bits."""
    verdicts = []
    hashes = folder / "hashes.npy"
    for name in ("random", "clustered"):
        np.save(hashes, clustered(100_000) if name == "clustered" else planted(100_000))
        peers = [*install(["faiss-flat"]), *(install(["faiss-multi-hash"]) if size == "full" else [])]
        runs = {"curator": lambda: ours("pairs", hashes)} | {p: lambda p=p: peer(p, hashes) for p in peers}
        for other, ratio in ratios(runs).items():
            verdicts.append(at_most(f"100,000 {name} hashes, CPU against {other}", ratio, 1))
    tasks = [("pairs", 1_000_000, 8, 1), ("turns", 1_000_000, 40, 4)]
    for task, n, seconds, gb in [*tasks, ("pairs", 10_000_000, 600, 6)][: 3 if size == "full" else 2]:
        np.save(hashes, random_hashes(np.random.default_rng(0), n) if task == "turns" else planted(n))
        found = ours(task, hashes)
        print(f"{n:,} {task}: CPU {found['cpu_s']:.1f} s", flush=True)
        what = f"{n:,} hashes{' in eight orientations' if task == 'turns' else ''}"
        verdicts.append(at_most(f"{what}: time", found["wall_s"], seconds, "s"))
        verdicts.append(at_most(f"{what}: peak", found["gb"], gb, "GB"))
    return verdicts


def planted(n):
    """Random hashes, a twentieth of them neighbours of others."""
    return np.ascontiguousarray(random_hashes(np.random.default_rng(0), n)[:, 0])


def clustered(n):
    """Hashes as photos of few motifs have them: half their bits set, twenty near each centre."""
    chance = np.random.default_rng(0)
    centres = np.packbits(chance.permuted(np.tile(np.arange(64) < 32, (n // 20, 1)), axis=1), axis=1).view(np.uint64)
    hashes = centres[chance.integers(0, n // 20, n), 0]
    for _ in range(6):
        hashes = hashes ^ (np.uint64(1) << chance.integers(0, 64, n).astype(np.uint64))
    return hashes


def made_rows(n):
    """A catalog of ``n`` fetched rows whose hashes and thumbnails are of made pictures, copies and crops among them."""
    made = make_pictures(np.random.default_rng(0), n)
    columns = {
        name: fixed_bytes(values, values.shape[1]) if values.ndim > 1 else values for name, values in made.items()
    }
    columns = {name: as_column(values, SCHEMA.field(name).type, n) for name, values in columns.items()}
    return catalog.with_columns(synthetic_rows(n), columns)


def judge_end_to_end(folder) -> list[Verdict]:
    """(d) ``curator dedupe`` on 100,000 fetched rows, from the shell's prompt to the shell's prompt."""
    (folder / "photos").mkdir()
    recipe = folder / "manifests" / "bench" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    source = f'[[sources]]\nkind = "folder"\npath = "{(folder / "photos").as_posix()}"\n'
    recipe.write_text(f'name = "bench"\nlabels = ["rugby", "soccer"]\n{source}', encoding="utf-8")
    paths = DataPaths(folder / "data", recipe.parent, "bench")
    write_catalog(paths.catalog(Stage.FETCHED), made_rows(100_000), StageRecord(Stage.FETCHED, "made up", {}, {}))
    command = [sys.executable, "-m", "curator", "dedupe", "--force", "--quiet", "--recipe", "bench"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = kept | {"PYTHONPATH": str(ROOT)}
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
        seconds.append(time.perf_counter() - start)
    return [at_most("curator dedupe, 100,000 rows with thumbnails", statistics.median(seconds), 8, "s")]


def prepare(task, name):
    """Read a task's input and give the call to measure."""
    if task in ("pairs", "turns"):
        hashes = np.load(name)
        if task == "turns":
            return lambda: match_pictures(hashes, 8, rotations=True)
        return lambda: find_pairs(collapse(hashes).values, 8)
    files = [Path(file) for file in json.loads(Path(name).read_text(encoding="utf-8"))]
    if task == "hash":
        return lambda: hash_sightings([look_at(read(file), max_pixels=100_000_000) for file in files])
    if task == "hash64":
        return lambda: hash64(transform(np.stack([shrink_reduced(*decode_eighth(file)) for file in files])))
    return lambda: [decode(file) for file in files]


def read(file):
    """Read a file's bytes with as little ado as the peers."""
    with file.open("rb", buffering=0) as stream:
        return stream.read()


def decode(file):
    """Decode a JPEG at the scale that our hashes are made from, by the quickest decoder measured, and nothing else."""
    data = read(file)
    return decode_reduced_grey(data, read_plain_jpeg(data))


def decode_eighth(file):
    """Decode a JPEG at an eighth, whatever its size; give the whole one's size and the scale, too."""
    data = read(file)
    width, height = read_plain_jpeg(data).stored_size
    least = {"min_height": -(-height // 8), "min_width": -(-width // 8), "min_factor": 8}
    return simplejpeg.decode_jpeg(data, "GRAY", **least)[..., 0], (width, height), 8


def measure(task, name):
    """Print the figures of one of our tasks as JSON."""
    run = prepare(task, name)
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    figures = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    figures["gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    print(json.dumps(figures))


def main():
    """Measure everything, or one task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="real photographs to plant copies among")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        return measure(given.task, given.file)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        verdicts = judge_hashing(folder, given.size) + judge_planted(folder, given.size, given.photos)
        if given.photos.is_dir():
            verdicts += judge_pixels([given.photos], COPIES, "1")
            verdicts += measure_margins([given.photos], 40 if given.size == "full" else 24, "1")
            verdicts += count_found([given.photos], COPIES if given.size == "full" else 24, "1")
            verdicts += measure_cost([given.photos], 100_000 if given.size == "full" else 5_000, folder)
        verdicts += judge_pairs(folder, given.size) + judge_end_to_end(folder)
    return conclude(verdicts)


if __name__ == "__main__":
    sys.exit(main())
