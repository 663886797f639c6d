"""What curation bought, in rows and sentences, for a terminal and for a page.

>>> change({"mean": -0.0066, "low": -0.02, "high": 0.0})
'-0.7 (-2.0 to +0.0)'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RAW, DEDUPED, CLEANED = "raw", "deduplicated", "cleaned"
"""The training sets: all that was fetched, without the copies, and without the suspects where they were looked for."""
RANDOM, CURATED, INFLATION = "random split of all", "curated split", "inflation"
"""The two orders of work, and the accuracy of the first less that of the second."""

HEAD = ("", "images", "right", "points (95% interval)")


def change(found: Mapping[str, float] | None) -> str:
    """Write a difference in points with its interval; nothing if there is none."""
    if found is None:
        return ""
    mean, low, high = (points(found[name]) for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def points(share: float) -> str:
    """Write a difference of shares in points, none as +0.0.

    >>> points(0.0123), points(-0.0001)
    ('+1.2', '+0.0')
    """
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def training_rows(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """List what each training set is worth on the same test images; the change is that from the row above."""
    for model, sets in found["training"].items():
        yield [model, "", "", ""]
        for name, one in sets.items():
            n = found["n_train"][name]
            yield [f"  {name}", f"{n:,}", f"{100 * one['accuracy']['mean']:.1f}%", change(one["gain"])]


def order_rows(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """List what both orders of work say of the same images; the change is what the wrong one pretends."""
    for model, orders in found["orders"].items():
        yield [model, "", "", ""]
        for name, n in ((CURATED, found["n_kept"]), (RANDOM, found["n_raw"])):
            pretended = change(orders[INFLATION]) if name == RANDOM else ""
            yield [f"  {name}", f"{n:,}", f"{100 * orders[name]['mean']:.1f}%", pretended]


def tell_ablation(found: Mapping[str, Any]) -> Iterator[str]:
    """Say for each question what is shown, and what is not."""
    for model, sets in found["training"].items():
        name, without = (CLEANED, "copies and suspects") if CLEANED in sets else (DEDUPED, "copies")
        yield f"Without {without} in training, the {model} changes by {_shown(sets[name]['gain in all'])}."
    if found.get("unjudged"):
        yield f"Suspects were not looked for: {found['unjudged']}."
    for model, orders in found["orders"].items():
        yield f"A random split of all images changes the figure of the {model} by {_shown(orders[INFLATION])}."


def _shown(found: Mapping[str, float]) -> str:
    mean, low, high = (points(found[name]) for name in ("mean", "low", "high"))
    text = f"{mean} points (95% interval {low} to {high})"
    return f"{text}, which may be chance" if found["low"] <= 0 <= found["high"] else text
