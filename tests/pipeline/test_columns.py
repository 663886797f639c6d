"""A stage names every column that it reads: with those alone it decides as with the whole catalog."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from curator import catalog
from curator.decide import picture_columns
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.reviews import Review
from curator.manifests.settings import BalanceSettings, DedupeSettings, SplitSettings
from curator.pipeline.stages import STAGES
from curator.store.paths import DataPaths

N = 60


def whole_catalog():
    """Images of two labels: notices of a host, copies, authors, bursts, listed sides; pictures of all."""
    chance = np.random.default_rng(0)
    shas = [f"{n:064x}" for n in range(N)]
    shas[3:7] = ["e" * 64] * 4  # what a host serves alike at four addresses
    turns = chance.integers(0, 256, (N, 64), np.uint8)
    turns[11], turns[21] = turns[10], turns[20]
    rows = {
        "record_id": [f"open-images-{n:032x}" for n in range(N)],
        "label": np.where(np.arange(N) % 2, "a", "b"),
        "source": np.where(np.arange(N) % 3, "x", "y"),
        "kind": "open-images",
        "tier": 0,
        "source_id": [f"v_{n % 5}_{n}" for n in range(N)],
        "url": [f"http://farm{n}.static.flickr.com/{n}/{n}456_ab.jpg" for n in range(N)],
        "landing_url": [f"https://www.flickr.com/photos/p/{n // 2}" for n in range(N)],
        "author": [f"author {n // 3}" for n in range(N)],
        "listed_group": [f"patient {n // 4}" for n in range(N)],
        "listed_split": [["train", "test", None][n % 3] for n in range(N)],
        "license": "https://creativecommons.org/licenses/by/2.0/",
        "sha256": shas,
        "n_bytes": 1000,
        "format": "jpeg",
        "mode": "RGB",
        "width": 100,
        "height": 80,
        "taken": [f"2024-05-01T12:00:{n:02d}" for n in range(N)],
        "camera": [f"Z{n % 4}" for n in range(N)],
        "detail": 50.0,
        "phash": [int(value) for value in turns[:, :8].copy().view(">u8").ravel()],
        "phash_turns": [value.tobytes() for value in turns],
        "phash256": [value[:32].tobytes() for value in turns],
        "thumbnail": [chance.integers(0, 256, 512, np.uint8).tobytes() for _ in range(N)],
    }
    return catalog.conform(pd.DataFrame(rows))


GROUPS = ("near-duplicate", "exact-duplicate", "author", "page", "group", "video", "burst")
DEDUPES = [
    DedupeSettings(),
    DedupeSettings(mode="exact"),
    DedupeSettings(keep="first", across_labels="ignore"),
    DedupeSettings(across_labels="keep-first", rotations=False),
]
SPLITS = [
    SplitSettings(),
    SplitSettings(keep=True),
    SplitSettings(folds=2, group_by=("page",)),
    SplitSettings(group_by=GROUPS, group_pattern=r"flickr\.com/(\d)", val=0.1),
]


@pytest.mark.parametrize("split", SPLITS, ids=["usual", "kept sides", "folds", "all groups"])
@pytest.mark.parametrize("dedupe", DEDUPES, ids=["usual", "exact", "first", "upright"])
@pytest.mark.parametrize("grows", [False, True])
def test_a_stage_decides_by_the_columns_that_it_names(dedupe, split, grows, tmp_path):
    """Stage after stage, with what people decided, and with a split of before."""
    table = whole_catalog()
    recipe = Recipe("set", ("a", "b"), (), balance=BalanceSettings("max"), dedupe=dedupe, split=split)
    project = Project(recipe, DataPaths(tmp_path, tmp_path, "set"))
    keys = [(table["sha256"][n], table["label"][n]) for n in (10, 12, 14)]
    decisions = (("keep", ""), ("drop", ""), ("relabel", "a" if keys[2][1] == "b" else "b"))
    reviews = {}
    for (sha256, label), (decision, new) in zip(keys, decisions, strict=True):
        review = Review("2026-01-02T03:04:05Z", "ann", sha256, label, decision, new_label=new)
        reviews[review.key] = review
    previous = None
    if grows:
        sides = ["train" if n % 4 else "test" for n in range(0, N, 5)]
        previous = pd.DataFrame({"sha256": table["sha256"][::5].tolist(), "split": sides, "fold": 0, "has_left": False})
    for step in STAGES:
        named = step.columns(project, reviews, previous)
        narrow, notes = step.decide(table[[name for name in table if name in named]], project, reviews, previous)
        table, whole_notes = step.decide(table, project, reviews, previous)
        pd.testing.assert_frame_equal(narrow[[*catalog.DECIDED]], table[[*catalog.DECIDED]])
        assert notes == whole_notes
    assert catalog.is_kept(table).sum() > N / 3


@pytest.mark.parametrize("split", SPLITS, ids=["usual", "kept sides", "folds", "all groups"])
@pytest.mark.parametrize("dedupe", DEDUPES, ids=["usual", "exact", "first", "upright"])
def test_texts_of_more_than_two_gigabytes_change_no_decision(dedupe, split, tmp_path, monkeypatch):
    """Such columns have places of 64 bits: with the limit at two kilobytes, a stage decides as it did without."""
    table = whole_catalog()
    recipe = Recipe("set", ("a", "b"), (), balance=BalanceSettings("max"), dedupe=dedupe, split=split)
    project = Project(recipe, DataPaths(tmp_path, tmp_path, "set"))
    monkeypatch.setattr(picture_columns, "_BATCH_ROWS", 20)
    wide = {
        field.name: pd.ArrowDtype(catalog.WIDE[field.type])
        for field in catalog.SCHEMA
        if field.type in catalog.WIDE and pa.array(table[field.name]).nbytes > 2_000
    }
    assert {"record_id", "url", "sha256", "phash_turns"} <= wide.keys()
    for step in STAGES:
        with monkeypatch.context() as patched:
            patched.setattr(catalog, "MOST_BYTES", 2_000)
            found, notes = step.decide(table.astype(wide), project, {}, None)
        table, usual_notes = step.decide(table, project, {}, None)
        pd.testing.assert_frame_equal(found[[*catalog.DECIDED]], table[[*catalog.DECIDED]])
        assert notes == usual_notes
