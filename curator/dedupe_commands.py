"""What ``curator dedupe --explain`` and ``--calibrate`` show.

>>> copy = {"record_id": "folder-2", "drop_reason": "near-duplicate", "distance_bits": 8, "turn": "mirror"}
>>> for line in group_lines({"keeper": "folder-1", "label": "a", "width": 9, "height": 7, "copies": [copy]}):
...     print(line)
folder-1  a, 9 x 7, kept of 2
  folder-2                      near-duplicate    8 bits, mirrored
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from curator.calibrate.calibrate import Calibration, calibrate
from curator.calibrate.measure import RADII
from curator.catalog import Drop, Stage
from curator.cli import tables
from curator.cli.session import Session
from curator.cli.stage_result import show
from curator.decide.groups import explain_groups
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.pipeline import run as pipeline


def dedupe(session: Session, overrides: dict[str, dict[str, Any]], force: bool, explain: bool) -> dict[str, int]:
    """Dedupe where that is not done; show the counts, or explain the groups; give what is missing per label."""
    outcome = pipeline.decide(session.project, Stage.DEDUPED, overrides, force)
    if explain:
        _explain(session, explain_groups(outcome.table))
    else:
        show(session, outcome, Stage.DEDUPED)
    return outcome.missing


def _explain(session: Session, groups: list[dict[str, Any]]) -> None:
    if session.as_json:
        tables.print_json(groups)
        return
    n_copies = sum(len(group["copies"]) for group in groups)
    for group in groups:
        tables.print_text("\n".join(group_lines(group)) + "\n")
    tables.print_note(f"{tables.plural(len(groups), 'group')}, {tables.plural(n_copies, 'duplicate')} dropped")


def group_lines(group: dict[str, Any]) -> Iterator[str]:
    """Write one group: who is kept, then a line a copy."""
    size = f"{group['width']} x {group['height']}"
    yield f"{group['keeper']}  {group['label']}, {size}, kept of {len(group['copies']) + 1}"
    for copy in group["copies"]:
        how = "" if copy["drop_reason"] == Drop.EXACT_DUPLICATE else _likeness(copy)
        yield f"  {copy['record_id']:<28}  {copy['drop_reason']:<16}  {how}".rstrip()


def _likeness(copy: dict[str, Any]) -> str:
    bits, phrase = copy["distance_bits"], ORIENTATION_PHRASES[ORIENTATIONS.index(copy["turn"])]
    return f"{bits} bit{'' if bits == 1 else 's'}{f', {phrase}' if phrase else ''}"


def show_calibration(session: Session, false_rate: float) -> None:
    """Measure, and print the table and the radius that follows."""
    result = calibrate(session.project, false_rate)
    if session.as_json:
        tables.print_json(result.as_json())
        return
    tables.print_text("\n".join(calibration_lines(result)) + "\n")


def calibration_lines(result: Calibration) -> Iterator[str]:
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


def _advice(result: Calibration) -> Iterator[str]:
    yield "Strangers are an altered image and another of your images, unless those two are"
    yield "copies for certain (within 2 bits and confirmed). Copies that nobody knew of"
    yield "count as strangers too, so the true rate is at most what is shown;"
    yield "--explain instead of --calibrate lists what is matched."
    if result.max_distance is None:
        yield f"No max_distance keeps the rate of false matches at {result.false_rate:g} here."
    else:
        yield f"For a rate of false matches of at most {result.false_rate:g}: max_distance = {result.max_distance}"
