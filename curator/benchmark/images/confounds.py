"""The confound check: can the label be predicted without looking at the picture?

If one class came from one source, a network may learn the source (its sizes, its compression) and not the thing.
So a random forest predicts the label from facts about the file alone, cross-validated with groups kept whole. What it
gets right by chance is 1 / labels; far over that, no test accuracy on this data set can be trusted.

>>> round(warning_level(n_labels=2), 2), round(warning_level(n_labels=4), 3)
(0.65, 0.475)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from curator.addresses import host_names
from curator.benchmark.images.labelled_images import N_FOLDS, LabelledImages

FACTS = {
    "image size": ("width", "height"),
    "aspect ratio": ("aspect_ratio",),
    "bytes": ("n_bytes", "bytes_per_pixel"),
    "file format": ("format",),
    "source": ("source",),
    "host": ("host",),
}
"""What is known of a file without looking at its picture, and the columns that say it."""

EVERYTHING = "all together"
MAX_IMAGES = 20_000
_MAX_CATEGORIES = 30


@dataclass(frozen=True)
class ConfoundCheck:
    """Balanced accuracy with which each kind of fact alone, and all together, predict the label."""

    accuracy: dict[str, float]
    level: float
    chance: float
    n_images: int
    warning: str = ""


def warning_level(n_labels: int) -> float:
    """Return the balanced accuracy over which the check warns: 0.65 for two labels, as far over chance for more."""
    chance = 1 / n_labels
    return chance + 0.3 * (1 - chance)


def check_confounds(images: LabelledImages) -> ConfoundCheck:
    """Predict the label from facts about the files, by five-fold cross-validation.

    At most :data:`MAX_IMAGES` images are used, taken evenly over the manifest. Balanced accuracy is the mean of the
    labels' recalls, so a large class does not hide a small one.
    """
    rows = np.arange(len(images.table))
    if len(rows) > MAX_IMAGES:
        rows = np.linspace(0, len(rows) - 1, MAX_IMAGES).astype(int)
    labels, groups, columns = images.label_index[rows], images.groups[rows], _columns(images.table.iloc[rows])
    kinds = FACTS | {EVERYTHING: tuple(name for names in FACTS.values() for name in names)}
    accuracy = {kind: _predictability(columns, names, labels, groups) for kind, names in kinds.items()}
    n_labels = len(images.labels)
    level = warning_level(n_labels)
    return ConfoundCheck(accuracy, level, 1 / n_labels, len(rows), _warning(accuracy, level, n_labels))


def _predictability(
    columns: pd.DataFrame, names: Sequence[str], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.object_]
) -> float:
    """Cross-validate a forest on some columns: balanced accuracy over all folds' predictions."""
    inputs = np.column_stack([_encoded(columns[name]) for name in names])
    if (inputs == inputs[0]).all():
        return 1 / len(np.unique(labels))
    forest = RandomForestClassifier(
        n_estimators=100, min_samples_leaf=3, class_weight="balanced", random_state=0, n_jobs=None
    )
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0)
    predicted = cross_val_predict(forest, inputs, labels, groups=groups, cv=folds)
    return float(balanced_accuracy_score(labels, predicted))


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    width, height, n_bytes = (
        pd.to_numeric(table[name]).astype("float64") if name in table else pd.Series(np.nan, index=table.index)
        for name in ("width", "height", "n_bytes")
    )
    numbers = {
        "width": width,
        "height": height,
        "n_bytes": n_bytes,
        "aspect_ratio": width / height,
        "bytes_per_pixel": n_bytes / (width * height),
    }
    url = table["url"] if "url" in table else pd.Series("", index=table.index)
    return pd.DataFrame(numbers).assign(format=table["format"], source=table["source"], host=host_names(url, "none"))


def _encoded(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Encode as numbers, shape (images, columns): numbers as they are (-1 if unknown), text one-hot."""
    if pd.api.types.is_numeric_dtype(column):
        return column.fillna(-1.0).to_numpy(dtype=np.float64).reshape(-1, 1)
    text = column.fillna("none").astype(str)
    common = text.value_counts().index[:_MAX_CATEGORIES]
    return np.column_stack([(text == name).to_numpy(dtype=np.float64) for name in common])


def _warning(accuracy: dict[str, float], level: float, n_labels: int) -> str:
    if max(accuracy.values()) <= level:
        return ""
    single = {kind: value for kind, value in accuracy.items() if kind != EVERYTHING}
    strongest = max(single, key=lambda kind: single[kind])
    return (
        f"The label can be told without looking at the picture: facts about the file alone reach a balanced accuracy "
        f"of {max(accuracy.values()):.2f} (chance {1 / n_labels:.2f}; strongest alone: {strongest}, "
        f"{single[strongest]:.2f}; all together {accuracy[EVERYTHING]:.2f}). "
        f"A model may have learned where an image came from, not what it shows; "
        f"gather every label from the same sources before trusting any accuracy."
    )
