"""Print how well dedupe works on a data set's own images: copies found, and strangers taken for copies."""

from __future__ import annotations

from collections.abc import Iterator

from curator.inspect.calibrate.calibrate import Calibration
from curator.inspect.calibrate.measure import RADII
from curator.text import Command, Text


def calibration_lines(result: Calibration) -> Iterator[Text]:
    """Write the table of copies found and strangers taken for copies, in 80 columns."""
    yield f"copies found of {result.n_images} images, in percent, by max_distance"
    yield f"{'':<22}" + "".join(f"{radius:>9}" for radius in RADII)
    for kind, one in result.kinds.items():
        yield f"{kind:<22}" + "".join(f"{100 * found / one.n:>9.1f}" for found in one.found)
    strangers = sum(one.n_strangers for one in result.kinds.values())
    yield f"of {strangers:,} pairs of strangers"
    for name, counts in (("matched", "false"), ("alike by one hash", "near")):
        sums = [sum(getattr(one, counts)[place] for one in result.kinds.values()) for place in range(len(RADII))]
        yield f"{name:<22}" + "".join(f"{n:>9,}" for n in sums)
    yield from _advice(result)


def _advice(result: Calibration) -> Iterator[Text]:
    yield "Strangers are an altered image and another of your images, unless those two are"
    yield "copies for certain (within 2 bits and confirmed). Copies that nobody knew of"
    yield "count as strangers too, so the true rate is at most what is shown;"
    yield (Command("dedupe --explain"), " lists what is matched.")
    if result.max_distance is None:
        yield f"No max_distance keeps the rate of false matches at {result.false_rate:g} here."
    else:
        yield f"For a rate of false matches of at most {result.false_rate:g}: max_distance = {result.max_distance}"
