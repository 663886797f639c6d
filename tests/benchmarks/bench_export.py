"""Measure the exports of 10,000 images against ``cp -r`` of the same folders, in turns, and that they repeat.

Each round copies the folders once with ``cp -r`` and a sync of the copy, then writes each format, whose sync is part of
it. What is judged is the median over the rounds of the ratio to the copy of the same round.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from verdict import Verdict, at_most, conclude  # noqa: E402

from curator.export.export import FORMATS, export_dataset, find_format  # noqa: E402
from curator.manifests.manifest import COLUMNS, manifest_text  # noqa: E402
from curator.manifests.project import Project  # noqa: E402
from tests.small_worlds import recipe_text, small_project  # noqa: E402

LIMIT = 1.0
"""Times the copy."""
LABELS = ("rugby", "soccer")


def write_data_set(root: Path, n_images: int, n_bytes: int) -> Project:
    """Write folders and a manifest as a split leaves them; the files are noise, which no format looks into."""
    for label in LABELS:
        (root / "photos" / label).mkdir(parents=True)
    project = small_project(root, recipe_text(root / "photos"))
    rng, paths = np.random.default_rng(0), project.paths
    rows = []
    for number in range(n_images):
        label, split = LABELS[number % 2], "test" if number % 10 < 2 else "train"
        record_id = f"url-list-{number:016x}"
        path = paths.split_folder(split) / label / f"{record_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = rng.bytes(int(rng.integers(n_bytes // 2, n_bytes * 3 // 2)))
        path.write_bytes(data)
        file = path.relative_to(paths.folder).as_posix()
        sha256 = hashlib.sha256(data).hexdigest()
        rows.append({"record_id": record_id, "label": label, "split": split, "sha256": sha256, "file": file})
    table = pd.DataFrame(rows).assign(format="jpeg", width=640, height=480, source="web", kind="url-list")
    table = table.assign(author="Ann", title="Match", license="https://creativecommons.org/licenses/by/2.0/")
    missing = {name: None for name in COLUMNS if name not in table}
    paths.manifest.write_text(manifest_text(table.assign(**missing)), encoding="utf-8")
    return project


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copy(folder: Path, target: Path) -> None:
    """Copy the train and test folders as a person would, and wait for the disk as an export does."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    subprocess.run(["cp", "-r", str(folder / "train"), str(folder / "test"), str(target)], check=True)
    subprocess.run(["sync", "-f", str(target)], check=True)


def digest(folder: Path) -> str:
    """Hash the names and bytes of all files of an export."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def measure(project: Project, n_rounds: int) -> list[Verdict]:
    """Copy and export in turns; judge the ratios, and whether each format came out the same each time."""
    ratios: dict[str, list[float]] = {form.name: [] for form in FORMATS}
    digests: dict[str, set[str]] = {form.name: set() for form in FORMATS}
    target = project.paths.data_root / "copy"
    for _ in range(n_rounds):
        base = seconds(lambda: copy(project.paths.folder, target))
        for name in ratios:
            ratios[name].append(seconds(lambda name=name: export_dataset(project, find_format(name))) / base)
            folder = project.paths.export(name)
            digests[name].add(digest(folder))
            shutil.rmtree(folder)
    speed = [at_most(f"{name}, against cp -r", median(ratios[name]), LIMIT, "x") for name in ratios]
    return speed + [at_most(f"{name}, different results", len(digests[name]), 1) for name in digests]


def main() -> int:
    """Measure at the size asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=40_000, help="mean size of an image")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        project = write_data_set(Path(root), arguments.images, arguments.bytes)
        return conclude(measure(project, max(arguments.rounds, 2)))


if __name__ == "__main__":
    sys.exit(main())
