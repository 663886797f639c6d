"""Count the copies found and the strangers taken for copies, by curator and by its peers, on the same folders.

Known copies are planted among real photographs, a hundred of each of 47 kinds, several of each altered photograph; a
pair of files is false where the two were made of different photographs. Then the pairs that a person judged are looked
up: tests/matching/judged_pairs.csv. What is counted of curator here is its rule by hashes, without pixels or features;
pixel_judge.py counts what the pixels say.

>>> counts = count_pairs([("00001.jpg", "00001-mirror.jpg"), ("00001.jpg", "00002.jpg")], ["mirror"])
>>> counts.found, counts.false_pairs, counts.false_images
({'mirror': 1}, 1, 2)
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import subprocess
import tempfile
import time
import venv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from copy_kinds import COPY_KINDS, encode_copy, make_copy
from verdict import Verdict, at_least, at_most

from curator.manifests.settings import DedupeSettings
from curator.matching.copies import find_copies
from curator.matching.perceptual_hash import FLAT_DETAIL
from curator.matching.pictures import Pictures
from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb

JUDGED = Path(__file__).parents[1] / "matching" / "judged_pairs.csv"
HOME = Path(tempfile.gettempdir()) / "curator-bench-finders"
PYTHON = Path("Scripts" if os.name == "nt" else "bin") / "python"
PACKAGES = {
    "imagehash": ["ImageHash"],
    "imgcheck": ["imgcheck"],
    "pdqhash": ["pdqhash", "numpy", "pillow"],
    "czkawka": ["czkawka"],
    "cleanvision": ["cleanvision"],
    "fastdup": ["fastdup"],
    "imagededup": ["imagededup"],
}
LARGE = {"fastdup": "0.8 GB", "imagededup": "5.7 GB"}
TURNED = ("mirrored", "crop 15%, mirrored", "turned 90", "turned 180", "turned 270")
COPIES, ORIGINALS = 100, 300
LIMIT_S = 900
QUIET = os.environ | {"SENTRY_OPT_OUT": "1"}
"""fastdup reports its runs to its makers unless told not to."""


@dataclass(frozen=True)
class Counts:
    """Copies found by kind; pairs of different photographs, and the files in at least one such pair."""

    found: dict[str, int]
    false_pairs: int
    false_images: int


def plant(photos, folder, n_copies=COPIES):
    """Put every distinct photograph and the copies of some into a folder; give the kinds and the numbers of both."""
    originals = distinct_photos(photos)
    for number, path in enumerate(originals):
        (folder / f"{number:05d}{suffix(path)}").write_bytes(path.read_bytes())
    draw = random.Random(5)
    chosen = draw.sample(range(len(originals)), min(ORIGINALS, len(originals)))
    for kind in COPY_KINDS:
        for number in draw.sample(chosen, min(n_copies, len(chosen))):
            picture, other = (decode_rgb(originals[k].read_bytes()) for k in (number, draw.randrange(len(originals))))
            copy = make_copy(kind, picture, other, str(number))
            (folder / f"{number:05d}-{kind}.jpg").write_bytes(encode_copy(kind, copy))
    return list(COPY_KINDS), len(originals)


def suffix(path):
    """A suffix that every peer takes for an image's."""
    return path.suffix.lower() if path.suffix.lower() in (".jpg", ".jpeg", ".png") else ".jpg"


def distinct_photos(photos):
    """The images of a folder, one of each that are the same bytes or were judged the same or doubtful."""
    files = {}
    for path in sorted(path for path in photos.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if observe_image(data, max_pixels=100_000_000).phash is not None:
            files.setdefault(hashlib.sha256(data).hexdigest(), path)
    for (one, other), verdict in judged().items():
        if verdict != "different" and one in files:
            files.pop(other, None)
    return list(files.values())


def judged():
    """The verdict by pair of SHA-256."""
    with JUDGED.open(newline="", encoding="utf-8") as file:
        return {(row["sha256_a"], row["sha256_b"]): row["verdict"] for row in csv.DictReader(file)}


def find_ours(folder):
    """Name the pairs that dedupe's rule takes for one picture, with its default settings."""
    start, settings = time.perf_counter(), DedupeSettings()
    files = sorted(folder.iterdir())
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        seen = list(threads.map(lambda file: observe_image(file.read_bytes(), max_pixels=100_000_000), files))
    known = [(file.name, one) for file, one in zip(files, seen, strict=True) if (one.detail or 0) >= FLAT_DETAIL]
    columns = zip(*((one.phash_turns, one.phash256, one.thumbnail) for _, one in known), strict=True)
    found = find_copies(Pictures.unpack(*columns), settings.max_distance, settings.rotations)
    pairs = {tuple(sorted((known[i][0], known[j][0]))) for i, j in zip(found.i, found.j, strict=True)}
    by_bytes = {}
    for file, one in zip(files, seen, strict=True):
        by_bytes.setdefault(one.sha256, []).append(file.name)
    pairs |= {pair for names in by_bytes.values() for pair in combinations(names, 2)}
    return {"wall_s": time.perf_counter() - start, "found": {"": sorted(pairs)}}


def find_by_peer(name, folder):
    """Name the pairs that a peer takes for one picture, by setting; None, and a printed reason, where it cannot run."""
    python = HOME / name / PYTHON
    if not python.exists():
        venv.create(HOME / name, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]]
    script = Path(__file__).with_name("duplicate_finders.py")
    for command in (pip, [python, script, name, folder]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=HOME, env=QUIET)
        except subprocess.TimeoutExpired:
            print(f"skipped {name}: more than {LIMIT_S} s", flush=True)
            return None
        if done.returncode:
            print(f"skipped {name}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}", flush=True)
            return None
    return json.loads(done.stdout.splitlines()[-1])


def count_pairs(pairs, kinds):
    """Count what the pairs hold: found copies by kind, false pairs, and the files in those."""
    found, strangers, touched = Counter(), 0, set()
    for pair in pairs:
        one, other = sorted((Path(name).stem for name in pair), key=len)
        if one[:5] != other[:5]:
            strangers += 1
            touched.update(pair)
        elif "-" not in one and "-" in other:
            found[other[6:]] += 1
    return Counts({kind: found[kind] for kind in kinds}, strangers, len(touched))


def run_finders(names, folder):
    """Run curator and the peers over a folder: pairs by tool and setting, and seconds by tool."""
    results = {"curator": find_ours(folder)}
    for name in names:
        result = find_by_peer(name, folder)
        if result:
            results[name] = result
    pairs = {
        f"{name} {setting}".strip(): found for name, one in results.items() for setting, found in one["found"].items()
    }
    return pairs, {name: one["wall_s"] for name, one in results.items()}


def judge_planted(folder, size, photos) -> list[Verdict]:
    """(b) Planted copies found and strangers matched, against the best and the strictest peer; the judged pairs."""
    if not photos.is_dir():
        print(f"skipped the planted copies: there are no photos at {photos}; give --photos DIR", flush=True)
        return []
    names = [name for name in PACKAGES if size == "full" or name not in LARGE]
    for name in LARGE.keys() - set(names):
        print(f"skipped {name}: {LARGE[name]} installed; --size full measures it", flush=True)
    HOME.mkdir(exist_ok=True)
    planted = folder / "planted"
    planted.mkdir()
    kinds, n_originals = plant(photos, planted)
    pairs, seconds = run_finders(names, planted)
    counts = {tool: count_pairs(found, kinds) for tool, found in pairs.items()}
    print_counts(counts, seconds, kinds, n_originals)
    if (photos / "balls").is_dir():
        judge_known(folder, names, photos / "balls")
    found = {tool: sum(one.found.values()) for tool, one in counts.items()}
    false = {tool: one.false_pairs for tool, one in counts.items()}
    peers = [tool for tool in counts if tool != "curator"]
    best, strictest = max(peers, key=found.__getitem__), min(peers, key=false.__getitem__)
    return [
        at_least(f"planted copies found, against {best}", found["curator"], found[best]),
        at_most(f"false pairs, against {strictest}", false["curator"], false[strictest]),
    ]


def print_counts(counts, seconds, kinds, n_originals):
    """Print what each tool found, in all and by kind."""
    n = COPIES * len(kinds)
    upright = [kind for kind in kinds if kind not in TURNED]
    print(f"\n{n:,} copies of {n_originals:,} photographs; seconds are those of all settings of a tool together")
    print(f"   {'tool':<26}{'found':>7}{'%':>7}{'unturned':>10}{'false pairs':>13}{'images':>8}{'s':>6}")
    for letter, (tool, one) in zip(LETTERS, counts.items(), strict=False):
        total = sum(one.found.values())
        plain = sum(one.found[kind] for kind in upright)
        took = seconds[tool.split()[0]]
        print(
            f"{letter}  {tool:<26}{total:>7,}{100 * total / n:>7.1f}{plain:>10,}{one.false_pairs:>13,}"
            f"{one.false_images:>8,}{took:>6.0f}"
        )
    print(f"\nof {COPIES:<21}" + "".join(f"{letter:>4}" for letter, _ in zip(LETTERS, counts, strict=False)))
    for kind in kinds:
        print(f"{kind:<24}" + "".join(f"{one.found[kind]:>4}" for one in counts.values()))


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def judge_known(folder, names, photos):
    """Print each tool's precision and recall on the judged pairs."""
    place, verdicts = folder / "judged", judged()
    place.mkdir()
    for path in photos.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            (place / f"{hashlib.sha256(data).hexdigest()}{suffix(path)}").write_bytes(data)
    n_same = list(verdicts.values()).count("same")
    print(f"\n{len(verdicts)} judged pairs, {n_same} of them one picture")
    print(f"   {'tool':<26}{'recall':>8}{'precision':>11}{'same':>7}{'different':>11}{'not judged':>12}")
    for letter, (tool, found) in zip(LETTERS, run_finders(names, place)[0].items(), strict=False):
        stems = {tuple(sorted(Path(name).stem for name in pair)) for pair in found}
        said = Counter(verdicts.get(pair, "not judged") for pair in stems)
        share = said["same"] / max(1, said["same"] + said["different"])
        print(
            f"{letter}  {tool:<26}{said['same'] / n_same:>8.3f}{share:>11.3f}{said['same']:>7}{said['different']:>11}"
            f"{said['not judged']:>12}"
        )
