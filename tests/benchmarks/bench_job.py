"""Do the real job as a person would: find 50 swapped labels among photographs, on the page, and count every key.

``python bench_job.py [--seeds N] [PHOTOS]``: a folder with a folder a label (of two). For each seed 50 labels are
swapped, the set is made by ``curator init``, ``split`` and ``suspects``, and a simulated person opens
``curator review`` in headless Chromium. It knows the right label only of images that it has had in sight, drawn; each
key and each click counts, paging too; and it stops once two screens in a row, the most suspicious first, hold no wrong
label. Then ``curator split`` makes the set again, and what is still wrong in it is counted: at most 3, after at most
120 keystrokes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from playwright.sync_api import Page, sync_playwright
from verdict import at_most, conclude

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
N_SWAPPED, MOST_KEYS, MOST_LEFT, CLEAN_SCREENS = 50, 120, 3, 2
IN_SIGHT = """() => {
  const { top, bottom } = document.querySelector("#grid").getBoundingClientRect();
  return [...document.querySelectorAll(".tile")].filter((tile) => {
    const box = tile.querySelector(".frame").getBoundingClientRect();
    return box.top >= top - 1 && box.bottom <= bottom + 1;
  }).map((tile) => ({ place: tile.index, row: review.state.rows.get(tile.index),
    isDrawn: [...tile.querySelectorAll("img")].every((image) => image.complete && image.naturalWidth) }))
    .sort((a, b) => a.place - b.place);
}"""
SETTLED = "() => !review.state.busy.size && review.state.rows.has(review.state.at)"


class Person:
    """Somebody at the page, who knows what a picture shows once it has been in sight."""

    def __init__(self, page: Page, truth: dict[str, str]) -> None:
        self._page, self._truth = page, truth
        self.seen: set[str] = set()
        self.n_keys = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)
            self.n_keys += 1
            self._page.wait_for_function(SETTLED)

    def click(self, selector: str, **more: object) -> None:
        self._page.click(selector, **more)
        self.n_keys += 1

    def choose(self, control: str, value: str) -> None:
        """Open a list and choose from it: two keys."""
        before = self._page.evaluate("review.state.selection")
        self._page.select_option(control, value)
        self.n_keys += 2
        self._page.wait_for_function(f"() => review.state.selection > {before}")
        self._page.focus("#grid")

    def look(self) -> list[dict]:
        """Look at the tiles that are whole in sight, once they are drawn: each with its place, row and right label."""
        self._page.wait_for_function(f"() => (({IN_SIGHT})()).every((one) => one.row && one.isDrawn)")
        found = self._page.evaluate(IN_SIGHT)
        self.seen.update(one["row"]["record_id"] for one in found)
        return [{**one, "right": self.knows(one["row"]["record_id"])} for one in found]

    def knows(self, record_id: str) -> str:
        assert record_id in self.seen, "it has not seen that image"
        return self._truth[record_id]

    # ---- the job

    def judge_suspects(self) -> None:
        """Go through the view that the page opens on: accept what is suggested, or keep."""
        total = self._page.evaluate("review.state.total")
        for place in range(total):
            in_sight = {one["place"]: one for one in self.look()}
            row = in_sight[place]["row"]
            right = in_sight[place]["right"]
            self.press("k" if right == row["label"] else "y" if right == row.get("suggested") else self.key_of(right))
            self._page.wait_for_function(f"() => review.state.rows.get({place}).review")

    def judge_the_rest(self) -> None:
        """Look at the others, the most suspicious first; mark the wrong ones of a screen, give them the right label."""
        self.press("1")
        self._page.wait_for_function("() => review.state.view === 'all' && review.state.total > 0")
        self.choose("#sort", "suspicion")
        self.choose("[name=reviewed]", "undecided")
        n_clean, first = 0, -1
        while n_clean < CLEAN_SCREENS:
            screen = [one for one in self.look() if one["place"] > first]
            if not screen:
                break
            first = screen[-1]["place"]
            wrong = [one for one in screen if one["right"] != one["row"]["label"] and not one["row"].get("drop_reason")]
            n_clean = 0 if wrong else n_clean + 1
            for label in sorted({one["right"] for one in wrong}):
                places = [one["place"] for one in wrong if one["right"] == label]
                for place in places:
                    self.click(f"#tile-{place}", modifiers=["Control"])
                self._page.wait_for_function(f"() => review.state.marks.size === {len(places)}")
                self.press(self.key_of(label))
                self._page.wait_for_function("() => !review.state.marks.size && !review.state.busy.size")
            top = "document.querySelector('#grid').scrollTop"
            before = self._page.evaluate(top)
            self.press("PageDown")
            self._page.wait_for_function(f"() => {top} > {before} || review.state.at === review.state.total - 1")

    def key_of(self, label: str) -> str:
        return str(self._page.evaluate("(label) => review.state.labelKeys.get(label)", label))


def swap(photos: Path, folder: Path, seed: int) -> int:
    """Copy photographs into a folder a label, some into the other one; the first word of a name is its right label."""
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    labels = sorted({path.parent.name for path in files})
    swapped = set(random.Random(seed).sample(range(len(files)), N_SWAPPED))
    for number, path in enumerate(files):
        label = labels[1 - labels.index(path.parent.name)] if number in swapped else path.parent.name
        (folder / label).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / label / f"{path.parent.name} {path.name}")
    return len(files)


def curator(home: Path, *words: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-m", "curator", *words], cwd=home, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def right_labels(home: Path) -> pd.DataFrame:
    """Return the latest catalog with the right label of each image."""
    sys.path.insert(0, str(ROOT))
    from curator.dataset import open_dataset

    table = open_dataset(home / "manifests" / "job" / "recipe.toml", emit=lambda event: None).table
    return table.assign(right=[Path(name).name.split(" ")[0] for name in table["source_id"]])


def review(home: Path, truth: dict[str, str]) -> Person:
    """Let the person review."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "curator", "review", "--no-open", "--who", "person"]
    running = subprocess.Popen(words, cwd=home, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        address = re.findall(r"http://\S+", running.stdout.readline())[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.set_default_timeout(60_000)
            page.goto(address)
            page.wait_for_selector(".tile img")
            person = Person(page, truth)
            person.judge_suspects()
            person.judge_the_rest()
            browser.close()
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    return person


def main() -> int:
    """Measure and conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path, default=ROOT.parent / "shared" / "photos" / "balls")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    checks, features = [], None
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            home = Path(folder) / str(seed)
            n_files = swap(options.photos.resolve(), home / "photos", seed)
            curator(home, "init", "job", "--from", "photos")
            curator(home, "split")
            if features:  # the pictures are the same ones
                shutil.copytree(features, home / "data" / "job" / "features")
            curator(home, "suspects")
            features = home / "data" / "job" / "features"
            before = right_labels(home)
            person = review(home, dict(zip(before["record_id"], before["right"], strict=True)))
            curator(home, "split", "--resplit")
            after = right_labels(home)
            left = int(((after["label"] != after["right"]) & after["drop_reason"].isna()).sum())
            is_wrong = (before["label"] != before["right"]).to_numpy()
            n_out = int((is_wrong & before["duplicate_of"].notna().to_numpy()).sum())
            print(
                f"seed {seed}: {n_files:,} photographs, {N_SWAPPED} labels swapped ({n_out} dropped as copies): "
                f"{person.n_keys} keystrokes, {len(person.seen)} images seen, {left} wrong labels left",
                flush=True,
            )
            checks += [at_most(f"seed {seed}: keystrokes", person.n_keys, MOST_KEYS)]
            checks += [at_most(f"seed {seed}: wrong labels left", left, MOST_LEFT)]
    return conclude(checks)


if __name__ == "__main__":
    sys.exit(main())
