"""Measure the review page over 100,000 rows in headless Chromium: ``python bench_review.py``.

The first page is timed from opening the address until every picture in sight is drawn: with no thumbnail made yet, and
again, in turns, in fresh browser profiles (medians). The server's memory is that of a server over 100 rows, subtracted
from that of one over 100,000 after browsing and filtering. A decision is timed from the key to the mark that says that
it is on the disk.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from verdict import at_most, conclude

from curator import catalog
from curator.catalog import Stage
from curator.store.catalog_files import StageRecord, write_catalog
from curator.store.paths import DataPaths

N_ROWS, N_FEW, N_PICTURES, N_OPENINGS = 100_000, 100, 400, 5
ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRAWN = """() => {
  const images = [...document.querySelectorAll(".tile img")];
  const inside = images.filter((one) => one.getBoundingClientRect().top < innerHeight);
  return inside.length > 8 && inside.every((one) => one.complete && one.naturalWidth);
}"""


def write_world(root: Path, n_rows: int) -> None:
    """Write a recipe, a catalog of ``n_rows`` with a tenth of duplicates, and the first pictures of it."""
    paths = DataPaths(root / "data", root / "manifests" / "bench", "bench")
    (root / "photos").mkdir(parents=True)
    paths.manifest_folder.mkdir(parents=True)
    source = f'[[sources]]\nkind = "folder"\npath = "{root / "photos"}"\n'
    (paths.manifest_folder / "recipe.toml").write_text(f'name = "bench"\nlabels = ["rugby", "soccer"]\n{source}')
    (root / "photos" / "rugby").mkdir()
    (root / "photos" / "soccer").mkdir()
    chance = np.random.default_rng(0)
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(n_rows)]
    for n in range(min(N_PICTURES, n_rows)):
        out = io.BytesIO()
        coarse = chance.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((1024, 768), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
        hashes[n] = hashlib.sha256(out.getvalue()).hexdigest()
        file = paths.image(hashes[n], "jpeg")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(out.getvalue())
    table = make_catalog(hashes, chance)
    for stage in (Stage.LISTED, Stage.FETCHED):
        write_catalog(paths.catalog(stage), table, StageRecord(stage, "", {}, {}))


def make_catalog(hashes: list[str], chance: np.random.Generator) -> pd.DataFrame:
    """Compose rows as wide as real ones."""
    n = len(hashes)
    numbers = np.arange(n)
    ids = [f"open-images-{number:016x}" for number in numbers]
    is_copy = (numbers % 10 == 9) & (numbers > 400)
    columns = {
        "record_id": ids,
        "label": np.where(numbers % 2, "rugby", "soccer"),
        "source": "open-images",
        "kind": "open-images",
        "tier": 0,
        "source_id": [f"{number:016x}" for number in numbers],
        "source_class": "/m/06bm2",
        "url": [f"https://host{number % 40}.example/photos/{number:024x}_o.jpg" for number in numbers],
        "landing_url": [f"https://www.photos.example/people/{number % 9000}/{number:020d}" for number in numbers],
        "license": "https://creativecommons.org/licenses/by/2.0/",
        "author": [f"Author number {number % 9000}" for number in numbers],
        "title": [f"A match in the rain, part {number}" for number in numbers],
        "sha256": hashes,
        "n_bytes": chance.integers(20_000, 900_000, n),
        "format": "jpeg",
        "width": chance.integers(200, 1024, n),
        "height": chance.integers(200, 768, n),
        "drop_stage": np.where(is_copy, "deduped", None),
        "drop_reason": np.where(is_copy, "near-duplicate", None),
        "duplicate_of": [ids[number - 4] if copied else None for number, copied in enumerate(is_copy)],
        "distance_bits": [2 if copied else None for copied in is_copy],
    }
    return catalog.conform(pd.DataFrame(columns))


@contextmanager
def served(root: Path) -> Iterator[tuple[str, int]]:
    """Run ``curator review``; give the address and the process id."""
    words = [sys.executable, "-m", "curator", "review", "--recipe", "manifests/bench/recipe.toml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(words, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield re.findall(r"http://\S+", running.stdout.readline())[0], running.pid
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)


def memory_mb(pid: int) -> float:
    """Give a process's resident memory, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


def open_page(browser: Browser, address: str) -> tuple[float, Page]:
    """Open the page in a fresh profile; give the seconds until all pictures in sight are drawn."""
    page = browser.new_context(viewport={"width": 1360, "height": 860}).new_page()
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_function(DRAWN)
    return time.perf_counter() - start, page


def browse(page: Page) -> None:
    """Jump about, look at every view, search."""
    for share in np.linspace(0, 1, 40):
        page.evaluate(
            "(share) => { const g = document.querySelector('#grid'); g.scrollTop = share * g.scrollHeight; }", share
        )
        page.wait_for_function("() => [...document.querySelectorAll('.tile .words')].some((one) => one.textContent)")
    for key in "2341":
        page.keyboard.press(key)
        page.wait_for_timeout(400)
    page.fill("#text", "part 77")
    page.wait_for_function("() => document.querySelector('#count').textContent.startsWith('1,')")


def decide_s(page: Page) -> float:
    """Time a decision until the page shows it as done."""
    start = time.perf_counter()
    page.keyboard.press("k")
    page.wait_for_selector("#tile-0 .keep-mark:text('kept')")
    return time.perf_counter() - start


def main() -> int:
    """Measure and conclude."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for name, n_rows in (("few", N_FEW), ("many", N_ROWS)):
            write_world(Path(folder) / name, n_rows)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        open_page_warmed(browser, Path(folder) / "few")
        with served(Path(folder) / "few") as (address, pid):
            open_page(browser, address)
            few_mb = memory_mb(pid)
        with served(Path(folder) / "many") as (address, pid):
            cold_s, warm_s = [], []
            for _ in range(N_OPENINGS):
                shutil.rmtree(Path(folder) / "many" / "data" / "bench" / "thumbnails", ignore_errors=True)
                cold_s.append(open_page(browser, address)[0])
                seconds, page = open_page(browser, address)
                warm_s.append(seconds)
            done_s = decide_s(page)
            browse(page)
            growth_mb = memory_mb(pid) - few_mb
        browser.close()
    return conclude(
        [
            at_most(f"first page, {N_ROWS:,} rows, no thumbnail yet", statistics.median(cold_s), 1, "s"),
            at_most(f"first page, {N_ROWS:,} rows", statistics.median(warm_s), 1, "s"),
            at_most("a decision, from key to disk to mark", done_s, 0.5, "s"),
            at_most(f"server memory over that of {N_FEW} rows", growth_mb, 150, "MB"),
        ]
    )


def open_page_warmed(browser: Browser, root: Path) -> None:
    """Open a page once before anything is timed, so that the browser's own start is not counted."""
    with served(root) as (address, _):
        open_page(browser, address)


if __name__ == "__main__":
    sys.exit(main())
