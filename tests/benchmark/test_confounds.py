"""The confound check: it must fire where the file tells the label, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from curator.benchmark.images.confounds import EVERYTHING, check_confounds
from curator.benchmark.images.labelled_images import LabelledImages


def made_images(n: int = 120, **columns: object) -> LabelledImages:
    """Make a manifest whose facts are chance, but for the columns given."""
    rng = np.random.default_rng(0)
    sides = rng.integers(200, 1000, (2, n))
    table = pd.DataFrame(
        {
            "record_id": [f"r{index}" for index in range(n)],
            "label": np.where(np.arange(n) % 2, "soccer", "rugby"),
            "split": "train",
            "split_group": [f"g{index // 2}" for index in range(n)],
            "width": sides[0],
            "height": sides[1],
            "n_bytes": rng.integers(10_000, 90_000, n),
            "format": "jpeg",
            "source": "folder",
            "url": [None] * n,
        }
    )
    return LabelledImages(table.assign(**columns), ("rugby", "soccer"))


def test_chance_facts_do_not_warn() -> None:
    """Sizes that have nothing to do with the label predict it about as well as a coin."""
    check = check_confounds(made_images())
    assert check.warning == ""
    assert check.accuracy[EVERYTHING] < check.level == pytest.approx(0.65)
    assert check.accuracy["source"] == check.accuracy["host"] == 0.5


def test_one_size_for_one_class_warns_and_names_the_size() -> None:
    """One class of 224 pixels square gives the label away."""
    images = made_images()
    rugby = (images.table["label"] == "rugby").to_numpy()
    sides = {name: images.table[name].where(~rugby, 224) for name in ("width", "height")}
    check = check_confounds(made_images(**sides))
    assert check.accuracy["image size"] > 0.95
    assert "without looking at the picture" in check.warning
    assert "strongest alone: image size" in check.warning


def test_one_host_for_one_class_warns_and_names_the_host() -> None:
    """Each class from a host of its own gives the label away."""
    urls = [f"https://{'a' if index % 2 else 'b'}.example/{index}.jpg" for index in range(120)]
    check = check_confounds(made_images(url=urls))
    assert check.accuracy["host"] == 1.0
    assert "strongest alone: host" in check.warning
