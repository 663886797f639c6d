"""The test images that the benchmark's models get wrong, the most confident first: wrong labels show up here.

>>> read_wrong(Path("no-benchmark.csv"))
{}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curator.errors import StateError
from curator.text import Command

_FIXED = ("record_id", "label", "model", "seed", "predicted")


@dataclass(frozen=True)
class WrongImage:
    """What the models say of one image, on average over models and runs, and how sure they are (0 to 1)."""

    predicted: str
    confidence: float


def read_wrong(path: Path) -> dict[str, WrongImage]:
    """Read a benchmark's predictions; record id to what is said of it, in order of falling confidence.

    Raises:
        StateError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        table = pd.read_csv(path, dtype={"record_id": str, "label": str, "predicted": str})
        columns = [name for name in table.columns if name.startswith("p_") and name not in _FIXED]
        said = table.groupby("record_id")[columns].mean()
        label = table.groupby("record_id")["label"].first()
    except (ValueError, KeyError, OSError) as error:
        raise StateError(f"{path} cannot be read ({error}).", (Command("benchmark"), " writes it anew.")) from error
    found = pd.DataFrame({"label": label, "predicted": said.idxmax(axis=1).str[2:], "confidence": said.max(axis=1)})
    found = found[found["label"] != found["predicted"]].sort_values("confidence", ascending=False, kind="stable")
    columns_of = zip(found.index, found["predicted"], found["confidence"], strict=True)
    return {str(record_id): WrongImage(str(name), float(share)) for record_id, name, share in columns_of}
