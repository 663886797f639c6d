"""How much is tried: a sample in `make test`, all of it in `make torture`, counted in a table.

A torture is a test of this folder: it takes its size from :func:`sample` or :func:`times`, and tells :func:`count` what
was tried and what held. A further one is one file here; `make torture` finds it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

FULL = bool(os.environ.get("CURATOR_TORTURE"))
"""Whether everything is tried."""
COUNTS = Path(os.environ.get("CURATOR_TORTURE_COUNTS", os.devnull))
"""Where `make torture` counts: a JSON object a line."""
Item = TypeVar("Item")


def sample(everything: Sequence[Item], n: int, seed: object = 0) -> list[Item]:
    """Return all of it in the full size, else ``n`` of it, the first and the last among them."""
    if FULL or len(everything) <= n:
        return list(everything)
    inner = random.Random(str(seed)).sample(range(1, len(everything) - 1), max(0, n - 2))
    return [everything[place] for place in sorted({0, len(everything) - 1, *inner})]


def times(n: int) -> int:
    """Return how many chance inputs are tried: ``n``, or fifty times as many."""
    return 50 * n if FULL else n


def count(what: str, n_tried: int, n_held: int) -> None:
    """Tell `make torture` what was tried and what of it held."""
    with COUNTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"what": what, "tried": n_tried, "held": n_held}) + "\n")


def table() -> str:
    """Sum the counts up, a line a kind of attack."""
    found: dict[str, list[int]] = {}
    for line in COUNTS.read_text(encoding="utf-8").splitlines():
        facts = json.loads(line)
        sums = found.setdefault(facts["what"], [0, 0])
        sums[0], sums[1] = sums[0] + facts["tried"], sums[1] + facts["held"]
    lines = [f"| {what} | {tried:,} | {held:,} |" for what, (tried, held) in sorted(found.items())]
    return "\n".join(["| attack | tried | held |", "|---|---:|---:|", *lines])


if __name__ == "__main__":
    print(table())
