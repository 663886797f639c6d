"""What saved models make of another set: accuracy on all of it, on strangers, and on what they saw in training.

>>> list(PARTS)
['all', 'strangers', 'seen in training']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from curator.benchmark.compare import estimate
from curator.benchmark.saved_model import SavedModel
from curator.catalog import BoolArray, IntArray
from curator.inspect.audit.listed import Published
from curator.reasons import SPLITS
from curator.text import Text, plural

PARTS = {"all": "all images", "strangers": "those without a near-duplicate among its training images",
         "seen in training": "those with one"}  # fmt: skip

Figures = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What models make of a set.

    Attributes:
        places: where the set is, as a person wrote them.
        published: the set, its table with what was observed; what is no picture is dropped, with its reason.
        meant: each label of the set and the model's label that it means; None: its images were left out.
        table: a row an image and model: ``image``, ``label`` (as the model calls it), ``side``, ``model``,
            ``predicted``, ``probability``, ``is_right``, ``seen_as`` (the training image that it is, or None),
            ``is_exact`` (the same bytes).
        figures: for each model the ``labels``; ``parts``, a mapping of :data:`PARTS` and of each side to ``n`` and
            ``accuracy`` (``mean``, ``low``, ``high``; None without images); ``by_label``; ``confusion``, a row a true
            label; and ``own_test``, its accuracy on its own test images.
        notes: for a person.
    """

    places: tuple[str, ...]
    published: Published
    meant: Mapping[str, str | None]
    table: pd.DataFrame
    figures: Mapping[str, Figures]
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {one['parts']['all']['accuracy']['mean']:.3f}" for name, one in self.figures.items())
        return f"Evaluation({plural(self.n_images, 'image')}: {told})"

    def _repr_html_(self) -> str:
        rows = [
            {"model": name, "part": part, "images": of["n"], **(of["accuracy"] or {})}
            for name, one in self.figures.items()
            for part, of in one["parts"].items()
        ]
        return str(pd.DataFrame(rows).to_html(index=False, float_format="{:.3f}".format))

    @property
    def n_images(self) -> int:
        """How many images were labelled."""
        return self.table["image"].nunique()

    def to_json(self, spell: Any = str) -> dict[str, Any]:
        """Return all of it as values that JSON has."""
        bad = self.published.table[self.published.table["drop_reason"].notna().to_numpy(dtype=bool)]
        rows = self.table.astype(object).where(self.table.notna(), None)
        return {
            "places": list(self.places),
            "kind": self.published.kind,
            "labels": dict(self.meant),
            "n_images": self.n_images,
            "unreadable": [
                {"image": image, "reason": reason, "detail": detail}
                for image, reason, detail in bad[["record_id", "drop_reason", "drop_detail"]].to_numpy(object).tolist()
            ],
            "models": dict(self.figures),
            "images": rows.to_dict("records"),
            "notes": [spell(note) for note in self.notes],
        }


def measure(rows: pd.DataFrame, model: SavedModel, groups: IntArray) -> Figures:
    """Compute one model's figures.

    Args:
        rows: its rows of :attr:`Evaluation.table`.
        model: the model.
        groups: the group of each: whole groups are drawn by the bootstrap that the intervals come from.
    """
    right, seen = rows["is_right"].to_numpy(dtype=np.float64), rows["seen_as"].notna().to_numpy(dtype=bool)
    which: dict[str, BoolArray] = dict(zip(PARTS, (seen | True, ~seen, seen), strict=True))
    sides = [side for side in SPLITS if (rows["side"] == side).any()]
    which |= {f"in {side}": (rows["side"] == side).to_numpy(dtype=bool) for side in sides if len(sides) > 1}
    true = rows["label"].to_numpy()
    return {
        "title": model.facts["title"],
        "labels": list(model.labels),
        "parts": {part: _estimate(right, groups, of) for part, of in which.items()},
        "by_label": {
            label: {"n": int((true == label).sum()), "right": float(right[true == label].mean())}
            for label in model.labels
            if (true == label).any()
        },
        "confusion": _confusion(true, rows["predicted"].to_numpy(), model.labels),
        "own_test": {"n": model.facts["test"]["n"], "accuracy": model.facts["test"]["accuracy"]},
    }


def _estimate(right: Any, groups: IntArray, which: BoolArray) -> Figures:
    n = int(which.sum())
    return {"n": n, "accuracy": estimate(right[which], groups[which]) if n else None}


def _confusion(true: Any, predicted: Any, labels: Sequence[str]) -> list[list[int]]:
    place = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, ([place[one] for one in true], [place[one] for one in predicted]), 1)
    found: list[list[int]] = counts.tolist()
    return found
