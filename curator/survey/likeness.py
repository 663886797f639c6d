"""How alike the pictures of a set are: a sample is decoded and judged by dedupe's own rule.

Where a third of a sample are copies of others, the pictures are alike by their nature (an inspection camera, a
microscope, frames of a video, one product in several colours), and dropping what looks alike would drop the data.

>>> choose_runs([f"{n:03}.jpg" for n in range(100)], n_files=6, run=3)
['000.jpg', '001.jpg', '002.jpg', '050.jpg', '051.jpg', '052.jpg']
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from curator import catalog
from curator.decide.dedupe import find_duplicates
from curator.manifests.settings import DedupeSettings, QualitySettings
from curator.observe.observation import hash_sightings
from curator.observe.workers.look import look_at_files
from curator.reasons import Drop

SAMPLE, RUN = 240, 20
ALIKE = 1 / 3
"""The share of copies from which on ``mode = "exact"`` is proposed."""


class Likeness(NamedTuple):
    """How many pictures of a sample could be read, and how many dedupe would drop as near-duplicates."""

    n_seen: int
    n_near: int

    @property
    def is_alike(self) -> bool:
        """Whether so many look alike that this is what the pictures are."""
        return self.n_near > ALIKE * self.n_seen


def measure_likeness(files: Sequence[str]) -> Likeness:
    """Look for near-duplicates among some of the files; each is decoded in a process of its own."""
    chosen = [Path(name) for name in choose_runs(sorted(files))]
    sightings = [sighting for _, sighting in look_at_files(chosen, QualitySettings().max_pixels) if sighting]
    seen = [one._asdict() for one in hash_sightings(sightings) if one.flaw is None]
    if len(seen) < 2:
        return Likeness(len(seen), 0)
    rows = pd.DataFrame(seen).assign(label="", source="", kind="", tier=0)
    table = catalog.conform(rows.assign(record_id=[f"x-{number}" for number in range(len(rows))]))
    judged = find_duplicates(table, DedupeSettings(), ("",))
    return Likeness(len(seen), int((judged["drop_reason"] == Drop.NEAR_DUPLICATE).sum()))


def choose_runs(files: Sequence[str], n_files: int = SAMPLE, run: int = RUN) -> list[str]:
    """Choose files that lie beside each other, in runs that are spread evenly: neighbours are alike if any are."""
    if len(files) <= n_files:
        return list(files)
    n_runs = n_files // run
    starts = [number * len(files) // n_runs for number in range(n_runs)]
    return [name for start in starts for name in files[start : start + run]]
