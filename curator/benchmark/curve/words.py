"""A learning curve in sentences, for a terminal and for a page.

>>> rough(1234.5)
'1,200'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curator.benchmark.ablation_words import change, points
from curator.benchmark.curve.extrapolate import POINT
from curator.text import percent

FARTHEST = 9
"""A point that takes more than so many times the images again is out of the curve's sight."""


def rough(value: float) -> str:
    """Write a number with the two digits that an extrapolation may have."""
    return f"{float(f'{value:.2g}'):,.0f}"


def tell_curve(found: Mapping[str, Any]) -> Iterator[str]:
    """Say what more images would bring, and how far the curve can be relied on.

    Args:
        found: what :func:`curator.benchmark.curve.learning_curve.describe_curve` returns.
    """
    yield _tell_more(found)
    yield from _tell_held_out(found["held_out"])
    if found.get("sources"):
        yield _tell_sources(found["sources"])


def _tell_more(found: Mapping[str, Any]) -> str:
    last, needed, doubled = found["points"][-1], found["images_for_point"], found["gains"][0]
    n, least = last["images_per_label"], needed["low"]
    if last["accuracy"]["mean"] == 1:
        return "No test image is wrong with all training images: these test images cannot show what more would bring."
    doubling = f"Twice as many bring {points(doubled['mean'])} points (95% interval {_span(doubled)})."
    for name, error in (("measured", 1 - last["accuracy"]["mean"]), ("fitted", _fitted_error(found["law"], n))):
        if error < POINT:
            return f"Less than a point is left to gain: the {name} error with all is {percent(error)}. {doubling}"
    if least is None or least > FARTHEST * n:
        return f"More images of the same kind will not bring a point of accuracy: the curve is flat. {doubling}"
    if needed["mean"] is None or needed["mean"] > FARTHEST * n:
        most = f"{rough(least)} more a label might (the lower end of the 95% interval)"
        return f"More images of the same kind hardly bring a point of accuracy; {most}. {doubling}"
    end = f"to {rough(needed['high'])}" if needed["high"] and needed["high"] < 100 * n else "or more"
    return (
        f"One more point of accuracy takes about {rough(needed['mean'])} more images a label "
        f"(95% interval {rough(least)} {end}). {doubling}"
    )


def _fitted_error(law: Mapping[str, Any], n_images: float) -> float:
    floor, scale, exponent = (float(law[name]["mean"]) for name in ("floor", "scale", "exponent"))
    return floor + scale * float(n_images**-exponent)


def _tell_held_out(held_out: Mapping[str, Any]) -> Iterator[str]:
    if not held_out:
        return
    predicted = {name: percent(1 - value) for name, value in held_out["predicted"].items()}
    text = (
        f"Checked: from {rough(held_out['size'])} images a label the curve predicts {predicted['mean']} with all "
        f"(90% interval {predicted['high']} to {predicted['low']}); measured: {percent(1 - held_out['measured'])}."
    )
    yield text if held_out["is_inside"] else f"{text} That is outside: do not rely on this curve."


def _tell_sources(found: Mapping[str, Any]) -> str:
    gains = {name: one["more"] for name, one in found["sources"].items() if one["more"]}
    if not gains:
        return "The sources are too small, or too unlike in labels or groups, to say which of them helps most."
    shown = ", ".join(f"{name} {change(one)}" for name, one in gains.items())
    text = f"{found['n_more']:,} further images of a source, added to half of train, bring in points: {shown}."
    if left_out := [name for name in found["sources"] if name not in gains]:
        text += f" Of {', '.join(left_out)} no equal part can be added."
    if found["best"]:
        return f"{text} More of {found['best']} helps most."
    return f"{text} No source surely helps most."


def _span(one: Mapping[str, float]) -> str:
    return f"{points(one['low'])} to {points(one['high'])}"
